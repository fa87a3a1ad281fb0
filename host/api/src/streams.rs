//! Streams of server-sent events: how many an app may have open, when they beat, when they end.
//! Not here: what is in them (`events`).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ledger::Id;
use tokio::sync::watch;

use crate::catalogue::{OVERLOADED, TOO_MANY_STREAMS};
use crate::limits::Limits;
use crate::problem::Problem;

/// The open streams of every app.
pub(crate) struct Streams {
    open: Mutex<HashMap<Id, usize>>,
    per_app_max: usize,
    all_max: usize,
    /// A comment is sent when nothing else was for so long.
    pub(crate) heartbeat: Duration,
    /// How long a client may leave what it was sent untaken.
    pub(crate) patience: Duration,
    /// True once the host stops.
    stop: watch::Receiver<bool>,
}

impl Streams {
    pub(crate) fn new(limits: &Limits, stop: watch::Receiver<bool>) -> Arc<Streams> {
        Arc::new(Streams {
            open: Mutex::default(),
            per_app_max: limits.streams_per_app_max,
            all_max: limits.streams_max,
            heartbeat: limits.stream_heartbeat,
            patience: limits.stream_patience,
            stop,
        })
    }

    /// A place for one more stream of the app.
    pub(crate) fn seat(self: &Arc<Streams>, app: &Id) -> Result<Seat, Problem> {
        let mut open = self.lock();
        if open.values().sum::<usize>() >= self.all_max {
            return Err(Problem::new(&OVERLOADED, "all places for streams are taken"));
        }
        let count = open.entry(app.clone()).or_default();
        if *count >= self.per_app_max {
            let detail = format!("an app has at most {} streams open", self.per_app_max);
            return Err(Problem::new(&TOO_MANY_STREAMS, detail));
        }
        *count += 1;
        Ok(Seat { streams: self.clone(), app: app.clone() })
    }

    /// How many are open.
    pub(crate) fn open(&self) -> usize {
        self.lock().values().sum()
    }

    /// Ends when the host stops.
    pub(crate) async fn stopped(&self) {
        // Without its server there is nobody left to stream to.
        let _ = self.stop.clone().wait_for(|stopped| *stopped).await;
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Id, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place that is taken until it is dropped.
pub(crate) struct Seat {
    streams: Arc<Streams>,
    app: Id,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.streams.lock();
        if let Some(count) = open.get_mut(&self.app) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.app);
            }
        }
    }
}
