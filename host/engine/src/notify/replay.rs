//! Replay: notifications that were delivered or given up are sent again, under the same
//! `webhook-id`.
//!
//! A replayed notification goes back to its old place in the outbox: before later ones of its
//! payment that still wait, and behind those that were taken already.

use ledger::{Id, TimestampMs};
use store::{Batch, Range, Store};

use super::outbox::{Notification, Posted, Stage, key_of};
use super::queue::move_row;
use crate::clock::Clock;
use crate::{Engine, Error, record};

/// Rows moved in one commit.
const ROWS_MAX: usize = 500;

/// What to send again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replay {
    /// The notification of this identifier.
    One(String),
    /// All that are about what happened at this time or later.
    Since(TimestampMs),
    /// Every dead letter.
    Dead,
}

impl Engine {
    /// Sends notifications of an endpoint again; how many. What waits already is left as it is.
    pub async fn replay(&self, app: &Id, endpoint: &Id, replay: &Replay) -> Result<usize, Error> {
        self.read_endpoint(app, endpoint).await?;
        let key = record::endpoint_key(app, endpoint);
        let (engine, replay) = (self.clone(), replay.clone());
        // On its own task: a caller that hangs up leaves nothing moved that nobody rings for.
        let moved = tokio::spawn(async move {
            let moved = moved(&*engine.0.store, &*engine.0.clock, &key, &replay).await;
            engine.0.desk.ring_anew([key]);
            moved
        });
        let moved = moved.await.unwrap_or(Err(Error::Stopping))?;
        Ok(moved)
    }
}

/// The same for a host that is stopped, by the endpoint's identifier alone.
///
/// # Errors
/// `NoSuchEndpoint`, `NotACursor` for a notification that is none, or whatever the store answers.
pub async fn replay_offline(
    store: &dyn Store,
    clock: &dyn Clock,
    endpoint: &Id,
    replay: &Replay,
) -> Result<usize, Error> {
    let key = owned(store, endpoint).await?;
    moved(store, clock, &key, replay).await
}

/// The dead letters of every endpoint, or of one, oldest first, each with its endpoint's
/// identifier; for a host that is stopped.
///
/// # Errors
/// Whatever the store answers.
pub async fn dead_letters(
    store: &dyn Store,
    endpoint: Option<&Id>,
) -> Result<Vec<(String, Notification)>, Error> {
    let prefix = match endpoint {
        Some(endpoint) => record::outbox_prefix(&owned(store, endpoint).await?),
        None => Vec::new(),
    };
    let (mut all, mut range) = (Vec::new(), Range::under(record::DEAD, prefix.clone()));
    loop {
        let rows = store.scan(range).await?;
        let Some(last) = rows.last() else { return Ok(all) };
        range = Range::under(record::DEAD, prefix.clone()).after(last.key.clone());
        for row in &rows {
            let posted: Posted = record::decode(record::DEAD, &row.key, &row.value)?;
            let endpoint = record::outbox_endpoint(&row.key).unwrap_or_default();
            let endpoint = String::from_utf8_lossy(&endpoint);
            let endpoint = endpoint.rsplit('/').next().unwrap_or_default().to_owned();
            all.push((endpoint, posted.shown(&row.key, Stage::Dead)));
        }
    }
}

/// The key of an endpoint, whoever's it is.
async fn owned(store: &dyn Store, endpoint: &Id) -> Result<Vec<u8>, Error> {
    let mut range = Range::all(record::ENDPOINT);
    loop {
        let rows = store.scan(range).await?;
        let ending = format!("/{endpoint}");
        if let Some(row) = rows.iter().find(|row| row.key.ends_with(ending.as_bytes())) {
            return Ok(row.key.clone());
        }
        let Some(last) = rows.last() else {
            return Err(Error::NoSuchEndpoint(endpoint.clone()));
        };
        range = Range::all(record::ENDPOINT).after(last.key.clone());
    }
}

async fn moved(
    store: &dyn Store,
    clock: &dyn Clock,
    key: &[u8],
    replay: &Replay,
) -> Result<usize, Error> {
    let prefix = record::outbox_prefix(key);
    let now = clock.now_ms();
    let stages: &[Stage] = match replay {
        Replay::Dead => &[Stage::Dead],
        Replay::One(_) | Replay::Since(_) => &[Stage::Delivered, Stage::Dead],
    };
    let mut moved = 0;
    for stage in stages {
        let mut range = match replay {
            Replay::One(id) => {
                let key = key_of(&prefix, id)?;
                Range::under(stage.space(), key)
            }
            Replay::Since(_) | Replay::Dead => Range::under(stage.space(), prefix.clone()),
        };
        loop {
            let rows = store.scan(range.clone().limit(ROWS_MAX)).await?;
            let Some(last) = rows.last() else { break };
            range = range.after(last.key.clone());
            moved += moved_rows(store, (*stage, replay), &rows, now).await?;
        }
    }
    Ok(moved)
}

async fn moved_rows(
    store: &dyn Store,
    (stage, replay): (Stage, &Replay),
    rows: &[store::Row],
    now: TimestampMs,
) -> Result<usize, Error> {
    let (mut batch, mut count) = (Batch::at(now), 0);
    for row in rows {
        let posted: Posted = record::decode(stage.space(), &row.key, &row.value)?;
        if matches!(replay, Replay::Since(since) if posted.at_ms < *since) {
            continue;
        }
        let again = Posted {
            queued_at_ms: now,
            due_at_ms: now,
            attempts: 0,
            replays: posted.replays.saturating_add(1),
            given_up: None,
            ..posted
        };
        move_row(&mut batch, row, (stage, Stage::Waiting, &again));
        count += 1;
    }
    match store.commit(batch).await {
        Ok(_) => Ok(count),
        Err(error) if error.is_conflict() => Err(Error::EndpointBusy),
        Err(error) => Err(error.into()),
    }
}
