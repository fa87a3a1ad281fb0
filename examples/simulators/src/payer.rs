//! What a payer answers when asked to pay or to authenticate.

use serde::Deserialize;

/// The payer's answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayerAnswer {
    /// Pays, or passes the authentication.
    #[default]
    Succeeded,
    /// Does not.
    Failed,
}
