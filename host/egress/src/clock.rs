//! Deadlines. Not here: what happens when one is missed.

use std::time::Duration;

use tokio::time::Instant;

use crate::gate::Timeouts;

/// Nothing here is waited for longer than a day: larger figures mean the same and cannot overflow.
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// The moment `ms` milliseconds from now.
pub(crate) fn after(ms: u64) -> Instant {
    Instant::now() + Duration::from_millis(ms.min(DAY_MS))
}

/// By when the stages of one exchange have to be over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadlines {
    /// The head of an HTTP answer, or the first byte of a frame.
    pub(crate) head: Instant,
    /// Everything.
    pub(crate) whole: Instant,
}

impl Deadlines {
    /// Counted from now, which is when the request may leave.
    pub(crate) fn start(timeouts: &Timeouts) -> Deadlines {
        let whole = after(timeouts.total_ms_max);
        Deadlines { head: after(timeouts.first_byte_ms_max).min(whole), whole }
    }
}
