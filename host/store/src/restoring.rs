//! Writes a store into an empty directory, commit by commit, for `import` and `repair`. Not here:
//! where the commits come from.
//!
//! The directory is no store until the last step, one rename; until then a file `restoring` stands
//! in it, and neither the host nor another import takes it for a store or for empty.

use std::path::Path;
use std::sync::Arc;

use crate::checkpoint::{self, Task};
use crate::checksum::{Mark, Place, StoreId};
use crate::disk::DiskFile;
use crate::journal::{Segment, encode_frame, segment_header_bytes};
use crate::layout::{self, Layout, write_whole};
use crate::lock::Lock;
use crate::replay::{Known, Replay};
use crate::room::Gauge;
use crate::{Batch, Error, Frame, Kind, Options, Report, format, verify};

const WRITE_BYTES: usize = 1024 * 1024;

/// A store being written.
pub(crate) struct Restoring<'a> {
    options: &'a Options,
    layout: Layout,
    id: StoreId,
    lock: Lock,
    segment: Segment,
    file: Box<dyn DiskFile>,
    /// The length of the segment, with what is buffered.
    length: u64,
    buffer: Vec<u8>,
    replay: Replay,
}

/// Refuses a directory with anything in it.
pub(crate) fn check_empty(dir: &Path) -> Result<(), Error> {
    let Some(found) = layout::files(dir)?.into_iter().next() else { return Ok(()) };
    let what = format!(
        "{} is not empty: it holds {}; give an empty or a new directory",
        dir.display(),
        found.display()
    );
    Err(Error::new(Kind::Foreign, what))
}

impl<'a> Restoring<'a> {
    /// Begins a store with this id in the directory of the options.
    pub(crate) fn begin(options: &'a Options, id: StoreId) -> Result<Restoring<'a>, Error> {
        let (disk, layout) = (&*options.disk, Layout::new(&options.dir));
        check_empty(layout.dir())?;
        disk.make_dir(layout.dir()).map_err(|e| Error::io("make", layout.dir(), e))?;
        let lock = Lock::exclusive(&layout)?;
        write_whole(disk, &layout.restoring(), format::line(&id).as_bytes())?;
        for dir in [layout.journal(), layout.checkpoint()] {
            disk.make_dir(&dir).map_err(|e| Error::io("make", &dir, e))?;
        }
        disk.sync_dir(layout.dir()).map_err(|e| Error::io("sync", layout.dir(), e))?;
        let (segment, file) = begin_segment(options, &layout, &id, 1, Place::start(&id))?;
        let (length, replay) = (segment_header_bytes(), Replay::new(&id));
        let buffer = Vec::new();
        Ok(Restoring { options, layout, id, lock, segment, file, length, buffer, replay })
    }

    /// Writes the next commit; gives the place it takes.
    pub(crate) fn push(&mut self, group: u64, batch: Batch) -> Result<Place, Error> {
        let before = self.replay.mark.place;
        let begins_group = group > before.sequence;
        if begins_group && self.length >= self.options.segment_bytes_max {
            self.flush()?;
            self.sync()?;
            let number = self.segment.number + 1;
            (self.segment, self.file) =
                begin_segment(self.options, &self.layout, &self.id, number, before)?;
            self.length = segment_header_bytes();
        }
        let start = self.buffer.len();
        let place = encode_frame(&mut self.buffer, &self.id, before, group, &batch);
        self.length += (self.buffer.len() - start) as u64;
        let Place { sequence, hash } = place;
        self.replay.apply(Frame { sequence, group, previous: before.hash, hash, batch })?;
        if self.buffer.len() >= WRITE_BYTES {
            self.flush()?;
        }
        Ok(place)
    }

    /// What the commits so far leave.
    pub(crate) fn heads(&self) -> &Known {
        &self.replay.heads
    }

    /// The mark of it.
    pub(crate) fn mark(&self) -> Mark {
        self.replay.mark
    }

    /// Makes it a store, and verifies that.
    pub(crate) fn finish(mut self) -> Result<Report, Error> {
        self.flush()?;
        self.sync()?;
        let Restoring { options, layout, id, lock, replay, .. } = self;
        let disk = Arc::clone(&options.disk);
        let gauge = Gauge::new(Arc::clone(&disk), layout.clone(), 0);
        let task = Task { disk, layout: layout.clone(), id, mark: replay.mark, gauge };
        checkpoint::write(&task)?;
        layout::publish(&*options.disk, &layout.restoring(), &layout.format())?;
        drop(lock);
        let report = verify(layout.dir())?;
        let digest = format!("{:032x}", replay.mark.digest);
        let as_written = report.commits == replay.mark.place.sequence && report.digest == digest;
        match report.is_sound() && as_written {
            true => Ok(report),
            false => Err(not_as_written(&layout, &report)),
        }
    }

    fn flush(&mut self) -> Result<(), Error> {
        let written = self.file.write(&self.buffer);
        self.buffer.clear();
        written.map_err(|e| Error::io("write", &self.segment.path, e))
    }

    fn sync(&mut self) -> Result<(), Error> {
        self.file.sync().map_err(|e| Error::io("sync", &self.segment.path, e))
    }
}

fn begin_segment(
    options: &Options,
    layout: &Layout,
    id: &StoreId,
    number: u32,
    before: Place,
) -> Result<(Segment, Box<dyn DiskFile>), Error> {
    let segment = Segment::create(&*options.disk, layout, id, number, before)?;
    let file = options.disk.append(&segment.path);
    let file = file.map_err(|e| Error::io("open", &segment.path, e))?;
    Ok((segment, file))
}

fn not_as_written(layout: &Layout, report: &Report) -> Error {
    let what = format!(
        "{} does not hold what was written into it: {}; use another disk",
        layout.dir().display(),
        report.damage.join("; ")
    );
    Error::new(Kind::Damaged, what)
}
