//! Doors for the fuzz targets in `tests/fuzz`: what the store writes and reads, in memory where it
//! can be. Not a part of the store's contract; nothing else uses it.

use std::path::Path;

use crate::checkpoint::{self, Checkpoint};
use crate::checksum::{Place, StoreId};
use crate::journal::{decode_batch, decode_frame, encode_batch, encode_frame};
use crate::{Batch, Error, Frame, Space, export};

/// A record of a checkpoint: space, key, version, value.
pub type Kept = (Space, Vec<u8>, u64, Vec<u8>);

/// A batch as the payload of a frame.
pub fn payload(batch: &Batch) -> Vec<u8> {
    encode_batch(batch)
}

/// The batch of a payload; none when it is not one to the last byte.
pub fn batch(time_ms: u64, payload: &[u8]) -> Option<Batch> {
    decode_batch(time_ms, payload)
}

/// The frames of these batches, from the first commit of a store on, each a group of its own.
pub fn frames(id: [u8; 16], batches: &[Batch]) -> Vec<u8> {
    let (mut out, _) = chain(&StoreId(id), batches);
    out.shrink_to_fit();
    out
}

fn chain(id: &StoreId, batches: &[Batch]) -> (Vec<u8>, Place) {
    let (mut out, mut last) = (Vec::new(), Place::start(id));
    for batch in batches {
        last = encode_frame(&mut out, id, last, last.sequence + 1, batch);
    }
    (out, last)
}

/// The frames at the start of the bytes that follow one another from the first commit on, and why
/// there are no more of them; nothing where the bytes end with a frame.
pub fn read_frames(id: [u8; 16], bytes: &[u8]) -> (Vec<Frame>, Option<&'static str>) {
    let (id, mut rest, mut read) = (StoreId(id), bytes, Vec::<Frame>::new());
    while !rest.is_empty() {
        let before = read.last().map_or(Place::start(&id), Frame::place);
        match decode_frame(&id, before, rest) {
            Ok((frame, length)) => {
                read.push(frame);
                rest = rest.get(length..).unwrap_or_default();
            }
            Err(fault) => return (read, Some(fault.what())),
        }
    }
    (read, None)
}

/// An export of these commits, as [`crate::export`] would write it.
pub fn exported(id: [u8; 16], batches: &[Batch]) -> Vec<u8> {
    let id = StoreId(id);
    let (frames, last) = chain(&id, batches);
    export::whole(&id, &frames, last)
}

/// A checkpoint of these records, in the order they are given in, after the commit `sequence`.
pub fn checkpoint(id: [u8; 16], sequence: u64, records: &[Kept]) -> Vec<u8> {
    let id = StoreId(id);
    let place = Place { sequence, hash: id.genesis() };
    let named =
        |(space, key, version, value): &Kept| ((*space, key.clone()), *version, value.clone());
    let records: Vec<_> = records.iter().map(named).collect();
    checkpoint::whole(&id, place, &records)
}

/// The records of a checkpoint in a file, header, footer and sums checked as when a state is made
/// of it.
///
/// # Errors
/// `Damaged` and `Io`.
pub fn read_checkpoint(id: [u8; 16], path: &Path) -> Result<Vec<Kept>, Error> {
    let id = StoreId(id);
    let one = Checkpoint::at(path, &id)?;
    one.check(&id)?;
    let flat = |record: Result<checkpoint::Kept, Error>| {
        record.map(|((space, key), version, value)| (space, key, version, value))
    };
    one.records(&id)?.map(flat).collect()
}
