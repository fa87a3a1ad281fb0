//! The contract of a durable store: commit a batch, read, scan, subscribe.
//!
//! What every implementation holds, and `tests/contract.rs` proves over each:
//! - a batch is applied as a whole or not at all, and never after a precondition that did not hold;
//! - commits have one order, numbered 1, 2, 3 and so on without a gap;
//! - a commit is answered, and can be read, only once it is durable;
//! - a scan sees whole commits only, and an appended key is higher than every key appended under
//!   the same prefix by an earlier commit, so a reader that goes on after the last key it saw
//!   misses nothing.
//!
//! Not here: what the records mean, indexes (a caller writes them as records of the same batch).

use std::future::Future;
use std::pin::Pin;

use tokio::sync::watch;

use crate::{Batch, Error, Space};

/// The longest key, in bytes, an appended one included.
pub const KEY_BYTES_MAX: usize = 1_024;
/// The largest value, in bytes.
pub const VALUE_BYTES_MAX: usize = 1024 * 1024;
/// The largest batch: the sum of its keys and values and of 32 bytes for each of them.
pub const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The rows a scan gives when it is not told otherwise.
pub const SCAN_ROWS: usize = 1_000;

/// An answer to come.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// A store that loses nothing it has acknowledged.
pub trait Store: Send + Sync + 'static {
    /// Checks every precondition, makes the batch durable, applies it, then answers.
    ///
    /// Work begins when the answer is first polled; once it has begun, dropping the answer does
    /// not take the batch back.
    ///
    /// # Errors
    /// `Conflict`, `TooLarge` and `Full`: nothing was changed. `Stopped`: unknown until the store
    /// is opened again.
    fn commit(&self, batch: Batch) -> Pending<'_, Receipt>;

    /// The record under a key, if there is one.
    ///
    /// # Errors
    /// `Damaged` or `Stopped`.
    fn read(&self, space: Space, key: &[u8]) -> Pending<'_, Option<Record>>;

    /// The rows of a range, all as of one moment.
    ///
    /// # Errors
    /// `Damaged` or `Stopped`.
    fn scan(&self, range: Range) -> Pending<'_, Vec<Row>>;

    /// Why commits are refused now, in words for the operator; none while they are taken. Looked up
    /// when it is asked.
    fn impediment(&self) -> Option<String> {
        None
    }

    /// The sequence of the last commit that can be read; 0 before the first. It only ever rises;
    /// the channel closes when the store does.
    fn subscribe(&self) -> watch::Receiver<u64>;
}

/// The proof of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The place of the commit in the order of all commits, from 1 on.
    pub sequence: u64,
}

/// A value and the commit it came by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The sequence of the commit that wrote the value.
    pub version: u64,
    /// The value.
    pub value: Vec<u8>,
}

/// A record found by a scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The whole key, its prefix included.
    pub key: Vec<u8>,
    /// The sequence of the commit that wrote the value.
    pub version: u64,
    /// The value.
    pub value: Vec<u8>,
}

/// Which rows of a space a scan gives: those that satisfy all of prefix, `from` and `to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// The space.
    pub space: Space,
    /// What every key begins with; empty for every key.
    pub prefix: Vec<u8>,
    /// The lowest key, itself included; a whole key, not what follows the prefix.
    pub from: Option<Vec<u8>>,
    /// The highest key, itself excluded; a whole key, not what follows the prefix.
    pub to: Option<Vec<u8>>,
    /// The most rows to give. The caller bounds the memory by it: a value may be 1 MiB.
    pub limit: usize,
    /// From the highest key down.
    pub reverse: bool,
}

impl Range {
    /// Every row of a space, up to [`SCAN_ROWS`].
    #[must_use]
    pub fn all(space: Space) -> Range {
        let prefix = Vec::new();
        Range { space, prefix, from: None, to: None, limit: SCAN_ROWS, reverse: false }
    }

    /// Every row whose key begins with `prefix`, up to [`SCAN_ROWS`].
    #[must_use]
    pub fn under(space: Space, prefix: impl Into<Vec<u8>>) -> Range {
        Range { prefix: prefix.into(), ..Range::all(space) }
    }

    /// Only keys from this one on.
    #[must_use]
    pub fn from(mut self, key: impl Into<Vec<u8>>) -> Range {
        self.from = Some(key.into());
        self
    }

    /// Only keys after this one: where a reader goes on.
    #[must_use]
    pub fn after(self, key: impl Into<Vec<u8>>) -> Range {
        let mut next = key.into();
        next.push(0);
        self.from(next)
    }

    /// Only keys before this one.
    #[must_use]
    pub fn to(mut self, key: impl Into<Vec<u8>>) -> Range {
        self.to = Some(key.into());
        self
    }

    /// At most this many rows.
    #[must_use]
    pub fn limit(mut self, rows: usize) -> Range {
        self.limit = rows;
        self
    }

    /// From the highest key down.
    #[must_use]
    pub fn reverse(mut self) -> Range {
        self.reverse = true;
        self
    }

    /// The bounds over whole keys: the lowest, included, and the first one beyond, if any.
    pub(crate) fn bounds(&self) -> (Vec<u8>, Option<Vec<u8>>) {
        let low = self.from.iter().fold(self.prefix.clone(), |low, from| low.max(from.clone()));
        let beyond = [beyond_prefix(&self.prefix), self.to.clone()];
        (low, beyond.into_iter().flatten().min())
    }
}

/// The lowest key above every key that begins with `prefix`; none when there is no such key.
fn beyond_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut beyond = prefix.to_vec();
    while let Some(last) = beyond.pop() {
        if last < u8::MAX {
            beyond.push(last + 1);
            return Some(beyond);
        }
    }
    None
}
