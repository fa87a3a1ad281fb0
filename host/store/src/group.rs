//! A group of commits being decided: each batch sees the state and the batches before it.
//!
//! The same code decides a new commit, replays the journal into a state, and proves in `verify`
//! that a state follows from the journal. Not here: durability.

use std::collections::BTreeMap;

use crate::checksum::{Mark, Place, record_digest};
use crate::state::growth;
use crate::{Batch, Error, Frame, Kind, Space};

/// What is known of a record without its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) version: u64,
    /// What it adds to the digest of the state.
    pub(crate) digest: u128,
    pub(crate) value_bytes: u32,
}

/// A record's key in full.
pub(crate) type Name = (Space, Vec<u8>);

/// What a group leaves under a key.
pub(crate) struct Touched {
    /// What the state held before the group.
    pub(crate) stored: Option<Head>,
    pub(crate) now: Option<(Head, Vec<u8>)>,
}

/// Commits that are decided and not yet applied.
pub(crate) struct Group {
    touched: BTreeMap<Name, Touched>,
    sequence: u64,
    digest: u128,
    records: u64,
    /// What the records touched hold in memory, about.
    bytes: usize,
    /// What they may take of the disk in the state.
    growth: u64,
}

/// How a group looks up what the state holds.
pub(crate) trait Heads {
    fn head(&self, space: Space, key: &[u8]) -> Result<Option<Head>, Error>;
}

impl Group {
    /// Begins a group on the state that this mark is of.
    pub(crate) fn on(mark: &Mark) -> Group {
        let Mark { place, digest, records } = *mark;
        let (touched, sequence) = (BTreeMap::new(), place.sequence);
        Group { touched, sequence, digest, records, bytes: 0, growth: 0 }
    }

    /// Takes a batch as the next commit if its preconditions hold; gives its sequence. After an
    /// error the group is as it was.
    pub(crate) fn admit(&mut self, state: &dyn Heads, batch: Batch) -> Result<u64, Error> {
        batch.check_expectations(|space, key| {
            Ok(self.current(state, &(space, key.to_vec()))?.now.map(|head| head.version))
        })?;
        let sequence = self.sequence + 1;
        let effects = batch.into_effects(sequence);
        let before: Result<Vec<_>, _> =
            effects.keys().map(|key| self.current(state, key)).collect();
        for ((name, value), found) in effects.into_iter().zip(before?) {
            let head = value.as_ref().map(|value| head_of(&name, sequence, value));
            self.recount(found.now, head);
            self.growth += growth(&name.1, found.now.as_ref(), value.as_ref());
            self.bytes += name.1.len() + value.as_ref().map_or(0, Vec::len) + 64;
            self.touched.insert(name, Touched { stored: found.stored, now: head.zip(value) });
        }
        self.sequence = sequence;
        Ok(sequence)
    }

    /// Takes a frame of the journal, whose preconditions held when it was written.
    pub(crate) fn replay(&mut self, state: &dyn Heads, frame: Frame) -> Result<(), Error> {
        let (due, sequence) = (self.sequence + 1, frame.sequence);
        if due != sequence {
            let what = format!("frame {sequence} cannot be applied where frame {due} is due");
            return Err(Error::new(Kind::Damaged, what));
        }
        let refused = |e| {
            let what = format!(
                "frame {sequence} of the journal does not fit the state before it; restore the \
                 store's directory from a backup"
            );
            Error::new(Kind::Damaged, what).because(e)
        };
        self.admit(state, frame.batch).map(|_| ()).map_err(refused)
    }

    fn current(&self, state: &dyn Heads, name: &Name) -> Result<Found, Error> {
        if let Some(Touched { stored, now }) = self.touched.get(name) {
            return Ok(Found { stored: *stored, now: now.as_ref().map(|(head, _)| *head) });
        }
        let stored = state.head(name.0, &name.1)?;
        Ok(Found { stored, now: stored })
    }

    fn recount(&mut self, before: Option<Head>, now: Option<Head>) {
        if let Some(head) = before {
            self.digest = self.digest.wrapping_sub(head.digest);
            self.records = self.records.saturating_sub(1);
        }
        if let Some(head) = now {
            self.digest = self.digest.wrapping_add(head.digest);
            self.records += 1;
        }
    }

    /// The mark of the state with the group applied, its last frame being at this place.
    pub(crate) fn mark(&self, place: Place) -> Mark {
        Mark { place, digest: self.digest, records: self.records }
    }

    /// What to write into the state.
    pub(crate) fn into_touched(self) -> BTreeMap<Name, Touched> {
        self.touched
    }

    /// What the group holds in memory, about.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// By how much the file of the state may grow when the group is applied.
    pub(crate) fn growth(&self) -> u64 {
        self.growth
    }
}

struct Found {
    stored: Option<Head>,
    now: Option<Head>,
}

fn head_of((space, key): &Name, version: u64, value: &[u8]) -> Head {
    let digest = record_digest(*space, key, version, value);
    Head { version, digest, value_bytes: u32::try_from(value.len()).unwrap_or(u32::MAX) }
}
