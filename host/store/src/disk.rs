//! The file operations that durability rests on, behind a trait: so that a test can stop after
//! any one of them, tear a write, and open what survived. Reading goes to the files directly.
//!
//! Not here: sled's files. Nothing rests on them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Operations on names. A name is durable once its directory was synced.
pub trait Disk: Send + Sync + 'static {
    /// Makes a directory and those above it, if they are not there.
    ///
    /// # Errors
    /// Those of the operating system, as everywhere below.
    #[allow(clippy::missing_errors_doc)]
    fn make_dir(&self, path: &Path) -> io::Result<()>;
    /// Makes an empty file, or empties the one there is.
    #[allow(clippy::missing_errors_doc)]
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Opens a file to write at its end.
    #[allow(clippy::missing_errors_doc)]
    fn append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Opens a file to write at places in it. A disk that only ever appends refuses.
    #[allow(clippy::missing_errors_doc)]
    fn edit(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let what = format!("{} is on a disk that only appends", path.display());
        Err(io::Error::new(io::ErrorKind::Unsupported, what))
    }
    /// Gives a file another name, in place of the file that had it.
    #[allow(clippy::missing_errors_doc)]
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    #[allow(clippy::missing_errors_doc)]
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in a directory durable.
    #[allow(clippy::missing_errors_doc)]
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// Bytes that may still be written in the file system of a directory, by statvfs(3).
    ///
    /// # Errors
    /// Those of the operating system.
    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        let found = rustix::fs::statvfs(dir)?;
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }

    /// Makes a file of this length whose space is its own, whatever is in it; after an error there
    /// may be a part of it.
    ///
    /// # Errors
    /// Those of the operating system.
    fn allocate(&self, path: &Path, bytes: u64) -> io::Result<()> {
        use rustix::fs::{FallocateFlags, fallocate};
        let file = File::create(path)?;
        match fallocate(&file, FallocateFlags::empty(), 0, bytes) {
            Err(rustix::io::Errno::OPNOTSUPP) => write_zeros(file, bytes),
            done => Ok(done?),
        }
    }

    /// Makes so many bytes after the end of a file its own, without moving the end: what is written
    /// there finds its space. File systems that cannot do that do nothing.
    ///
    /// # Errors
    /// Those of the operating system.
    fn allocate_beyond(&self, path: &Path, bytes: u64) -> io::Result<()> {
        use rustix::fs::{FallocateFlags, fallocate};
        let file = OpenOptions::new().write(true).open(path)?;
        let end = file.metadata()?.len();
        match fallocate(&file, FallocateFlags::KEEP_SIZE, end, bytes) {
            Err(rustix::io::Errno::OPNOTSUPP) => Ok(()),
            done => Ok(done?),
        }
    }
}

/// For file systems that cannot be asked for space.
fn write_zeros(mut file: File, bytes: u64) -> io::Result<()> {
    io::copy(&mut io::repeat(0).take(bytes), &mut file)?;
    file.sync_data()
}

/// A file open for writing: at its end, or at places in it.
pub trait DiskFile: Send {
    /// Writes all the bytes. After an error any part of them may be there.
    #[allow(clippy::missing_errors_doc)]
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Writes all the bytes at an offset, over what is there. After an error any part of them may
    /// be there; what is beside them is not changed. A file that only ever appends refuses.
    #[allow(clippy::missing_errors_doc)]
    fn write_at(&mut self, _offset: u64, _bytes: &[u8]) -> io::Result<()> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "this file is only appended to"))
    }
    /// Makes everything written so far durable.
    #[allow(clippy::missing_errors_doc)]
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts the file to this length.
    #[allow(clippy::missing_errors_doc)]
    fn truncate(&mut self, length: u64) -> io::Result<()>;
}

/// The operating system's file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn make_dir(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(File::create(path)?))
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(OpenOptions::new().append(true).open(path)?))
    }

    fn edit(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(OpenOptions::new().write(true).open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }
}

impl DiskFile for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn sync(&mut self) -> io::Result<()> {
        // fdatasync: the length is part of what it makes durable, the times of the file are not.
        self.sync_data()
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }
}
