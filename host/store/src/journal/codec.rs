//! A batch as the payload of a frame. Not here: the frame around it, checksums.
//!
//! Binary, so that any value goes through unchanged; all numbers big-endian:
//!
//! ```text
//! payload  = 1 (u8) expectations (u32) expectation* changes (u32) change*
//! expectation = space key ( 0 (u8) | 1 (u8) version (u64) )
//! change   = 1 (u8) space key value      put
//!          | 2 (u8) space key            remove
//!          | 3 (u8) space prefix value   append; its key follows from the frame's sequence
//! space    = length (u8) name
//! key      = length (u16) bytes           (a prefix likewise)
//! value    = length (u32) bytes
//! ```
//!
//! The expectations are kept so that a replay can show that each held.

use crate::cursor::{Cursor, Put};
use crate::{Batch, Change, Expectation, Expected};

const CODEC: u8 = 1;
const ABSENT: u8 = 0;
const VERSION: u8 = 1;
const PUT: u8 = 1;
const REMOVE: u8 = 2;
const APPEND: u8 = 3;

pub(crate) fn encode(batch: &Batch) -> Vec<u8> {
    let mut out = vec![CODEC];
    count(&mut out, batch.expectations.len());
    batch.expectations.iter().for_each(|one| encode_expectation(&mut out, one));
    count(&mut out, batch.changes.len());
    batch.changes.iter().for_each(|one| encode_change(&mut out, one));
    out
}

fn count(out: &mut Vec<u8>, items: usize) {
    // A batch is at most 8 MiB, each item counted as 32 bytes at least.
    out.extend_from_slice(&u32::try_from(items).unwrap_or(u32::MAX).to_be_bytes());
}

fn encode_expectation(out: &mut Vec<u8>, one: &Expectation) {
    out.put_space(one.space);
    out.put_key(&one.key);
    match one.expected {
        Expected::Absent => out.push(ABSENT),
        Expected::Version(version) => {
            out.push(VERSION);
            out.extend_from_slice(&version.to_be_bytes());
        }
    }
}

fn encode_change(out: &mut Vec<u8>, change: &Change) {
    let (tag, space, key, value) = match change {
        Change::Put { space, key, value } => (PUT, space, key, Some(value)),
        Change::Remove { space, key } => (REMOVE, space, key, None),
        Change::Append { space, prefix, value } => (APPEND, space, prefix, Some(value)),
    };
    out.push(tag);
    out.put_space(*space);
    out.put_key(key);
    if let Some(value) = value {
        out.put_value(value);
    }
}

/// The batch, or nothing when the payload is not one to the last byte.
pub(crate) fn decode(time_ms: u64, payload: &[u8]) -> Option<Batch> {
    let mut cursor = Cursor::new(payload);
    if cursor.u8()? != CODEC {
        return None;
    }
    let expected = cursor.u32()?;
    let expectations =
        (0..expected).map(|_| decode_expectation(&mut cursor)).collect::<Option<_>>()?;
    let changed = cursor.u32()?;
    let changes = (0..changed).map(|_| decode_change(&mut cursor)).collect::<Option<_>>()?;
    cursor.is_empty().then_some(Batch { time_ms, expectations, changes, finishing: false })
}

fn decode_expectation(cursor: &mut Cursor<'_>) -> Option<Expectation> {
    let (space, key) = (cursor.space()?, cursor.key()?);
    let expected = match cursor.u8()? {
        ABSENT => Expected::Absent,
        VERSION => Expected::Version(cursor.u64()?),
        _ => return None,
    };
    Some(Expectation { space, key, expected })
}

fn decode_change(cursor: &mut Cursor<'_>) -> Option<Change> {
    let (tag, space, key) = (cursor.u8()?, cursor.space()?, cursor.key()?);
    Some(match tag {
        PUT => Change::Put { space, key, value: cursor.value()? },
        REMOVE => Change::Remove { space, key },
        APPEND => Change::Append { space, prefix: key, value: cursor.value()? },
        _ => return None,
    })
}
