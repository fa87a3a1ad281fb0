//! A file of slots as it is read from end to end.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use super::medium::read_at;
use super::slot::{Found, SLOT_BYTES, Slot, offset, read_head};
use crate::checksum::StoreId;
use crate::{Error, Kind};

/// Slots read at once.
const CHUNK: u32 = 4_096;

/// Everything in a file of slots.
pub(super) struct Image {
    pub(super) id: StoreId,
    /// One slot a name.
    pub(super) held: Vec<(u32, Slot)>,
    pub(super) free: Vec<u32>,
    pub(super) torn: Vec<u32>,
    /// Slots whose name has a later written one.
    pub(super) superseded: Vec<u32>,
    /// The number of slots.
    pub(super) next: u32,
    /// The highest number of a write.
    pub(super) written: u64,
}

impl Image {
    /// # Errors
    /// `Foreign` where the file is none; `Io`.
    pub(super) fn read(path: &Path) -> Result<Image, Error> {
        let io = |e| Error::io("read", path, e);
        let file = File::open(path).map_err(io)?;
        let mut head = vec![0; SLOT_BYTES];
        read_at(&file, 0, &mut head).map_err(io)?;
        let id = read_head(&head).ok_or_else(|| foreign(path))?;
        let length = file.metadata().map_err(io)?.len();
        // The end of a file that grew when the power went may be a part of a slot.
        let slots = length.saturating_sub(SLOT_BYTES as u64).div_ceil(SLOT_BYTES as u64);
        let next = u32::try_from(slots).map_err(|_| foreign(path))?;
        let mut image = Image::empty(id, next);
        let mut newest = HashMap::new();
        let mut from = 0;
        while from < next {
            let count = CHUNK.min(next - from);
            let mut bytes = vec![0; count as usize * SLOT_BYTES];
            read_at(&file, offset(from), &mut bytes).map_err(io)?;
            for (number, bytes) in (from..).zip(bytes.chunks(SLOT_BYTES)) {
                image.take(number, Slot::find(bytes, &id, number), &mut newest);
            }
            from += count;
        }
        image.held = newest.into_values().collect();
        Ok(image)
    }

    fn empty(id: StoreId, next: u32) -> Image {
        let (held, free, torn, superseded) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Image { id, held, free, torn, superseded, next, written: 0 }
    }

    fn take(&mut self, number: u32, found: Found, newest: &mut HashMap<String, (u32, Slot)>) {
        let slot = match found {
            Found::Free => return self.free.push(number),
            Found::Torn => return self.torn.push(number),
            Found::Held(slot) => slot,
        };
        self.written = self.written.max(slot.written);
        match newest.get(&slot.name) {
            Some((_, other)) if other.written >= slot.written => self.superseded.push(number),
            _ => {
                let before = newest.insert(slot.name.clone(), (number, slot));
                self.superseded.extend(before.map(|(number, _)| number));
            }
        }
    }
}

fn foreign(path: &Path) -> Error {
    let what = format!("{} is no file of slots, or its head is damaged", path.display());
    Error::new(Kind::Foreign, what + "; restore it from its export")
}
