//! Opening a store: finds what was acknowledged, refuses what is damaged, rebuilds what is not
//! the truth.
//!
//! In this order, and nothing is changed before step 4 has said yes:
//! 1. lock the directory, read its format, or make a store in an empty one;
//! 2. read the checkpoints' footers; open the state and read all of it;
//! 3. each names a frame that was durable when it was written, and so does the file `durable`,
//!    which counts where it names a newer one than they do: the evidence;
//! 4. read the journal from the oldest of these frames on, checking the chain: it must hold each
//!    of them, unchanged, or something acknowledged is lost and the store does not open;
//! 5. cut a torn tail;
//! 6. set an unusable state aside and load the newest sound checkpoint into a new one;
//! 7. apply the frames that the state has not seen.
//!
//! Frames before the oldest checkpoint are not read again here: their effect is in the state and
//! in the checkpoint. `verify` reads them all.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use crate::checkpoint::{self, Checkpoint};
use crate::checksum::{Mark, Place, StoreId};
use crate::disk::Disk;
use crate::group::Group;
use crate::journal::{End, Journal};
use crate::layout::Layout;
use crate::lock::Lock;
use crate::state::{State, Unusable};
use crate::{Error, Frames, Kind, Options, durable, format};

/// How many frames, and about how many bytes of values, are applied to the state at once.
const REPLAY_FRAMES: u64 = 256;
const REPLAY_BYTES: usize = 4 * 1024 * 1024;
/// After how many frames or records a line of progress is logged.
const PROGRESS: u64 = 100_000;

/// A store that is ready to be used, but for its state.
pub(crate) struct Recovered {
    pub(crate) lock: Lock,
    pub(crate) id: StoreId,
    pub(crate) layout: Layout,
    pub(crate) journal: Journal,
    /// The mark of the state.
    pub(crate) mark: Mark,
    /// The sequence of the newest checkpoint.
    pub(crate) checkpointed: u64,
}

/// A frame that was durable, and what says so.
struct Evidence {
    of: PathBuf,
    place: Place,
}

pub(crate) fn recover(options: &Options) -> Result<(Recovered, State), Error> {
    let (disk, layout) = (&*options.disk, Layout::new(&options.dir));
    disk.make_dir(layout.dir()).map_err(|e| Error::io("make", layout.dir(), e))?;
    let lock = Lock::exclusive(&layout)?;
    let id = establish(disk, &layout)?;
    let (checkpoints, passed_over) = Checkpoint::list(&layout, &id)?;
    passed_over.iter().for_each(|why| tracing::warn!(%why, "a checkpoint is passed over"));
    let found = State::open(&layout.state(), &id, options.cache_bytes);
    let seen = found.as_ref().map_or_else(|unusable| unusable.seen, |(_, mark)| Some(*mark));
    let end = survey(&layout, &id, &evidence(&layout, &id, &checkpoints, seen))?;
    let checkpointed = checkpoints.first().map_or(0, |newest| newest.mark.place.sequence);

    let (segment_bytes, disk) = (options.segment_bytes_max, Arc::clone(&options.disk));
    let journal = Journal::resume(disk, layout.clone(), id, segment_bytes, end)?;
    let (state, mark) = match found {
        Ok(sound) => sound,
        Err(unusable) => {
            set_aside(&layout, &unusable, journal.last())?;
            rebuild(options, &layout, &id, &checkpoints)?
        }
    };
    let mark = catch_up(&layout, &id, &state, mark)?;
    Ok((Recovered { lock, id, layout, journal, mark, checkpointed }, state))
}

/// The id of the store that is there, or of a new one.
fn establish(disk: &dyn Disk, layout: &Layout) -> Result<StoreId, Error> {
    if let Some(id) = format::read(layout)? {
        layout.remove_unfinished(disk)?;
        // The directory may be gone from a backup: nothing rests on it.
        let checkpoints = layout.checkpoint();
        disk.make_dir(&checkpoints).map_err(|e| Error::io("make", &checkpoints, e))?;
        // Whoever made the store may have died before the name of its format was durable.
        disk.sync_dir(layout.dir()).map_err(|e| Error::io("sync", layout.dir(), e))?;
        return Ok(id);
    }
    format::check_empty(layout)?;
    layout.remove_unfinished(disk)?;
    format::create(disk, layout)
}

fn evidence(
    layout: &Layout,
    id: &StoreId,
    checkpoints: &[Checkpoint],
    state: Option<Mark>,
) -> Vec<Evidence> {
    let of_checkpoint = |one: &Checkpoint| Evidence { of: one.path.clone(), place: one.mark.place };
    let of_state = state.map(|mark| Evidence { of: layout.state(), place: mark.place });
    // Without a checkpoint the next one is made from the whole journal: so read the whole now.
    let none = checkpoints.is_empty();
    let of_nothing = none.then(|| Evidence { of: layout.journal(), place: Place::start(id) });
    let seen = checkpoints.iter().map(of_checkpoint).chain(of_state).chain(of_nothing);
    let mut seen: Vec<Evidence> = seen.collect();
    // An older place than theirs would be one more reason to read, and says nothing they do not.
    let newest = seen.iter().map(|one| one.place.sequence).max().unwrap_or_default();
    let told = durable::read(layout, id).filter(|place| place.sequence > newest);
    seen.extend(told.map(|place| Evidence { of: layout.durable(), place }));
    seen
}

/// Reads the journal from the oldest evidence on and finds its end. Changes nothing.
fn survey(layout: &Layout, id: &StoreId, seen: &[Evidence]) -> Result<End, Error> {
    let oldest = seen.iter().map(|one| one.place).min_by_key(|place| place.sequence);
    let start = oldest.unwrap_or(Place::start(id));
    let mut frames = Frames::after(layout, id, start)?;
    for frame in &mut frames {
        let place = frame?.place();
        let differs =
            |one: &&Evidence| one.place.sequence == place.sequence && one.place.hash != place.hash;
        if let Some(one) = seen.iter().find(differs) {
            return Err(another_history(one));
        }
    }
    let end = frames.end().ok_or_else(|| Error::new(Kind::Damaged, "the journal has no end"))?;
    match seen.iter().max_by_key(|one| one.place.sequence) {
        Some(one) if one.place.sequence > end.place.sequence => Err(too_short(&end, one)),
        _ => Ok(end),
    }
}

fn another_history(one: &Evidence) -> Error {
    let what = format!(
        "frame {} of the journal is not the one that {} has seen; restore all of the \
         store's directory from one backup, or, if the journal is the right one, move `state`, \
         `checkpoint` and `durable` away",
        one.place.sequence,
        one.of.display()
    );
    Error::new(Kind::Damaged, what)
}

fn too_short(end: &End, seen: &Evidence) -> Error {
    let what = format!(
        "the journal ends at frame {}, but {} has seen frame {}: acknowledged commits are missing",
        end.place.sequence,
        seen.of.display(),
        seen.place.sequence
    );
    let remedy = "restore the journal from a backup; to go on without these commits, and only if \
         they are known from elsewhere, move `state`, `checkpoint` and `durable` away";
    Error::damaged(end.path(), end.length, what, remedy)
}

/// Moves an unusable state out of the way, in place of one moved before.
fn set_aside(layout: &Layout, unusable: &Unusable, last: Place) -> Result<(), Error> {
    let (from, to) = (layout.state(), layout.state_set_aside());
    if last.sequence > 0 {
        let (why, path) = (&unusable.why, from.display());
        tracing::warn!(%path, %why, "the state is unusable and is rebuilt from the journal");
    }
    let gone = |e: &std::io::Error| e.kind() == ErrorKind::NotFound;
    if unusable.worth_keeping {
        fs::remove_dir_all(&to)
            .or_else(|e| if gone(&e) { Ok(()) } else { Err(e) })
            .map_err(|e| Error::io("remove", &to, e))?;
        fs::rename(&from, &to).map_err(|e| Error::io("rename", &from, e))?;
    }
    Ok(())
}

/// A new state with the newest sound checkpoint in it, or none.
fn rebuild(
    options: &Options,
    layout: &Layout,
    id: &StoreId,
    checkpoints: &[Checkpoint],
) -> Result<(State, Mark), Error> {
    let sound = checkpoints.iter().find(|one| match one.check(id) {
        Ok(()) => true,
        Err(why) => {
            tracing::warn!(%why, "a checkpoint is passed over");
            false
        }
    });
    let state = State::create(&layout.state(), id, options.cache_bytes)?;
    let mark = sound.map_or(Mark::start(id), |one| one.mark);
    if let Some(checkpoint) = sound {
        load(&state, checkpoint, id)?;
    }
    state.apply(Group::on(&mark), &mark)?;
    Ok((state, mark))
}

fn load(state: &State, checkpoint: &Checkpoint, id: &StoreId) -> Result<(), Error> {
    let (mut part, mut bytes, mut loaded) = (Vec::new(), 0, 0_u64);
    for record in checkpoint.records(id)? {
        let record = record?;
        let head = checkpoint::head_of(&record);
        let (name, _, value) = record;
        bytes += value.len() + 256;
        part.push((name, head, value));
        if bytes >= REPLAY_BYTES {
            state.load(std::mem::take(&mut part))?;
            bytes = 0;
        }
        loaded += 1;
        if loaded.is_multiple_of(PROGRESS) {
            tracing::info!(loaded, of = checkpoint.mark.records, "loading a checkpoint");
        }
    }
    state.load(part)
}

/// Applies the frames that the state has not seen.
fn catch_up(layout: &Layout, id: &StoreId, state: &State, from: Mark) -> Result<Mark, Error> {
    let mut mark = from;
    let mut group = Group::on(&mark);
    let (mut place, mut held) = (mark.place, 0);
    for frame in Frames::after(layout, id, mark.place)? {
        let frame = frame?;
        place = frame.place();
        group.replay(state, frame)?;
        held += 1;
        if held >= REPLAY_FRAMES || group.bytes() >= REPLAY_BYTES {
            mark = apply(state, group, place)?;
            (group, held) = (Group::on(&mark), 0);
        }
        if place.sequence.is_multiple_of(PROGRESS) {
            tracing::info!(sequence = place.sequence, "replaying the journal");
        }
    }
    if held > 0 { apply(state, group, place) } else { Ok(mark) }
}

fn apply(state: &State, group: Group, place: Place) -> Result<Mark, Error> {
    let mark = group.mark(place);
    state.apply(group, &mark)?;
    Ok(mark)
}
