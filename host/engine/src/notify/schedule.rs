//! When a notification that was not taken is sent again. Pure: time and chance are handed in.

use ledger::TimestampMs;

/// How long to wait after each failure. When none is left, the notification is given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Milliseconds after the first failure, the second, and so on.
    pub waits_ms: Vec<u64>,
    /// What is added to each wait at the most, in hundredths of it, by chance: endpoints that
    /// failed together do not come back together.
    pub jitter_percent: u8,
}

/// The longest `Retry-After` that is heeded: longer ones are an endpoint that is switched off.
const ASKED_MS_MAX: u64 = 60 * 60 * 1000;

impl Default for Schedule {
    /// Eleven attempts in a little under 26 hours.
    fn default() -> Schedule {
        let (s, min, h) = (1_000, 60_000, 3_600_000);
        let waits_ms =
            vec![5 * s, 30 * s, 2 * min, 10 * min, 30 * min, h, 2 * h, 4 * h, 6 * h, 12 * h];
        Schedule { waits_ms, jitter_percent: 20 }
    }
}

impl Schedule {
    /// When to send again after this many failures (from 1 on), of which the last was at `now`;
    /// none when it is given up. `asked_ms` is what the endpoint asked for, `chance` any number.
    pub(crate) fn next(
        &self,
        failures: u32,
        now: TimestampMs,
        asked_ms: Option<u64>,
        chance: u64,
    ) -> Option<TimestampMs> {
        let index = usize::try_from(failures.checked_sub(1)?).ok()?;
        let wait = *self.waits_ms.get(index)?;
        let jitter = wait / 100 * u64::from(self.jitter_percent);
        let waited = wait + chance % (jitter + 1);
        Some(now + waited.max(asked_ms.unwrap_or(0).min(ASKED_MS_MAX)))
    }
}
