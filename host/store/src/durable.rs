//! The file `durable`: how far the journal is durable, told by the process that writes it to those
//! that read beside it, and to those that come after it.
//!
//! ```text
//! sequence (u64), SHA-256 of that frame (32), CRC-32C of the store's id and both (u32)
//! ```
//!
//! What stands in a segment may be a group that is being written, and that a full disk makes the
//! writer take back. So a reader beside a writer cannot tell from the journal alone where it may
//! stop; this file says so. It is written over in place, after the fdatasync of a group and never
//! before: whatever it says was durable when it said so, and a frame that was durable never goes
//! away. It is not synced, for it need not be the newest place after a power cut, only a true one.
//! It costs a commit no disk operation.
//!
//! So a journal that ends before what it says, or has another frame there, has lost something that
//! was acknowledged: for whoever opens, verifies, exports or repairs the store it is a witness, as
//! the state and the checkpoints are, and the only one of the commits after theirs. One that is
//! gone, old or not legible says nothing, and is never missed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::PathBuf;

use crate::checksum::{Hash, Place, StoreId};
use crate::cursor::Cursor;
use crate::layout::Layout;

const BYTES: usize = 8 + 32 + 4;
/// How often a reader that met the writer in the middle of its write looks again.
const TRIES: u32 = 1_000;

/// The writer's side.
pub(crate) struct Durable {
    id: StoreId,
    path: PathBuf,
    /// Nothing once it could not be written.
    file: Option<File>,
}

impl Durable {
    /// Begins to tell. A file that cannot be made is no reason not to take commits.
    pub(crate) fn begin(layout: &Layout, id: StoreId) -> Durable {
        let (mut options, path) = (OpenOptions::new(), layout.durable());
        let opened = options.write(true).create(true).truncate(false).open(&path);
        let file = opened.map_err(|why| untold(&why)).ok();
        Durable { id, path, file }
    }

    /// Everything up to this frame is durable.
    pub(crate) fn tell(&mut self, place: Place) {
        let bytes = encode(&self.id, place);
        let Some(file) = &mut self.file else { return };
        let written = file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(&bytes));
        if let Err(why) = written {
            untold(&why);
            self.file = None;
            // An older place would stay true, and an export would end there without a word.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn untold(why: &io::Error) {
    tracing::warn!(%why, "the file `durable` cannot be written: the store cannot be exported \
         while it is open");
}

/// The newest place that was told, if there is a legible one of this store and nobody writes.
pub(crate) fn read(layout: &Layout, id: &StoreId) -> Option<Place> {
    decode(id, &fs::read(layout.durable()).ok()?)
}

/// The newest place that was told, perhaps by a process that writes meanwhile.
pub(crate) fn read_beside_a_writer(layout: &Layout, id: &StoreId) -> Option<Place> {
    (0..TRIES).find_map(|_| read(layout, id))
}

fn encode(id: &StoreId, place: Place) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(BYTES);
    bytes.extend_from_slice(&place.sequence.to_be_bytes());
    bytes.extend_from_slice(&place.hash.0);
    let crc = id.crc(&[&bytes]);
    bytes.extend_from_slice(&crc.to_be_bytes());
    bytes
}

fn decode(id: &StoreId, bytes: &[u8]) -> Option<Place> {
    let (told, crc) = bytes.split_at_checked(BYTES - 4)?;
    if crc != id.crc(&[told]).to_be_bytes() {
        return None;
    }
    let mut cursor = Cursor::new(told);
    Some(Place { sequence: cursor.u64()?, hash: Hash(cursor.array()?) })
}
