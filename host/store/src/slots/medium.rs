//! Where slots are read from: a file, or memory.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, PoisonError, RwLock};

use super::slot::{SLOT_BYTES, offset};
use crate::disk::DiskFile;

/// Slots in memory.
#[derive(Clone, Default)]
pub(super) struct Memory(Arc<RwLock<Vec<u8>>>);

pub(super) enum Medium {
    File(File),
    Memory(Memory),
}

impl Medium {
    /// The bytes of a slot; zeros beyond the end.
    pub(super) fn read(&self, number: u32) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; SLOT_BYTES];
        match self {
            Medium::File(file) => read_at(file, offset(number), &mut bytes)?,
            Medium::Memory(memory) => {
                let all = memory.0.read().unwrap_or_else(PoisonError::into_inner);
                let from = usize::try_from(offset(number)).unwrap_or(usize::MAX);
                let there = all.get(from..).unwrap_or_default();
                bytes.iter_mut().zip(there).for_each(|(to, from)| *to = *from);
            }
        }
        Ok(bytes)
    }
}

/// Reads at an offset, up to the end of the file.
pub(super) fn read_at(file: &File, mut at: u64, mut into: &mut [u8]) -> io::Result<()> {
    while !into.is_empty() {
        match file.read_at(into, at) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                into = into.get_mut(count..).unwrap_or_default();
                at += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

impl DiskFile for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write().unwrap_or_else(PoisonError::into_inner).extend(bytes);
        Ok(())
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let from = usize::try_from(offset).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let beyond = from.saturating_add(bytes.len());
        if all.len() < beyond {
            all.resize(beyond, 0);
        }
        all.splice(from..beyond, bytes.iter().copied());
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        let length = usize::try_from(length).map_err(|_| io::ErrorKind::FileTooLarge)?;
        self.0.write().unwrap_or_else(PoisonError::into_inner).truncate(length);
        Ok(())
    }
}
