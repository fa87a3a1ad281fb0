//! The feed of what happened: one event a change of an entry, written in the same commit.

use ledger::{Entry, Id, Payment, TimestampMs};
use serde::{Deserialize, Serialize};
use store::APPEND_BYTES;

use crate::{Engine, Error, record};

/// The cursor before the first event.
const START: &str = "0";

/// Something that happened to a payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its identifier.
    pub id: Id,
    /// `<kind>.<state>`, as `authorize.needs-action` or `refund.succeeded`.
    pub name: String,
    /// When it happened.
    pub at_ms: TimestampMs,
    /// The payment just after.
    pub payment: Payment,
    /// The entry that changed.
    pub entry: Entry,
}

/// A page of the feed.
#[derive(Clone, Debug)]
pub struct EventPage {
    /// Oldest first.
    pub events: Vec<Event>,
    /// The cursor just after each of them.
    pub places: Vec<String>,
    /// What to ask for next: the events after these. The same as was given when there are none.
    pub cursor: String,
}

impl Engine {
    /// The app's events after the cursor, oldest first; `limit` is between 1 and 100.
    ///
    /// A cursor is the place of an event in the order of all commits: no event ever appears before
    /// one that was read.
    pub async fn events(
        &self,
        app: &Id,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<EventPage, Error> {
        let prefix = app.as_str().as_bytes();
        let mut range = store::Range::under(record::EVENT, prefix).limit(limit.clamp(1, 100));
        if let Some(cursor) = cursor.filter(|cursor| *cursor != START) {
            let place = hex::decode(cursor).ok().filter(|place| place.len() == APPEND_BYTES);
            let place =
                place.ok_or_else(|| Error::NotACursor(cursor.chars().take(64).collect()))?;
            range = range.after([prefix, &place].concat());
        }
        let rows = self.0.store.scan(range).await?;
        let place = |row: &store::Row| hex::encode(row.key.get(prefix.len()..).unwrap_or_default());
        let places: Vec<String> = rows.iter().map(place).collect();
        let last = places.last().map(String::as_str).or(cursor);
        let cursor = last.unwrap_or(START).to_owned();
        let event = |row: &store::Row| record::decode(record::EVENT, &row.key, &row.value);
        let events = rows.iter().map(event).collect::<Result<_, store::Error>>()?;
        Ok(EventPage { events, places, cursor })
    }

    /// Changes whenever something was committed: a reader of the feed looks again. Closes when the
    /// store does.
    pub fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.0.store.subscribe()
    }
}
