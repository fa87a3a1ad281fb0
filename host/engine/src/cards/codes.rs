//! Security codes on their way to their first use, in memory alone: no record, no file, and gone
//! with the process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ledger::{Id, TimestampMs};
use vault::Secret;

/// How long one waits for its use.
const KEEP_MS: u64 = 15 * 60 * 1000;

/// The codes, by card, and until when each is kept.
#[derive(Default)]
pub(crate) struct Codes(Mutex<HashMap<Id, (Secret, TimestampMs)>>);

impl Codes {
    /// Keeps a code for fifteen minutes.
    pub fn keep(&self, card: &Id, code: Secret, now: TimestampMs) {
        self.held().insert(card.clone(), (code, now.saturating_add(KEEP_MS)));
    }

    /// Whether there is one.
    pub fn holds(&self, card: &Id, now: TimestampMs) -> bool {
        self.held().get(card).is_some_and(|(_, until)| now < *until)
    }

    /// Gives it out, once.
    pub fn take(&self, card: &Id, now: TimestampMs) -> Option<Secret> {
        let (code, until) = self.held().remove(card)?;
        (now < until).then_some(code)
    }

    /// Wipes it.
    pub fn forget(&self, card: &Id) {
        self.held().remove(card);
    }

    /// Wipes those whose time is over.
    pub fn forget_before(&self, now: TimestampMs) {
        self.held().retain(|_, (_, until)| now < *until);
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Id, (Secret, TimestampMs)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
