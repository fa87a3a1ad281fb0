//! The outbox: one row a notification, written in the commit of its event.
//!
//! A row's key is its endpoint and its place in the order of all commits, and never changes. It
//! stands in one of three spaces: `outbox` while it waits, then `delivered` or `dead`.

use ledger::{Id, TimestampMs};
use serde::{Deserialize, Serialize};
use store::{APPEND_BYTES, Batch, Change, Range, Row, Space};

use super::endpoint::Registered;
use super::lanes::Waiting;
use crate::{Engine, Error, Event, record};

/// A notification, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Posted {
    /// The event it is about: its `webhook-id`.
    pub event: Id,
    /// The event's name.
    pub name: String,
    pub payment: Id,
    /// When it happened.
    pub at_ms: TimestampMs,
    /// The event's place among the appends of its commit.
    pub index: u16,
    /// Since when it waits: written, or replayed.
    pub queued_at_ms: TimestampMs,
    /// Not to be sent before.
    pub due_at_ms: TimestampMs,
    /// How often it was sent since it waits.
    #[serde(default)]
    pub attempts: u32,
    /// How often it was replayed.
    #[serde(default)]
    pub replays: u32,
    #[serde(default)]
    pub last: Option<Attempt>,
    /// Of a dead letter: why it was given up.
    #[serde(default)]
    pub given_up: Option<String>,
}

/// One sending of a notification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When it ended.
    pub at_ms: TimestampMs,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// The status that was answered.
    #[serde(default)]
    pub status: Option<u16>,
    /// Why it counts as not taken.
    #[serde(default)]
    pub why: Option<String>,
}

/// Where a notification stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// It waits to be sent.
    Waiting,
    /// The endpoint has taken it.
    Delivered,
    /// It was given up: a dead letter.
    Dead,
}

impl Stage {
    /// Every stage.
    pub const ALL: [Stage; 3] = [Stage::Waiting, Stage::Delivered, Stage::Dead];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Waiting => "waiting",
            Stage::Delivered => "delivered",
            Stage::Dead => "dead",
        }
    }

    pub(super) fn space(self) -> Space {
        match self {
            Stage::Waiting => record::OUTBOX,
            Stage::Delivered => record::DELIVERED,
            Stage::Dead => record::DEAD,
        }
    }
}

/// A notification as its app sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Its identifier at its endpoint: its place in the order of events, in hexadecimal.
    pub id: String,
    /// The event it is about, and its `webhook-id`.
    pub event: Id,
    /// The event's name.
    pub name: String,
    /// The payment it is about.
    pub payment: Id,
    /// Where it stands.
    pub stage: Stage,
    /// Since when it waits: written, or replayed.
    pub queued_at_ms: TimestampMs,
    /// Waiting: when it is sent next, unless the endpoint is left alone.
    pub due_at_ms: Option<TimestampMs>,
    /// How often it was sent since then.
    pub attempts: u32,
    /// How often it was replayed.
    pub replays: u32,
    /// The last sending.
    pub last: Option<Attempt>,
    /// Dead: why it was given up.
    pub given_up: Option<String>,
}

/// A page of notifications.
#[derive(Clone, Debug)]
pub struct NotificationPage {
    /// Newest first.
    pub notifications: Vec<Notification>,
    /// What to ask for next; none on the last page.
    pub cursor: Option<String>,
}

impl Posted {
    /// When it was sent last, or began to wait.
    pub(crate) fn ended_at_ms(&self) -> TimestampMs {
        self.last.as_ref().map_or(self.queued_at_ms, |last| last.at_ms)
    }

    pub(super) fn waiting(&self, row: &Row) -> Waiting {
        Waiting {
            key: row.key.clone(),
            version: row.version,
            payment: self.payment.clone(),
            due_at_ms: self.due_at_ms,
            queued_at_ms: self.queued_at_ms,
        }
    }

    pub(super) fn shown(self, key: &[u8], stage: Stage) -> Notification {
        Notification {
            id: hex::encode(place(key)),
            event: self.event,
            name: self.name,
            payment: self.payment,
            stage,
            queued_at_ms: self.queued_at_ms,
            due_at_ms: (stage == Stage::Waiting).then_some(self.due_at_ms),
            attempts: self.attempts,
            replays: self.replays,
            last: self.last,
            given_up: self.given_up,
        }
    }

    /// The key of the event it is about.
    pub(super) fn event_key(&self, app: &str, key: &[u8]) -> Vec<u8> {
        let sequence = place(key).first_chunk::<8>().copied().unwrap_or_default();
        store::append_key(app.as_bytes(), u64::from_be_bytes(sequence), self.index)
    }
}

/// The part of a row's key that the store made.
fn place(key: &[u8]) -> &[u8] {
    key.get(key.len().saturating_sub(APPEND_BYTES)..).unwrap_or_default()
}

/// Adds an event to a commit, and a row of the outbox for every endpoint that is told.
pub(crate) fn note(batch: &mut Batch, event: &Event, endpoints: &[Registered]) {
    let appends = batch.changes.iter().filter(|one| matches!(one, Change::Append { .. })).count();
    let app = &event.payment.app;
    batch.append(record::EVENT, app.as_str().as_bytes(), record::encode(event));
    for endpoint in endpoints.iter().filter(|endpoint| endpoint.is_told(&event.name)) {
        let posted = Posted {
            event: event.id.clone(),
            name: event.name.clone(),
            payment: event.payment.id.clone(),
            // A commit has few appends; the store refuses one with more than there are indexes.
            index: u16::try_from(appends).unwrap_or(u16::MAX),
            at_ms: event.at_ms,
            queued_at_ms: event.at_ms,
            due_at_ms: event.at_ms,
            attempts: 0,
            replays: 0,
            last: None,
            given_up: None,
        };
        let prefix = record::outbox_prefix(&record::endpoint_key(app, &endpoint.id));
        batch.append(record::OUTBOX, prefix, record::encode(&posted));
    }
}

/// The endpoints that a commit adds notifications for, by their keys.
pub(crate) fn addressed(batch: &Batch) -> Vec<Vec<u8>> {
    let key = |change: &Change| match change {
        Change::Append { space, prefix, .. } if *space == record::OUTBOX => {
            prefix.strip_suffix(b"/").map(<[u8]>::to_vec)
        }
        _ => None,
    };
    batch.changes.iter().filter_map(key).collect()
}

impl Engine {
    /// The notifications of an endpoint, newest first; `limit` is between 1 and 100.
    pub async fn notifications(
        &self,
        app: &Id,
        endpoint: &Id,
        stage: Option<Stage>,
        (cursor, limit): (Option<&str>, usize),
    ) -> Result<NotificationPage, Error> {
        self.read_endpoint(app, endpoint).await?;
        let prefix = record::outbox_prefix(&record::endpoint_key(app, endpoint));
        let before = cursor.map(|cursor| key_of(&prefix, cursor)).transpose()?;
        let limit = limit.clamp(1, 100);
        let mut all = Vec::new();
        for stage in Stage::ALL.into_iter().filter(|one| stage.is_none_or(|only| only == *one)) {
            let range = Range::under(stage.space(), prefix.clone()).reverse().limit(limit + 1);
            let range = match &before {
                Some(before) => range.to(before.clone()),
                None => range,
            };
            for row in self.0.store.scan(range).await? {
                let posted: Posted = record::decode(stage.space(), &row.key, &row.value)?;
                all.push(posted.shown(&row.key, stage));
            }
        }
        all.sort_by(|one, other| other.id.cmp(&one.id));
        // One that moved on between two of the reads is seen twice: the later stage is the truth.
        all.dedup_by(|later, kept| {
            let same = later.id == kept.id;
            if same && later.stage > kept.stage {
                std::mem::swap(later, kept);
            }
            same
        });
        let more = all.len() > limit;
        all.truncate(limit);
        let cursor = all.last().map(|last| last.id.clone()).filter(|_| more);
        Ok(NotificationPage { notifications: all, cursor })
    }
}

/// The key of the notification of this identifier, which is also a cursor.
pub(super) fn key_of(prefix: &[u8], id: &str) -> Result<Vec<u8>, Error> {
    let place = hex::decode(id).ok().filter(|place| place.len() == APPEND_BYTES);
    let wrong = || Error::NotACursor(id.chars().take(64).collect());
    Ok([prefix, &place.ok_or_else(wrong)?].concat())
}
