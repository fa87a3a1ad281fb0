//! The store as the engine has it: the model in memory or the real one, slow, full at times, and
//! watched. A commit ends whether or not anybody still waits for it, as the contract says.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use store::{Batch, Change, Error, Kind, Pending, Range, Receipt, Record, Row, Space, Store};
use tokio::sync::watch;

use crate::world::{State, World};

/// Values that hold something sealed, which is different each time.
const SEALED: &[&str] = &["app", "card", "card-key", "endpoint"];

/// A store within the world.
#[derive(Clone)]
pub struct Kept {
    pub world: Arc<World>,
    pub inner: Arc<dyn Store>,
}

impl Kept {
    async fn commits(self, batch: Batch) -> Result<Receipt, Error> {
        let told = spoken(&batch);
        self.world.pass("commit", &told).await;
        let (before, after) = self.world.state().commit_takes();
        self.world.wait(before).await;
        // The process may have died while the disk was busy: then nothing was written.
        self.world.pass("commit begins", b"").await;
        if self.world.state().fault("disk full", 6) {
            return Err(Error::new(Kind::Full, "the disk is full"));
        }
        let answer = at_once(self.inner.commit(batch.clone()));
        match &answer {
            Ok(_) => self.world.state().committed(&batch),
            Err(error) => self.failed(error),
        }
        self.world.pass("committed", b"").await;
        self.world.wait(after).await;
        answer
    }

    /// The host does not live on without its store.
    fn failed(&self, error: &Error) {
        if *error.kind() == Kind::Stopped {
            self.world.state().die("the store stopped");
        }
    }
}

impl State {
    /// How long a commit takes until it is durable, and until that is answered.
    fn commit_takes(&mut self) -> (u64, u64) {
        if !self.faulty() {
            return (0, 0);
        }
        if self.fault("slow commit", 15) {
            return (self.disk.between(100, 1_500), self.disk.scaled(300));
        }
        (self.disk.scaled(4), self.disk.scaled(2))
    }
}

impl Store for Kept {
    fn commit(&self, batch: Batch) -> Pending<'_, Receipt> {
        let commit = tokio::spawn(self.clone().commits(batch));
        Box::pin(async move { commit.await.unwrap_or_else(|error| Err(broken(&error))) })
    }

    fn read(&self, space: Space, key: &[u8]) -> Pending<'_, Option<Record>> {
        let key = key.to_vec();
        Box::pin(async move {
            if !self.world.state().point("store read", &key, false) {
                std::future::pending::<()>().await;
            }
            at_once(self.inner.read(space, &key)).inspect_err(|error| self.failed(error))
        })
    }

    fn scan(&self, range: Range) -> Pending<'_, Vec<Row>> {
        Box::pin(async move {
            if !self.world.state().point("store scan", range.space.name().as_bytes(), false) {
                std::future::pending::<()>().await;
            }
            at_once(self.inner.scan(range)).inspect_err(|error| self.failed(error))
        })
    }

    fn subscribe(&self) -> watch::Receiver<u64> {
        self.inner.subscribe()
    }
}

fn broken(error: &tokio::task::JoinError) -> Error {
    Error::new(Kind::Stopped, error.to_string())
}

/// A batch as the trace is told it.
fn spoken(batch: &Batch) -> Vec<u8> {
    let mut told = Vec::new();
    for change in &batch.changes {
        let (space, key, value) = match change {
            Change::Put { space, key, value } => (space, key, value.as_slice()),
            Change::Append { space, prefix, value } => (space, prefix, value.as_slice()),
            Change::Remove { space, key } => (space, key, &b"-"[..]),
        };
        told.extend_from_slice(space.name().as_bytes());
        told.push(b' ');
        told.extend_from_slice(key);
        told.push(b' ');
        if !SEALED.contains(&space.name()) {
            told.extend_from_slice(value);
        }
        told.push(b'\n');
    }
    told
}

/// Drives the future to its end here and now: what other threads do for it takes no time of the
/// simulation, and happens in no order but this.
pub fn at_once<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(tokio::task::unconstrained(future));
    let mut future: Pin<&mut _> = future.as_mut();
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(done) => return done,
            Poll::Pending => std::thread::park(),
        }
    }
}
