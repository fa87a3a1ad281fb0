//! Tells a torn tail from damage: the one question on which an acknowledged commit could be lost.
//!
//! A write that a power cut tore was never acknowledged, and nothing was written after its group.
//! What it leaves is a file that is too short, or sectors that are still blank, or both. Anything
//! else (a changed byte, a frame of a later group behind it) is damage to what was acknowledged,
//! and the store does not open on it.
//!
//! This takes for granted that a sector of 512 bytes is written as a whole, and that a file
//! system shows zeros where it has not written yet, as ext4 and XFS do by default. Where it does
//! not hold, the store refuses a tail that it could have cut: it errs to the safe side. A torn
//! tail that was acknowledged after all (a truncated file, a blanked block) cannot be seen here;
//! `survey` compares the end of the journal with what the state, the checkpoints and the file
//! `durable` have seen.

use super::frame::{HEADER_BYTES, Header, MAGIC};
use crate::checksum::StoreId;

const SECTOR_BYTES: usize = 512;

/// Whether what stands at `offset` of the last segment, where the frame of this sequence was
/// due, is what a torn write leaves.
pub(crate) fn is_torn(id: &StoreId, segment: &[u8], offset: usize, sequence: u64) -> bool {
    let Some(rest) = segment.get(offset..) else { return false };
    !is_followed(id, rest, sequence) && is_unfinished(id, rest, offset)
}

/// Whether a frame of a later group stands further on: then this one was acknowledged.
fn is_followed(id: &StoreId, rest: &[u8], sequence: u64) -> bool {
    let starts = rest.windows(MAGIC.len()).enumerate().skip(1);
    let mut headers = starts
        .filter(|(_, window)| *window == MAGIC)
        .filter_map(|(at, _)| Header::parse(id, rest.get(at..)?));
    headers.any(|header| header.group > sequence)
}

/// Whether the frame is cut off by the end of the file or has a sector that is still blank.
fn is_unfinished(id: &StoreId, rest: &[u8], offset: usize) -> bool {
    let header = Header::parse(id, rest);
    let length = header.map_or(HEADER_BYTES, |it| HEADER_BYTES.saturating_add(it.payload_bytes));
    match rest.get(..length) {
        Some(frame) => has_blank_sector(frame, offset),
        None => starts_as_frame(rest) || has_blank_sector(rest, offset),
    }
}

fn starts_as_frame(rest: &[u8]) -> bool {
    rest.iter().zip(&MAGIC).all(|(found, magic)| found == magic)
}

/// Whether the part of some sector that these bytes cover is all zeros.
fn has_blank_sector(bytes: &[u8], offset: usize) -> bool {
    let first = SECTOR_BYTES - offset % SECTOR_BYTES;
    let (head, body) = bytes.split_at_checked(first).unwrap_or((bytes, &[]));
    let mut sectors = std::iter::once(head).chain(body.chunks(SECTOR_BYTES));
    sectors.any(|sector| sector.iter().all(|byte| *byte == 0))
}
