//! Makes the next checkpoint from the last one and the journal, without a look at the state: so it
//! holds up no commit, and its digest is a second opinion on the state's own.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Checkpoint, Kept, Records, encode_footer, encode_header};
use crate::checksum::{Mark, Place, StoreId, record_digest};
use crate::cursor::Put;
use crate::disk::{Disk, DiskFile};
use crate::group::Name;
use crate::layout::{self, Layout};
use crate::room::Gauge;
use crate::{Error, Frames, Kind};

/// The changes held in memory before an intermediate checkpoint is written, in bytes.
const CHANGED_BYTES_MAX: usize = 64 * 1024 * 1024;
const WRITE_BYTES: usize = 1024 * 1024;

/// What to make a checkpoint of, and where.
#[derive(Clone)]
pub(crate) struct Task {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) layout: Layout,
    pub(crate) id: StoreId,
    /// The state as it was after a durable frame.
    pub(crate) mark: Mark,
    /// Whether there is room for it.
    pub(crate) gauge: Gauge,
}

/// The records that changed since a checkpoint, and where they lead to.
struct Changed {
    records: BTreeMap<Name, Option<(u64, Vec<u8>)>>,
    bytes: usize,
    place: Place,
}

/// Writes the checkpoint of a task.
///
/// # Errors
/// `Full` and `Io`: it can be tried again later. `Damaged`: the state does not follow from the
/// journal.
pub(crate) fn write(task: &Task) -> Result<(), Error> {
    let Task { disk, layout, id, mark: target, .. } = task;
    let mut base = base(task)?;
    loop {
        let place = base.as_ref().map_or(Place::start(id), |base| base.mark.place);
        if place == target.place {
            break;
        }
        let changed = changes(layout, id, place, target.place)?;
        let written = merge(task, base.as_ref(), changed)?;
        base = Some(written);
    }
    if let Some(base) = base.filter(|base| base.mark != *target) {
        return Err(disagreement(&base.mark, target));
    }
    Checkpoint::prune(&**disk, layout, id)
}

fn disagreement(found: &Mark, target: &Mark) -> Error {
    let what = format!(
        "the state after frame {} does not follow from the journal: {} records with digest \
         {:032x}, the journal gives {} with {:032x}; start the process again with the directory \
         `state` moved away, and report this",
        target.place.sequence, target.records, target.digest, found.records, found.digest
    );
    Error::new(Kind::Damaged, what)
}

/// The newest undamaged checkpoint that is not beyond the target.
fn base(task: &Task) -> Result<Option<Checkpoint>, Error> {
    let (sound, _) = Checkpoint::list(&task.layout, &task.id)?;
    let due = task.mark.place.sequence;
    let mut usable = sound.into_iter().filter(|one| one.mark.place.sequence <= due);
    Ok(usable.find(|one| one.check(&task.id).is_ok()))
}

fn changes(layout: &Layout, id: &StoreId, from: Place, to: Place) -> Result<Changed, Error> {
    let mut changed = Changed { records: BTreeMap::new(), bytes: 0, place: from };
    for frame in Frames::after(layout, id, from)? {
        let frame = frame?;
        changed.place = frame.place();
        for (name, value) in frame.batch.into_effects(frame.sequence) {
            changed.bytes += name.1.len() + value.as_ref().map_or(0, Vec::len) + 128;
            changed.records.insert(name, value.map(|value| (frame.sequence, value)));
        }
        if changed.place.sequence >= to.sequence || changed.bytes >= CHANGED_BYTES_MAX {
            return Ok(changed);
        }
    }
    let what = format!(
        "the journal ends at frame {}, frame {} was durable; restore the journal from a backup",
        changed.place.sequence, to.sequence
    );
    Err(Error::new(Kind::Damaged, what))
}

/// Writes the records of the base with the changes in their places.
fn merge(task: &Task, base: Option<&Checkpoint>, changed: Changed) -> Result<Checkpoint, Error> {
    let Task { disk, layout, .. } = task;
    let name = format!("{:020}.ckp", changed.place.sequence);
    let path = layout.checkpoint().join(name);
    let draft = layout::unfinished(&path);
    let mark = write_draft(task, base, changed, &draft).inspect_err(|_| {
        // Else it would take room until the next start.
        let _ = disk.remove(&draft);
    })?;
    layout::publish(&**disk, &draft, &path)?;
    Ok(Checkpoint { path, mark })
}

fn write_draft(
    task: &Task,
    base: Option<&Checkpoint>,
    changed: Changed,
    draft: &Path,
) -> Result<Mark, Error> {
    let Task { disk, id, gauge, .. } = task;
    let mut out = Draft::create(&**disk, draft.to_owned(), id, gauge.clone())?;
    let old = base.map(|base| base.records(id)).transpose()?;
    let mut old: Old = old.into_iter().flatten().peekable();
    for (name, now) in changed.records {
        while let Some(record) = next_before(&mut old, &name)? {
            if record.0 != name {
                out.push(&record)?;
            }
        }
        if let Some((version, value)) = now {
            out.push(&(name, version, value))?;
        }
    }
    for record in old {
        out.push(&record?)?;
    }
    out.finish(changed.place)
}

type Old = Peekable<std::iter::Flatten<std::option::IntoIter<Records>>>;

/// The next old record up to this name, itself included.
fn next_before(old: &mut Old, name: &Name) -> Result<Option<Kept>, Error> {
    old.next_if(|next| next.as_ref().map_or(true, |(found, _, _)| found <= name)).transpose()
}

fn encode_record(out: &mut Vec<u8>, id: &StoreId, ((space, key), version, value): &Kept) {
    let mut record = Vec::with_capacity(key.len() + value.len() + 64);
    record.put_space(*space);
    record.put_key(key);
    record.extend_from_slice(&version.to_be_bytes());
    record.put_value(value);
    let length = u32::try_from(record.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&id.crc(&[&record]).to_be_bytes());
    out.extend_from_slice(&record);
}

/// A whole checkpoint in memory, its records as they are given.
pub(crate) fn whole(id: &StoreId, place: Place, records: &[Kept]) -> Vec<u8> {
    let (mut out, mut digest) = (encode_header(id), 0_u128);
    for kept in records {
        let ((space, key), version, value) = kept;
        encode_record(&mut out, id, kept);
        digest = digest.wrapping_add(record_digest(*space, key, *version, value));
    }
    let mark = Mark { place, digest, records: records.len() as u64 };
    out.extend_from_slice(&encode_footer(id, &mark));
    out
}

/// A checkpoint being written.
struct Draft {
    path: PathBuf,
    id: StoreId,
    file: Box<dyn DiskFile>,
    buffer: Vec<u8>,
    digest: u128,
    records: u64,
    gauge: Gauge,
}

impl Draft {
    fn create(disk: &dyn Disk, path: PathBuf, id: &StoreId, gauge: Gauge) -> Result<Draft, Error> {
        let file = disk.create(&path).map_err(|e| Error::io("create", &path, e))?;
        let buffer = encode_header(id);
        Ok(Draft { path, id: *id, file, buffer, digest: 0, records: 0, gauge })
    }

    fn push(&mut self, kept: &Kept) -> Result<(), Error> {
        let ((space, key), version, value) = kept;
        encode_record(&mut self.buffer, &self.id, kept);
        self.digest = self.digest.wrapping_add(record_digest(*space, key, *version, value));
        self.records += 1;
        if self.buffer.len() >= WRITE_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Error> {
        if !self.gauge.has_room_to_spare() {
            let what = "there is no room on the disk for a checkpoint, which can wait";
            return Err(Error::new(Kind::Full, what));
        }
        let written = self.file.write(&self.buffer);
        self.buffer.clear();
        written.map_err(|e| Error::io("write", &self.path, e))
    }

    fn finish(mut self, place: Place) -> Result<Mark, Error> {
        let mark = Mark { place, digest: self.digest, records: self.records };
        self.buffer.extend_from_slice(&encode_footer(&self.id, &mark));
        self.flush()?;
        self.file.sync().map_err(|e| Error::io("sync", &self.path, e))?;
        Ok(mark)
    }
}
