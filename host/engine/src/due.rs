//! The host's own rounds, for ever: open entries as they become due, cards and records whose time is
//! over, notifications, quarantines.
//!
//! Not here: how an entry is found out about (`resolve`).

use std::sync::Arc;
use std::time::Duration;

use ledger::Id;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

use crate::resolve::{DUE_ROWS_MAX, due};
use crate::share::{Share, Work};
use crate::{Engine, Error, record};

/// How often the schedule is looked at.
const LOOK_AFTER: Duration = Duration::from_millis(500);
/// How often records are looked for whose time is over, in milliseconds.
const EXPIRE_AFTER_MS: u64 = 60_000;

/// How far the look at the schedule has come.
struct Round {
    places: Arc<Semaphore>,
    /// Told when finding out about an entry has ended.
    ended: Arc<Notify>,
    /// The last row that was seen to; none at the beginning.
    after: Option<Vec<u8>>,
    /// Whether rows were passed over because their account has its share.
    passed_over: bool,
}

impl Engine {
    /// Asks about entries as they become due, and tells apps, for ever. Drop the future to stop.
    pub async fn run(&self) {
        tokio::join!(self.find_out(), self.clear_away(), self.notify(), self.keep_quarantines());
    }

    async fn find_out(&self) {
        let mut round = Round {
            places: Arc::new(Semaphore::new(self.0.options.concurrent_syncs_max)),
            ended: Arc::default(),
            after: None,
            passed_over: false,
        };
        loop {
            // What a provider says now could not be recorded: it is asked when it can.
            if self.0.store.impediment().is_none()
                && let Err(error) = self.look(&mut round).await
            {
                tracing::error!(%error, "the schedule cannot be read");
                (round.after, round.passed_over) = (None, false);
            }
            round.rest().await;
        }
    }

    /// Begins to find out about what is due, as far as there are places. An account that has its
    /// share is passed over, so that one provider that is gone does not hold up the others.
    async fn look(&self, round: &mut Round) -> Result<(), Error> {
        let now = self.0.clock.now_ms().saturating_add(1);
        let range = store::Range::all(record::DUE).to(now.to_be_bytes()).limit(DUE_ROWS_MAX);
        let range = match round.after.take() {
            Some(key) => range.after(key),
            None => {
                round.passed_over = false;
                range
            }
        };
        let rows = self.0.store.scan(range).await?;
        let more = rows.len() == DUE_ROWS_MAX;
        for row in rows {
            if let Some((_, entry)) = due(&row.key)
                && let Some(operation) = self.read_operation(&entry).await?
            {
                let Ok(share) = self.share(&operation.value.account, Work::FindOut) else {
                    round.passed_over = true;
                    continue;
                };
                let place = timeout(LOOK_AFTER, round.places.clone().acquire_owned()).await;
                let Ok(Ok(place)) = place else { return Ok(()) };
                self.find_out_one(entry, (share, place), round.ended.clone());
            }
            round.after = Some(row.key);
        }
        if !more {
            round.after = None;
        }
        Ok(())
    }

    fn find_out_one(&self, entry: Id, held: (Share, OwnedSemaphorePermit), ended: Arc<Notify>) {
        let engine = self.clone();
        tokio::spawn(async move {
            if let Err(error) = engine.resolve(&entry).await {
                tracing::error!(%entry, %error, "could not find out about the entry");
            }
            drop(held);
            ended.notify_one();
        });
    }

    async fn clear_away(&self) {
        let mut expired_ms = 0;
        loop {
            if let Err(error) = self.expire_cards().await {
                tracing::error!(%error, "cards whose time is over are not erased yet");
            }
            let now = self.0.clock.now_ms();
            if now.saturating_sub(expired_ms) >= EXPIRE_AFTER_MS {
                expired_ms = now;
                if let Err(error) = self.expire().await {
                    tracing::error!(%error, "records whose time is over are not removed yet");
                }
            }
            sleep(LOOK_AFTER).await;
        }
    }
}

impl Round {
    /// Until the next look: sooner where rows wait for a place and one is free again.
    async fn rest(&self) {
        if self.passed_over || self.after.is_some() {
            let _ = timeout(LOOK_AFTER, self.ended.notified()).await;
        } else {
            sleep(LOOK_AFTER).await;
        }
    }
}
