//! Apps: the integrations of developers, and their API keys.
//!
//! A key is `tgk_<app>_<secret>`; only the SHA-256 of the secret (256 random bits) is kept.

use ledger::{Id, TimestampMs};
use serde::{Deserialize, Serialize};

/// A developer's integration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// Its identifier.
    pub id: Id,
    /// The name the operator gave.
    pub name: String,
    /// When it was added.
    pub created_at_ms: TimestampMs,
}

/// An API key, shown once.
pub struct ApiKey(String);

impl ApiKey {
    /// The key as the developer sends it. It is not kept and cannot be shown again.
    pub fn expose(&self) -> &str {
        &self.0
    }
}
