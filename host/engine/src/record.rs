//! What the engine keeps in the store: one space a kind of record, JSON values.
//!
//! | space | key | value |
//! |---|---|---|
//! | `payment` | payment | the payment with all its entries |
//! | `listed` | app `/` payment | nothing: the app's payments, in order of time |
//! | `operation` | entry | what was asked, as the plugin is given it, and how its recovery stands |
//! | `exchange` | entry `/` step | a request, by names of secrets only, and its reply |
//! | `idempotency` | app `/` key | what was asked and answered under this key |
//! | `key-due` | time (big-endian ms) app `/` key | nothing: since when the key is kept |
//! | `quarantine` | digest | why a plugin is not called |
//! | `reference` | account `/` kind `/` reference | the entry the provider knows by this |
//! | `due` | account `/` time (big-endian ms) entry | nothing: when to ask about an open entry |
//! | `event` | app, then the sequence of the commit | what happened |
//! | `delivery` | account `/` event | a webhook event that was acted on |
//! | `anomaly` | anomaly | what contradicts the ledger |
//! | `endpoint` | app `/` endpoint | where an app is told, and its sealed secrets |
//! | `endpoint-added` | app | nothing: its version is that of the app's newest endpoint |
//! | `circuit` | app `/` endpoint | how the endpoint has been answering |
//! | `outbox` | app `/` endpoint `/`, then the sequence of the commit | a notification that waits |
//! | `delivered` | the same | a notification that was taken |
//! | `dead` | the same | a notification that was given up |
//! | `app` | app | a developer's integration and what is kept of its keys |
//! | `nonce` | minute (big-endian) `/` app `/` nonce | nothing: the nonce of a signed request |
//! | `kept` | account `/` name | a value a plugin asked to remember |
//! | `card` | card | what may be shown of a card, and the rest, sealed by a key that is not here |
//! | `card-file` | `file` | which file the keys of the cards are in |
//! | `card-due` | time (big-endian ms) card | nothing: when a card is erased by itself |
//! | `card-key` | app | the sealed key of the app's fingerprints |
//! | `audit` | number (big-endian) | a line of the audit trail |
//! | `spent` | app `/` day `/` currency | what the app has spent, where it may not spend more |
//! | `audited` | `head` | how many lines the trail has, and the hash of the last |

use std::collections::BTreeMap;

use ledger::{AnomalyKind, Id, Kind, Payment, TimestampMs};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use store::{APPEND_BYTES, Error, Space, Store};

use crate::Instrument;

pub(crate) const PAYMENT: Space = Space::named("payment");
pub(crate) const LISTED: Space = Space::named("listed");
pub(crate) const OPERATION: Space = Space::named("operation");
pub(crate) const EXCHANGE: Space = Space::named("exchange");
pub(crate) const IDEMPOTENCY: Space = Space::named("idempotency");
pub(crate) const KEY_DUE: Space = Space::named("key-due");
pub(crate) const QUARANTINE: Space = Space::named("quarantine");
pub(crate) const REFERENCE: Space = Space::named("reference");
pub(crate) const DUE: Space = Space::named("due");
pub(crate) const EVENT: Space = Space::named("event");
pub(crate) const DELIVERY: Space = Space::named("delivery");
pub(crate) const ANOMALY: Space = Space::named("anomaly");
pub(crate) const APP: Space = Space::named("app");
pub(crate) const KEPT: Space = Space::named("kept");
pub(crate) const CARD: Space = Space::named("card");
pub(crate) const CARD_DUE: Space = Space::named("card-due");
pub(crate) const CARD_FILE: Space = Space::named("card-file");
pub(crate) const CARD_KEY: Space = Space::named("card-key");

/// Every space with records that hold something sealed (`vault::Vaulted`), at whatever depth.
pub(crate) const SEALED: &[Space] = &[APP, CARD, CARD_KEY, ENDPOINT];
pub(crate) const ENDPOINT: Space = Space::named("endpoint");
pub(crate) const ENDPOINT_ADDED: Space = Space::named("endpoint-added");
pub(crate) const CIRCUIT: Space = Space::named("circuit");
pub(crate) const OUTBOX: Space = Space::named("outbox");
pub(crate) const DELIVERED: Space = Space::named("delivered");
pub(crate) const DEAD: Space = Space::named("dead");
pub(crate) const NONCE: Space = Space::named("nonce");
pub(crate) const AUDIT: Space = Space::named("audit");
pub(crate) const SPENT: Space = Space::named("spent");
pub(crate) const AUDITED: Space = Space::named("audited");

/// What was asked, kept so that the plugin can be given the same again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Operation {
    pub payment: Id,
    pub entry: Id,
    pub account: String,
    pub kind: Kind,
    #[serde(default)]
    pub instrument: Option<Instrument>,
    /// Of a card: what a plugin may know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<Shown>,
    pub description: String,
    #[serde(default)]
    pub return_url: Option<String>,
    #[serde(default)]
    pub customer_ip: Option<String>,
    #[serde(default)]
    pub beneficiary: Option<String>,
    #[serde(default)]
    pub extra: BTreeMap<String, String>,
    /// The idempotency record to complete when the outcome is known.
    pub idempotency: String,
    /// All the randomness of the operation, drawn once, in hexadecimal.
    pub seed: String,
    #[serde(default)]
    pub recovery: Recovery,
    /// The anomaly that was noticed last: the same one again is no news.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noticed: Option<AnomalyKind>,
}

/// What may be known of the card that an operation is paid with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shown {
    pub brand: String,
    pub last4: String,
    /// Whether a security code came along for this operation.
    pub security_code: bool,
    pub holder: bool,
}

/// How finding out about an open entry stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recovery {
    /// Requests recorded so far; the newest exchange has the number before.
    pub exchanges: u32,
    /// Whether a request that may move money was recorded.
    pub money_asked: bool,
    /// When the newest of them was recorded.
    pub asked_at_ms: TimestampMs,
    /// When it was sent again last.
    #[serde(default)]
    pub again_at_ms: TimestampMs,
    /// How often the provider was asked what became of it.
    pub syncs: u32,
    /// How often, late enough to count, it said that it has never heard of it.
    pub absences: u32,
    /// When the next question is due: the key in `due`.
    #[serde(default)]
    pub due_at_ms: Option<TimestampMs>,
}

impl Recovery {
    /// Whether a "not found" counts that is told now: none of the requests, of which each is under
    /// way for so long at most, can arrive later.
    pub fn is_late(&self, now: TimestampMs, under_way_ms: u64) -> bool {
        now >= self.asked_at_ms.max(self.again_at_ms).saturating_add(under_way_ms)
    }

    /// Whether the same bytes may be sent again now: they move money once for so many seconds from
    /// the first time on, by the provider's clock, when they *arrive*.
    pub fn may_repeat(&self, now: TimestampMs, seconds: u32, under_way_ms: u64) -> bool {
        let until = self.asked_at_ms.saturating_add(u64::from(seconds) * 1000);
        self.money_asked && now.saturating_add(under_way_ms) < until
    }
}

/// A request and its reply, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Exchange {
    pub request: egress::Request,
    pub moves_money: bool,
    /// The plugin's continuation, in base64.
    pub state: String,
    /// The time the plugin was given when it made the request.
    pub made_at_ms: TimestampMs,
    /// The version of the plugin that made it.
    pub plugin: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<egress::Reply>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// What was asked and answered under an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Idempotent {
    /// SHA-256 of the request, in hexadecimal.
    pub digest: String,
    pub payment: Id,
    pub entry: Id,
    /// The payment as it was answered.
    #[serde(default)]
    pub answer: Option<Payment>,
}

/// Where a provider's reference leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Found {
    pub payment: Id,
    pub entry: Id,
    /// By the second identifier, which need not be unique.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secondary: bool,
}

impl Found {
    pub fn new(payment: &Id, entry: &Id) -> Found {
        Found { payment: payment.clone(), entry: entry.clone(), secondary: false }
    }
}

/// A value a plugin asked to remember.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// In base64.
    pub value: String,
    #[serde(default)]
    pub until_ms: Option<TimestampMs>,
}

pub(crate) fn listed_key(app: &Id, payment: &Id) -> Vec<u8> {
    format!("{app}/{payment}").into_bytes()
}

pub(crate) fn exchange_key(entry: &Id, number: u32) -> Vec<u8> {
    format!("{entry}/{number:04}").into_bytes()
}

pub(crate) fn sync_key(entry: &Id, sync: u32, number: u32) -> Vec<u8> {
    format!("{entry}/sync-{sync:04}/{number:04}").into_bytes()
}

pub(crate) fn idempotency_key(app: &Id, key: &str) -> String {
    format!("{app}/{key}")
}

/// The key of an idempotency record, among all by their age.
pub(crate) fn key_due(at_ms: TimestampMs, key: &[u8]) -> Vec<u8> {
    [&at_ms.to_be_bytes()[..], key].concat()
}

pub(crate) fn reference_key(account: &str, kind: Kind, reference: &str) -> Vec<u8> {
    format!("{account}/{}/{reference}", kind.name()).into_bytes()
}

pub(crate) fn due_key(at_ms: TimestampMs, entry: &Id) -> Vec<u8> {
    [&at_ms.to_be_bytes()[..], entry.as_str().as_bytes()].concat()
}

pub(crate) fn delivery_key(account: &str, event: &str) -> Vec<u8> {
    format!("{account}/{event}").into_bytes()
}

pub(crate) fn endpoint_key(app: &Id, endpoint: &Id) -> Vec<u8> {
    format!("{app}/{endpoint}").into_bytes()
}

/// What the rows of an endpoint begin with, by its key.
pub(crate) fn outbox_prefix(endpoint: &[u8]) -> Vec<u8> {
    [endpoint, b"/"].concat()
}

/// The key of the endpoint that a row is for.
pub(crate) fn outbox_endpoint(row: &[u8]) -> Option<Vec<u8>> {
    let (prefix, _) = row.split_at_checked(row.len().checked_sub(APPEND_BYTES)?)?;
    prefix.strip_suffix(b"/").map(<[u8]>::to_vec)
}

pub(crate) fn kept_key(account: &str, name: &str) -> Vec<u8> {
    format!("{account}/{name}").into_bytes()
}

pub(crate) fn audit_key(seq: u64) -> Vec<u8> {
    seq.to_be_bytes().to_vec()
}

/// A record, and the version it has for the precondition of a commit.
#[derive(Clone, Debug)]
pub(crate) struct Read<T> {
    pub value: T,
    pub version: u64,
}

/// Reads and decodes one record.
pub(crate) async fn read<T: DeserializeOwned>(
    store: &dyn Store,
    space: Space,
    key: &[u8],
) -> Result<Option<Read<T>>, Error> {
    let Some(record) = store.read(space, key).await? else { return Ok(None) };
    let value = decode(space, key, &record.value)?;
    Ok(Some(Read { value, version: record.version }))
}

/// Decodes a record that was read.
pub(crate) fn decode<T: DeserializeOwned>(
    space: Space,
    key: &[u8],
    value: &[u8],
) -> Result<T, Error> {
    serde_json::from_slice(value).map_err(|wrong| {
        let key = String::from_utf8_lossy(key);
        Error::new(
            store::Kind::Damaged,
            format!("the record {space}/{key} is not what it should be: {wrong}"),
        )
    })
}

/// Encodes a record.
pub(crate) fn encode(value: &impl Serialize) -> Vec<u8> {
    // Every record is a plain struct with text keys: serialising it into memory cannot fail.
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
mod tests;
