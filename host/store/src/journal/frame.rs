//! A frame: one commit as it stands in a segment. Not here: segments, what a batch means.
//!
//! ```text
//! offset  bytes
//!      0      4  "TGFR"
//!      4      4  bytes of the payload
//!      8      8  sequence of the commit
//!     16      8  sequence of the first frame of its group: what one fdatasync made durable
//!     24      8  time of the commit, Unix milliseconds
//!     32     32  SHA-256 of the whole frame before (of the store's id, for the first)
//!     64      4  CRC-32C of the payload
//!     68      4  CRC-32C of the 68 bytes before
//!     72         payload: see `codec`
//! ```
//!
//! Numbers are big-endian. The store's id is put before the bytes of either CRC. The header has a
//! CRC of its own so that the length can be trusted before the payload is read.

use serde::Serialize;

use super::codec;
use crate::checksum::{Hash, Place, StoreId};
use crate::cursor::Cursor;
use crate::{Batch, checksum};

pub(crate) const MAGIC: [u8; 4] = *b"TGFR";
pub(crate) const HEADER_BYTES: usize = 72;
const SUMMED_BYTES: usize = HEADER_BYTES - 4;

/// A commit read back from the journal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Frame {
    /// The place of the commit in the order of all commits.
    pub sequence: u64,
    /// The sequence of the first commit that became durable together with this one.
    pub group: u64,
    /// The SHA-256 of the frame before.
    pub previous: Hash,
    /// The SHA-256 of this frame.
    pub hash: Hash,
    /// What was committed, and when.
    pub batch: Batch,
}

impl Frame {
    pub(crate) fn place(&self) -> Place {
        Place { sequence: self.sequence, hash: self.hash }
    }
}

pub(crate) struct Header {
    pub(crate) payload_bytes: usize,
    pub(crate) sequence: u64,
    pub(crate) group: u64,
    time_ms: u64,
    previous: Hash,
    payload_crc: u32,
}

impl Header {
    /// The header at the start of the bytes, if there is a whole and undamaged one.
    pub(crate) fn parse(id: &StoreId, bytes: &[u8]) -> Option<Header> {
        let (summed, rest) = bytes.split_at_checked(SUMMED_BYTES)?;
        if !summed.starts_with(&MAGIC) || id.crc(&[summed]).to_be_bytes() != *rest.first_chunk()? {
            return None;
        }
        let mut cursor = Cursor::new(summed.get(MAGIC.len()..)?);
        Some(Header {
            payload_bytes: usize::try_from(cursor.u32()?).ok()?,
            sequence: cursor.u64()?,
            group: cursor.u64()?,
            time_ms: cursor.u64()?,
            previous: Hash(cursor.array()?),
            payload_crc: cursor.u32()?,
        })
    }
}

/// Why there is no frame of the chain at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The header is cut off or damaged.
    Header,
    /// The payload is cut off or damaged.
    Payload,
    /// An undamaged frame, but not the one that follows the frame before.
    Chain,
    /// An undamaged frame that holds no batch this version can read.
    Content,
}

impl Fault {
    pub(crate) fn what(self) -> &'static str {
        match self {
            Fault::Header => "the header of a frame is damaged",
            Fault::Payload => "the payload of a frame is damaged",
            Fault::Chain => "an undamaged frame does not follow the frame before it",
            Fault::Content => "an undamaged frame holds no batch that this version can read",
        }
    }
}

/// Writes the frame that follows `before`; gives the place it takes.
pub(crate) fn encode(
    out: &mut Vec<u8>,
    id: &StoreId,
    before: Place,
    group: u64,
    batch: &Batch,
) -> Place {
    let payload = codec::encode(batch);
    let sequence = before.sequence + 1;
    let mut header = Vec::with_capacity(HEADER_BYTES);
    header.extend_from_slice(&MAGIC);
    // A batch is at most 8 MiB.
    header.extend_from_slice(&u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes());
    for number in [sequence, group, batch.time_ms] {
        header.extend_from_slice(&number.to_be_bytes());
    }
    header.extend_from_slice(&before.hash.0);
    header.extend_from_slice(&id.crc(&[&payload]).to_be_bytes());
    let crc = id.crc(&[&header]);
    header.extend_from_slice(&crc.to_be_bytes());
    let hash = checksum::Hash::of(&[&header, &payload]);
    out.extend_from_slice(&header);
    out.extend_from_slice(&payload);
    Place { sequence, hash }
}

/// The frame at the start of the bytes, which must follow `before`, and its length.
pub(crate) fn decode(id: &StoreId, before: Place, bytes: &[u8]) -> Result<(Frame, usize), Fault> {
    let (header, frame) = whole(id, bytes)?;
    let Header { sequence, group, previous, .. } = header;
    if sequence != before.sequence + 1 || previous != before.hash || group > sequence {
        return Err(Fault::Chain);
    }
    Ok((open(&header, frame)?, frame.len()))
}

/// The frame at the start of the bytes, whatever it follows, and its length.
pub(crate) fn decode_alone(id: &StoreId, bytes: &[u8]) -> Result<(Frame, usize), Fault> {
    let (header, frame) = whole(id, bytes)?;
    if header.group > header.sequence {
        return Err(Fault::Chain);
    }
    Ok((open(&header, frame)?, frame.len()))
}

/// The header and all the bytes of an undamaged frame.
fn whole<'a>(id: &StoreId, bytes: &'a [u8]) -> Result<(Header, &'a [u8]), Fault> {
    let header = Header::parse(id, bytes).ok_or(Fault::Header)?;
    let length = HEADER_BYTES.saturating_add(header.payload_bytes);
    let (frame, _) = bytes.split_at_checked(length).ok_or(Fault::Payload)?;
    let (_, payload) = frame.split_at_checked(HEADER_BYTES).ok_or(Fault::Payload)?;
    match id.crc(&[payload]) == header.payload_crc {
        true => Ok((header, frame)),
        false => Err(Fault::Payload),
    }
}

fn open(header: &Header, frame: &[u8]) -> Result<Frame, Fault> {
    let payload = frame.get(HEADER_BYTES..).unwrap_or_default();
    let batch = codec::decode(header.time_ms, payload).ok_or(Fault::Content)?;
    let Header { sequence, group, previous, .. } = *header;
    Ok(Frame { sequence, group, previous, hash: Hash::of(&[frame]), batch })
}

/// What a damaged payload of this length would say, as far as it still reads as a batch: a hint
/// at what the commit touched, never more.
pub(crate) fn guess(bytes: &[u8], payload_bytes: usize) -> Option<Batch> {
    let end = HEADER_BYTES.checked_add(payload_bytes)?;
    codec::decode(0, bytes.get(HEADER_BYTES..end)?)
}
