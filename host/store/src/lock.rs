//! The lock on a store's directory: one process at a time. It ends with the process that holds
//! it, however that ends; the file stays.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};

use crate::layout::Layout;
use crate::{Error, Kind};

pub(crate) struct Lock {
    // Held for its lifetime only: the operating system ties the lock to the open file.
    _file: File,
}

impl Lock {
    /// For the process that writes.
    pub(crate) fn exclusive(layout: &Layout) -> Result<Lock, Error> {
        let path = layout.lock();
        let io = |e| Error::io("lock", &path, e);
        let mut options = OpenOptions::new();
        let mut file =
            options.read(true).write(true).create(true).truncate(false).open(&path).map_err(io)?;
        if let Err(refused) = file.try_lock() {
            return Err(refusal(layout, file, refused));
        }
        // Only a courtesy to whoever finds the store locked: it does not matter if it fails.
        let pid = format!("{}\n", std::process::id());
        let _ = file.set_len(0).and_then(|()| file.write_all(pid.as_bytes()));
        Ok(Lock { _file: file })
    }

    /// For one that only reads; nothing to hold when the store was never opened.
    pub(crate) fn shared(layout: &Layout) -> Result<Option<Lock>, Error> {
        let Ok(file) = File::open(layout.lock()) else { return Ok(None) };
        match file.try_lock_shared() {
            Ok(()) => Ok(Some(Lock { _file: file })),
            Err(refused) => Err(refusal(layout, file, refused)),
        }
    }
}

fn refusal(layout: &Layout, mut file: File, refused: TryLockError) -> Error {
    match refused {
        TryLockError::Error(e) => Error::io("lock", &layout.lock(), e),
        TryLockError::WouldBlock => {
            let mut pid = String::new();
            let _ = file.read_to_string(&mut pid);
            let dir = layout.dir().display();
            let pid = pid.trim();
            let what = format!("{dir} is open in process {pid}; stop that one, or wait for it");
            Error::new(Kind::Locked, what)
        }
    }
}
