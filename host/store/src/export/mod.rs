//! An export: every commit of a store in one file, the backup of it. Taken while the host runs, or
//! not. Not here: reading one back (`reading`), making a store of it (`import`).
//!
//! ```text
//! header   "TGXPRT\r\n" format (u32) store id (16) CRC-32C of the id and these (u32)
//! frame    as in the journal: bears the SHA-256 of the frame before
//! ...      from the first commit on, none left out
//! closing  "TGXEND\r\n" commits (u64) SHA-256 of the last frame (32)
//!          SHA-256 of all bytes before the closing record (32), CRC-32C of the id and these (u32)
//! ```
//!
//! The journal is the whole truth: state and checkpoints follow from it and are not exported.
//!
//! Why it is consistent though the store is being written: it ends at a commit that `durable` names
//! (or, the store being closed, at the journal's end, under its lock). The journal up to there is
//! only ever appended to, so it is the same whenever it is read; and the chain of hashes from the
//! first commit to that one, whose hash `durable` gives, shows that this is what was read. An
//! export gets its name when it is whole and durable.

mod reading;

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use sha2::{Digest, Sha256};

pub use reading::verify_export;
pub(crate) use reading::{Reading, examine};

use crate::checkpoint::Checkpoint;
use crate::checksum::{Hash, Place, StoreId};
use crate::disk::RealDisk;
use crate::format::FORMAT;
use crate::journal::{encode_frame, no_store};
use crate::layout::{self, Layout};
use crate::lock::Lock;
use crate::{Error, Frame, Frames, Kind, durable, format};

const MAGIC: [u8; 8] = *b"TGXPRT\r\n";
const END: [u8; 8] = *b"TGXEND\r\n";
const HEADER_BYTES: usize = 8 + 4 + 16 + 4;
const CLOSING_BYTES: usize = 8 + 8 + 32 + 32 + 4;
const REMEDY: &str = "do not restore from it; take another export, or use an older one";

/// What an export holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Export {
    /// The store's id, in hexadecimal.
    pub store: String,
    /// The commits: all of the store up to the last one in it.
    pub commits: u64,
    /// The SHA-256 of the last one, in hexadecimal: noted elsewhere, it shows later that the
    /// export is this one.
    pub last_hash: String,
    /// The time of the last one, Unix milliseconds.
    pub last_time_ms: u64,
    /// The length of the file.
    pub bytes: u64,
}

/// Exports the store in a directory into a new file. The store may be open in another process,
/// which is not held up; if it is not, it cannot be opened until this has ended.
///
/// # Errors
/// `Foreign` when there is no store or the file is there already; `Damaged` when the journal is
/// not whole: nothing is exported then; `Locked` when a process has the store open that does not
/// tell how far it is durable; `Io` and `Full`.
pub fn export(dir: &Path, to: &Path) -> Result<Export, Error> {
    let layout = Layout::new(dir);
    let id = format::read(&layout)?.ok_or_else(|| no_store(dir))?;
    if to.exists() {
        let what = format!("{} is there already; give the name of a new file", to.display());
        return Err(Error::new(Kind::Foreign, what));
    }
    let extent = Extent::of(&layout, &id)?;
    let draft = layout::unfinished(to);
    let written = write(&layout, &id, &extent, &draft)
        .and_then(|written| layout::publish(&RealDisk, &draft, to).map(|()| written));
    if written.is_err() {
        // The failure that led here is the one to tell.
        let _ = fs::remove_file(&draft);
    }
    written
}

/// How far an export goes, and what must be in it.
struct Extent {
    /// Held while the store is not open in another process.
    _lock: Option<Lock>,
    /// The last commit; the end of the journal when there is none to stop at.
    end: Option<Place>,
    /// Commits that were durable, and what says so.
    seen: Vec<(PathBuf, Place)>,
}

impl Extent {
    fn of(layout: &Layout, id: &StoreId) -> Result<Extent, Error> {
        // Before the place is read: what a checkpoint is of was told before it was written.
        let (checkpoints, _) = Checkpoint::list(layout, id)?;
        let seen = checkpoints.into_iter().map(|one| (one.path, one.mark.place));
        let mut seen: Vec<_> = seen.collect();
        let lock = Lock::shared(layout);
        let told = durable::read_beside_a_writer(layout, id);
        seen.extend(told.map(|place| (layout.durable(), place)));
        match lock {
            Ok(_lock) => Ok(Extent { _lock, end: None, seen }),
            Err(e) if *e.kind() == Kind::Locked => match told {
                Some(place) => Ok(Extent { _lock: None, end: Some(place), seen }),
                None => Err(Error::new(Kind::Locked, format!("{e}; {UNTOLD}"))),
            },
            Err(e) => Err(e),
        }
    }

    /// Whether the frame is the one that was seen there.
    fn check(&self, frame: &Frame) -> Result<(), Error> {
        let place = frame.place();
        let differs = |(_, seen): &&(PathBuf, Place)| {
            seen.sequence == place.sequence && seen.hash != place.hash
        };
        let Some((by, _)) = self.seen.iter().find(differs) else { return Ok(()) };
        let what = format!(
            "commit {} of the journal is not the one that {} has seen; `tollgate store verify` \
             says more, with the host stopped",
            place.sequence,
            by.display()
        );
        Err(Error::new(Kind::Damaged, what))
    }

    /// Whether everything that was durable is before the end.
    fn check_end(&self, end: u64) -> Result<(), Error> {
        let missing = self.seen.iter().find(|(_, seen)| match self.end {
            // A checkpoint beyond it was made since.
            Some(last) => seen.sequence <= last.sequence && seen.sequence > end,
            None => seen.sequence > end,
        });
        let Some((by, seen)) = missing else { return Ok(()) };
        let what = format!(
            "the journal ends at commit {end}, but {} has seen commit {}: acknowledged commits \
             are missing; see `tollgate store verify` and `tollgate store repair`",
            by.display(),
            seen.sequence
        );
        Err(Error::new(Kind::Damaged, what))
    }

    fn is_past(&self, sequence: u64) -> bool {
        self.end.is_some_and(|end| sequence >= end.sequence)
    }
}

const UNTOLD: &str = "it does not tell how far it is durable, so it cannot be exported while it \
     is open";

fn write(layout: &Layout, id: &StoreId, extent: &Extent, path: &Path) -> Result<Export, Error> {
    let mut out = Writing::create(path, id).map_err(|e| Error::io("create", path, e))?;
    let (mut last, mut last_time_ms) = (Place::start(id), 0);
    let frames = Frames::after(layout, id, last)?;
    let mut frame_bytes = Vec::new();
    if !extent.is_past(0) {
        for frame in frames {
            let frame = frame?;
            extent.check(&frame)?;
            frame_bytes.clear();
            let written = encode_frame(&mut frame_bytes, id, last, frame.group, &frame.batch);
            if written != frame.place() {
                return Err(not_canonical(&frame));
            }
            out.put(&frame_bytes).map_err(|e| Error::io("write", path, e))?;
            (last, last_time_ms) = (written, frame.batch.time_ms);
            if extent.is_past(last.sequence) {
                break;
            }
        }
    }
    extent.check_end(last.sequence)?;
    let bytes = out.close(id, last).map_err(|e| Error::io("write", path, e))?;
    let (store, last_hash) = (id.to_string(), last.hash.to_string());
    Ok(Export { store, commits: last.sequence, last_hash, last_time_ms, bytes })
}

fn not_canonical(frame: &Frame) -> Error {
    let what = format!(
        "commit {} reads well but is not as this program writes it; use the program that wrote it",
        frame.sequence
    );
    Error::new(Kind::Damaged, what)
}

/// An export being written.
struct Writing {
    out: BufWriter<File>,
    sum: Sha256,
    bytes: u64,
}

impl Writing {
    fn create(path: &Path, id: &StoreId) -> io::Result<Writing> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        // It holds everything the store holds: nobody else is to read it.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let out = BufWriter::with_capacity(1024 * 1024, options.open(path)?);
        let mut writing = Writing { out, sum: Sha256::new(), bytes: 0 };
        writing.put(&header(id))?;
        Ok(writing)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sum.update(bytes);
        self.bytes += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    fn close(mut self, id: &StoreId, last: Place) -> io::Result<u64> {
        let sum = Hash(self.sum.finalize_reset().into());
        self.put(&closing(id, last, sum))?;
        self.out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        Ok(self.bytes)
    }
}

/// The whole file around these frames, in memory.
pub(crate) fn whole(id: &StoreId, frames: &[u8], last: Place) -> Vec<u8> {
    let lead = [&header(id), frames].concat();
    let sum = Hash::of(&[&lead]);
    [lead, closing(id, last, sum)].concat()
}

fn header(id: &StoreId) -> Vec<u8> {
    let header = [&MAGIC[..], &FORMAT.to_be_bytes(), &id.0].concat();
    let crc = id.crc(&[&header]);
    [header, crc.to_be_bytes().to_vec()].concat()
}

fn closing(id: &StoreId, last: Place, sum: Hash) -> Vec<u8> {
    let closing = [&END[..], &last.sequence.to_be_bytes(), &last.hash.0, &sum.0].concat();
    let crc = id.crc(&[&closing]);
    [closing, crc.to_be_bytes().to_vec()].concat()
}
