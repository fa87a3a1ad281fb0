//! Opens sled and checks every record before one is used. Not here: what to do when it is
//! unusable.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::RwLock;
use std::thread;
use std::time::Duration;

use sled::{Db, IVec};

use super::record::{self, Entry, MARK_KEY};
use super::{State, decode_mark, whole};
use crate::Error;
use crate::checksum::{Mark, StoreId, record_digest};
use crate::layout;

/// How often, and how long after each, a sled that is still being closed is asked again.
const BUSY_TRIES: u32 = 100;
const BUSY_WAIT: Duration = Duration::from_millis(20);

/// Why a state cannot be used.
#[derive(Debug)]
pub(crate) struct Unusable {
    pub(crate) why: String,
    /// The mark it bears nevertheless: the journal up to there was durable.
    pub(crate) seen: Option<Mark>,
    /// Whether there is something to keep for whoever wants to know.
    pub(crate) worth_keeping: bool,
}

impl Unusable {
    fn because(why: impl ToString) -> Unusable {
        Unusable { why: why.to_string(), seen: None, worth_keeping: true }
    }
}

pub(super) fn open(dir: &Path, id: &StoreId, cache: u64) -> Result<(State, Mark), Unusable> {
    // The outer of two: for a panic of sled while it closes after it was found unusable.
    catch_unwind(AssertUnwindSafe(|| open_checked(dir, id, cache)))
        .unwrap_or_else(|_| Err(Unusable::because("sled panicked")))
}

fn open_checked(dir: &Path, id: &StoreId, cache: u64) -> Result<(State, Mark), Unusable> {
    if !dir.join("db").exists() {
        let why = "there is none".to_owned();
        return Err(Unusable { why, seen: None, worth_keeping: dir.exists() });
    }
    let db = open_sled(dir, cache).map_err(Unusable::because)?;
    let mark = read_mark(&db, id)?;
    let unusable = |why: String| Unusable { seen: Some(mark), ..Unusable::because(why) };
    let counted = catch_unwind(AssertUnwindSafe(|| count(&db)))
        .map_err(|_| unusable("sled panicked while it was read".to_owned()))?;
    let (digest, records) = counted.map_err(|e| unusable(e.to_string()))?;
    if (digest, records) != (mark.digest, mark.records) {
        let why = format!(
            "it has {records} records, its mark says {}; or the same number, but \
             not the same ones",
            mark.records
        );
        return Err(unusable(why));
    }
    Ok((State { id: *id, db: RwLock::new(Some(db)) }, mark))
}

fn read_mark(db: &Db, id: &StoreId) -> Result<Mark, Unusable> {
    let read = catch_unwind(AssertUnwindSafe(|| db.get(MARK_KEY)));
    let found = read.map_err(|_| Unusable::because("sled panicked while it was read"))?;
    let bytes = found.map_err(Unusable::because)?.ok_or_else(|| {
        Unusable::because(
            "it has no mark: it is empty, or was being rebuilt when the process ended",
        )
    })?;
    match decode_mark(&bytes) {
        None => Err(Unusable::because("its mark is damaged")),
        Some((owner, _)) if owner != *id => {
            Err(Unusable::because(format!("it belongs to store {owner}")))
        }
        Some((_, mark)) => Ok(mark),
    }
}

/// Opens sled with everything known about it seen to; an empty one if there is none.
pub(super) fn open_sled(dir: &Path, cache: u64) -> Result<Db, String> {
    remove_half_written_snapshots(dir).map_err(|e| e.to_string())?;
    // Nothing rests on its flushing by itself, and the disk may be full by then.
    let config = sled::Config::new().path(dir).cache_capacity(cache).flush_every_ms(None);
    for _ in 1..BUSY_TRIES {
        match catch_unwind(AssertUnwindSafe(|| config.open())) {
            Ok(Ok(db)) => return Ok(db),
            // A thread of a sled that was just closed in this process may still hold its lock.
            // The lock of the store is ours, so it is no other process.
            Ok(Err(e)) if is_busy(&e) => thread::sleep(BUSY_WAIT),
            Ok(Err(e)) => return Err(e.to_string()),
            Err(_) => return Err("sled panicked while it was opened".to_owned()),
        }
    }
    Err("another process holds its lock".to_owned())
}

fn is_busy(e: &sled::Error) -> bool {
    matches!(e, sled::Error::Io(_)) && e.to_string().contains("could not acquire lock")
}

fn remove_half_written_snapshots(dir: &Path) -> Result<(), Error> {
    for path in layout::files(dir)? {
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            std::fs::remove_file(&path).map_err(|e| Error::io("remove", &path, e))?;
        }
    }
    Ok(())
}

/// Reads every record: the digest and the number of them. Every part must belong to one.
fn count(db: &Db) -> Result<(u128, u64), Error> {
    let (mut digest, mut records, mut parts_due, mut parts) = (0_u128, 0, 0_u64, 0_u64);
    for found in db.iter() {
        let (key, bytes): (IVec, IVec) = found.map_err(record::unreadable)?;
        match record::entry(&key) {
            Some(Entry::Mark) => {}
            Some(Entry::Part) => parts += 1,
            Some(Entry::Record(space, key)) => {
                let record = whole(db, space, key, &bytes)?;
                let (head, _) = record::decode_head(&bytes)?;
                let due = record_digest(space, key, record.version, &record.value);
                if due != head.digest {
                    return Err(record::unreadable("a record is not what was written"));
                }
                digest = digest.wrapping_add(due);
                records += 1;
                parts_due += u64::from(record::part_count(head.value_bytes));
            }
            None => return Err(record::unreadable("it has an entry that is none of ours")),
        }
    }
    if parts != parts_due {
        return Err(record::unreadable("it has parts of values that belong to no record"));
    }
    Ok((digest, records))
}
