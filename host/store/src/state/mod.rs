//! The state: what the commits leave, in sled. It can always be rebuilt from the journal.
//!
//! What is known of sled 0.34.7, and what is done about each:
//! - what it flushed may be gone after a power cut, and it may then open empty without an error:
//!   the mark, written with every group, names the frame it is of and the digest of all records;
//!   `State::check` reads every record before one is used;
//! - a snapshot that was being written makes it unopenable: such files are removed before;
//! - it may panic on a damaged file: opening and checking catch that;
//! - `flush_async` deadlocks: it is never called; nor is anything made to depend on `flush`;
//! - large entries go to files that are never synced: see `record`;
//! - its cache takes 1 GiB unless told: `Options::cache_bytes`;
//! - a write of it that fails ends its use, and with it the store's: `room` sees to its space.
//!
//! What holds here: a group is applied in one sled batch, its mark in the same; readers see a
//! group as a whole or not at all, because applying excludes them.

mod opening;
mod record;

use std::path::Path;
use std::sync::{PoisonError, RwLock};

use sled::{Db, IVec};

pub(crate) use opening::Unusable;
pub(crate) use record::growth;

use crate::checkpoint::Kept;
use crate::checksum::{MARK_BYTES, Mark, StoreId};
use crate::contract::{Range, Record, Row};
use crate::cursor::Cursor;
use crate::group::{Group, Head, Heads, Name, Touched};
use crate::{Error, Kind, Space};

/// sled, open.
pub(crate) struct State {
    id: StoreId,
    // Nothing once closed. The lock is what makes a group whole to readers.
    db: RwLock<Option<Db>>,
}

impl State {
    /// Opens the state in a directory and checks that it is whole; nothing is taken on trust.
    pub(crate) fn open(dir: &Path, id: &StoreId, cache: u64) -> Result<(State, Mark), Unusable> {
        opening::open(dir, id, cache)
    }

    /// Makes an empty state, without a mark: until the first one is written it is unusable.
    pub(crate) fn create(dir: &Path, id: &StoreId, cache: u64) -> Result<State, Error> {
        let db = opening::open_sled(dir, cache).map_err(record::unreadable)?;
        Ok(State { id: *id, db: RwLock::new(Some(db)) })
    }

    /// The record under a key.
    pub(crate) fn read(&self, space: Space, key: &[u8]) -> Result<Option<Record>, Error> {
        self.with(|db| {
            let found = get(db, &record::record_key(space, key))?;
            found.map(|bytes| whole(db, space, key, &bytes)).transpose()
        })
    }

    /// The rows of a range.
    pub(crate) fn scan(&self, range: &Range) -> Result<Vec<Row>, Error> {
        let (low, beyond) = range.bounds();
        let low = record::record_key(range.space, &low);
        let beyond = beyond.map_or_else(
            || record::beyond_space(range.space),
            |beyond| record::record_key(range.space, &beyond),
        );
        if low >= beyond {
            return Ok(Vec::new());
        }
        self.with(|db| {
            let entries = db.range(low..beyond);
            let row = |entry| row(db, range.space, entry);
            match range.reverse {
                false => entries.take(range.limit).map(row).collect(),
                true => entries.rev().take(range.limit).map(row).collect(),
            }
        })
    }

    /// Applies a group, and its mark with it.
    pub(crate) fn apply(&self, group: Group, mark: &Mark) -> Result<(), Error> {
        let mut batch = self.changes(group);
        batch.insert(record::MARK_KEY, encode_mark(&self.id, mark));
        let slot = self.db.write().unwrap_or_else(PoisonError::into_inner);
        let db = slot.as_ref().ok_or_else(closed)?;
        db.apply_batch(batch).map_err(record::unreadable)
    }

    /// Puts records of a checkpoint in, without a mark.
    pub(crate) fn load(&self, records: Vec<(Name, Head, Vec<u8>)>) -> Result<(), Error> {
        let mut batch = sled::Batch::default();
        for (name, head, value) in records {
            put(&mut batch, &name, None, Some((&head, &value)));
        }
        self.with(|db| db.apply_batch(batch).map_err(record::unreadable))
    }

    /// Every record, with its version and value.
    pub(crate) fn each(&self, see: &mut dyn FnMut(Kept) -> Result<(), Error>) -> Result<(), Error> {
        self.with(|db| {
            for entry in db.iter() {
                let (key, bytes) = entry.map_err(record::unreadable)?;
                if let Some(record::Entry::Record(space, key)) = record::entry(&key) {
                    let Record { version, value } = whole(db, space, key, &bytes)?;
                    see(((space, key.to_vec()), version, value))?;
                }
            }
            Ok(())
        })
    }

    /// Ends the use of sled: what is in its buffers is written, its files are closed.
    pub(crate) fn close(&self) {
        let db = self.db.write().unwrap_or_else(PoisonError::into_inner).take();
        // sled may panic when it closes on a broken disk; the journal holds everything.
        let closing = std::panic::AssertUnwindSafe(|| drop(db));
        if std::panic::catch_unwind(closing).is_err() {
            tracing::warn!("the state did not close cleanly; it is checked at the next start");
        }
    }

    fn changes(&self, group: Group) -> sled::Batch {
        let mut batch = sled::Batch::default();
        for (name, Touched { stored, now }) in group.into_touched() {
            let now = now.as_ref().map(|(head, value)| (head, value.as_slice()));
            put(&mut batch, &name, stored, now);
        }
        batch
    }

    fn with<T>(&self, read: impl FnOnce(&Db) -> Result<T, Error>) -> Result<T, Error> {
        let slot = self.db.read().unwrap_or_else(PoisonError::into_inner);
        read(slot.as_ref().ok_or_else(closed)?)
    }
}

impl Heads for State {
    fn head(&self, space: Space, key: &[u8]) -> Result<Option<Head>, Error> {
        self.with(|db| {
            let found = get(db, &record::record_key(space, key))?;
            found.map(|bytes| Ok(record::decode_head(&bytes)?.0)).transpose()
        })
    }
}

fn closed() -> Error {
    Error::new(Kind::Stopped, "the store is closed; open it again")
}

/// Adds to a batch what takes a record from how it is stored to how it is to be.
fn put(
    batch: &mut sled::Batch,
    (space, key): &Name,
    stored: Option<Head>,
    now: Option<(&Head, &[u8])>,
) {
    let parts = |head: &Head| record::part_count(head.value_bytes);
    let (old, new) = (stored.as_ref().map_or(0, parts), now.map_or(0, |(head, _)| parts(head)));
    for index in new..old {
        batch.remove(record::part_key(*space, key, index));
    }
    let Some((head, value)) = now else { return batch.remove(record::record_key(*space, key)) };
    batch.insert(record::record_key(*space, key), record::encode_head(head, value));
    for (index, part) in (0..new).zip(value.chunks(record::PART_BYTES)) {
        batch.insert(record::part_key(*space, key, index), part);
    }
}

fn get(db: &Db, key: &[u8]) -> Result<Option<IVec>, Error> {
    db.get(key).map_err(record::unreadable)
}

/// A record with all its parts.
fn whole(db: &Db, space: Space, key: &[u8], bytes: &[u8]) -> Result<Record, Error> {
    let (head, inline) = record::decode_head(bytes)?;
    let mut value = inline.to_vec();
    for index in 0..record::part_count(head.value_bytes) {
        let part = get(db, &record::part_key(space, key, index))?;
        value.extend_from_slice(&part.ok_or_else(|| record::unreadable("a part is missing"))?);
    }
    if value.len() != head.value_bytes as usize {
        return Err(record::unreadable("a value is not as long as its head says"));
    }
    Ok(Record { version: head.version, value })
}

fn row(db: &Db, space: Space, entry: sled::Result<(IVec, IVec)>) -> Result<Row, Error> {
    let (key, bytes) = entry.map_err(record::unreadable)?;
    let Some(record::Entry::Record(_, key)) = record::entry(&key) else {
        return Err(record::unreadable("an entry has no key of a record"));
    };
    let Record { version, value } = whole(db, space, key, &bytes)?;
    Ok(Row { key: key.to_vec(), version, value })
}

/// The mark as sled holds it: the store's id, the mark, a CRC-32C over both.
fn encode_mark(id: &StoreId, mark: &Mark) -> Vec<u8> {
    let bytes = mark.to_bytes();
    [&id.0[..], &bytes, &id.crc(&[&bytes]).to_be_bytes()].concat()
}

/// The store a mark is of, and the mark.
fn decode_mark(bytes: &[u8]) -> Option<(StoreId, Mark)> {
    let mut cursor = Cursor::new(bytes);
    let id = StoreId(cursor.array()?);
    let mark = cursor.take(MARK_BYTES)?;
    let sound = cursor.u32()? == id.crc(&[mark]) && cursor.is_empty();
    sound.then(|| Mark::parse(&mut Cursor::new(mark))).flatten().map(|mark| (id, mark))
}
