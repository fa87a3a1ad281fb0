//! What the store answers when it cannot do what was asked. Not here: refusals of the ledger.

use std::error::Error as Source;
use std::fmt::Display;
use std::io;
use std::path::Path;

use crate::Space;

/// Why the store did not do it: what is wrong, where, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Error {
    what: String,
    kind: Kind,
    #[source]
    source: Option<Box<dyn Source + Send + Sync>>,
}

/// The kinds of error, by what the caller can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A precondition did not hold; nothing was changed. Read again and decide again.
    Conflict {
        /// The space of the record that was expected otherwise.
        space: Space,
        /// Its key.
        key: Vec<u8>,
    },
    /// A key, a value or a batch is over its limit; nothing was changed.
    TooLarge,
    /// The disk is full; nothing was changed and the store goes on. Free space, then repeat.
    Full,
    /// A file is not what was written. The store does not open on a guess.
    Damaged,
    /// The directory or a file in it belongs to something else or to another store.
    Foreign,
    /// The directory was written by a later version of this program.
    Newer,
    /// Another process has the store open.
    Locked,
    /// The store has stopped. What became of a commit answered so is known after it is opened
    /// again: it is there as a whole or not at all.
    Stopped,
    /// The operating system refused a file operation.
    Io,
}

impl Error {
    /// An error of this kind; `what` says what is wrong, where, and the remedy.
    #[must_use]
    pub fn new(kind: Kind, what: impl Into<String>) -> Error {
        Error { what: what.into(), kind, source: None }
    }

    /// The same error with its cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Source + Send + Sync>>) -> Error {
        self.source = Some(source.into());
        self
    }

    /// What the caller can do about it.
    #[must_use]
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Whether a precondition did not hold.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self.kind, Kind::Conflict { .. })
    }

    pub(crate) fn conflict(space: Space, key: &[u8], why: impl Display) -> Error {
        let what = format!("precondition on {space} `{}`: {why}", key.escape_ascii());
        Error::new(Kind::Conflict { space, key: key.to_vec() }, what)
    }

    pub(crate) fn io(doing: &str, path: &Path, source: io::Error) -> Error {
        let kind = if is_full(&source) { Kind::Full } else { Kind::Io };
        let what = format!("cannot {doing} {}: {source}", path.display());
        Error::new(kind, what).because(source)
    }

    /// Damage found at an offset of a file.
    pub(crate) fn damaged(path: &Path, offset: u64, what: impl Display, remedy: &str) -> Error {
        let place = format!("{} at offset {offset}", path.display());
        Error::new(Kind::Damaged, format!("{place}: {what}; {remedy}"))
    }
}

/// Whether the device, the quota or the largest file size is used up.
pub(crate) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}
