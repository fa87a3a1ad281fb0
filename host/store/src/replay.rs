//! The journal replayed in memory, without the values: what the commits must leave. Not here:
//! where the commits come from.

use std::collections::BTreeMap;

use crate::batch::Expectation;
use crate::checksum::{Mark, StoreId};
use crate::group::{Group, Head, Heads, Name};
use crate::{Batch, Error, Expected, Frame, Space};

/// What the commits so far leave.
pub(crate) struct Replay {
    pub(crate) heads: Known,
    pub(crate) mark: Mark,
    pub(crate) last_time_ms: u64,
}

/// The records by what is known of them without their values.
pub(crate) struct Known(pub(crate) BTreeMap<Name, Head>);

impl Heads for Known {
    fn head(&self, space: Space, key: &[u8]) -> Result<Option<Head>, Error> {
        Ok(self.0.get(&(space, key.to_vec())).copied())
    }
}

impl Known {
    /// Whether a precondition holds here.
    pub(crate) fn holds(&self, one: &Expectation) -> bool {
        let found = self.0.get(&(one.space, one.key.clone())).map(|head| head.version);
        match one.expected {
            Expected::Absent => found.is_none(),
            Expected::Version(version) => found == Some(version),
        }
    }

    /// Takes out of a batch the preconditions that do not hold here; gives what they were on.
    pub(crate) fn strip(&self, batch: &mut Batch) -> Vec<Name> {
        let (held, failed) = batch.expectations.drain(..).partition(|one| self.holds(one));
        batch.expectations = held;
        let failed: Vec<Expectation> = failed;
        failed.into_iter().map(|one| (one.space, one.key)).collect()
    }
}

impl Replay {
    pub(crate) fn new(id: &StoreId) -> Replay {
        Replay { heads: Known(BTreeMap::new()), mark: Mark::start(id), last_time_ms: 0 }
    }

    /// Takes the next commit.
    ///
    /// # Errors
    /// `Damaged` when it is not the next one or a precondition of it does not hold.
    pub(crate) fn apply(&mut self, frame: Frame) -> Result<(), Error> {
        let (place, time_ms) = (frame.place(), frame.batch.time_ms);
        let mut group = Group::on(&self.mark);
        group.replay(&self.heads, frame)?;
        self.mark = group.mark(place);
        self.last_time_ms = time_ms;
        for (name, touched) in group.into_touched() {
            match touched.now {
                Some((head, _)) => self.heads.0.insert(name, head),
                None => self.heads.0.remove(&name),
            };
        }
        Ok(())
    }

    pub(crate) fn count_by_space(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for (space, _) in self.heads.0.keys() {
            *counts.entry(space.name().to_owned()).or_default() += 1;
        }
        counts
    }
}
