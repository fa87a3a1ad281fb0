//! A disk that loses its power, fills up or breaks at a chosen operation.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use store::{Disk, DiskFile, RealDisk};

use super::Seeded;

/// A disk that loses its power, or fills up, at a chosen operation.
#[derive(Clone)]
pub struct Faulty(Arc<Mutex<Platter>>);

struct Platter {
    seeded: Seeded,
    operations: u64,
    fault_at: u64,
    fault: Fault,
    dead: bool,
    /// The length of each open file that is durable, by where the file is now.
    synced: BTreeMap<PathBuf, u64>,
    /// Renames whose directory was not synced, with what they replaced.
    renames: Vec<Renamed>,
    /// Writes at places that were not synced, oldest first.
    edits: Vec<Edit>,
}

struct Edit {
    path: PathBuf,
    offset: u64,
    /// What was there, as long as what was written; zeros beyond the old end.
    before: Vec<u8>,
}

struct Renamed {
    from: PathBuf,
    to: PathBuf,
    replaced: Option<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// Nothing works from here on, and what was not synced may be lost.
    PowerCut,
    /// This one fails for want of space, having done a part; the next ones work.
    Full,
    /// This one fails with an input/output error.
    Broken,
}

impl Faulty {
    pub fn new(seed: u64, fault_at: u64, fault: Fault) -> Faulty {
        let platter = Platter {
            seeded: Seeded(seed),
            operations: 0,
            fault_at,
            fault,
            dead: false,
            synced: BTreeMap::new(),
            renames: Vec::new(),
            edits: Vec::new(),
        };
        Faulty(Arc::new(Mutex::new(platter)))
    }

    fn lock(&self) -> MutexGuard<'_, Platter> {
        self.0.lock().unwrap()
    }

    /// The operation that fails, from here on.
    pub fn fail_at(&self, operation: u64) {
        self.lock().fault_at = operation;
    }

    pub fn operations(&self) -> u64 {
        self.lock().operations
    }

    /// Whether nothing works any more.
    pub fn is_dead(&self) -> bool {
        self.lock().dead
    }

    /// What a power cut leaves: unsynced ends and names are kept or lost, as it happens.
    pub fn lose_power(&self) {
        let mut platter = self.lock();
        platter.dead = true;
        for edit in std::mem::take(&mut platter.edits).into_iter().rev() {
            edit.perhaps_undo(&mut platter.seeded);
        }
        let synced = std::mem::take(&mut platter.synced);
        for (path, length) in synced {
            let Ok(bytes) = fs::read(&path) else { continue };
            let mut bytes = bytes;
            let from = usize::try_from(length).unwrap().min(bytes.len());
            let kept = from + platter.seeded.below((bytes.len() - from) as u64 + 1) as usize;
            match platter.seeded.below(3) {
                0 => {}
                1 => bytes.truncate(kept),
                // The length is there, sectors are not.
                _ => blank_sectors(&mut bytes, from, &mut platter.seeded),
            }
            fs::write(&path, bytes).unwrap();
        }
        let renames = std::mem::take(&mut platter.renames);
        for Renamed { from, to, replaced } in renames.into_iter().rev() {
            if platter.seeded.below(2) == 0 && to.exists() {
                fs::rename(&to, &from).unwrap();
                if let Some(bytes) = replaced {
                    fs::write(&to, bytes).unwrap();
                }
            }
        }
    }
}

impl Edit {
    /// Each sector that it touched has what was written or what was there before.
    fn perhaps_undo(&self, seeded: &mut Seeded) {
        let Ok(mut bytes) = fs::read(&self.path) else { return };
        let (from, mut start) = (self.offset as usize, self.offset as usize);
        let end = (from + self.before.len()).min(bytes.len());
        while start < end {
            let next = end.min((start / 512 + 1) * 512);
            if seeded.below(2) == 0 {
                bytes[start..next].copy_from_slice(&self.before[start - from..next - from]);
            }
            start = next;
        }
        fs::write(&self.path, bytes).unwrap();
    }
}

fn blank_sectors(bytes: &mut [u8], from: usize, seeded: &mut Seeded) {
    let mut start = from;
    while start < bytes.len() {
        let end = bytes.len().min((start / 512 + 1) * 512);
        if seeded.below(2) == 0 {
            bytes[start..end].fill(0);
        }
        start = end;
    }
}

impl Platter {
    /// Counts an operation; says whether it is the one to fail.
    fn count(&mut self) -> io::Result<bool> {
        if self.dead {
            return Err(io::Error::other("no power"));
        }
        self.operations += 1;
        let now = self.operations == self.fault_at;
        self.dead = now && self.fault == Fault::PowerCut;
        Ok(now)
    }

    fn failure(&self) -> io::Error {
        match self.fault {
            Fault::PowerCut => io::Error::other("no power"),
            Fault::Full => io::Error::from(ErrorKind::StorageFull),
            Fault::Broken => io::Error::other("input/output error"),
        }
    }
}

impl Disk for Faulty {
    fn make_dir(&self, path: &Path) -> io::Result<()> {
        RealDisk.make_dir(path)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut platter = self.lock();
        if platter.count()? {
            return Err(platter.failure());
        }
        platter.synced.insert(path.to_owned(), 0);
        let file = RealDisk.create(path)?;
        Ok(Box::new(FaultyFile { disk: self.clone(), path: path.to_owned(), file }))
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = RealDisk.append(path)?;
        let length = fs::metadata(path)?.len();
        self.lock().synced.insert(path.to_owned(), length);
        Ok(Box::new(FaultyFile { disk: self.clone(), path: path.to_owned(), file }))
    }

    fn edit(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = RealDisk.edit(path)?;
        Ok(Box::new(FaultyFile { disk: self.clone(), path: path.to_owned(), file }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut platter = self.lock();
        let fails = platter.count()?;
        if fails && platter.fault != Fault::PowerCut {
            return Err(platter.failure());
        }
        let replaced = fs::read(to).ok();
        RealDisk.rename(from, to)?;
        platter.renames.push(Renamed { from: from.to_owned(), to: to.to_owned(), replaced });
        if let Some(length) = platter.synced.remove(from) {
            platter.synced.insert(to.to_owned(), length);
        }
        if fails { Err(platter.failure()) } else { Ok(()) }
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut platter = self.lock();
        if platter.count()? {
            return Err(platter.failure());
        }
        platter.synced.remove(path);
        RealDisk.remove(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut platter = self.lock();
        if platter.count()? {
            return Err(platter.failure());
        }
        platter.renames.retain(|one| one.to.parent() != Some(path));
        Ok(())
    }
}

struct FaultyFile {
    disk: Faulty,
    path: PathBuf,
    file: Box<dyn DiskFile>,
}

impl DiskFile for FaultyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut platter = self.disk.lock();
        if platter.count()? {
            let part = platter.seeded.below(bytes.len() as u64 + 1) as usize;
            self.file.write(&bytes[..part])?;
            return Err(platter.failure());
        }
        self.file.write(bytes)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut platter = self.disk.lock();
        let whole = fs::read(&self.path)?;
        let there = whole.get(offset as usize..).unwrap_or_default();
        let mut before = there[..bytes.len().min(there.len())].to_vec();
        before.resize(bytes.len(), 0);
        let fails = platter.count()?;
        platter.edits.push(Edit { path: self.path.clone(), offset, before });
        if fails {
            let part = platter.seeded.below(bytes.len() as u64 + 1) as usize;
            self.file.write_at(offset, &bytes[..part])?;
            return Err(platter.failure());
        }
        self.file.write_at(offset, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut platter = self.disk.lock();
        if platter.count()? {
            return Err(platter.failure());
        }
        platter.edits.retain(|edit| edit.path != self.path);
        // The file may have been renamed since; only drafts are, and those after their sync.
        let length = fs::metadata(&self.path)?.len();
        platter.synced.insert(self.path.clone(), length);
        Ok(())
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        let mut platter = self.disk.lock();
        if platter.count()? {
            return Err(platter.failure());
        }
        let synced = platter.synced.get(&self.path).copied().unwrap_or(0);
        platter.synced.insert(self.path.clone(), synced.min(length));
        self.file.truncate(length)
    }
}
