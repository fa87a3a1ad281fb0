//! Where sensitive values come from, and the one place where they meet a request. Not here: how a
//! value is written (`encode`).

use vault::Secret;

use crate::request::CardField;

/// The sensitive values of one operation. Asked only while a request is being filled.
pub trait Fill: Send + Sync {
    /// The account's secret of this name.
    fn secret(&self, name: &str) -> Option<&Secret>;
    /// A field of the card the operation is paid with.
    fn card(&self, field: CardField) -> Option<&Secret>;
    /// The result of a computation, by its number within the step.
    fn derived(&self, number: u32) -> Option<&Secret>;
}
