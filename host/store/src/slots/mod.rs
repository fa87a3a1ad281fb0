//! Small values that are able to vanish: named slots of one size in one file, outside of the
//! journal, overwritten with zeros when their value is erased.
//!
//! The journal forgets nothing, and so do its checkpoints and exports. What has to be forgotten, as
//! the key of a card, is kept here and nowhere else. A value is answered for only once synced,
//! and an erasure only once the zeros are. No value is ever changed in place: its successor is
//! written to a free slot and synced before the old slot is blanked, so a write that a power cut
//! tears costs nothing that was acknowledged. Which slots are free is found out when the file is
//! opened; of two slots of one name the later written counts, and the other is blanked then.
//!
//! What overwriting does not do: a disk that writes elsewhere (most flash, copy-on-write file
//! systems, snapshots) may keep the old bytes for a while. Values are therefore to be sealed by the
//! caller, and the folder is to stand where deleting is real.
//!
//! Not here: what the values are, and whether one is still needed.

mod copying;
mod image;
mod medium;
mod slot;
mod writer;

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

pub use copying::{SlotExport, SlotReport, export_slots, import_slots, verify_slots};

use self::image::Image;
use self::medium::{Medium, Memory};
use self::slot::{Found, NAME_BYTES_MAX, Slot, VALUE_BYTES_MAX, head, offset};
use self::writer::{Writer, key};
use crate::checksum::StoreId;
use crate::disk::{Disk, DiskFile, RealDisk};
use crate::layout::{Layout, write_whole};
use crate::lock::Lock;
use crate::{Error, Kind};

/// Slots written between two syncs at most.
const WRITTEN_AT_ONCE: usize = 64;
/// A power cut tears what was written since the last sync. More torn slots than this, which leaves
/// room for failed writes before it, are damage.
const TORN_MAX: usize = 4 * WRITTEN_AT_ONCE;
/// Slots read at once by [`Slots::page`].
const PAGE: u32 = 1_024;

/// How to open a file of slots.
#[derive(Clone)]
pub struct SlotOptions {
    /// Its folder, which holds nothing else; made if it is not there.
    pub dir: PathBuf,
    /// The disk to write to: the real one, except where a test puts faults in.
    pub disk: Arc<dyn Disk>,
}

impl SlotOptions {
    /// In this folder of the real disk.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> SlotOptions {
        SlotOptions { dir: dir.into(), disk: Arc::new(RealDisk) }
    }

    /// Whether a file of slots is there.
    #[must_use]
    pub fn exists(&self) -> bool {
        Layout::new(&self.dir).slots().exists()
    }
}

/// Some of the values, and where the next ones begin.
#[derive(Clone, Debug)]
pub struct SlotPage {
    /// Names and values.
    pub held: Vec<(String, Vec<u8>)>,
    /// What to ask for next; none at the end.
    pub next: Option<u32>,
}

/// Named values that can be erased. Every call blocks for the disk: ask from a thread that may.
pub struct Slots {
    id: StoreId,
    path: PathBuf,
    medium: Medium,
    /// Slots by the digest of their name.
    index: RwLock<HashMap<u128, u32>>,
    writer: Mutex<Writer>,
    torn: usize,
    // Held for its lifetime only.
    _lock: Option<Lock>,
}

impl Slots {
    /// Opens the file of slots in a folder, or makes one. Reads all of it. What a power cut tore is
    /// blanked: it was never answered for, or is on its way to be erased.
    ///
    /// # Errors
    /// `Locked`, `Foreign`, `Io`, `Full`; `Damaged` where more is unreadable than a power cut
    /// explains.
    pub fn open(options: &SlotOptions) -> Result<Slots, Error> {
        let (disk, layout) = (&*options.disk, Layout::new(&options.dir));
        let path = layout.slots();
        let io = |doing, at: &Path, e| Error::io(doing, at, e);
        disk.make_dir(layout.dir()).map_err(|e| io("make", layout.dir(), e))?;
        let lock = Lock::exclusive(&layout)?;
        layout.remove_unfinished(disk)?;
        if !path.exists() {
            write_whole(disk, &path, &head(&StoreId::random()?))?;
            let above = layout.dir().parent().filter(|dir| *dir != Path::new(""));
            let above = above.unwrap_or(Path::new("."));
            disk.sync_dir(above).map_err(|e| io("sync", above, e))?;
        }
        let image = Image::read(&path)?;
        if image.torn.len() > TORN_MAX {
            return Err(too_much_damage(&path, image.torn.len()));
        }
        let medium = Medium::File(std::fs::File::open(&path).map_err(|e| io("open", &path, e))?);
        let file = disk.edit(&path).map_err(|e| io("open", &path, e))?;
        Slots::of(image, path, (medium, file), Some(lock))
    }

    /// In memory alone: what the values are is forgotten with the process.
    #[must_use]
    pub fn in_memory() -> Slots {
        let memory = Memory::default();
        let mut id = [0; 16];
        // Nothing else is ever read as this one: an id of zeros would do.
        let _ = getrandom::fill(&mut id);
        Slots {
            id: StoreId(id),
            path: PathBuf::from("memory"),
            medium: Medium::Memory(memory.clone()),
            index: RwLock::default(),
            writer: Mutex::new(Writer::new(Box::new(memory))),
            torn: 0,
            _lock: None,
        }
    }

    fn of(
        image: Image,
        path: PathBuf,
        (medium, file): (Medium, Box<dyn DiskFile>),
        lock: Option<Lock>,
    ) -> Result<Slots, Error> {
        let mut writer = Writer::new(file);
        (writer.next, writer.written, writer.free) = (image.next, image.written, image.free);
        let blanks: Vec<u32> = image.torn.iter().chain(&image.superseded).copied().collect();
        for some in blanks.chunks(WRITTEN_AT_ONCE) {
            writer.blank(some).map_err(|e| Error::io("write", &path, e))?;
        }
        writer.free.extend(blanks);
        let torn = image.torn.len();
        if torn > 0 {
            let path = path.display();
            tracing::warn!(torn, %path, "slots that a power cut or damage tore are blanked");
        }
        let index = image.held.iter().map(|(number, slot)| (key(&slot.name), *number)).collect();
        let (index, writer) = (RwLock::new(index), Mutex::new(writer));
        Ok(Slots { id: image.id, path, medium, index, writer, torn, _lock: lock })
    }

    /// Which file this is: drawn when it was made, and kept by its exports.
    #[must_use]
    pub fn id(&self) -> String {
        self.id.to_string()
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many values there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.index.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// How many slots were unreadable when the file was opened.
    #[must_use]
    pub fn torn(&self) -> usize {
        self.torn
    }

    /// Whether there is a value of this name.
    #[must_use]
    pub fn holds(&self, name: &str) -> bool {
        self.place(name).is_some()
    }

    /// The value of this name, if there is one.
    ///
    /// # Errors
    /// `Io`; `Damaged` where its slot is not what was written.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        match self.look(name)? {
            None if self.holds(name) => {}
            found => return Ok(found),
        }
        // It was moved while it was read: nobody moves it now.
        let _still = self.writing();
        match (self.look(name)?, self.place(name)) {
            (None, Some(number)) => {
                let remedy = "the file was damaged while it was open; restore it from an export";
                Err(Error::damaged(&self.path, offset(number), "the slot is torn", remedy))
            }
            (found, _) => Ok(found),
        }
    }

    /// Keeps a value, durably, in place of the one its name has.
    ///
    /// # Errors
    /// `TooLarge`; `Full` and `Io`: it may be there when the file is next opened.
    pub fn put(&self, name: &str, value: &[u8]) -> Result<(), Error> {
        let mut writer = self.writing();
        self.write(&mut writer, &[(name.to_owned(), value.to_owned())])
    }

    /// Gives names other values, durably; a name that was erased meanwhile stays erased. The old
    /// value opens until the new one is durable.
    ///
    /// # Errors
    /// As [`Slots::put`].
    pub fn renew(&self, values: &[(String, Vec<u8>)]) -> Result<usize, Error> {
        let mut done = 0;
        for some in values.chunks(WRITTEN_AT_ONCE) {
            let mut writer = self.writing();
            let there = some.iter().filter(|(name, _)| self.holds(name)).cloned();
            let there: Vec<_> = there.collect();
            self.write(&mut writer, &there)?;
            done += there.len();
        }
        Ok(done)
    }

    /// Erases values: when it answers, zeros are synced over each. How many there were.
    ///
    /// # Errors
    /// `Io`: some are there still; repeat it.
    pub fn erase(&self, names: &[&str]) -> Result<usize, Error> {
        let mut done = 0;
        for some in names.chunks(WRITTEN_AT_ONCE) {
            done += self.erase_some(some)?;
        }
        Ok(done)
    }

    /// Some of the values, in no order. Begin with 0. A value that is renewed meanwhile may come
    /// twice.
    ///
    /// # Errors
    /// `Io`.
    pub fn page(&self, from: u32) -> Result<SlotPage, Error> {
        let beyond = self.writing().next.min(from.saturating_add(PAGE));
        let mut held = Vec::new();
        for number in from..beyond {
            let bytes = self.medium.read(number).map_err(|e| Error::io("read", &self.path, e))?;
            match Slot::find(&bytes, &self.id, number) {
                Found::Held(slot) if self.place(&slot.name) == Some(number) => {
                    held.push((slot.name, slot.value));
                }
                _ => {}
            }
        }
        Ok(SlotPage { held, next: (from < beyond).then_some(beyond) })
    }

    fn erase_some(&self, names: &[&str]) -> Result<usize, Error> {
        let mut writer = self.writing();
        let names: Vec<u128> = names.iter().map(|name| key(name)).collect();
        let held: Vec<u32> = {
            let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
            names.iter().filter_map(|name| index.get(name).copied()).collect()
        };
        let soiled = writer.soiled.iter().filter(|(name, _)| names.contains(name));
        let mut blanks: Vec<u32> = soiled.map(|(_, number)| *number).chain(held.clone()).collect();
        if blanks.is_empty() {
            return Ok(0);
        }
        writer.blank(&blanks).map_err(|e| Error::io("write", &self.path, e))?;
        writer.soiled.retain(|(name, _)| !names.contains(name));
        writer.free.append(&mut blanks);
        let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
        index.retain(|name, _| !names.contains(name));
        Ok(held.len())
    }

    fn write(&self, writer: &mut Writer, values: &[(String, Vec<u8>)]) -> Result<(), Error> {
        for (name, value) in values {
            check_limits(name, value)?;
        }
        let taken = writer.fill(values, &self.id).map_err(|e| Error::io("write", &self.path, e))?;
        let mut old = Vec::new();
        {
            let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
            for (name, number) in taken {
                old.extend(index.insert(name, number).map(|number| (name, number)));
            }
        }
        if old.is_empty() {
            return Ok(());
        }
        let numbers: Vec<u32> = old.iter().map(|(_, number)| *number).collect();
        match writer.blank(&numbers) {
            Ok(()) => writer.free.extend(numbers),
            Err(e) => {
                writer.soiled.extend(old);
                return Err(Error::io("write", &self.path, e));
            }
        }
        Ok(())
    }

    fn look(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let Some(number) = self.place(name) else { return Ok(None) };
        let bytes = self.medium.read(number).map_err(|e| Error::io("read", &self.path, e))?;
        match Slot::find(&bytes, &self.id, number) {
            Found::Held(slot) if slot.name == name => Ok(Some(slot.value)),
            _ => Ok(None),
        }
    }

    fn place(&self, name: &str) -> Option<u32> {
        self.index.read().unwrap_or_else(PoisonError::into_inner).get(&key(name)).copied()
    }

    fn writing(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slots({}, {} values)", self.path.display(), self.count())
    }
}

fn check_limits(name: &str, value: &[u8]) -> Result<(), Error> {
    if name.is_empty() || name.len() > NAME_BYTES_MAX || value.len() > VALUE_BYTES_MAX {
        let (name, value) = (name.len(), value.len());
        let what = format!(
            "a name of {name} bytes with a value of {value}: a slot takes 1 to {NAME_BYTES_MAX} \
             and up to {VALUE_BYTES_MAX}"
        );
        return Err(Error::new(Kind::TooLarge, what));
    }
    Ok(())
}

fn too_much_damage(path: &Path, torn: usize) -> Error {
    let path = path.display();
    let what = format!(
        "{path}: {torn} slots are unreadable, more than a power cut can tear; nothing was changed; \
         move the folder away and restore it from its export"
    );
    Error::new(Kind::Damaged, what)
}
