//! How a generation stands, for the operator: whether it is called, and the end of a quarantine.
//!
//! Not here: when it is quarantined (`quarantine`).

use std::sync::Arc;

use tokio::sync::watch;

use super::{Generation, Loaded};
use crate::quarantine::Standing;

impl Generation {
    /// Why it is quarantined, if it is: it failed too often, and only a self-test and a call that
    /// goes well, after a rest, end that.
    pub fn quarantined(&self) -> Option<Arc<str>> {
        self.0.quarantine().reason()
    }

    /// How it stands: what was counted, and whether it is called.
    pub fn standing(&self) -> Standing {
        self.0.quarantine().standing(self.0.now_ms())
    }

    /// Ends a quarantine on the operator's word. False when there was none.
    pub fn clear(&self) -> bool {
        let was = self.0.quarantine().clear();
        self.0.note_change();
        was
    }

    /// Quarantines what was quarantined when the process before this one ended: it rests first, or
    /// is `shut` until the operator clears it.
    pub fn resume_quarantine(&self, reason: &str, shut: bool) {
        self.0.quarantine().resume(self.0.now_ms(), reason, shut);
        self.0.note_change();
    }

    /// Changes whenever a quarantine begins, ends, or becomes another.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }
}

impl Loaded {
    /// Tells whoever watches, where the quarantine has changed.
    pub(super) fn note_change(&self) {
        let round = self.quarantine().round();
        self.changes.send_if_modified(|known| std::mem::replace(known, round) != round);
    }
}
