//! Finds every undamaged commit in a damaged journal, wherever it stands. Changes nothing. Not
//! here: what is made of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::checksum::{Hash, Place, StoreId};
use crate::group::Name;
use crate::journal::{
    FRAME_MAGIC, Header, decode_alone, guess_batch, is_torn, numbered, owner, segment_header_bytes,
};
use crate::layout::{self, Layout};
use crate::{Batch, Error, Frame, Kind, format};

/// What can be read of a journal.
pub(super) struct Salvage {
    id: StoreId,
    frames: BTreeMap<u64, Found>,
    /// What damaged frames seem to have touched, by their sequence.
    pub(super) hints: BTreeMap<u64, BTreeSet<Name>>,
    /// Whether something stands behind the last commit that no torn write leaves.
    pub(super) tail_is_damaged: bool,
    /// The file read last.
    loaded: (PathBuf, Vec<u8>),
}

struct Found {
    path: PathBuf,
    at: usize,
    previous: Hash,
    hash: Hash,
}

impl Salvage {
    /// Searches every file of the journal.
    ///
    /// # Errors
    /// `Damaged` when it holds commits of two histories: which one is right is not for a program
    /// to say.
    pub(super) fn of(layout: &Layout, id: StoreId) -> Result<Salvage, Error> {
        let (frames, hints) = (BTreeMap::new(), BTreeMap::new());
        let loaded = (PathBuf::new(), Vec::new());
        let mut salvage = Salvage { id, frames, hints, tail_is_damaged: false, loaded };
        let mut ends = BTreeMap::new();
        for path in layout::files(&layout.journal())? {
            if !layout::is_unfinished(&path) && path.is_file() {
                ends.insert(path.clone(), salvage.search(&path)?);
            }
        }
        let last = numbered(layout)?.pop().and_then(|(_, path)| Some((ends.remove(&path)?, path)));
        if let Some((end, path)) = last {
            salvage.judge_tail(&path, end)?;
        }
        salvage.check_chain()?;
        salvage.hints.retain(|sequence, _| !salvage.frames.contains_key(sequence));
        Ok(salvage)
    }

    /// Takes the undamaged frames of a file; gives the end of the last one.
    fn search(&mut self, path: &Path) -> Result<usize, Error> {
        self.load(path)?;
        let (_, bytes) = std::mem::take(&mut self.loaded);
        let (mut at, mut end) = (0, segment_header_bytes() as usize);
        while let Some(next) = next_magic(&bytes, at) {
            let rest = bytes.get(next..).unwrap_or_default();
            match decode_alone(&self.id, rest) {
                Ok((frame, length)) => {
                    self.take(path, next, &frame)?;
                    at = next + length;
                    end = at;
                }
                Err(_) => {
                    self.note(rest);
                    at = next + 1;
                }
            }
        }
        self.loaded = (path.to_owned(), bytes);
        Ok(end)
    }

    fn take(&mut self, path: &Path, at: usize, frame: &Frame) -> Result<(), Error> {
        let Frame { sequence, previous, hash, .. } = *frame;
        let found = Found { path: path.to_owned(), at, previous, hash };
        match self.frames.insert(sequence, found) {
            Some(other) if other.hash != hash => Err(two_histories(sequence, &other.path, path)),
            _ => Ok(()),
        }
    }

    /// What a frame whose header is whole and whose payload is not seems to have touched.
    fn note(&mut self, rest: &[u8]) {
        let Some(header) = Header::parse(&self.id, rest) else { return };
        let names = self.hints.entry(header.sequence).or_default();
        if let Some(batch) = guess_batch(rest, header.payload_bytes) {
            names.extend(batch.into_effects(header.sequence).into_keys());
        }
    }

    fn judge_tail(&mut self, path: &Path, end: usize) -> Result<(), Error> {
        self.load(path)?;
        let (_, bytes) = &self.loaded;
        let due = self.last() + 1;
        let torn = is_torn(&self.id, bytes, end, due);
        self.tail_is_damaged = end < bytes.len() && !torn;
        if !self.tail_is_damaged {
            // What a torn write left was never acknowledged.
            self.hints.retain(|sequence, _| *sequence < due);
        }
        Ok(())
    }

    fn check_chain(&self) -> Result<(), Error> {
        let mut before = Some((Place::start(&self.id), PathBuf::from("the start")));
        for (sequence, found) in &self.frames {
            if let Some((place, path)) = &before
                && place.sequence + 1 == *sequence
                && place.hash != found.previous
            {
                return Err(two_histories(*sequence, path, &found.path));
            }
            before = Some((Place { sequence: *sequence, hash: found.hash }, found.path.clone()));
        }
        Ok(())
    }

    /// Whether what was seen at a place is what the journal has there, as far as it has it.
    pub(super) fn agrees(&self, place: Place) -> bool {
        let here = self.frames.get(&place.sequence).map(|found| found.hash);
        let next = self.frames.get(&(place.sequence + 1)).map(|found| found.previous);
        here.or(next).is_none_or(|hash| hash == place.hash)
    }

    pub(super) fn holds(&self, sequence: u64) -> bool {
        self.frames.contains_key(&sequence)
    }

    /// How many commits were found.
    pub(super) fn count(&self) -> u64 {
        self.frames.len() as u64
    }

    /// The last commit found.
    pub(super) fn last(&self) -> u64 {
        self.frames.last_key_value().map_or(0, |(sequence, _)| *sequence)
    }

    /// The last commit of which anything was found.
    pub(super) fn last_hinted(&self) -> u64 {
        self.hints.last_key_value().map_or(0, |(sequence, _)| *sequence).max(self.last())
    }

    /// A commit that was found: its group, and what it asked.
    pub(super) fn commit(&mut self, sequence: u64) -> Result<Option<(u64, Batch)>, Error> {
        let Some(Found { path, at, .. }) = self.frames.get(&sequence) else { return Ok(None) };
        let (path, at) = (path.clone(), *at);
        self.load(&path)?;
        let rest = self.loaded.1.get(at..).unwrap_or_default();
        let (frame, _) = decode_alone(&self.id, rest).map_err(|fault| {
            Error::damaged(&path, at as u64, fault.what(), "the file changes: copy it elsewhere")
        })?;
        Ok(Some((frame.group, frame.batch)))
    }

    fn load(&mut self, path: &Path) -> Result<(), Error> {
        if self.loaded.0 != path {
            let bytes = fs::read(path).map_err(|e| Error::io("read", path, e))?;
            self.loaded = (path.to_owned(), bytes);
        }
        Ok(())
    }
}

fn next_magic(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let found = rest.windows(FRAME_MAGIC.len()).position(|window| window == FRAME_MAGIC)?;
    Some(from + found)
}

fn two_histories(sequence: u64, one: &Path, other: &Path) -> Error {
    let what = format!(
        "commit {sequence} in {} and what stands in {} are whole, but of two histories; move the \
         one that is not right out of a copy of the directory, and repair that, or restore an \
         export",
        other.display(),
        one.display()
    );
    Error::new(Kind::Damaged, what)
}

/// Which store a directory holds, by its format file or, that being gone or wrong, by most of its
/// segments.
pub(super) fn identify(layout: &Layout) -> Result<Option<StoreId>, Error> {
    let named = match format::read(layout) {
        Err(e) if *e.kind() != Kind::Foreign => return Err(e),
        named => named.ok().flatten(),
    };
    let mut owners: Vec<(StoreId, u64)> = Vec::new();
    for (_, path) in numbered(layout)? {
        let bytes = fs::read(&path).map_err(|e| Error::io("read", &path, e))?;
        let Some(id) = owner(&bytes) else { continue };
        match owners.iter_mut().find(|(known, _)| *known == id) {
            Some((_, count)) => *count += 1,
            None => owners.push((id, 1)),
        }
    }
    let confirmed = named.filter(|id| owners.iter().any(|(owner, _)| owner == id));
    let most = owners.into_iter().max_by_key(|(_, count)| *count).map(|(id, _)| id);
    Ok(confirmed.or(most).or(named))
}
