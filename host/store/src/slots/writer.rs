//! The one writer of a file of slots: which are free, what is written next. Not here: which name
//! has which slot.

use super::slot::{SLOT_BYTES, Slot, offset};
use crate::checksum::{Hash, StoreId};
use crate::disk::DiskFile;

pub(super) struct Writer {
    file: Box<dyn DiskFile>,
    pub(super) free: Vec<u32>,
    /// The first slot that was never used.
    pub(super) next: u32,
    pub(super) written: u64,
    /// Slots of which a write failed, and whose name it was: they may hold anything. They are
    /// blanked with the name, or when the file is opened.
    pub(super) soiled: Vec<(u128, u32)>,
}

impl Writer {
    pub(super) fn new(file: Box<dyn DiskFile>) -> Writer {
        Writer { file, free: Vec::new(), next: 0, written: 0, soiled: Vec::new() }
    }

    /// Writes values to free slots and syncs them. A write that failed is never synced over by
    /// another's sync: its slot is not used again.
    pub(super) fn fill(
        &mut self,
        values: &[(String, Vec<u8>)],
        id: &StoreId,
    ) -> std::io::Result<Vec<(u128, u32)>> {
        let mut taken = Vec::new();
        let mut write = || {
            for (name, value) in values {
                let number = self.free.pop().unwrap_or_else(|| {
                    self.next += 1;
                    self.next - 1
                });
                self.written += 1;
                taken.push((key(name), number));
                let (name, value) = (name.clone(), value.clone());
                let slot = Slot { written: self.written, name, value };
                self.file.write_at(offset(number), &slot.to_bytes(id, number))?;
            }
            self.file.sync()
        };
        match write() {
            Ok(()) => Ok(taken),
            Err(error) => {
                self.soiled.extend(taken);
                Err(error)
            }
        }
    }

    /// Writes zeros over slots and syncs them. When it fails it is to be done again as a whole: a
    /// sync that failed may have dropped what it should have written.
    pub(super) fn blank(&mut self, numbers: &[u32]) -> std::io::Result<()> {
        for number in numbers {
            self.file.write_at(offset(*number), &[0; SLOT_BYTES])?;
        }
        self.file.sync()
    }
}

/// What a name is found by.
pub(super) fn key(name: &str) -> u128 {
    let Hash(hash) = Hash::of(&[b"slot", name.as_bytes()]);
    u128::from_be_bytes(*hash.first_chunk().unwrap_or(&[0; 16]))
}
