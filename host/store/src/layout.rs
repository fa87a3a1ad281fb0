//! Where the parts of a store are in its directory, and how a whole file is written durably.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::disk::Disk;

/// The ending of a file that is being written and means nothing yet.
const UNFINISHED: &str = "tmp";

#[derive(Clone, Debug)]
pub(crate) struct Layout {
    dir: PathBuf,
}

impl Layout {
    pub(crate) fn new(dir: impl Into<PathBuf>) -> Layout {
        Layout { dir: dir.into() }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn format(&self) -> PathBuf {
        self.dir.join("format")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.dir.join("lock")
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.dir.join("journal")
    }

    pub(crate) fn checkpoint(&self) -> PathBuf {
        self.dir.join("checkpoint")
    }

    pub(crate) fn durable(&self) -> PathBuf {
        self.dir.join("durable")
    }

    pub(crate) fn reserve(&self) -> PathBuf {
        self.dir.join("reserve")
    }

    /// What becomes the format when a store has been restored as a whole.
    pub(crate) fn restoring(&self) -> PathBuf {
        self.dir.join("restoring")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.dir.join("state")
    }

    /// The file that sled keeps the state in.
    pub(crate) fn state_file(&self) -> PathBuf {
        self.state().join("db")
    }

    pub(crate) fn state_set_aside(&self) -> PathBuf {
        self.dir.join("state.set-aside")
    }

    /// The file of slots, in a folder of its own.
    pub(crate) fn slots(&self) -> PathBuf {
        self.dir.join("slots")
    }

    /// Removes files that were being written when the process ended.
    pub(crate) fn remove_unfinished(&self, disk: &dyn Disk) -> Result<(), Error> {
        for dir in [self.dir.clone(), self.journal(), self.checkpoint()] {
            for path in files(&dir)? {
                if is_unfinished(&path) {
                    disk.remove(&path).map_err(|e| Error::io("remove", &path, e))?;
                }
            }
        }
        Ok(())
    }
}

/// The paths in a directory, sorted; none when it is not there.
pub(crate) fn files(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let listed = match fs::read_dir(dir) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed.and_then(|all| all.map(|one| one.map(|one| one.path())).collect()),
    };
    let mut paths: Vec<_> = listed.map_err(|e| Error::io("list", dir, e))?;
    paths.sort();
    Ok(paths)
}

/// Whether a path is one that [`unfinished`] gives.
pub(crate) fn is_unfinished(path: &Path) -> bool {
    path.extension() == Some(OsStr::new(UNFINISHED))
}

/// The name a file has while it is written.
pub(crate) fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(UNFINISHED);
    PathBuf::from(name)
}

/// Writes a file so that after a crash it is there as a whole or not at all.
pub(crate) fn write_whole(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let draft = unfinished(path);
    let write = || {
        let mut file = disk.create(&draft)?;
        file.write(bytes)?;
        file.sync()
    };
    write().map_err(|e| Error::io("write", &draft, e))?;
    publish(disk, &draft, path)
}

/// Gives a finished and synced file its name, durably.
pub(crate) fn publish(disk: &dyn Disk, draft: &Path, path: &Path) -> Result<(), Error> {
    disk.rename(draft, path).map_err(|e| Error::io("rename", draft, e))?;
    let dir = path.parent().filter(|dir| *dir != Path::new("")).unwrap_or(Path::new("."));
    disk.sync_dir(dir).map_err(|e| Error::io("sync", dir, e))
}
