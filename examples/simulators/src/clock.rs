//! The simulator's idea of the time, which a test may move.
//!
//! It is not used for timers: delays and retries run on the machine's own clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A clock shared by all its clones.
#[derive(Clone, Debug)]
pub struct Clock {
    /// Seconds since 1970 when still, seconds ahead of the system's clock when it runs.
    shift_s: Arc<AtomicI64>,
    still: bool,
}

impl Clock {
    /// The machine's clock, which [`Clock::advance`] moves ahead.
    pub fn system() -> Self {
        Self { shift_s: Arc::default(), still: false }
    }

    /// A clock that stands at `unix_s` until it is moved.
    pub fn still(unix_s: i64) -> Self {
        Self { shift_s: Arc::new(AtomicI64::new(unix_s)), still: true }
    }

    /// Moves this clock and all its clones; a negative value moves it back.
    pub fn advance(&self, seconds: i64) {
        self.shift_s.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Seconds since 1970.
    pub fn now_s(&self) -> i64 {
        let shift = self.shift_s.load(Ordering::SeqCst);
        if self.still { shift } else { system_s().saturating_add(shift) }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

fn system_s() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
