//! The circuit of an endpoint: after failures in a row it is left alone for a while, then tried by
//! one notification, whose fate decides. Pure: the time is handed in.

use ledger::TimestampMs;
use serde::{Deserialize, Serialize};

use super::pace::{Pace, QUICK_MS_MAX, SLOW_MS};

/// When a circuit opens, and for how long, and when what waits for an endpoint is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fuse<'a> {
    /// Failures in a row that open it.
    pub failures_max: u32,
    /// How long it stays open the first time, in milliseconds; twice as long each time after that.
    pub open_ms: u64,
    /// The longest it stays open.
    pub open_ms_max: u64,
    /// The waits of a notification's schedule.
    pub waits_ms: &'a [u64],
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
    /// How far the endpoint has got through a schedule of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<Trial>,
    /// A trial was failed to its end that began then: what has waited since, no longer does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hopeless_since_ms: Option<TimestampMs>,
    /// Whether it answered quickly when it was not known to be slow.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub quick: bool,
    /// It answered slowly, and is known to be slow until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow_until_ms: Option<TimestampMs>,
    /// One notification is on its way to try the endpoint.
    #[serde(skip)]
    pub probing: bool,
}

/// The way of a failing endpoint through the schedule of a notification: it takes as many tries as
/// that, as far apart. Only tries count, never time alone: in a pause of the host there are none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trial {
    /// When it failed the first try.
    pub since_ms: TimestampMs,
    /// Tries that counted so far.
    pub tries: u32,
    /// Failures before this do not count.
    pub next_ms: TimestampMs,
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
        let (quick, slow_until_ms) = (self.quick, self.slow_until_ms);
        *self = Circuit { quick, slow_until_ms, ..Circuit::default() };
    }

    /// It took so long until its answer, whatever that was, or until it had not answered in time.
    pub(crate) fn took(&mut self, now: TimestampMs, took_ms: u64) {
        if took_ms > QUICK_MS_MAX {
            (self.quick, self.slow_until_ms) = (false, Some(now.saturating_add(SLOW_MS)));
        } else if !self.is_slow(now) {
            (self.quick, self.slow_until_ms) = (true, None);
        }
    }

    pub(crate) fn pace(&self, now: TimestampMs) -> Pace {
        match self.slow_until_ms {
            Some(_) if self.is_slow(now) => Pace::Slow,
            None if self.quick => Pace::Quick,
            _ => Pace::Unknown,
        }
    }

    /// A time further away was noted by a clock that was ahead, and set right since.
    fn is_slow(&self, now: TimestampMs) -> bool {
        self.slow_until_ms.is_some_and(|until| now < until && until - now <= SLOW_MS)
    }

    /// Something was not taken. What was sent before the circuit opened does not keep it open
    /// longer; only the probe does.
    pub(crate) fn failed(&mut self, now: TimestampMs, why: &str, probe: bool, fuse: &Fuse<'_>) {
        self.failures = self.failures.saturating_add(1);
        self.failing_since_ms.get_or_insert(now);
        self.try_failed(now, fuse.waits_ms);
        self.why = Some(why.to_owned());
        self.probing &= !probe;
        let opens = self.open_until_ms.is_none() && self.failures >= fuse.failures_max;
        if opens || (probe && self.open_until_ms.is_some()) {
            let doubled = fuse.open_ms.saturating_mul(1 << self.openings.min(20));
            self.open_until_ms = Some(now + doubled.min(fuse.open_ms_max));
            self.openings = self.openings.saturating_add(1);
        }
    }

    /// Takes the trial a step further, if it is time for one, and ends it when none is left.
    fn try_failed(&mut self, now: TimestampMs, waits_ms: &[u64]) {
        let begun = Trial { since_ms: now, tries: 0, next_ms: now };
        let trial = self.trial.get_or_insert(begun);
        if now < trial.next_ms {
            return;
        }
        let wait_ms = usize::try_from(trial.tries).ok().and_then(|tries| waits_ms.get(tries));
        match wait_ms {
            Some(wait_ms) => {
                trial.tries = trial.tries.saturating_add(1);
                trial.next_ms = now.saturating_add(*wait_ms);
            }
            None => {
                self.hopeless_since_ms = Some(trial.since_ms);
                self.trial = None;
            }
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
