//! The one writer of the trail: chains lines, and commits those that wait together.
//!
//! A line is durable when [`Audit::append`] answers. Whoever finds nobody writing writes for all
//! that wait, on a task of its own, so that a caller that goes away leaves no gap.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use store::{Batch, Expected, Range, Store};
use tokio::sync::oneshot;

use super::chain::{Act, Head, Line};
use crate::clock::Clock;
use crate::record;

/// The key of the record that says where the trail ends.
pub(super) const HEAD: &[u8] = b"head";
/// So many lines go into one commit at most.
const GROUP_MAX: usize = 512;

/// The trail, to write to. Cheap to clone; there is one in a process.
#[derive(Clone)]
pub struct Audit(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    acts: Vec<Asked>,
    /// Whether somebody is writing.
    busy: bool,
    /// Where the trail ends, once it was read.
    head: Option<Head>,
}

struct Asked {
    act: Act,
    written: oneshot::Sender<Result<Line, Unwritten>>,
}

/// Why a line is not in the trail. Nothing may be done that it was to tell of.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the audit trail could not be written: {why}")]
pub struct Unwritten {
    why: String,
    storage_full: bool,
}

impl Unwritten {
    /// A line that could not be written, and why.
    pub fn because(why: impl Into<String>) -> Unwritten {
        Unwritten { why: why.into(), storage_full: false }
    }

    /// Whether it is for want of room on the disk.
    pub fn is_storage_full(&self) -> bool {
        self.storage_full
    }

    fn by(error: &store::Error) -> Unwritten {
        Unwritten { why: error.to_string(), storage_full: *error.kind() == store::Kind::Full }
    }
}

impl Audit {
    /// The trail of this store.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Audit {
        Audit(Arc::new(Inner { store, clock, waiting: Mutex::default() }))
    }

    /// The lines after this number, oldest first; `limit` is between 1 and 100.
    ///
    /// # Errors
    /// What the store says, or `Damaged` for a line that cannot be read.
    pub async fn lines(&self, after: u64, limit: usize) -> Result<Vec<Line>, store::Error> {
        let range = Range::all(record::AUDIT).after(record::audit_key(after));
        let rows = self.0.store.scan(range.limit(limit.clamp(1, 100))).await?;
        let line = |row: &store::Row| record::decode(record::AUDIT, &row.key, &row.value);
        rows.iter().map(line).collect()
    }

    /// Writes a line; it is durable once this answers.
    ///
    /// # Errors
    /// The store could not make it durable.
    pub async fn append(&self, act: Act) -> Result<Line, Unwritten> {
        let (written, line) = oneshot::channel();
        let begin = {
            let mut waiting = self.0.waiting();
            waiting.acts.push(Asked { act, written });
            !std::mem::replace(&mut waiting.busy, true)
        };
        if begin {
            tokio::spawn(write_all(self.0.clone()));
        }
        line.await.unwrap_or_else(|_| Err(Unwritten::because("the host is stopping")))
    }
}

impl Inner {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What waits now; none when nobody does, and then nobody writes any more.
    fn next(&self) -> Option<Vec<Asked>> {
        let mut waiting = self.waiting();
        let count = waiting.acts.len().min(GROUP_MAX);
        waiting.busy = count > 0;
        (count > 0).then(|| waiting.acts.drain(..count).collect())
    }

    async fn head(&self) -> Result<Head, store::Error> {
        let known = self.waiting().head.clone();
        match known {
            Some(head) => Ok(head),
            None => read_head(&*self.store).await,
        }
    }

    /// Chains and commits; the lines in the order of the acts.
    async fn commit(&self, acts: Vec<Act>) -> Result<Vec<Line>, store::Error> {
        let mut head = self.head().await?;
        let now = self.clock.now_ms();
        let (mut batch, mut lines) = (Batch::at(now), Vec::new());
        for act in acts {
            let line = Line::after(&head, act, now);
            let key = record::audit_key(line.seq);
            batch.expect(record::AUDIT, key.clone(), Expected::Absent);
            batch.put(record::AUDIT, key, record::encode(&line));
            head = Head { count: line.seq, hash: line.hash.clone() };
            lines.push(line);
        }
        batch.put(record::AUDITED, HEAD, record::encode(&head));
        // Read anew after a failure: the store knows what became of it.
        self.waiting().head = None;
        self.store.commit(batch).await?;
        self.waiting().head = Some(head);
        Ok(lines)
    }
}

async fn write_all(inner: Arc<Inner>) {
    while let Some(group) = inner.next() {
        let (acts, written): (Vec<_>, Vec<_>) =
            group.into_iter().map(|asked| (asked.act, asked.written)).unzip();
        let lines = inner.commit(acts).await;
        if let Err(error) = &lines {
            tracing::error!(%error, "the audit trail could not be written");
        }
        let mut lines = lines.map(Vec::into_iter);
        for asked in written {
            let line = match &mut lines {
                Ok(lines) => lines.next().ok_or_else(|| Unwritten::because("no line")),
                Err(error) => Err(Unwritten::by(error)),
            };
            // Whoever asked may be gone; the line is there all the same.
            let _ = asked.send(line);
        }
    }
}

/// Where the trail in this store ends. It is kept beside the lines: lines that were taken away at
/// the end are missed then, and are not written again.
pub(super) async fn read_head(store: &dyn Store) -> Result<Head, store::Error> {
    let head = record::read::<Head>(store, record::AUDITED, HEAD).await?;
    Ok(head.map(|read| read.value).unwrap_or_default())
}
