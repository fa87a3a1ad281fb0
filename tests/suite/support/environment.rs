//! What a campaign is told by its environment.

use std::time::{SystemTime, UNIX_EPOCH};

/// A number that was given.
///
/// # Panics
/// When something else was given.
pub fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// The seed that was given in `TOLLGATE_SEED`, or another one every time.
pub fn seed() -> u64 {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    number("TOLLGATE_SEED").unwrap_or_else(|| u64::from(now().subsec_nanos()))
}
