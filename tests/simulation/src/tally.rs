//! What is counted over a day, and over all of them.

use std::collections::BTreeMap;
use std::fmt;

/// Figures, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    faults: BTreeMap<&'static str, u64>,
    crashes: BTreeMap<&'static str, u64>,
    figures: BTreeMap<&'static str, u64>,
}

impl Tally {
    pub fn fault(&mut self, what: &'static str) {
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
