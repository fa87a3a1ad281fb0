//! The ledger: money, identifiers, entries, the state table, and the sums that must always hold.
//!
//! Pure: no input, no output, no clock, no randomness, no async. What time it is and which
//! identifier comes next are arguments. Whatever is decided here is recorded by `engine` in one
//! commit.
//!
//! Read in this order: [`money`](Money), [`table`](TABLE), [`entry`](Entry), [`payment`](Payment).

mod anomaly;
mod entry;
mod id;
mod money;
mod payment;
mod table;

pub use anomaly::{Anomaly, AnomalyKind, Closed};
pub use entry::{
    Decline, DeclineCode, Entry, Kind, Means, NextAction, References, Resolution, RetryAdvice,
    Settled, Verdict,
};
pub use id::{Id, IdError};
pub use money::{AMOUNT_MINOR_MAX, Currency, Money, MoneyError};
pub use payment::{Change, Payment, Refusal, Status, Unresolved};
pub use table::{State, TABLE, Told, Transition, after};

/// Milliseconds since the Unix epoch, as the host's clock gave them.
pub type TimestampMs = u64;
