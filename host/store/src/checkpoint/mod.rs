//! Checkpoints: the whole state after one frame, as a file. A shortcut for rebuilding the state,
//! never the truth: one that is damaged is passed over.
//!
//! `checkpoint/SEQUENCE.ckp`:
//!
//! ```text
//! header  "TGCKPT\r\n" format (u32) store id (16) CRC-32C of these (u32)
//! record  bytes (u32) CRC-32C (u32) of: space key version (u64) value, as `codec` writes them
//! ...     in the order of space and key
//! footer  mark: sequence (u64) hash (32) digest (16) records (u64), CRC-32C of it (u32)
//! ```
//!
//! What holds: a checkpoint has its name only once it is durable; the digest in its footer was
//! computed from the records in it; the last `KEPT` are kept. `writing` makes them.

#[cfg(test)]
mod tests;
mod writing;

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

pub(crate) use writing::{Task, whole, write};

use crate::Error;
use crate::checksum::{MARK_BYTES, Mark, StoreId, record_digest};
use crate::cursor::Cursor;
use crate::disk::Disk;
use crate::format::FORMAT;
use crate::group::{Head, Name};
use crate::layout::{self, Layout};

const MAGIC: [u8; 8] = *b"TGCKPT\r\n";
const HEADER_BYTES: usize = 8 + 4 + 16 + 4;
const FOOTER_BYTES: usize = MARK_BYTES + 4;
const KEPT: usize = 2;
/// Over the largest record: a space, a key and a value with their lengths.
const RECORD_BYTES_MAX: usize = 2 * 1024 * 1024;

/// A finished checkpoint, by its header and footer.
#[derive(Clone, Debug)]
pub(crate) struct Checkpoint {
    pub(crate) path: PathBuf,
    pub(crate) mark: Mark,
}

/// A record as a checkpoint holds it.
pub(crate) type Kept = (Name, u64, Vec<u8>);

impl Checkpoint {
    /// All checkpoints with a sound header and footer, the newest first, and why the others are
    /// passed over.
    pub(crate) fn list(
        layout: &Layout,
        id: &StoreId,
    ) -> Result<(Vec<Checkpoint>, Vec<String>), Error> {
        let (mut sound, mut passed_over) = (Vec::new(), Vec::new());
        for path in named(layout)? {
            match Checkpoint::at(&path, id) {
                Ok(one) => sound.push(one),
                Err(e) => passed_over.push(e.to_string()),
            }
        }
        sound.sort_by_key(|one| std::cmp::Reverse(one.mark.place.sequence));
        Ok((sound, passed_over))
    }

    /// Removes all but the newest.
    pub(crate) fn prune(disk: &dyn Disk, layout: &Layout, id: &StoreId) -> Result<(), Error> {
        let (sound, _) = Checkpoint::list(layout, id)?;
        let kept: Vec<_> = sound.iter().take(KEPT).map(|one| &one.path).collect();
        for path in named(layout)? {
            if !kept.contains(&&path) {
                disk.remove(&path).map_err(|e| Error::io("remove", &path, e))?;
            }
        }
        Ok(())
    }

    /// The one in this file, by its header and footer.
    pub(crate) fn at(path: &Path, id: &StoreId) -> Result<Checkpoint, Error> {
        let mark = Checkpoint::inspect(path, id)?;
        Ok(Checkpoint { path: path.to_owned(), mark })
    }

    /// Reads header and footer.
    fn inspect(path: &Path, id: &StoreId) -> Result<Mark, Error> {
        let io = |e| Error::io("read", path, e);
        let mut file = File::open(path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        let footer_at = length.checked_sub(FOOTER_BYTES as u64);
        let footer_at = footer_at.filter(|at| *at >= HEADER_BYTES as u64);
        let footer_at = footer_at.ok_or_else(|| damaged(path, 0, "the file is too short"))?;
        let (mut header, mut footer) = ([0; HEADER_BYTES], [0; FOOTER_BYTES]);
        file.read_exact(&mut header).map_err(io)?;
        if header.as_slice() != encode_header(id) {
            return Err(damaged(path, 0, "the header is not one of this store"));
        }
        file.seek(SeekFrom::Start(footer_at)).map_err(io)?;
        file.read_exact(&mut footer).map_err(io)?;
        let mut cursor = Cursor::new(&footer);
        let mark = Mark::parse(&mut cursor);
        let sound = mark.filter(|mark| footer.as_slice() == encode_footer(id, mark));
        sound.ok_or_else(|| damaged(path, footer_at, "the footer is damaged"))
    }

    /// The records, in order, each checked.
    pub(crate) fn records(&self, id: &StoreId) -> Result<Records, Error> {
        let io = |e| Error::io("read", &self.path, e);
        let mut file = File::open(&self.path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        file.seek(SeekFrom::Start(HEADER_BYTES as u64)).map_err(io)?;
        Ok(Records {
            id: *id,
            path: self.path.clone(),
            file: BufReader::with_capacity(256 * 1024, file),
            offset: HEADER_BYTES as u64,
            end: length.saturating_sub(FOOTER_BYTES as u64),
        })
    }

    /// Reads every record and compares count and digest with the footer.
    pub(crate) fn check(&self, id: &StoreId) -> Result<(), Error> {
        let (mut digest, mut records) = (0_u128, 0);
        for record in self.records(id)? {
            let ((space, key), version, value) = record?;
            digest = digest.wrapping_add(record_digest(space, &key, version, &value));
            records += 1;
        }
        if (digest, records) == (self.mark.digest, self.mark.records) {
            return Ok(());
        }
        Err(damaged(&self.path, 0, "the records are not those the footer was made for"))
    }
}

/// The records of a checkpoint; after an error there is nothing more.
pub(crate) struct Records {
    id: StoreId,
    path: PathBuf,
    file: BufReader<File>,
    offset: u64,
    end: u64,
}

impl Records {
    fn read(&mut self) -> Result<Kept, Error> {
        let at = self.offset;
        let io = |e| Error::io("read", &self.path, e);
        let cut = || damaged(&self.path, at, "a record is damaged");
        let mut lead = [0; 8];
        self.file.read_exact(&mut lead).map_err(io)?;
        let mut cursor = Cursor::new(&lead);
        let (length, crc) = cursor.u32().zip(cursor.u32()).ok_or_else(cut)?;
        let left = self.end.saturating_sub(at + 8);
        let length = length as usize;
        if length as u64 > left || length > RECORD_BYTES_MAX {
            return Err(cut());
        }
        let mut bytes = vec![0; length];
        self.file.read_exact(&mut bytes).map_err(io)?;
        if self.id.crc(&[&bytes]) != crc {
            return Err(cut());
        }
        let record = decode_record(&bytes).ok_or_else(cut)?;
        self.offset += 8 + length as u64;
        Ok(record)
    }
}

impl Iterator for Records {
    type Item = Result<Kept, Error>;

    fn next(&mut self) -> Option<Result<Kept, Error>> {
        if self.offset >= self.end {
            return None;
        }
        let record = self.read();
        if record.is_err() {
            self.offset = self.end;
        }
        Some(record)
    }
}

/// What a record is known by, computed from the whole of it.
pub(crate) fn head_of(((space, key), version, value): &Kept) -> Head {
    let digest = record_digest(*space, key, *version, value);
    let value_bytes = u32::try_from(value.len()).unwrap_or(u32::MAX);
    Head { version: *version, digest, value_bytes }
}

fn decode_record(bytes: &[u8]) -> Option<Kept> {
    let mut cursor = Cursor::new(bytes);
    let name = (cursor.space()?, cursor.key()?);
    let (version, value) = (cursor.u64()?, cursor.value()?);
    cursor.is_empty().then_some((name, version, value))
}

fn encode_header(id: &StoreId) -> Vec<u8> {
    let header = [&MAGIC[..], &FORMAT.to_be_bytes(), &id.0].concat();
    let crc = id.crc(&[&header]);
    [header, crc.to_be_bytes().to_vec()].concat()
}

fn encode_footer(id: &StoreId, mark: &Mark) -> Vec<u8> {
    let mark = mark.to_bytes();
    let crc = id.crc(&[&mark]);
    [mark, crc.to_be_bytes().to_vec()].concat()
}

fn named(layout: &Layout) -> Result<Vec<PathBuf>, Error> {
    let mut paths = layout::files(&layout.checkpoint())?;
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "ckp"));
    Ok(paths)
}

fn damaged(path: &Path, offset: u64, what: &str) -> Error {
    Error::damaged(path, offset, what, "remove the file: the journal holds everything in it")
}
