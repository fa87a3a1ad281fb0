//! The durable store: a journal, and sled as its projection. Not here: how (see `committer`,
//! `recovery`, `journal`, `state`, `checkpoint`).

use std::fmt;
use std::future::ready;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::spawn_blocking;

use crate::committer::{Committer, Order};
use crate::disk::{Disk, RealDisk};
use crate::layout::Layout;
use crate::recovery;
use crate::room::{Gauge, Room};
use crate::state::State;
use crate::{Batch, Error, Kind, Pending, Range, Receipt, Record, Row, Space, Store};

/// How many commits may wait for the committer before the next one waits to be taken.
const QUEUE: usize = 1_024;

/// Called when the store stops for good, on a thread of the store: end the process, so that it
/// starts again and finds out what is durable.
pub type OnStop = Arc<dyn Fn(&Error) + Send + Sync>;

/// How to open a store.
#[derive(Clone)]
pub struct Options {
    /// Its directory; made if it is not there.
    pub dir: PathBuf,
    /// The length at which a segment of the journal is followed by the next.
    pub segment_bytes_max: u64,
    /// A checkpoint is made after this many commits. It costs a read and a write of all records,
    /// in the background, and is what limits the time that rebuilding the state takes.
    pub checkpoint_frames: u64,
    /// What sled may keep in memory.
    pub cache_bytes: u64,
    /// Bytes of the disk that are kept for finishing what was begun when it is full; 0 keeps none
    /// and takes commits until a write fails. New work is refused while less than a quarter of it
    /// is free beside it.
    pub reserve_bytes: u64,
    /// Whom to tell when the store stops for good.
    pub on_stop: Option<OnStop>,
    /// The disk to write to: the real one, except where a test puts faults in.
    pub disk: Arc<dyn Disk>,
}

impl Options {
    /// The defaults: segments of 64 MiB, a checkpoint every 100,000 commits, 64 MiB of cache, no
    /// reserve.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Options {
        Options {
            dir: dir.into(),
            segment_bytes_max: 64 * 1024 * 1024,
            checkpoint_frames: 100_000,
            cache_bytes: 64 * 1024 * 1024,
            reserve_bytes: 0,
            on_stop: None,
            disk: Arc::new(RealDisk),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("dir", &self.dir).finish_non_exhaustive()
    }
}

/// What the committer and the readers share.
pub(crate) struct Shared {
    pub(crate) state: State,
    gauge: Gauge,
    ended: OnceLock<String>,
}

impl Shared {
    /// From here on every call is answered `Stopped`. The first reason given stays.
    pub(crate) fn end(&self, why: &str) {
        let _ = self.ended.set(why.to_owned());
    }

    pub(crate) fn check_running(&self) -> Result<(), Error> {
        match self.ended.get() {
            None => Ok(()),
            Some(why) => Err(Error::new(Kind::Stopped, why.clone())),
        }
    }

    pub(crate) fn why_ended(&self) -> Error {
        let unknown = || Error::new(Kind::Stopped, "the store has stopped; open it again");
        self.check_running().err().unwrap_or_else(unknown)
    }
}

/// A store on disk that loses nothing it has acknowledged.
///
/// A point read is answered at once, from sled's cache or its file; a scan runs on a thread for
/// blocking work, so it needs a tokio runtime. Dropping the store waits for commits under way but
/// writes no checkpoint; `close` does.
pub struct JournalStore {
    shared: Arc<Shared>,
    orders: Option<mpsc::Sender<Order>>,
    sequence: watch::Receiver<u64>,
    committer: Mutex<Option<JoinHandle<()>>>,
}

impl JournalStore {
    /// Opens the store in a directory, or makes one in an empty directory. Blocks: it reads all
    /// of the state and the newer part of the journal, and rebuilds the state if it must.
    ///
    /// # Errors
    /// `Locked`, `Foreign`, `Newer`; `Damaged` when something acknowledged is missing or changed;
    /// `Io` and `Full`. The message names the file and the remedy.
    pub fn open(options: Options) -> Result<JournalStore, Error> {
        let disk = Arc::clone(&options.disk);
        let gauge = Gauge::new(disk, Layout::new(&options.dir), options.reserve_bytes);
        gauge.expect_room_to_open()?;
        let (recovered, state) = recovery::recover(&options)?;
        let room = Room::new(gauge.clone());
        let shared = Arc::new(Shared { state, gauge, ended: OnceLock::new() });
        let (committed, sequence) = watch::channel(recovered.mark.place.sequence);
        let committer = Committer::new(&options, Arc::clone(&shared), (recovered, room), committed);
        let (orders, taken) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new().name("store-committer".to_owned());
        let committer = thread.spawn(move || committer.run(taken)).map_err(|e| {
            Error::new(Kind::Io, format!("cannot start the committer: {e}")).because(e)
        })?;
        let committer = Mutex::new(Some(committer));
        Ok(JournalStore { shared, orders: Some(orders), sequence, committer })
    }

    /// Finishes the commits that wait, writes a checkpoint, closes all files. From then on every
    /// call is answered `Stopped`.
    ///
    /// # Errors
    /// When the checkpoint cannot be written; every commit is durable nevertheless.
    pub async fn close(&self) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        let closed = self.ask(Order::Close(reply), answer).await;
        let committer = self.committer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = committer {
            let _ = spawn_blocking(move || thread.join()).await;
        }
        closed
    }

    async fn ask<T>(
        &self,
        order: Order,
        answer: oneshot::Receiver<Result<T, Error>>,
    ) -> Result<T, Error> {
        let orders = self.orders.as_ref().ok_or_else(|| self.shared.why_ended())?;
        orders.send(order).await.map_err(|_| self.shared.why_ended())?;
        answer.await.map_err(|_| self.shared.why_ended())?
    }
}

impl Store for JournalStore {
    fn commit(&self, batch: Batch) -> Pending<'_, Receipt> {
        Box::pin(async move {
            batch.check_limits()?;
            let (reply, answer) = oneshot::channel();
            self.ask(Order::Commit(batch, reply), answer).await
        })
    }

    fn read(&self, space: Space, key: &[u8]) -> Pending<'_, Option<Record>> {
        let found = self.shared.check_running().and_then(|()| self.shared.state.read(space, key));
        Box::pin(ready(found))
    }

    fn scan(&self, range: Range) -> Pending<'_, Vec<Row>> {
        Box::pin(async move {
            self.shared.check_running()?;
            let shared = Arc::clone(&self.shared);
            let rows = spawn_blocking(move || shared.state.scan(&range)).await;
            rows.map_err(|e| Error::new(Kind::Stopped, format!("the scan was ended: {e}")))?
        })
    }

    fn impediment(&self) -> Option<String> {
        match self.shared.check_running() {
            Err(why) => Some(why.to_string()),
            Ok(()) => self.shared.gauge.impediment(),
        }
    }

    fn subscribe(&self) -> watch::Receiver<u64> {
        self.sequence.clone()
    }
}

impl fmt::Debug for JournalStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sequence = *self.sequence.borrow();
        f.debug_struct("JournalStore").field("sequence", &sequence).finish_non_exhaustive()
    }
}

impl Drop for JournalStore {
    fn drop(&mut self) {
        // Without a sender the committer finishes what waits and ends; its files are closed then.
        self.orders = None;
        let committer = self.committer.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = committer {
            let _ = thread.join();
        }
    }
}
