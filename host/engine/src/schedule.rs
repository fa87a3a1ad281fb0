//! When open entries are asked about: at growing intervals with jitter, each account by itself.
//!
//! The rows of an account stand together, and an account has places of its own: however many
//! entries wait for one provider, those of another are asked about when they are due, and no
//! provider is asked about more than a few at the same time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ledger::{Id, Payment, State, TimestampMs};
use store::{Batch, Range};
use tokio::sync::Semaphore;

use crate::record::{self, Operation};
use crate::{Engine, Error};

/// How often the schedule is looked at.
const LOOK_AFTER: Duration = Duration::from_millis(500);
/// Rows of one look: at an account, or at all of them.
const ROWS: usize = 1_000;
/// What is added to each wait at the most, in hundredths of it, by chance: entries that were lost
/// together are not asked about together.
const JITTER_PERCENT: u64 = 25;

/// How many entries of each account are being asked about.
type Places = HashMap<String, Arc<Semaphore>>;

/// A row of the schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    pub account: String,
    pub at_ms: TimestampMs,
    pub entry: Id,
}

impl Due {
    /// Its key: no account's name has a slash.
    pub fn key(&self) -> Vec<u8> {
        let at = self.at_ms.to_be_bytes();
        [self.account.as_bytes(), b"/", &at, self.entry.as_str().as_bytes()].concat()
    }

    pub fn read(key: &[u8]) -> Option<Due> {
        let slash = key.iter().position(|byte| *byte == b'/')?;
        let (account, rest) = key.split_at_checked(slash)?;
        let (at, entry) = rest.strip_prefix(b"/")?.split_first_chunk::<8>()?;
        let account = std::str::from_utf8(account).ok()?.to_owned();
        let entry = std::str::from_utf8(entry).ok()?.parse().ok()?;
        Some(Due { account, at_ms: TimestampMs::from_be_bytes(*at), entry })
    }

    fn of(operation: &Operation, at_ms: TimestampMs) -> Due {
        Due { account: operation.account.clone(), at_ms, entry: operation.entry.clone() }
    }
}

/// Every row of one account, up to a moment, that one excluded.
fn of_account(account: &str, to: Option<TimestampMs>) -> Range {
    let prefix = [account.as_bytes(), b"/"].concat();
    let range = Range::under(record::DUE, prefix.clone());
    match to {
        Some(to) => range.to([&prefix[..], &to.to_be_bytes()].concat()),
        None => range,
    }
}

/// Moves the operation's place in the schedule.
pub(crate) fn schedule(batch: &mut Batch, operation: &mut Operation, at_ms: Option<TimestampMs>) {
    if operation.recovery.due_at_ms == at_ms {
        return;
    }
    if let Some(old) = operation.recovery.due_at_ms {
        batch.remove(record::DUE, Due::of(operation, old).key());
    }
    if let Some(new) = at_ms {
        batch.put(record::DUE, Due::of(operation, new).key(), Vec::new());
    }
    operation.recovery.due_at_ms = at_ms;
}

impl Engine {
    /// When to ask about the entry next: never once it has ended.
    pub(crate) fn reschedule(
        &self,
        batch: &mut Batch,
        payment: &Payment,
        operation: &mut Operation,
        now: TimestampMs,
    ) {
        let state = payment.entry(&operation.entry).map(|entry| entry.state);
        match state {
            // Set when the request was recorded.
            Some(State::Created | State::Sending) => {}
            Some(state) if state.is_open() => {
                let wait = self.wait_ms(operation.recovery.syncs);
                schedule(batch, operation, Some(now.saturating_add(wait)));
            }
            _ => schedule(batch, operation, None),
        }
    }

    /// How long to wait after so many questions.
    fn wait_ms(&self, asked: u32) -> u64 {
        let waits = &self.0.options.sync_after_ms;
        let wait = waits.get(asked as usize).or(waits.last()).copied().unwrap_or(60_000);
        let chance = u64::from_be_bytes(self.random());
        wait.saturating_add(chance % (wait / 100 * JITTER_PERCENT + 1))
    }

    /// Asks about entries as they become due, for ever.
    pub(crate) async fn find_out(&self) {
        let mut places = Places::new();
        loop {
            // While nothing can be recorded, no provider is asked in vain.
            if self.0.store.impediment().is_none()
                && let Err(error) = self.resolve_due(&mut places).await
            {
                tracing::error!(%error, "the schedule cannot be read");
            }
            if let Err(error) = self.expire_cards().await {
                tracing::error!(%error, "cards whose time is over are not erased yet");
            }
            tokio::time::sleep(LOOK_AFTER).await;
        }
    }

    async fn resolve_due(&self, places: &mut Places) -> Result<(), Error> {
        let most = self.0.options.concurrent_syncs_per_account_max.max(1);
        let mut after = None;
        while let Some(account) = self.next_account(after.as_deref()).await? {
            let own = places.entry(account.clone());
            let own = own.or_insert_with(|| Arc::new(Semaphore::new(most))).clone();
            self.resolve_due_of(&account, &own).await?;
            after = Some(account);
        }
        Ok(())
    }

    async fn resolve_due_of(&self, account: &str, places: &Arc<Semaphore>) -> Result<(), Error> {
        if places.available_permits() == 0 {
            return Ok(());
        }
        let due = of_account(account, Some(self.0.clock.now_ms().saturating_add(1)));
        for row in self.0.store.scan(due.limit(ROWS)).await? {
            let Some(Due { entry, .. }) = Due::read(&row.key) else { continue };
            if self.is_claimed(entry.as_str()) {
                continue;
            }
            let Ok(place) = places.clone().try_acquire_owned() else { return Ok(()) };
            let engine = self.clone();
            tokio::spawn(async move {
                if let Err(error) = engine.resolve(&entry).await {
                    tracing::error!(%entry, %error, "could not find out about the entry");
                }
                drop(place);
            });
        }
        Ok(())
    }

    /// The first account after this one, by name, that has an open entry.
    pub(crate) async fn next_account(&self, after: Option<&str>) -> Result<Option<String>, Error> {
        // `0` comes just after the slash that ends an account's name.
        let from = after.map(|after| format!("{after}0").into_bytes()).unwrap_or_default();
        let rows = self.0.store.scan(Range::all(record::DUE).from(from).limit(1)).await?;
        Ok(rows.first().and_then(|row| Due::read(&row.key)).map(|due| due.account))
    }

    /// Open entries after this row of the schedule, of one account or of all.
    pub(crate) async fn open_entries(
        &self,
        account: Option<&str>,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Due>, Error> {
        let range = account.map_or(Range::all(record::DUE), |account| of_account(account, None));
        let range = match after {
            Some(key) => range.after(key),
            None => range,
        };
        let rows = self.0.store.scan(range.limit(limit)).await?;
        Ok(rows.iter().filter_map(|row| Due::read(&row.key)).collect())
    }

    /// Rows of an earlier form began with the time, whose first byte is zero for a long while yet:
    /// they are written anew under their accounts.
    pub(crate) async fn renew_schedule(&self) -> Result<(), Error> {
        loop {
            let rows = self.0.store.scan(Range::all(record::DUE).to([1]).limit(ROWS)).await?;
            if rows.is_empty() {
                return Ok(());
            }
            let mut batch = self.batch();
            for row in &rows {
                batch.remove(record::DUE, row.key.clone());
                let Some((at, entry)) = row.key.split_first_chunk::<8>() else { continue };
                let entry = std::str::from_utf8(entry).ok().and_then(|entry| entry.parse().ok());
                let Some(entry) = entry else { continue };
                if let Some(operation) = self.read_operation(&entry).await? {
                    let due = Due::of(&operation.value, TimestampMs::from_be_bytes(*at));
                    batch.put(record::DUE, due.key(), Vec::new());
                }
            }
            self.0.store.commit(batch).await?;
        }
    }
}

#[cfg(test)]
mod tests;
