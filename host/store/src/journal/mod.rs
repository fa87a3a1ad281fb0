//! The journal: every commit ever made, in order, each frame bound to the one before it.
//!
//! `codec` writes a batch, `frame` binds it into the chain, `segment` is a file of them, `frames`
//! reads them back, `tail` judges where they end. This file appends.
//!
//! What holds here:
//! - a group of frames is one write and one fdatasync; only then does `append` return;
//! - a group begins a new segment only after the group before it is durable, so only the last
//!   segment can have a torn tail;
//! - after an error other than `Full` nothing more is ever written: what the disk holds is
//!   unknown, and asking fdatasync again would give a false yes;
//! - after `Full` the segment is as it was before the group, durably.
//!
//! Segments are never removed: they are the audit trail.

mod codec;
mod frame;
mod frames;
mod segment;
mod tail;

use std::sync::Arc;

pub(crate) use codec::{decode as decode_batch, encode as encode_batch};
pub use frame::Frame;
pub(crate) use frame::{HEADER_BYTES as FRAME_HEADER_BYTES, Header, MAGIC as FRAME_MAGIC};
pub(crate) use frame::{
    decode as decode_frame, decode_alone, encode as encode_frame, guess as guess_batch,
};
pub use frames::Frames;
pub(crate) use frames::{End, no_store};
pub(crate) use segment::{Segment, numbered, owner};
pub(crate) use tail::is_torn;

use crate::checksum::{Place, StoreId};
use crate::disk::{Disk, DiskFile};
use crate::durable::Durable;
use crate::error::is_full;
use crate::layout::Layout;
use crate::{Batch, Error, Kind};

/// The length of a segment without frames.
pub(crate) fn segment_header_bytes() -> u64 {
    segment::HEADER_BYTES as u64
}

/// The end of the journal, open for appending.
pub(crate) struct Journal {
    disk: Arc<dyn Disk>,
    layout: Layout,
    id: StoreId,
    segment_bytes_max: u64,
    file: Box<dyn DiskFile>,
    segment: Segment,
    /// The length of the segment; every byte of it is durable.
    length: u64,
    last: Place,
    durable: Durable,
}

impl Journal {
    /// Goes on at the end that was found; cuts a torn tail off first.
    pub(crate) fn resume(
        disk: Arc<dyn Disk>,
        layout: Layout,
        id: StoreId,
        segment_bytes_max: u64,
        end: End,
    ) -> Result<Journal, Error> {
        let io = |e| Error::io("cut and sync", end.path(), e);
        let mut file = disk.append(end.path()).map_err(io)?;
        if end.torn_bytes > 0 {
            let (path, sequence) = (end.path().display(), end.place.sequence);
            let bytes = end.torn_bytes;
            tracing::warn!(%path, offset = end.length, bytes, sequence, "cut a torn tail: the \
                 write was never acknowledged");
            file.truncate(end.length).map_err(io)?;
        }
        // What was read may be in the page cache only, and so may the name of a segment that a
        // process began and died: make both durable before building on them.
        file.sync().map_err(io)?;
        let names = layout.journal();
        disk.sync_dir(&names).map_err(|e| Error::io("sync", &names, e))?;
        let End { segment, length, place: last, .. } = end;
        let mut durable = Durable::begin(&layout, id);
        durable.tell(last);
        Ok(Journal { disk, layout, id, segment_bytes_max, file, segment, length, last, durable })
    }

    /// The last frame.
    pub(crate) fn last(&self) -> Place {
        self.last
    }

    /// Appends a group, durably. `Full` means that nothing was appended and the journal can go
    /// on; after any other error it must not be used again.
    pub(crate) fn append(&mut self, batches: &[Batch]) -> Result<Place, Error> {
        if self.length >= self.segment_bytes_max {
            // A segment that was begun and not finished is begun again: nothing is in it yet.
            self.begin_segment().map_err(stopped_unless_full)?;
        }
        let (mut bytes, mut last) = (Vec::new(), self.last);
        let group = last.sequence + 1;
        for batch in batches {
            last = frame::encode(&mut bytes, &self.id, last, group, batch);
        }
        if let Err(e) = self.file.write(&bytes) {
            return Err(self.take_back(e));
        }
        self.file.sync().map_err(|e| self.stopped("sync", e))?;
        self.length += bytes.len() as u64;
        self.last = last;
        self.durable.tell(last);
        Ok(last)
    }

    /// After a write that failed: back to the end of the group before, if the disk was full.
    fn take_back(&mut self, failure: std::io::Error) -> Error {
        if !is_full(&failure) {
            return self.stopped("write", failure);
        }
        match self.file.truncate(self.length).and_then(|()| self.file.sync()) {
            Ok(()) => Error::io("write", &self.segment.path, failure),
            Err(e) => self.stopped("take back a write to", e),
        }
    }

    fn begin_segment(&mut self) -> Result<(), Error> {
        let Journal { disk, layout, id, segment, last, .. } = self;
        let number = segment.number + 1;
        let segment = Segment::create(&**disk, layout, id, number, *last)?;
        self.file = disk.append(&segment.path).map_err(|e| Error::io("open", &segment.path, e))?;
        self.length = segment_header_bytes();
        self.segment = segment;
        Ok(())
    }

    fn stopped(&self, doing: &str, failure: std::io::Error) -> Error {
        let what = format!(
            "cannot {doing} {}: {failure}; what is durable is unknown until the store is opened \
             again, so it stops here",
            self.segment.path.display()
        );
        Error::new(Kind::Stopped, what).because(failure)
    }
}

fn stopped_unless_full(e: Error) -> Error {
    match e.kind() {
        Kind::Full => e,
        _ => Error::new(Kind::Stopped, format!("{e}; the store stops here")).because(e),
    }
}
