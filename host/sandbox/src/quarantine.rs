//! When a generation is no longer called: too many faults, too close together.
//!
//! A pure state machine. It is told the time and how calls ended, and answers whether a call may be
//! made: all may while it is closed, none while it is open, one after a self-test once it has
//! rested. A rest that ends in another fault is followed by one twice as long; after so many of
//! them nothing is tried any more until the operator clears it.
//!
//! Not here: the clock, the self-test (`describe`) and the calls themselves (`generation`).

use std::sync::Arc;

/// A window is counted in this many slots: as precise as a quarantine has to be, and of one size
/// however many calls there are.
const SLOTS: u64 = 8;

/// When a generation is quarantined, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// So many faults within the window quarantine a generation; 0 is taken as 1.
    pub faults: u32,
    /// And only if at least this share of the window's calls faulted, in percent: one app's odd
    /// order does not stop a plugin that works for all others.
    pub share_percent: u32,
    /// How long a fault counts, in milliseconds.
    pub window_ms: u64,
    /// The first rest before a call is tried again, in milliseconds.
    pub rest_ms: u64,
    /// The longest rest, in milliseconds.
    pub rest_ms_max: u64,
    /// After so many trials in a row that failed, none is made until an operator clears it; 0 goes
    /// on for ever.
    pub trials_max: u32,
}

impl Default for Thresholds {
    /// Eight faults in a minute that are half of all calls; rests of five seconds to five minutes,
    /// eight of them: a quarter of an hour.
    fn default() -> Thresholds {
        Thresholds {
            faults: 8,
            share_percent: 50,
            window_ms: 60_000,
            rest_ms: 5_000,
            rest_ms_max: 300_000,
            trials_max: 8,
        }
    }
}

/// Why a generation is quarantined, in words.
pub(crate) type Reason = Arc<str>;

/// How a generation stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Calls that count, since it was loaded.
    pub calls: u64,
    /// Of these, those that ended in a fault of its own.
    pub faults: u64,
    /// None while it is called.
    pub quarantined: Option<Quarantined>,
}

/// A quarantine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Why, in words.
    pub reason: Arc<str>,
    /// What ends it.
    pub until: Until,
}

/// What ends a quarantine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// A self-test and a call that goes well, tried once so many milliseconds have passed.
    Rested(u64),
    /// The call that is out.
    Tried,
    /// The operator alone.
    Cleared,
}

/// Which stretch between two changes of state a call was admitted in: what began in an earlier one
/// says nothing about the present one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Round(u64);

/// Whether a call may be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Yes.
    Go(Round),
    /// After the self-test has passed.
    Test(Round),
    /// No.
    Refused(Reason),
}

/// What a call says about the plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// It counts.
    Counted,
    /// Nothing: anyone may send an unproven delivery, so faults over one must not stop payments,
    /// nor may answers to many hide faults or end a quarantine.
    Uncounted,
}

/// The state of one generation.
#[derive(Debug)]
pub(crate) struct Quarantine {
    thresholds: Thresholds,
    state: State,
    round: u64,
    /// How long the next rest is.
    rest_ms: u64,
    /// Trials in a row that failed.
    failed_trials: u32,
    calls: u64,
    faults: u64,
}

#[derive(Debug)]
enum State {
    Closed(Window),
    Open {
        until_ms: u64,
        reason: Reason,
    },
    /// One call is out. If nobody hears of it again, another may be tried when its lease is over.
    Trying {
        until_ms: u64,
        reason: Reason,
    },
    /// Tried often enough.
    Shut {
        reason: Reason,
    },
}

impl Quarantine {
    /// Closed, with nothing counted.
    pub(crate) fn new(thresholds: Thresholds) -> Quarantine {
        let state = State::Closed(Window::default());
        let rest_ms = thresholds.rest_ms;
        let (failed_trials, calls, faults) = (0, 0, 0);
        Quarantine { thresholds, state, round: 0, rest_ms, failed_trials, calls, faults }
    }

    /// Which stretch this is: another number after every change of state.
    pub(crate) fn round(&self) -> u64 {
        self.round
    }

    /// How it stands.
    pub(crate) fn standing(&self, now_ms: u64) -> Standing {
        let quarantined = self.reason().map(|reason| Quarantined {
            reason,
            until: match &self.state {
                State::Shut { .. } => Until::Cleared,
                State::Trying { .. } => Until::Tried,
                State::Open { until_ms, .. } => Until::Rested(until_ms.saturating_sub(now_ms)),
                State::Closed(_) => Until::Rested(0),
            },
        });
        Standing { calls: self.calls, faults: self.faults, quarantined }
    }

    /// The operator has seen to it: whatever was counted is forgotten. False when it was not
    /// quarantined.
    pub(crate) fn clear(&mut self) -> bool {
        let was = !matches!(self.state, State::Closed(_));
        self.close();
        was
    }

    /// It was quarantined when the process before this one ended.
    pub(crate) fn resume(&mut self, now_ms: u64, reason: &str, shut: bool) {
        if shut {
            self.enter(State::Shut { reason: reason.into() });
        } else {
            self.open(now_ms, reason.into());
        }
    }

    /// Whether a call may be made at `now_ms`.
    pub(crate) fn admit(&mut self, now_ms: u64, weight: Weight) -> Admission {
        let (until_ms, reason) = match &self.state {
            State::Closed(_) => return Admission::Go(Round(self.round)),
            State::Shut { reason } => return Admission::Refused(reason.clone()),
            State::Open { until_ms, reason } | State::Trying { until_ms, reason } => {
                (*until_ms, reason.clone())
            }
        };
        if now_ms < until_ms {
            return Admission::Refused(reason);
        }
        // A call that does not count can neither close nor open, so it takes no turn.
        if weight == Weight::Counted {
            let until_ms = now_ms.saturating_add(self.rest_ms.max(1));
            self.enter(State::Trying { until_ms, reason });
        }
        Admission::Test(Round(self.round))
    }

    /// The self-test did not pass. Gives the reason.
    pub(crate) fn failed(&mut self, round: Round, now_ms: u64, what: &str) -> Option<Reason> {
        if round.0 != self.round || matches!(self.state, State::Closed(_) | State::Shut { .. }) {
            return None;
        }
        self.failed_trials = self.failed_trials.saturating_add(1);
        Some(self.open(now_ms, format!("its self-test failed: {what}").into()))
    }

    /// A call that counts gave an answer. True if that ended a quarantine.
    pub(crate) fn answered(&mut self, round: Round, now_ms: u64) -> bool {
        self.calls += 1;
        if round.0 != self.round {
            return false;
        }
        match &mut self.state {
            State::Closed(window) => window.count(now_ms, &self.thresholds, 0),
            State::Trying { .. } => {
                self.close();
                return true;
            }
            State::Open { .. } | State::Shut { .. } => {}
        }
        false
    }

    /// A call that counts ended in a fault. Gives the reason if that began a quarantine.
    pub(crate) fn faulted(&mut self, round: Round, now_ms: u64, what: &str) -> Option<Reason> {
        (self.calls, self.faults) = (self.calls + 1, self.faults + 1);
        if round.0 != self.round {
            return None;
        }
        let reason = match &mut self.state {
            State::Closed(window) => {
                window.count(now_ms, &self.thresholds, 1);
                window.verdict(&self.thresholds).map(|counts| format!("{counts}, last: {what}"))?
            }
            State::Trying { .. } => {
                self.failed_trials = self.failed_trials.saturating_add(1);
                format!("it was tried again: {what}")
            }
            State::Open { .. } | State::Shut { .. } => return None,
        };
        Some(self.open(now_ms, reason.into()))
    }

    /// Why the generation is quarantined, if it is.
    pub(crate) fn reason(&self) -> Option<Reason> {
        match &self.state {
            State::Closed(_) => None,
            State::Open { reason, .. } | State::Trying { reason, .. } | State::Shut { reason } => {
                Some(reason.clone())
            }
        }
    }

    fn close(&mut self) {
        (self.rest_ms, self.failed_trials) = (self.thresholds.rest_ms, 0);
        self.enter(State::Closed(Window::default()));
    }

    fn open(&mut self, now_ms: u64, reason: Reason) -> Reason {
        let most = self.thresholds.trials_max;
        if most > 0 && self.failed_trials >= most {
            self.enter(State::Shut { reason: reason.clone() });
            return reason;
        }
        let until_ms = now_ms.saturating_add(self.rest_ms);
        self.rest_ms = self.rest_ms.saturating_mul(2).min(self.thresholds.rest_ms_max);
        self.enter(State::Open { until_ms, reason: reason.clone() });
        reason
    }

    fn enter(&mut self, state: State) {
        (self.state, self.round) = (state, self.round.saturating_add(1));
    }
}

/// The calls of the last while, in slots of equal length.
#[derive(Debug, Default)]
struct Window(Vec<Slot>);

#[derive(Debug)]
struct Slot {
    /// Which slot since the beginning of time this is.
    number: u64,
    calls: u64,
    faults: u64,
}

impl Window {
    /// Counts a call at this moment; slots that have left the window are dropped.
    fn count(&mut self, now_ms: u64, thresholds: &Thresholds, faults: u64) {
        let number = now_ms / (thresholds.window_ms / SLOTS).max(1);
        self.0.retain(|slot| slot.number.saturating_add(SLOTS) > number);
        if self.0.last().is_none_or(|slot| slot.number < number) {
            self.0.push(Slot { number, calls: 0, faults: 0 });
        }
        if let Some(slot) = self.0.last_mut() {
            (slot.calls, slot.faults) = (slot.calls + 1, slot.faults + faults);
        }
    }

    /// The counts in words, if they are too many.
    fn verdict(&self, thresholds: &Thresholds) -> Option<String> {
        let sum = |count: fn(&Slot) -> u64| self.0.iter().map(count).sum::<u64>();
        let (calls, faults) = (sum(|slot| slot.calls), sum(|slot| slot.faults));
        let enough = faults >= u64::from(thresholds.faults.max(1));
        let share = faults * 100 >= calls * u64::from(thresholds.share_percent);
        let window_ms = thresholds.window_ms;
        (enough && share).then(|| format!("{faults} of {calls} calls in {window_ms} ms faulted"))
    }
}
