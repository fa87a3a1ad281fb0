//! How a record is laid out in sled. Not here: which records there are.
//!
//! ```text
//! key 0                            -> the mark of the state, see `State`
//! key 1 space 0 key                -> version (u64) digest (u128) bytes of the value (u32) value
//! key 2 space 0 key index (u32)    -> a part of the value
//! ```
//!
//! A value of up to `PART_BYTES` stands beside its head; a larger one is cut into parts of that
//! size and the head holds none of it. sled puts a page of over a quarter of a segment (128 KiB)
//! into a file of its own, which it never syncs; a page has 16 entries before it is split, so
//! entries of about 5 KiB at most never get there.
//!
//! sled appends what changes, and now and then the whole page around it, so its file grows by more
//! than it is given. It states no bound. Of new records, written over ones, large ones, small ones
//! among large ones and one of every page in turn, a group took at most four times its bytes and
//! 13 KiB for each record: [`growth`].

use crate::cursor::Cursor;
use crate::group::Head;
use crate::{Error, Kind, Space};

/// The largest value beside a head, and the largest part.
pub(super) const PART_BYTES: usize = 4_096;

const GROWTH_PER_BYTE: u64 = 4;
const GROWTH_PER_RECORD: u64 = 16 * 1024;

pub(super) const MARK_KEY: &[u8] = &[0];
const RECORD: u8 = 1;
const PART: u8 = 2;

pub(super) fn record_key(space: Space, key: &[u8]) -> Vec<u8> {
    [&[RECORD], space.name().as_bytes(), &[0], key].concat()
}

/// The first key beyond all records of a space.
pub(super) fn beyond_space(space: Space) -> Vec<u8> {
    [&[RECORD], space.name().as_bytes(), &[1]].concat()
}

pub(super) fn part_key(space: Space, key: &[u8], index: u32) -> Vec<u8> {
    [&[PART], space.name().as_bytes(), &[0], key, &index.to_be_bytes()].concat()
}

/// An entry of sled by its key.
pub(super) enum Entry<'a> {
    Mark,
    Record(Space, &'a [u8]),
    Part,
}

pub(super) fn entry(key: &[u8]) -> Option<Entry<'_>> {
    match key.split_first()? {
        (0, []) => Some(Entry::Mark),
        (&PART, _) => Some(Entry::Part),
        (&RECORD, rest) => {
            let end = rest.iter().position(|byte| *byte == 0)?;
            let (name, key) = rest.split_at_checked(end)?;
            let space = Space::parse(std::str::from_utf8(name).ok()?)?;
            Some(Entry::Record(space, key.split_first()?.1))
        }
        _ => None,
    }
}

/// By how much the file of sled may grow when a record takes the place of one whose value was so
/// long: the most that was measured, and some more.
pub(crate) fn growth(key: &[u8], before: Option<&Head>, value: Option<&Vec<u8>>) -> u64 {
    let before = before.map_or(0, |head| u64::from(head.value_bytes));
    let bytes = (key.len() + value.map_or(0, Vec::len)) as u64 + before;
    GROWTH_PER_RECORD + GROWTH_PER_BYTE * bytes
}

/// How many parts a value of this length is cut into.
pub(super) fn part_count(value_bytes: u32) -> u32 {
    match value_bytes as usize {
        ..=PART_BYTES => 0,
        bytes => u32::try_from(bytes.div_ceil(PART_BYTES)).unwrap_or(u32::MAX),
    }
}

pub(super) fn encode_head(head: &Head, value: &[u8]) -> Vec<u8> {
    let Head { version, digest, value_bytes } = head;
    let inline = if part_count(*value_bytes) == 0 { value } else { &[] };
    [&version.to_be_bytes()[..], &digest.to_be_bytes(), &value_bytes.to_be_bytes(), inline].concat()
}

/// The head, and the value if it stands beside it.
pub(super) fn decode_head(bytes: &[u8]) -> Result<(Head, &[u8]), Error> {
    split_head(bytes).ok_or_else(|| unreadable("an entry is too short"))
}

fn split_head(bytes: &[u8]) -> Option<(Head, &[u8])> {
    let mut cursor = Cursor::new(bytes);
    let version = cursor.u64()?;
    let digest = u128::from_be_bytes(cursor.array()?);
    Some((Head { version, digest, value_bytes: cursor.u32()? }, cursor.rest()))
}

pub(super) fn unreadable(why: impl std::fmt::Display) -> Error {
    let what = format!(
        "the state (sled) cannot be read: {why}; start the process again: the state is rebuilt \
         from the journal when it is found damaged"
    );
    Error::new(Kind::Damaged, what)
}
