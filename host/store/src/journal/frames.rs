//! Reads the journal in order and checks the chain as it goes. Changes nothing. Not here: what
//! the commits leave in the state.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};

use super::frame::{self, Frame};
use super::segment::{HEADER_BYTES, REMEDY, Segment};
use super::tail;
use crate::checksum::{Place, StoreId};
use crate::layout::Layout;
use crate::{Error, Kind, format};

/// The commits in a journal, oldest first: for audit, replay and feeds.
///
/// It can be read while the store is open: it then ends somewhere near the last commit.
/// After an error there is nothing more.
#[derive(Debug)]
pub struct Frames {
    id: StoreId,
    segments: VecDeque<Segment>,
    open: Option<Open>,
    /// The frame read last, or what stands before the first one.
    before: Place,
    /// The frame that the caller starts after.
    start: Place,
    end: Option<End>,
}

/// The segment being read.
#[derive(Debug)]
struct Open {
    segment: Segment,
    bytes: Vec<u8>,
    offset: usize,
}

/// Where the journal ends.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) segment: Segment,
    /// The length of the segment up to its last frame.
    pub(crate) length: u64,
    /// What a torn write left behind that.
    pub(crate) torn_bytes: u64,
    /// The last frame.
    pub(crate) place: Place,
}

impl Frames {
    /// All commits of the store in `dir`.
    ///
    /// # Errors
    /// `Foreign`, `Newer` or `Damaged` when there is no journal to read.
    pub fn all(dir: &Path) -> Result<Frames, Error> {
        let layout = Layout::new(dir);
        let id = format::read(&layout)?.ok_or_else(|| no_store(dir))?;
        Frames::after(&layout, &id, Place::start(&id))
    }

    /// The commits after a place. The frame at that place must be the one named: reading starts
    /// in the segment that holds it.
    pub(crate) fn after(layout: &Layout, id: &StoreId, start: Place) -> Result<Frames, Error> {
        let mut segments: VecDeque<_> = Segment::list(layout, id)?.into();
        while segments.get(1).is_some_and(|next| next.before.sequence < start.sequence) {
            segments.pop_front();
        }
        let before = segments.front().map_or(start, |first| first.before);
        Ok(Frames { id: *id, segments, open: None, before, start, end: None })
    }

    /// Where the journal ends, once every frame was read.
    pub(crate) fn end(self) -> Option<End> {
        self.end
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, Error> {
        loop {
            let Some(frame) = self.any_frame()? else { return Ok(None) };
            self.check_start(frame.place())?;
            if frame.sequence > self.start.sequence {
                return Ok(Some(frame));
            }
        }
    }

    /// The next frame, be it before the start.
    fn any_frame(&mut self) -> Result<Option<Frame>, Error> {
        loop {
            let Some(mut open) = self.open.take() else {
                let Some(segment) = self.segments.pop_front() else { return Ok(None) };
                self.open = Some(self.load(segment)?);
                continue;
            };
            let rest = open.bytes.get(open.offset..).unwrap_or_default();
            if rest.is_empty() {
                self.finish(open, 0);
                continue;
            }
            match frame::decode(&self.id, self.before, rest) {
                Ok((frame, length)) => {
                    open.offset += length;
                    self.open = Some(open);
                    self.before = frame.place();
                    return Ok(Some(frame));
                }
                Err(fault) => self.judge(open, fault)?,
            }
        }
    }

    fn load(&self, segment: Segment) -> Result<Open, Error> {
        if segment.before != self.before {
            let Place { sequence, .. } = self.before;
            let what = format!(
                "the segment before ends at frame {sequence}, this one goes on \
                 after another"
            );
            return Err(Error::damaged(&segment.path, 32, what, REMEDY));
        }
        let bytes = fs::read(&segment.path).map_err(|e| Error::io("read", &segment.path, e))?;
        Ok(Open { segment, bytes, offset: HEADER_BYTES })
    }

    /// Ends the journal at a torn tail, or refuses it.
    fn judge(&mut self, open: Open, fault: frame::Fault) -> Result<(), Error> {
        let sequence = self.before.sequence + 1;
        let last = self.segments.is_empty();
        let broken = matches!(fault, frame::Fault::Header | frame::Fault::Payload);
        if last && broken && tail::is_torn(&self.id, &open.bytes, open.offset, sequence) {
            let torn = open.bytes.len() - open.offset;
            self.finish(open, torn);
            return Ok(());
        }
        let what = format!("frame {sequence}: {}", fault.what());
        Err(Error::damaged(&open.segment.path, open.offset as u64, what, REMEDY))
    }

    fn finish(&mut self, open: Open, torn: usize) {
        let (length, torn_bytes) = (open.offset as u64, torn as u64);
        self.end = Some(End { segment: open.segment, length, torn_bytes, place: self.before });
    }

    /// Whether the frame at the place to start after is the one that was named.
    fn check_start(&self, found: Place) -> Result<(), Error> {
        if found.sequence != self.start.sequence || found.hash == self.start.hash {
            return Ok(());
        }
        let what = format!(
            "frame {} of the journal is not the one that the state or a checkpoint was made \
             from; restore all of the store's directory from one backup",
            found.sequence
        );
        Err(Error::new(Kind::Damaged, what))
    }
}

pub(crate) fn no_store(dir: &Path) -> Error {
    let what = format!("{} holds no store; check the path", dir.display());
    Error::new(Kind::Foreign, what)
}

impl Iterator for Frames {
    type Item = Result<Frame, Error>;

    fn next(&mut self) -> Option<Result<Frame, Error>> {
        let next = self.next_frame().transpose();
        if let Some(Err(_)) = next {
            (self.open, self.end) = (None, None);
            self.segments.clear();
        }
        next
    }
}

/// The path of a segment is what an error names.
impl End {
    pub(crate) fn path(&self) -> &PathBuf {
        &self.segment.path
    }
}
