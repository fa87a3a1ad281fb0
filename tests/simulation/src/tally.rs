//! What is counted over a day, and over all of them.

use std::collections::BTreeMap;
use std::fmt;

/// Every kind of fault there is. None is counted that is not listed, and in enough days each
/// happens.
pub const FAULTS: &[&str] = &[
    "5xx and not done",
    "5xx though done",
    "answer after the time-out",
    "answer contradicts the books",
    "answer slow",
    "answered twice",
    "app hangs up",
    "clock set",
    "connecting takes long",
    "connection lost on the way",
    "connection refused",
    "cut before the first byte",
    "cut within the answer",
    "disk breaks",
    "disk full",
    "disk really full",
    "endpoint answers 5xx",
    "endpoint answers garbage",
    "endpoint cuts the line",
    "endpoint never answers",
    "endpoint redirects",
    "endpoint slow",
    "garbage answered",
    "line breaks while a request is written",
    "name not resolved",
    "never answered",
    "no answers for a while",
    "plugin breaks",
    "power cut while writing",
    "provider hangs up on its webhook",
    "refused before it is in the books",
    "repeat refused for its rate",
    "request arrives late",
    "request arrives when given up",
    "request vanishes",
    "server closes an idle line",
    "slow commit",
    "webhook altered",
    "webhook lost",
    "webhook names its own reference alone",
    "webhook repeated",
    "webhook signed by another key",
    "webhook signed long ago",
    "webhook unsigned",
];

/// What was acknowledged and is gone: none, on a good day.
pub const LOST: &str = "acknowledged and lost";
/// What the provider did twice for one entry: none, on a good day.
pub const CHARGED_TWICE: &str = "done twice for one entry";
/// Entries that left a terminal state: none, on a good day.
pub const CHANGED: &str = "terminal entries changed";

/// Figures, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    faults: BTreeMap<&'static str, u64>,
    crashes: BTreeMap<&'static str, u64>,
    figures: BTreeMap<&'static str, u64>,
}

impl Tally {
    pub fn fault(&mut self, what: &'static str) {
        assert!(FAULTS.contains(&what), "`{what}` is not in the list of faults");
        *self.faults.entry(what).or_default() += 1;
    }

    pub fn crash(&mut self, at: &'static str) {
        *self.crashes.entry(at).or_default() += 1;
    }

    pub fn add(&mut self, what: &'static str, many: u64) {
        *self.figures.entry(what).or_default() += many;
    }

    pub fn figure(&self, what: &str) -> u64 {
        self.figures.get(what).copied().unwrap_or_default()
    }

    pub fn faults(&self) -> u64 {
        self.faults.values().sum()
    }

    pub fn crashes(&self) -> u64 {
        self.crashes.values().sum()
    }

    /// How often each fault happened.
    pub fn kinds(&self) -> &BTreeMap<&'static str, u64> {
        &self.faults
    }

    pub fn absorb(&mut self, other: &Tally) {
        for (ours, theirs) in [
            (&mut self.faults, &other.faults),
            (&mut self.crashes, &other.crashes),
            (&mut self.figures, &other.figures),
        ] {
            theirs.iter().for_each(|(what, many)| *ours.entry(what).or_default() += many);
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = |title: &str, rows: &BTreeMap<&str, u64>| {
            writeln!(f, "{title:<44}{:>12}", rows.values().sum::<u64>())?;
            rows.iter().try_for_each(|(what, many)| writeln!(f, "  {what:<42}{many:>12}"))
        };
        table("faults", &self.faults)?;
        table("crashes, by the call they fell on", &self.crashes)?;
        self.figures.iter().try_for_each(|(what, many)| writeln!(f, "{what:<44}{many:>12}"))
    }
}
