//! The circuit of an endpoint: after failures in a row it is left alone for a while, then tried by
//! one notification, whose fate decides. Pure: the time is handed in.

use ledger::TimestampMs;
use serde::{Deserialize, Serialize};

/// When a circuit opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fuse {
    /// Failures in a row that open it.
    pub failures_max: u32,
    /// How long it stays open the first time, in milliseconds; twice as long each time after that.
    pub open_ms: u64,
    /// The longest it stays open.
    pub open_ms_max: u64,
}

/// How an endpoint has been answering, as it is kept in the store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Circuit {
    /// Failures in a row.
    pub failures: u32,
    /// Since when nothing was taken.
    #[serde(default)]
    pub failing_since_ms: Option<TimestampMs>,
    /// Open: nothing is sent before this, and then one notification alone.
    #[serde(default)]
    pub open_until_ms: Option<TimestampMs>,
    /// How often it was opened without being closed.
    #[serde(default)]
    pub openings: u32,
    /// What was wrong last.
    #[serde(default)]
    pub why: Option<String>,
    /// One notification is on its way to try the endpoint.
    #[serde(skip)]
    pub probing: bool,
}

/// How an endpoint has been answering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It takes what it is sent.
    Taking,
    /// It failed lately, and is sent to as usual.
    Failing {
        /// Since when it has taken nothing.
        since_ms: TimestampMs,
        /// What was wrong last.
        why: String,
    },
    /// It failed so often that it is left alone, but for one notification at a time.
    LeftAlone {
        /// Since when it has taken nothing.
        since_ms: TimestampMs,
        /// When it is tried next.
        until_ms: TimestampMs,
        /// What was wrong last.
        why: String,
    },
    /// It said that it wants no more, and is told nothing until its app enables it again.
    Disabled {
        /// Since when.
        since_ms: TimestampMs,
        /// What it said.
        why: String,
    },
}

/// Whether something may be sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// As much as there are places for.
    Any,
    /// One notification, to see.
    Probe,
    /// Nothing before this time.
    NotBefore(TimestampMs),
    /// Nothing until the probe has ended.
    NotYet,
}

impl Circuit {
    pub(crate) fn admits(&self, now: TimestampMs) -> Admission {
        match self.open_until_ms {
            None => Admission::Any,
            Some(_) if self.probing => Admission::NotYet,
            Some(until) if now < until => Admission::NotBefore(until),
            Some(_) => Admission::Probe,
        }
    }

    /// Something was taken: whatever was wrong is over.
    pub(crate) fn taken(&mut self) {
        *self = Circuit::default();
    }

    /// Something was not taken. What was sent before the circuit opened does not keep it open
    /// longer; only the probe does.
    pub(crate) fn failed(&mut self, now: TimestampMs, why: &str, probe: bool, fuse: &Fuse) {
        self.failures = self.failures.saturating_add(1);
        self.failing_since_ms.get_or_insert(now);
        self.why = Some(why.to_owned());
        self.probing &= !probe;
        let opens = self.open_until_ms.is_none() && self.failures >= fuse.failures_max;
        if opens || (probe && self.open_until_ms.is_some()) {
            let doubled = fuse.open_ms.saturating_mul(1 << self.openings.min(20));
            self.open_until_ms = Some(now + doubled.min(fuse.open_ms_max));
            self.openings = self.openings.saturating_add(1);
        }
    }

    pub(crate) fn health(&self) -> Health {
        let why = self.why.clone().unwrap_or_default();
        match (self.failing_since_ms, self.open_until_ms) {
            (None, _) => Health::Taking,
            (Some(since_ms), None) => Health::Failing { since_ms, why },
            (Some(since_ms), Some(until_ms)) => Health::LeftAlone { since_ms, until_ms, why },
        }
    }
}
