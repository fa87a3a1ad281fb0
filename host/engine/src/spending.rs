//! What an app may spend in a UTC day: checked in the commit that records the entry.
//!
//! The ledger is the truth. A record of the sum of the day is kept beside it for apps that have a
//! limit, changed in the same commits as the entries it counts; where there is none, or the limit
//! was changed, the sum is taken from the ledger anew. An authorisation or a payout counts from its
//! first request on, in doubt too, and no longer once it is known that it moved nothing.

use ledger::{Currency, Entry, Id, Kind, Payment, State, TimestampMs};
use serde::{Deserialize, Serialize};
use store::{Batch, Expected, Range};
use tokio::sync::{Mutex, MutexGuard};

use crate::app::App;
use crate::record::{self, Read};
use crate::{Engine, Error};

/// Apps that spend at the same time seldom wait for each other.
const LOCKS: usize = 16;
/// A payment is begun so long at most before its entry.
const BEGUN_BEFORE_MS: u64 = 120_000;
/// Rows of one look into the ledger.
const ROWS: usize = 500;

/// Held while a sum is read, changed and committed: whoever spends at the same time waits, instead
/// of being overtaken. That no commit goes by a sum it has not read, the store sees to.
pub(crate) struct Locks([Mutex<()>; LOCKS]);

impl Default for Locks {
    fn default() -> Locks {
        Locks(std::array::from_fn(|_| Mutex::default()))
    }
}

impl Locks {
    async fn of(&self, app: &Id) -> MutexGuard<'_, ()> {
        let place =
            app.as_str().bytes().fold(0_usize, |sum, byte| sum * 31 % LOCKS + byte as usize);
        let [first, ..] = &self.0;
        self.0.get(place % LOCKS).unwrap_or(first).lock().await
    }
}

/// The sum of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Spent {
    amount_minor: u64,
}

/// A UTC day, by its first moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Day(TimestampMs);

/// A day of Unix time: it knows no leap seconds.
const DAY_MS: u64 = 86_400_000;

impl Day {
    fn of(at_ms: TimestampMs) -> Day {
        Day(at_ms - at_ms % DAY_MS)
    }

    fn next_ms(self) -> TimestampMs {
        self.0.saturating_add(DAY_MS)
    }
}

fn key(app: &Id, day: Day, currency: Currency) -> Vec<u8> {
    format!("{app}/{:016}/{}", day.0, currency.code()).into_bytes()
}

/// Whether the entry may have moved, or may yet move, money out of the day's sum.
fn counts(entry: &Entry) -> bool {
    let spends = matches!(entry.kind, Kind::Authorize | Kind::Payout);
    spends && (!entry.state.is_terminal() || entry.state == State::Succeeded)
}

/// Whether an entry has turned out to spend nothing.
pub(crate) fn ended(before: &Entry, now: &Entry) -> bool {
    counts(before) && !counts(now)
}

impl Engine {
    /// Adds to the commit of a new entry that the app is admitted as it stands now, and what the
    /// entry spends. What is given is held until the commit is answered.
    pub(crate) async fn note_spending(
        &self,
        batch: &mut Batch,
        payment: &Payment,
        entry: &Entry,
    ) -> Result<Option<MutexGuard<'_, ()>>, Error> {
        let id = payment.app.as_str().as_bytes();
        let Some(app) = record::read::<App>(&*self.0.store, record::APP, id).await? else {
            return Err(Error::AppRevoked);
        };
        if !app.value.is_good(self.0.clock.now_ms()) {
            return Err(Error::AppRevoked);
        }
        batch.expect(record::APP, id, Expected::Version(app.version));
        let currency = entry.amount.currency();
        let limit = app.value.spending.iter().find(|limit| limit.currency == currency);
        let Some(limit) = limit.filter(|_| counts(entry)) else { return Ok(None) };
        let held = self.0.spending.of(&payment.app).await;
        let day = Day::of(entry.created_at_ms);
        let key = key(&payment.app, day, currency);
        let (spent, expected) = self.spent(&payment.app, day, currency).await?;
        let left_minor = limit.amount_minor_max.saturating_sub(spent);
        if entry.amount.minor() > left_minor {
            let renews_at_ms = day.next_ms();
            return Err(Error::SpendingLimit { currency, left_minor, renews_at_ms });
        }
        let amount_minor = spent.saturating_add(entry.amount.minor());
        batch.expect(record::SPENT, key.clone(), expected);
        batch.put(record::SPENT, key, record::encode(&Spent { amount_minor }));
        if expected == Expected::Absent {
            self.forget_other_days(batch, &payment.app, day).await?;
        }
        Ok(Some(held))
    }

    /// Adds to the commit of an entry that ends without having moved money that it spends nothing
    /// any more. What is given is held until the commit is answered.
    pub(crate) async fn note_unspent(
        &self,
        batch: &mut Batch,
        app: &Id,
        entry: &Entry,
    ) -> Result<Option<MutexGuard<'_, ()>>, Error> {
        let held = self.0.spending.of(app).await;
        let key = key(app, Day::of(entry.created_at_ms), entry.amount.currency());
        match record::read::<Spent>(&*self.0.store, record::SPENT, &key).await? {
            // No sum is kept, and none may have been taken meanwhile that counts this entry.
            None => {
                batch.expect(record::SPENT, key, Expected::Absent);
            }
            Some(Read { value, version }) => {
                let amount_minor = value.amount_minor.saturating_sub(entry.amount.minor());
                batch.expect(record::SPENT, key.clone(), Expected::Version(version));
                batch.put(record::SPENT, key, record::encode(&Spent { amount_minor }));
            }
        }
        Ok(Some(held))
    }

    /// What the app has spent that day, and the version of the record that says so.
    async fn spent(
        &self,
        app: &Id,
        day: Day,
        currency: Currency,
    ) -> Result<(u64, Expected), Error> {
        let key = key(app, day, currency);
        match record::read::<Spent>(&*self.0.store, record::SPENT, &key).await? {
            Some(read) => Ok((read.value.amount_minor, Expected::Version(read.version))),
            None => Ok((self.spent_by_ledger(app, day, currency).await?, Expected::Absent)),
        }
    }

    /// The sum of the entries of that day.
    async fn spent_by_ledger(&self, app: &Id, day: Day, currency: Currency) -> Result<u64, Error> {
        let first = Id::payment(day.0.saturating_sub(BEGUN_BEFORE_MS), [0; 10]);
        let mut from = record::listed_key(app, &first);
        let prefix = format!("{app}/");
        let mut sum = 0_u64;
        loop {
            let range = Range::under(record::LISTED, prefix.as_bytes()).from(from).limit(ROWS);
            let rows = self.0.store.scan(range).await?;
            for row in &rows {
                let id = row.key.get(prefix.len()..).unwrap_or_default();
                let payment = record::read::<Payment>(&*self.0.store, record::PAYMENT, id).await?;
                let entries = payment.iter().flat_map(|payment| &payment.value.entries);
                let of_day = entries.filter(|entry| {
                    let same = entry.amount.currency() == currency;
                    same && counts(entry) && Day::of(entry.created_at_ms) == day
                });
                sum = of_day.fold(sum, |sum, entry| sum.saturating_add(entry.amount.minor()));
            }
            match rows.last() {
                Some(last) if rows.len() == ROWS => from = [&last.key[..], &[0]].concat(),
                _ => return Ok(sum),
            }
        }
    }

    /// Days that are over need no record: the ledger has their sums.
    async fn forget_other_days(&self, batch: &mut Batch, app: &Id, day: Day) -> Result<(), Error> {
        let before = Range::under(record::SPENT, format!("{app}/"));
        let before = before.to(format!("{app}/{:016}/", day.0)).limit(64);
        for row in self.0.store.scan(before).await? {
            batch.remove(record::SPENT, row.key);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
