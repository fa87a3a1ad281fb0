//! What is kept for a while: idempotency records and notifications that were delivered.
//!
//! Both are removed by range, oldest first, so many in a commit. A record of an entry that is still
//! open stays and is looked at again a day later: its key may be all that keeps an app from paying
//! twice.

use std::time::Duration;

use ledger::TimestampMs;
use store::{Batch, Expected, Range, Row};

use crate::notify::Posted;
use crate::record::{self, Idempotent};
use crate::{Engine, Error};

/// How often it is looked for.
const LOOK_AFTER: Duration = Duration::from_secs(60);
/// Rows looked at in one commit.
const ROWS_MAX: usize = 250;
/// When a record that could not go is looked at again.
const AGAIN_MS: u64 = 24 * 60 * 60 * 1000;

impl Engine {
    /// Removes what is out of its time, for ever.
    pub(crate) async fn clear_away(&self) {
        loop {
            if let Err(error) = self.expire().await {
                tracing::error!(%error, "records whose time is over are not removed yet");
            }
            tokio::time::sleep(LOOK_AFTER).await;
        }
    }

    /// Removes what is out of its time; how many records.
    ///
    /// # Errors
    /// What the store says; what was removed stays so.
    pub async fn expire(&self) -> Result<usize, Error> {
        Ok(self.expire_keys().await? + self.expire_delivered().await?)
    }

    async fn expire_keys(&self) -> Result<usize, Error> {
        let now = self.0.clock.now_ms();
        let before = now.saturating_sub(self.0.options.idempotency_keep_ms);
        let (mut removed, mut batch) = (0, self.finishing());
        let range = Range::all(record::KEY_DUE).to(before.to_be_bytes());
        loop {
            let rows = self.0.store.scan(range.clone().limit(ROWS_MAX)).await?;
            for row in &rows {
                removed += usize::from(self.expire_key(&mut batch, row, before).await?);
            }
            if !self.remove(std::mem::replace(&mut batch, self.finishing())).await? {
                return Ok(removed);
            }
            if rows.len() < ROWS_MAX {
                return Ok(removed);
            }
        }
    }

    /// Adds the end of a record to a commit, or its next look if it has to stay. True if it goes.
    async fn expire_key(
        &self,
        batch: &mut Batch,
        row: &Row,
        before: TimestampMs,
    ) -> Result<bool, Error> {
        batch.expect(record::KEY_DUE, row.key.clone(), Expected::Version(row.version));
        batch.remove(record::KEY_DUE, row.key.clone());
        let key = row.key.get(8..).unwrap_or_default();
        let known: Option<record::Read<Idempotent>> =
            record::read(&*self.0.store, record::IDEMPOTENCY, key).await?;
        let Some(known) = known else { return Ok(false) };
        let payment = self.read_payment(&known.value.payment).await?;
        let entry = payment.and_then(|read| read.value.entry(&known.value.entry).cloned());
        if entry.is_some_and(|entry| !entry.state.is_terminal()) {
            let again = before.saturating_add(AGAIN_MS);
            batch.put(record::KEY_DUE, record::key_due(again, key), Vec::new());
            return Ok(false);
        }
        batch.expect(record::IDEMPOTENCY, key, Expected::Version(known.version));
        batch.remove(record::IDEMPOTENCY, key);
        Ok(true)
    }

    /// The rows of an endpoint are in the order of events, so the first that is young ends the
    /// look: one that was replayed keeps those behind it for as long.
    async fn expire_delivered(&self) -> Result<usize, Error> {
        let keep = self.0.notifying.options.keep_delivered_ms;
        let before = self.0.clock.now_ms().saturating_sub(keep);
        let (mut removed, mut from) = (0, None);
        while let Some(endpoint) = self.next_endpoint(record::DELIVERED, from).await? {
            loop {
                let range = Range::under(record::DELIVERED, record::outbox_prefix(&endpoint));
                let rows = self.0.store.scan(range.limit(ROWS_MAX)).await?;
                let mut batch = self.finishing();
                for row in &rows {
                    let posted: Posted = record::decode(record::DELIVERED, &row.key, &row.value)?;
                    if posted.ended_at_ms() >= before {
                        break;
                    }
                    let expected = Expected::Version(row.version);
                    batch.expect(record::DELIVERED, row.key.clone(), expected);
                    batch.remove(record::DELIVERED, row.key.clone());
                }
                let count = batch.changes.len();
                if !self.remove(batch).await? {
                    break;
                }
                removed += count;
                if count < ROWS_MAX {
                    break;
                }
            }
            from = Some(endpoint);
        }
        Ok(removed)
    }

    /// Commits removals; false when somebody changed one of the records meanwhile, and when there
    /// are none.
    async fn remove(&self, batch: Batch) -> Result<bool, Error> {
        if batch.changes.is_empty() {
            return Ok(false);
        }
        match self.0.store.commit(batch).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_conflict() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests;
