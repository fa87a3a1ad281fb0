//! What the store reads back from a disk: payloads, frames, exports, checkpoints.
//!
//! Holds: what is written is read back as it was; a payload that is read is the only one of its
//! batch; after any change of bytes what is still read is a part of what was written, in order; an
//! export or a checkpoint that was changed is refused as a whole. The first byte says which.

use std::path::Path;

use store::fuzzing::{self, Kept};
use store::{Batch, Expected, Space};

use crate::fixed;
use crate::given::Given;

const ID: [u8; 16] = *b"a store for fuzz";
const SPACES: [Space; 3] = [Space::named("a"), Space::named("payment"), Space::named("z-z")];

/// See the module.
pub fn journal(bytes: &[u8]) {
    let mut given = Given::new(bytes);
    match given.byte() % 6 {
        0 => payload(given.rest()),
        1 => drop(fuzzing::read_frames(ID, given.rest())),
        2 => frames(given),
        3 => export(given),
        4 => checkpoint(given),
        _ => fixed::scratch(given.rest(), foreign),
    }
}

/// One batch has one payload.
fn payload(bytes: &[u8]) {
    if let Some(batch) = fuzzing::batch(7, bytes) {
        assert_eq!(fuzzing::payload(&batch), bytes, "two payloads of one batch");
    }
}

fn foreign(path: &Path) {
    let read = fuzzing::read_checkpoint(ID, path);
    assert!(read.is_err(), "bytes were believed to be a checkpoint");
    if let Ok(export) = store::verify_export(path) {
        assert_eq!(export.bytes, std::fs::metadata(path).unwrap().len());
    }
}

fn frames(mut given: Given<'_>) {
    let damage = Damage::of(&mut given);
    let batches = batches(given);
    let written = fuzzing::frames(ID, &batches);
    let read = |bytes: &[u8]| -> Vec<Batch> {
        let (frames, _) = fuzzing::read_frames(ID, bytes);
        frames.into_iter().map(|frame| frame.batch).collect()
    };
    assert_eq!(read(&written), batches, "what was written is not what is read");
    if let Some(damaged) = damage.done(&written) {
        let found = read(&damaged);
        assert!(found.len() < batches.len(), "damage was not noticed");
        assert_eq!(found, batches[..found.len()], "something was read that was never written");
        let (_, why) = fuzzing::read_frames(ID, &damaged);
        let cut = damaged.len() < written.len();
        assert!(why.is_some() || cut, "damage was passed over in silence");
    }
    let (_, strange) = fuzzing::read_frames([9; 16], &written);
    assert!(batches.is_empty() || strange.is_some(), "another store's frames were believed");
}

fn export(mut given: Given<'_>) {
    let damage = Damage::of(&mut given);
    let batches = batches(given);
    let written = fuzzing::exported(ID, &batches);
    let whole = fixed::scratch(&written, store::verify_export);
    if let Ok(export) = &whole {
        assert_eq!((export.commits, export.bytes), (batches.len() as u64, written.len() as u64));
    }
    // A batch whose preconditions do not hold is no commit, however well it is framed.
    let plain = batches.iter().all(|batch| batch.expectations.is_empty());
    assert!(whole.is_ok() || !plain, "{whole:?}");
    if let Some(damaged) = damage.done(&written) {
        let read = fixed::scratch(&damaged, store::verify_export);
        assert!(read.is_err(), "a changed export was believed: {read:?}");
    }
}

fn checkpoint(mut given: Given<'_>) {
    let damage = Damage::of(&mut given);
    let sequence = given.long();
    let mut records: Vec<Kept> = Vec::new();
    while !given.is_empty() {
        let (space, key) = (given.one_of(&SPACES), given.counted().to_vec());
        let (version, value) = (given.long(), given.counted().to_vec());
        records.push((space, key, version, value));
    }
    let written = fuzzing::checkpoint(ID, sequence, &records);
    let read = |bytes: &[u8]| fixed::scratch(bytes, |path| fuzzing::read_checkpoint(ID, path));
    assert_eq!(read(&written).unwrap(), records, "what was written is not what is read");
    if let Some(damaged) = damage.done(&written) {
        let found = read(&damaged);
        assert!(found.is_err(), "a changed checkpoint was believed: {found:?}");
    }
}

fn batches(mut given: Given<'_>) -> Vec<Batch> {
    let mut all = Vec::new();
    while !given.is_empty() {
        let mut batch = Batch::at(given.long());
        for _ in 0..given.byte() % 4 {
            let space = given.one_of(&SPACES);
            let (what, key) = (given.byte(), given.counted());
            match what % 5 {
                0 => batch.put(space, key, given.counted()),
                1 => batch.remove(space, key),
                2 => batch.append(space, key, given.counted()),
                3 => batch.expect(space, key, Expected::Absent),
                _ => batch.expect(space, key, Expected::Version(given.byte().into())),
            };
        }
        all.push(batch);
    }
    all
}

/// A change of bytes.
#[derive(Clone, Copy)]
struct Damage {
    cut: bool,
    at: u16,
    by: u8,
}

impl Damage {
    fn of(given: &mut Given<'_>) -> Damage {
        Damage { cut: given.byte() & 1 == 1, at: given.short(), by: given.byte() }
    }

    /// The bytes with it; none where that would be the same bytes.
    fn done(self, bytes: &[u8]) -> Option<Vec<u8>> {
        let at = usize::from(self.at).checked_rem(bytes.len())?;
        let mut changed = bytes.to_vec();
        if self.cut {
            changed.truncate(at);
        } else if self.by != 0 {
            changed[at] ^= self.by;
        } else {
            return None;
        }
        Some(changed)
    }
}
