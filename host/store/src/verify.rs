//! Reads everything a store has and says what is wrong; changes nothing.
//!
//! The journal is replayed from its first commit, which gives the digest the state must have after
//! each. A checkpoint, and the state, must have the digest the journal gives for their frame. The
//! file `durable` has none: of the frame that it names, the journal must have the very one.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::checkpoint::Checkpoint;
use crate::checksum::{Mark, Place, StoreId};
use crate::journal::{no_store, numbered};
use crate::layout::{self, Layout};
use crate::lock::Lock;
use crate::replay::Replay;
use crate::state::{State, Unusable};
use crate::{Error, Frames, durable, format};

/// sled's cache while its copy is read.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The store's id, in hexadecimal.
    pub store: String,
    /// The segments of the journal.
    pub segments: u64,
    /// Their length, all together.
    pub journal_bytes: u64,
    /// The commits in the journal.
    pub commits: u64,
    /// The SHA-256 of the last one, in hexadecimal: noted elsewhere, it shows later that nothing
    /// before it was changed.
    pub last_hash: String,
    /// The time of the last one, Unix milliseconds.
    pub last_time_ms: u64,
    /// The bytes after the last one that a torn write left; the next start cuts them.
    pub torn_bytes: u64,
    /// The records the commits leave, by space.
    pub records: BTreeMap<String, u64>,
    /// The digest of these records, in hexadecimal.
    pub digest: String,
    /// The commits that the checkpoints are of.
    pub checkpoints: Vec<u64>,
    /// The commit that the state is of, if it can be read.
    pub state: Option<u64>,
    /// What is damaged in the journal: the store may not open, or has lost part of its audit trail.
    pub damage: Vec<String>,
    /// What is amiss outside the journal: the next start puts it right.
    pub notes: Vec<String>,
}

impl Report {
    /// Whether the journal is whole and nothing contradicts it.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.damage.is_empty()
    }
}

/// Verifies the store in a directory; it must not be open. Holds the keys of all records in
/// memory, and a copy of the state in the directory for temporary files.
///
/// # Errors
/// `Locked`, `Foreign` and `Newer` when there is nothing to verify; `Io`. Damage is no error but
/// what the report is for.
pub fn verify(dir: &Path) -> Result<Report, Error> {
    let layout = Layout::new(dir);
    let _lock = Lock::shared(&layout)?;
    let id = format::read(&layout)?.ok_or_else(|| no_store(dir))?;
    let (checkpoints, passed_over) = Checkpoint::list(&layout, &id)?;
    let mut notes = passed_over;
    let state = inspect_state(&layout, &id, &mut notes)?;
    for checkpoint in &checkpoints {
        notes.extend(checkpoint.check(&id).err().map(|e| e.to_string()));
    }
    let mut claims: Vec<_> =
        checkpoints.iter().map(|one| Claim::of(one.path.clone(), one.mark)).collect();
    claims.extend(state.map(|mark| Claim::of(layout.state(), mark)));
    let told = durable::read(&layout, &id);
    claims.extend(told.map(|place| Claim { by: layout.durable(), place, mark: None }));
    let mut replay = Replay::new(&id);
    let mut damage = Vec::new();
    let torn_bytes = replay.run(&layout, &id, &claims, &mut damage);
    let sequences = checkpoints.iter().map(|one| one.mark.place.sequence);
    let (segments, journal_bytes) = extent(&layout)?;
    Ok(Report {
        store: id.to_string(),
        segments,
        journal_bytes,
        commits: replay.mark.place.sequence,
        last_hash: replay.mark.place.hash.to_string(),
        last_time_ms: replay.last_time_ms,
        torn_bytes,
        records: replay.count_by_space(),
        digest: format!("{:032x}", replay.mark.digest),
        checkpoints: sequences.collect(),
        state: state.map(|mark| mark.place.sequence),
        damage,
        notes,
    })
}

/// What something beside the journal says of a frame.
struct Claim {
    by: PathBuf,
    place: Place,
    /// What it says of the records, too: the file `durable` knows none.
    mark: Option<Mark>,
}

impl Claim {
    /// What a checkpoint or the state says.
    fn of(by: PathBuf, mark: Mark) -> Claim {
        Claim { by, place: mark.place, mark: Some(mark) }
    }

    /// Whether it is so, after its frame.
    fn holds(&self, found: &Mark) -> bool {
        self.place == found.place && self.mark.is_none_or(|mark| mark == *found)
    }
}

/// The replay, and what it is compared with.
impl Replay {
    /// Replays all; gives the bytes of a torn tail.
    fn run(
        &mut self,
        layout: &Layout,
        id: &StoreId,
        claims: &[Claim],
        damage: &mut Vec<String>,
    ) -> u64 {
        let replayed = self.read(layout, id, claims, damage);
        let torn_bytes = replayed.unwrap_or_else(|e| {
            damage.push(e.to_string());
            0
        });
        let last = self.mark.place.sequence;
        for Claim { by, place, .. } in claims.iter().filter(|it| it.place.sequence > last) {
            let (by, seen) = (by.display(), place.sequence);
            damage.push(format!("{by} has seen commit {seen}, the journal ends at {last}"));
        }
        torn_bytes
    }

    fn read(
        &mut self,
        layout: &Layout,
        id: &StoreId,
        claims: &[Claim],
        damage: &mut Vec<String>,
    ) -> Result<u64, Error> {
        let mut frames = Frames::after(layout, id, self.mark.place)?;
        self.compare(claims, damage);
        for frame in &mut frames {
            self.apply(frame?)?;
            self.compare(claims, damage);
        }
        Ok(frames.end().map_or(0, |end| end.torn_bytes))
    }

    fn compare(&self, claims: &[Claim], damage: &mut Vec<String>) {
        let sequence = self.mark.place.sequence;
        let here = claims.iter().filter(|claim| claim.place.sequence == sequence);
        for Claim { by, .. } in here.filter(|claim| !claim.holds(&self.mark)) {
            let by = by.display();
            damage.push(format!("{by} is not what the journal gives for commit {sequence}"));
        }
    }
}

/// The number and the length of the segments, be they sound or not.
fn extent(layout: &Layout) -> Result<(u64, u64), Error> {
    let segments = numbered(layout)?;
    let length = |path: &PathBuf| fs::metadata(path).map_or(0, |it| it.len());
    Ok((segments.len() as u64, segments.iter().map(|(_, path)| length(path)).sum()))
}

/// Opens a copy of the state, for sled writes when it opens.
fn inspect_state(
    layout: &Layout,
    id: &StoreId,
    notes: &mut Vec<String>,
) -> Result<Option<Mark>, Error> {
    let path = layout.state();
    if !path.exists() {
        notes.push(format!("{}: there is no state", path.display()));
        return Ok(None);
    }
    with_copy(layout, id, |opened| match opened {
        Ok((_, mark)) => Some(mark),
        Err(Unusable { why, seen, .. }) => {
            notes.push(format!("{}: the state is unusable: {why}", path.display()));
            seen
        }
    })
}

/// Gives a copy of the state, opened and checked, to look at.
pub(crate) fn with_copy<T>(
    layout: &Layout,
    id: &StoreId,
    look: impl FnOnce(Result<(&State, Mark), Unusable>) -> T,
) -> Result<T, Error> {
    let unique = StoreId::random()?;
    let copy = std::env::temp_dir().join(format!("tollgate-verify-{unique}"));
    let copied = copy_dir(&layout.state(), &copy);
    let looked = copied.map(|()| match State::open(&copy, id, CACHE_BYTES) {
        Ok((state, mark)) => {
            let looked = look(Ok((&state, mark)));
            state.close();
            looked
        }
        Err(unusable) => look(Err(unusable)),
    });
    let removed = fs::remove_dir_all(&copy).map_err(|e| Error::io("remove", &copy, e));
    looked.and_then(|found| removed.map(|()| found))
}

fn copy_dir(from: &Path, to: &Path) -> Result<(), Error> {
    fs::create_dir_all(to).map_err(|e| Error::io("make", to, e))?;
    for path in layout::files(from)? {
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() {
            copy_dir(&path, &to.join(name))?;
        } else {
            fs::copy(&path, to.join(name)).map_err(|e| Error::io("copy", &path, e))?;
        }
    }
    Ok(())
}
