//! The feed of what happened: one event a change of an entry, written in the same commit.

use ledger::{Entry, Id, Payment, TimestampMs};
use serde::{Deserialize, Serialize};

/// Something that happened to a payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its identifier.
    pub id: Id,
    /// `<kind>.<state>`, as `authorize.needs-action` or `refund.succeeded`.
    pub name: String,
    /// When it happened.
    pub at_ms: TimestampMs,
    /// The payment just after.
    pub payment: Payment,
    /// The entry that changed.
    pub entry: Entry,
}

/// A page of the feed.
#[derive(Clone, Debug)]
pub struct EventPage {
    /// Oldest first.
    pub events: Vec<Event>,
    /// What to ask for next: the events after these. The same as was given when there are none.
    pub cursor: String,
}
