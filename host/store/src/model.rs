//! The contract in memory: what the other stores are compared with, and what tests of the rooms
//! above run on. Not durable beyond its last clone.

use std::collections::BTreeMap;
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::{Batch, Error, Kind, Pending, Range, Receipt, Record, Row, Space, Store};

/// A store in memory. Clones are the same store, so a test keeps one to open it "again".
#[derive(Clone, Debug, Default)]
pub struct Model {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct Inner {
    records: BTreeMap<(Space, Vec<u8>), Record>,
    sequence: watch::Sender<u64>,
    commits_left: Option<u64>,
}

impl Default for Inner {
    fn default() -> Inner {
        let (records, sequence) = (BTreeMap::new(), watch::Sender::new(0));
        Inner { records, sequence, commits_left: None }
    }
}

impl Model {
    /// An empty store.
    #[must_use]
    pub fn new() -> Model {
        Model::default()
    }

    /// Stops after this many more commits, as a process that dies: from then on every call is
    /// answered `Stopped`, until [`Model::revive`].
    pub fn stop_after(&self, commits: u64) {
        self.lock().commits_left = Some(commits);
    }

    /// Goes on after a stop, with everything that was committed before it.
    pub fn revive(&self) {
        self.lock().commits_left = None;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing below leaves the records half changed, so a panic elsewhere harms nothing.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn check_running(&self) -> Result<(), Error> {
        match self.commits_left {
            Some(0) => Err(Error::new(Kind::Stopped, "the model was told to stop; revive it")),
            _ => Ok(()),
        }
    }

    fn commit(&mut self, batch: Batch) -> Result<Receipt, Error> {
        batch.check_limits()?;
        self.check_running()?;
        let version_of = |space, key: &[u8]| {
            Ok(self.records.get(&(space, key.to_vec())).map(|record| record.version))
        };
        batch.check_expectations(version_of)?;
        let sequence = *self.sequence.borrow() + 1;
        for (key, value) in batch.into_effects(sequence) {
            match value {
                Some(value) => self.records.insert(key, Record { version: sequence, value }),
                None => self.records.remove(&key),
            };
        }
        self.commits_left = self.commits_left.map(|left| left.saturating_sub(1));
        self.sequence.send_replace(sequence);
        Ok(Receipt { sequence })
    }

    fn scan(&self, range: &Range) -> Vec<Row> {
        let (low, beyond) = range.bounds();
        let within = self
            .records
            .range((range.space, low)..)
            .take_while(|((space, key), _)| {
                *space == range.space && beyond.as_ref().is_none_or(|beyond| key < beyond)
            })
            .map(|((_, key), Record { version, value })| (key, *version, value));
        let mut rows: Vec<_> = within.collect();
        if range.reverse {
            rows.reverse();
        }
        rows.truncate(range.limit);
        let row = |(key, version, value): (&Vec<u8>, _, &Vec<u8>)| Row {
            key: key.clone(),
            version,
            value: value.clone(),
        };
        rows.into_iter().map(row).collect()
    }
}

impl Store for Model {
    fn commit(&self, batch: Batch) -> Pending<'_, Receipt> {
        Box::pin(async move { self.lock().commit(batch) })
    }

    fn read(&self, space: Space, key: &[u8]) -> Pending<'_, Option<Record>> {
        let inner = self.lock();
        let found = inner.records.get(&(space, key.to_vec())).cloned();
        Box::pin(ready(inner.check_running().map(|()| found)))
    }

    fn scan(&self, range: Range) -> Pending<'_, Vec<Row>> {
        let inner = self.lock();
        Box::pin(ready(inner.check_running().map(|()| inner.scan(&range))))
    }

    fn subscribe(&self) -> watch::Receiver<u64> {
        self.lock().sequence.subscribe()
    }
}
