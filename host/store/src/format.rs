//! The file `format`: which store this is and the version of what is written. It is the last
//! file written when a store is made: a store without it is not one yet.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::checksum::{Place, StoreId};
use crate::disk::Disk;
use crate::journal::{Segment, numbered, segment_header_bytes};
use crate::layout::{self, Layout, is_unfinished, write_whole};
use crate::{Error, Kind};

/// The version of the directory and of every file in it.
pub(crate) const FORMAT: u32 = 1;
const TITLE: &str = "tollgate-store";

/// Refuses what a later version wrote.
pub(crate) fn check_version(version: u32, path: &Path) -> Result<(), Error> {
    if version == FORMAT {
        return Ok(());
    }
    let what = format!(
        "{} is of format {version}, this program knows format {FORMAT}; use the program that \
         wrote it, or a later one",
        path.display()
    );
    Err(Error::new(Kind::Newer, what))
}

/// The id of the store in the directory; nothing when there is no store.
pub(crate) fn read(layout: &Layout) -> Result<Option<StoreId>, Error> {
    let path = layout.format();
    match fs::read(&path) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::io("read", &path, e)),
        Ok(bytes) => parse(&path, &bytes).map(Some),
    }
}

fn parse(path: &Path, bytes: &[u8]) -> Result<StoreId, Error> {
    let foreign = || {
        let what = format!(
            "{} is not the format file of a store; give a directory of its own, or restore the \
             file",
            path.display()
        );
        Error::new(Kind::Foreign, what)
    };
    let text = std::str::from_utf8(bytes).map_err(|_| foreign())?;
    let mut words = text.split_ascii_whitespace();
    let (title, version, id) = (words.next(), words.next(), words.next());
    let version = version.filter(|_| title == Some(TITLE)).and_then(|it| it.parse().ok());
    check_version(version.ok_or_else(foreign)?, path)?;
    let mut bytes = [0; 16];
    hex::decode_to_slice(id.unwrap_or_default(), &mut bytes).map_err(|_| foreign())?;
    Ok(StoreId(bytes))
}

/// Makes a store in a directory that [`check_empty`] has found to hold none.
pub(crate) fn create(disk: &dyn Disk, layout: &Layout) -> Result<StoreId, Error> {
    let id = StoreId::random()?;
    for dir in [layout.journal(), layout.checkpoint()] {
        disk.make_dir(&dir).map_err(|e| Error::io("make", &dir, e))?;
    }
    disk.sync_dir(layout.dir()).map_err(|e| Error::io("sync", layout.dir(), e))?;
    Segment::create(disk, layout, &id, 1, Place::start(&id))?;
    write_whole(disk, &layout.format(), line(&id).as_bytes())?;
    Ok(id)
}

/// What the file says.
pub(crate) fn line(id: &StoreId) -> String {
    format!("{TITLE} {FORMAT} {id}\n")
}

/// Refuses a directory with anything in it but what a creation that was cut short leaves.
pub(crate) fn check_empty(layout: &Layout) -> Result<(), Error> {
    let known = [layout.lock(), layout.journal(), layout.checkpoint()];
    let known = |path: &PathBuf| known.contains(path) || is_unfinished(path);
    if let Some(other) = layout::files(layout.dir())?.into_iter().find(|it| !known(it)) {
        if layout.restoring().exists() {
            return Err(cut_short(layout));
        }
        if other == layout.state() || other == layout.durable() {
            return Err(without_format(layout));
        }
        let what = format!(
            "{} is not a store and holds {}; give an empty directory",
            layout.dir().display(),
            other.display()
        );
        return Err(Error::new(Kind::Foreign, what));
    }
    let header_bytes = segment_header_bytes();
    for (number, path) in numbered(layout)? {
        let length = fs::metadata(&path).map_err(|e| Error::io("read", &path, e))?.len();
        if number > 1 || length > header_bytes {
            return Err(without_format(layout));
        }
    }
    match layout::files(&layout.checkpoint())?.iter().all(|it| is_unfinished(it)) {
        true => Ok(()),
        false => Err(without_format(layout)),
    }
}

fn cut_short(layout: &Layout) -> Error {
    let what = format!(
        "{} holds a part of a store: an import or a repair into it was cut short; remove all of \
         it and run that again",
        layout.dir().display()
    );
    Error::new(Kind::Foreign, what)
}

fn without_format(layout: &Layout) -> Error {
    let remedy = format!(
        "restore it from a backup, or write `{TITLE} {FORMAT} ID` into it, ID being bytes 16 to \
         31 of a segment of the journal in hexadecimal"
    );
    Error::damaged(&layout.format(), 0, "the store has no format file", &remedy)
}
