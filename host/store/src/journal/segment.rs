//! A segment: one file of the journal, `00000001.log` and on. Not here: its frames.
//!
//! ```text
//! offset  bytes
//!      0      8  "TGJRNL\r\n"
//!      8      4  version of the format
//!     12      4  number of the segment, from 1 on
//!     16     16  the store's id
//!     32      8  sequence of the first frame
//!     40     32  SHA-256 of the last frame of the segment before
//!     72      4  CRC-32C of the store's id and the 72 bytes before
//!     76         frames
//! ```
//!
//! A segment gets its name only when its header is durable, so a header is never torn. Segments
//! are not preallocated: while a file only grows, a file system shows a torn write as a file that
//! is too short, which is the easiest of all tails to judge.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::checksum::{Hash, Place, StoreId};
use crate::cursor::Cursor;
use crate::disk::Disk;
use crate::format::{self, FORMAT};
use crate::layout::{self, Layout, write_whole};
use crate::{Error, Kind};

const MAGIC: [u8; 8] = *b"TGJRNL\r\n";
pub(crate) const HEADER_BYTES: usize = 76;
pub(crate) const REMEDY: &str = "restore the journal from a backup; `tollgate store verify` lists \
     what is damaged";

/// A segment by its header.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) path: PathBuf,
    pub(crate) number: u32,
    /// The place before its first frame.
    pub(crate) before: Place,
}

impl Segment {
    /// The file of this number.
    pub(crate) fn path(layout: &Layout, number: u32) -> PathBuf {
        layout.journal().join(format!("{number:08}.log"))
    }

    /// Makes a segment without frames, durably.
    pub(crate) fn create(
        disk: &dyn Disk,
        layout: &Layout,
        id: &StoreId,
        number: u32,
        before: Place,
    ) -> Result<Segment, Error> {
        let mut header = Vec::with_capacity(HEADER_BYTES);
        header.extend_from_slice(&MAGIC);
        header.extend_from_slice(&FORMAT.to_be_bytes());
        header.extend_from_slice(&number.to_be_bytes());
        header.extend_from_slice(&id.0);
        header.extend_from_slice(&(before.sequence + 1).to_be_bytes());
        header.extend_from_slice(&before.hash.0);
        let crc = id.crc(&[&header]);
        header.extend_from_slice(&crc.to_be_bytes());
        let path = Segment::path(layout, number);
        write_whole(disk, &path, &header)?;
        Ok(Segment { path, number, before })
    }

    /// Reads the header of the segment of this number.
    fn read(path: &Path, number: u32, id: &StoreId) -> Result<Segment, Error> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        File::open(path)
            .and_then(|file| file.take(HEADER_BYTES as u64).read_to_end(&mut bytes))
            .map_err(|e| Error::io("read", path, e))?;
        Segment::parse(path, number, id, &bytes)
    }

    fn parse(path: &Path, number: u32, id: &StoreId, bytes: &[u8]) -> Result<Segment, Error> {
        let damaged = |what: &str| Error::damaged(path, 0, what, REMEDY);
        let cut = || damaged("the header of the segment is cut off");
        let (header, crc) = bytes.split_at_checked(HEADER_BYTES - 4).ok_or_else(cut)?;
        let mut cursor = Cursor::new(header);
        if cursor.array() != Some(MAGIC) {
            return Err(damaged("this is no segment of a journal"));
        }
        let (version, found) = cursor.u32().zip(cursor.u32()).ok_or_else(cut)?;
        let owner = StoreId(cursor.array().ok_or_else(cut)?);
        // The sum is over the id in the header: another store's segment is told from a damaged one.
        if Some(&owner.crc(&[header]).to_be_bytes()) != crc.first_chunk() {
            return Err(damaged("the header of the segment is damaged"));
        }
        format::check_version(version, path)?;
        if owner != *id {
            let what = format!(
                "{} belongs to store {owner}, not to {id}; remove it and restore \
                 the segment of this store",
                path.display()
            );
            return Err(Error::new(Kind::Foreign, what));
        }
        if found != number {
            let what = format!("this is segment {found} under the name of segment {number}");
            return Err(Error::damaged(path, 12, what, "give the segments their own names again"));
        }
        let (first, hash) = cursor.u64().zip(cursor.array().map(Hash)).ok_or_else(cut)?;
        let sequence = first.checked_sub(1).ok_or_else(|| damaged("there is no frame 0"))?;
        Ok(Segment { path: path.to_owned(), number, before: Place { sequence, hash } })
    }

    /// All segments in order, each header read; numbers without a gap from 1 on.
    pub(crate) fn list(layout: &Layout, id: &StoreId) -> Result<Vec<Segment>, Error> {
        let mut segments: Vec<Segment> = Vec::new();
        // By number up to the highest: a listing beside a writer may show the last of two new
        // segments and not the first.
        let highest = numbered(layout)?.last().map_or(0, |(number, _)| *number);
        for number in 1..=highest {
            let path = Segment::path(layout, number);
            if !path.exists() {
                return Err(missing(layout, number));
            }
            let segment = Segment::read(&path, number, id)?;
            let least = segments.last().map_or(0, |last| last.before.sequence);
            let starts_right = number > 1 || segment.before == Place::start(id);
            if segment.before.sequence < least || !starts_right {
                let what = "the segment does not follow the one before it";
                return Err(Error::damaged(&path, 32, what, REMEDY));
            }
            segments.push(segment);
        }
        if segments.is_empty() { Err(missing(layout, 1)) } else { Ok(segments) }
    }
}

/// The store that an undamaged header of a segment, at the start of the bytes, names.
pub(crate) fn owner(bytes: &[u8]) -> Option<StoreId> {
    let (header, rest) = bytes.split_at_checked(HEADER_BYTES - 4)?;
    let id = StoreId(*header.get(16..)?.first_chunk()?);
    let sound =
        header.starts_with(&MAGIC) && id.crc(&[header]).to_be_bytes() == *rest.first_chunk()?;
    sound.then_some(id)
}

fn missing(layout: &Layout, number: u32) -> Error {
    let path = Segment::path(layout, number);
    Error::damaged(&path, 0, "this segment of the journal is missing", REMEDY)
        .because(std::io::Error::from(ErrorKind::NotFound))
}

/// The files that have the name of a segment, in order.
pub(crate) fn numbered(layout: &Layout) -> Result<Vec<(u32, PathBuf)>, Error> {
    let number = |path: &PathBuf| {
        let name = path.file_name()?.to_str()?.strip_suffix(".log")?;
        (name.len() == 8).then(|| name.parse().ok()).flatten()
    };
    let named = layout::files(&layout.journal())?.into_iter();
    Ok(named.filter_map(|path| Some((number(&path)?, path))).collect())
}
