//! Reads an export and takes nothing on trust. Not here: what is made of it.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{CLOSING_BYTES, END, Export, HEADER_BYTES, MAGIC, REMEDY, closing};
use crate::checksum::{Hash, Mark, Place, StoreId};
use crate::contract::BATCH_BYTES_MAX;
use crate::cursor::Cursor;
use crate::journal::{FRAME_HEADER_BYTES, Header, decode_frame};
use crate::replay::Replay;
use crate::{Error, Frame, Kind, format};

/// Verifies an export to its last byte: that it is whole and unaltered, and that each commit
/// follows from those before it. Holds the keys of all records in memory.
///
/// # Errors
/// `Foreign` when it is no export, `Newer` when a later version wrote it, `Damaged` when it is
/// cut off or altered: the message says where.
pub fn verify_export(file: &Path) -> Result<Export, Error> {
    examine(file).map(|(_, export, _)| export)
}

/// The store an export is of, what it holds, and the mark of the state that follows from it.
pub(crate) fn examine(path: &Path) -> Result<(StoreId, Export, Mark), Error> {
    let mut reading = Reading::open(path)?;
    let id = reading.id;
    let mut replay = Replay::new(&id);
    while let Some(frame) = reading.next_frame()? {
        let (at, sequence) = (reading.offset, frame.sequence);
        replay.apply(frame).map_err(|e| {
            let what = format!("commit {sequence} does not follow from those before it");
            Error::damaged(path, at, what, REMEDY).because(e)
        })?;
    }
    let Place { sequence: commits, hash } = reading.before;
    let (store, last_hash) = (id.to_string(), hash.to_string());
    let (last_time_ms, bytes) = (replay.last_time_ms, reading.offset);
    let export = Export { store, commits, last_hash, last_time_ms, bytes };
    Ok((id, export, replay.mark))
}

/// An export being read.
pub(crate) struct Reading {
    path: PathBuf,
    file: BufReader<File>,
    pub(crate) id: StoreId,
    offset: u64,
    sum: Sha256,
    before: Place,
}

impl Reading {
    pub(crate) fn open(path: &Path) -> Result<Reading, Error> {
        let io = |e| Error::io("read", path, e);
        let mut file = BufReader::with_capacity(1024 * 1024, File::open(path).map_err(io)?);
        let mut header = [0; HEADER_BYTES];
        match file.read_exact(&mut header) {
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => return Err(no_export(path)),
            read => read.map_err(io)?,
        }
        let id = parse_header(path, &header)?;
        let sum = Sha256::new_with_prefix(header);
        let (offset, before) = (HEADER_BYTES as u64, Place::start(&id));
        Ok(Reading { path: path.to_owned(), file, id, offset, sum, before })
    }

    /// The next commit; nothing after the closing record, once that was found to be right.
    pub(crate) fn next_frame(&mut self) -> Result<Option<Frame>, Error> {
        let mut bytes = vec![0; FRAME_HEADER_BYTES];
        self.fill(&mut bytes)?;
        if bytes.starts_with(&END) {
            return self.close(bytes).map(|()| None);
        }
        let due = self.before.sequence + 1;
        let damaged = |what: &str| self.damaged(&format!("commit {due}: {what}"));
        let header = Header::parse(&self.id, &bytes);
        let header = header.ok_or_else(|| damaged("the header of a frame is damaged"))?;
        // Its key lengths and tags come on top of what a batch is measured by.
        if header.payload_bytes > 2 * BATCH_BYTES_MAX {
            return Err(damaged("the frame is longer than any commit"));
        }
        bytes.resize(FRAME_HEADER_BYTES + header.payload_bytes, 0);
        let payload = bytes.get_mut(FRAME_HEADER_BYTES..).unwrap_or_default();
        read(&mut self.file, payload, &self.path, self.offset, due)?;
        let (frame, _) = decode_frame(&self.id, self.before, &bytes)
            .map_err(|fault| self.damaged(&format!("commit {due}: {}", fault.what())))?;
        self.sum.update(&bytes);
        self.offset += bytes.len() as u64;
        self.before = frame.place();
        Ok(Some(frame))
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        read(&mut self.file, bytes, &self.path, self.offset, self.before.sequence + 1)
    }

    fn close(&mut self, lead: Vec<u8>) -> Result<(), Error> {
        let mut found = lead;
        found.resize(CLOSING_BYTES, 0);
        let rest = found.get_mut(FRAME_HEADER_BYTES..).unwrap_or_default();
        read(&mut self.file, rest, &self.path, self.offset, self.before.sequence + 1)?;
        let sum = Hash(self.sum.finalize_reset().into());
        if found != closing(&self.id, self.before, sum) {
            let commits = self.before.sequence;
            let what = format!(
                "the closing record does not close the {commits} commits before it: it is \
                 altered, or commits were left out"
            );
            return Err(self.damaged(&what));
        }
        self.offset += CLOSING_BYTES as u64;
        let mut beyond = [0];
        match self.file.read(&mut beyond) {
            Ok(0) => Ok(()),
            Ok(_) => Err(self.damaged("there is more behind the closing record")),
            Err(e) => Err(Error::io("read", &self.path, e)),
        }
    }

    fn damaged(&self, what: &str) -> Error {
        Error::damaged(&self.path, self.offset, what, REMEDY)
    }
}

fn read(
    file: &mut impl Read,
    into: &mut [u8],
    path: &Path,
    offset: u64,
    due: u64,
) -> Result<(), Error> {
    match file.read_exact(into) {
        Err(e) if e.kind() == ErrorKind::UnexpectedEof => {
            let what = format!("the export is cut off where commit {due} or its end is due");
            Err(Error::damaged(path, offset, what, REMEDY))
        }
        read => read.map_err(|e| Error::io("read", path, e)),
    }
}

fn parse_header(path: &Path, header: &[u8]) -> Result<StoreId, Error> {
    let mut cursor = Cursor::new(header);
    if cursor.array() != Some(MAGIC) {
        return Err(no_export(path));
    }
    let damaged = || Error::damaged(path, 0, "the header of the export is damaged", REMEDY);
    let version = cursor.u32().ok_or_else(damaged)?;
    let id = StoreId(cursor.array().ok_or_else(damaged)?);
    let summed = header.get(..HEADER_BYTES - 4).ok_or_else(damaged)?;
    if cursor.u32() != Some(id.crc(&[summed])) {
        return Err(damaged());
    }
    format::check_version(version, path)?;
    Ok(id)
}

fn no_export(path: &Path) -> Error {
    let what = format!(
        "{} is no export of a store; give a file that `tollgate store export` wrote",
        path.display()
    );
    Error::new(Kind::Foreign, what)
}
