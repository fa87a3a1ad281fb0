//! What one commit asks: preconditions and changes. Not here: how it is written (the journal's
//! `codec`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::contract::{BATCH_BYTES_MAX, KEY_BYTES_MAX, VALUE_BYTES_MAX};
use crate::{Error, Kind, Space, readable};

/// What an append adds to its prefix: the sequence (8 bytes) and the index (2), big-endian.
pub const APPEND_BYTES: usize = 10;

/// Preconditions and changes that are applied together or not at all.
///
/// The changes take effect in the order they were asked: a later one of the same key wins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// When, by the host's clock: milliseconds since 1970-01-01T00:00:00Z.
    pub time_ms: u64,
    /// What must hold before.
    pub expectations: Vec<Expectation>,
    /// What to change.
    pub changes: Vec<Change>,
    /// Whether it finishes what was begun, and is taken as long as there is any room on a disk that
    /// is full for new work. Not part of what is written.
    #[serde(skip)]
    pub finishing: bool,
}

/// A precondition: how a record must be before the batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expectation {
    /// The space.
    pub space: Space,
    /// The key.
    #[serde(with = "readable")]
    pub key: Vec<u8>,
    /// How it must be.
    pub expected: Expected,
}

/// How a record is expected to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expected {
    /// There is none.
    Absent,
    /// It is there, and this commit wrote it.
    Version(u64),
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the fields are what their names say")]
pub enum Change {
    /// Writes a record, whether or not there is one.
    Put {
        space: Space,
        #[serde(with = "readable")]
        key: Vec<u8>,
        #[serde(with = "readable")]
        value: Vec<u8>,
    },
    /// Removes a record, whether or not there is one.
    Remove {
        space: Space,
        #[serde(with = "readable")]
        key: Vec<u8>,
    },
    /// Writes a record whose key the store completes: see [`append_key`].
    Append {
        space: Space,
        #[serde(with = "readable")]
        prefix: Vec<u8>,
        #[serde(with = "readable")]
        value: Vec<u8>,
    },
}

/// The key of a commit's append: the prefix, the commit's sequence and the append's place among
/// the appends of its batch, from 0 on.
#[must_use]
pub fn append_key(prefix: &[u8], sequence: u64, index: u16) -> Vec<u8> {
    [prefix, &sequence.to_be_bytes(), &index.to_be_bytes()].concat()
}

impl Batch {
    /// A batch without preconditions and changes, at this time (Unix, milliseconds).
    #[must_use]
    pub fn at(time_ms: u64) -> Batch {
        Batch { time_ms, expectations: Vec::new(), changes: Vec::new(), finishing: false }
    }

    /// Asks that a record be as expected before the batch.
    pub fn expect(
        &mut self,
        space: Space,
        key: impl Into<Vec<u8>>,
        expected: Expected,
    ) -> &mut Batch {
        self.expectations.push(Expectation { space, key: key.into(), expected });
        self
    }

    /// Writes a record.
    pub fn put(
        &mut self,
        space: Space,
        key: impl Into<Vec<u8>>,
        value: impl Into<Vec<u8>>,
    ) -> &mut Batch {
        self.changes.push(Change::Put { space, key: key.into(), value: value.into() });
        self
    }

    /// Removes a record.
    pub fn remove(&mut self, space: Space, key: impl Into<Vec<u8>>) -> &mut Batch {
        self.changes.push(Change::Remove { space, key: key.into() });
        self
    }

    /// Writes a record under a key that the store completes: see [`append_key`].
    pub fn append(
        &mut self,
        space: Space,
        prefix: impl Into<Vec<u8>>,
        value: impl Into<Vec<u8>>,
    ) -> &mut Batch {
        self.changes.push(Change::Append { space, prefix: prefix.into(), value: value.into() });
        self
    }

    /// Whether every key, every value and the batch are within their limits.
    pub(crate) fn check_limits(&self) -> Result<(), Error> {
        let mut total = 0;
        for (space, key, value_bytes) in self.parts() {
            at_most("key", space, key.len(), KEY_BYTES_MAX)?;
            at_most("value", space, value_bytes, VALUE_BYTES_MAX)?;
            total += key.len() + value_bytes + 32;
        }
        let appends = self.changes.iter().filter(|one| matches!(one, Change::Append { .. }));
        if total > BATCH_BYTES_MAX || appends.count() > usize::from(u16::MAX) + 1 {
            let what = format!("a batch of {total} bytes is over {BATCH_BYTES_MAX}; split it");
            return Err(Error::new(Kind::TooLarge, what));
        }
        Ok(())
    }

    fn parts(&self) -> impl Iterator<Item = (Space, std::borrow::Cow<'_, [u8]>, usize)> {
        let expected = self.expectations.iter().map(|one| (one.space, (&one.key).into(), 0));
        expected.chain(self.changes.iter().map(|change| match change {
            Change::Put { space, key, value } => (*space, key.into(), value.len()),
            Change::Remove { space, key } => (*space, key.into(), 0),
            Change::Append { space, prefix, value } => {
                (*space, append_key(prefix, 0, 0).into(), value.len())
            }
        }))
    }

    /// The first precondition that does not hold, given the version of a record as it is.
    pub(crate) fn check_expectations(
        &self,
        version_of: impl Fn(Space, &[u8]) -> Result<Option<u64>, Error>,
    ) -> Result<(), Error> {
        for Expectation { space, key, expected } in &self.expectations {
            let why = match (expected, version_of(*space, key)?) {
                (Expected::Absent, None) => continue,
                (Expected::Version(wanted), Some(found)) if *wanted == found => continue,
                (Expected::Absent, Some(found)) => format!("expected none, found version {found}"),
                (Expected::Version(wanted), Some(found)) => {
                    format!("expected version {wanted}, found version {found}")
                }
                (Expected::Version(wanted), None) => {
                    format!("expected version {wanted}, found none")
                }
            };
            return Err(Error::conflict(*space, key, why));
        }
        Ok(())
    }

    /// What the batch leaves under each key it touches when it is committed as `sequence`: a
    /// value, or nothing.
    pub(crate) fn into_effects(self, sequence: u64) -> BTreeMap<(Space, Vec<u8>), Option<Vec<u8>>> {
        let mut indexes = 0_u16..=u16::MAX;
        let effect = |change| match change {
            Change::Put { space, key, value } => ((space, key), Some(value)),
            Change::Remove { space, key } => ((space, key), None),
            Change::Append { space, prefix, value } => {
                // `check_limits` has refused a batch with more appends than there are indexes.
                let index = indexes.next().unwrap_or(u16::MAX);
                ((space, append_key(&prefix, sequence, index)), Some(value))
            }
        };
        self.changes.into_iter().map(effect).collect()
    }
}

fn at_most(what: &str, space: Space, found: usize, bytes_max: usize) -> Result<(), Error> {
    if found <= bytes_max {
        return Ok(());
    }
    let what = format!("a {what} of {found} bytes in {space} is over {bytes_max}; make it smaller");
    Err(Error::new(Kind::TooLarge, what))
}
