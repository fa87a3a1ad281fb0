//! What an app is: a developer's integration, what it may do, and the keys it proves itself with.
//!
//! Not here: how a request proves itself (the HTTP edge), and how apps are kept (`apps`).

use std::collections::BTreeSet;
use std::sync::Arc;

use ledger::{Id, TimestampMs};
use serde::{Deserialize, Serialize};

/// A developer's integration.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct App {
    /// Its identifier.
    pub id: Id,
    /// The name the operator gave.
    pub name: String,
    /// When it was added.
    pub created_at_ms: TimestampMs,
    /// When it was revoked; none of its keys is good from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at_ms: Option<TimestampMs>,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
    /// The least it has to prove with each request.
    pub protection: Protection,
    /// The accounts open to it; none stands for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accounts: Option<BTreeSet<String>>,
    /// Every key it was ever given.
    pub keys: Vec<AppKey>,
}

/// A group of operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Begin, capture and cancel payments, and keep cards.
    Pay,
    /// Give back what was taken.
    Refund,
    /// Pay out.
    Payout,
    /// Read payments and the feed, ask the provider what became of them.
    Read,
}

impl Scope {
    /// All of them.
    pub const ALL: [Scope; 4] = [Scope::Pay, Scope::Refund, Scope::Payout, Scope::Read];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Scope::Pay => "pay",
            Scope::Refund => "refund",
            Scope::Payout => "payout",
            Scope::Read => "read",
        }
    }
}

/// What a request has to prove; each asks for all that the one before it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protection {
    /// Nothing but an API key: for tests, and behind a network that can be trusted.
    Bearer,
    /// Each request is signed (RFC 9421).
    Signature,
    /// Each request is signed, and its body encrypted (RFC 7516).
    Encryption,
}

/// A key of an app.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct AppKey {
    /// Its name, unique within the app.
    pub id: String,
    /// What it is for, and what the host keeps of it.
    pub form: KeyForm,
    /// When it was added.
    pub created_at_ms: TimestampMs,
    /// The last moment it is good; none is for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after_ms: Option<TimestampMs>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at_ms: Option<TimestampMs>,
}

/// What a key is for, and what the host keeps of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyForm {
    /// An API key: the SHA-256 of its secret, in hexadecimal.
    Bearer(String),
    /// Verifies signatures: a public key, SPKI in PEM; Ed25519, P-256 or RSA.
    Verify(String),
    /// Encrypts answers: an RSA public key, SPKI in PEM.
    Encrypt(String),
}

impl AppKey {
    /// Whether the key is good at this moment.
    pub fn is_good(&self, now: TimestampMs) -> bool {
        let ended = |end: Option<TimestampMs>| end.is_some_and(|end| end <= now);
        !ended(self.revoked_at_ms) && !ended(self.not_after_ms)
    }
}

impl App {
    /// Whether the app is admitted at all at this moment.
    pub fn is_good(&self, now: TimestampMs) -> bool {
        self.revoked_at_ms.is_none_or(|end| end > now)
    }

    /// The key of this name, if it is good at this moment.
    pub fn key(&self, id: &str, now: TimestampMs) -> Option<&AppKey> {
        self.keys.iter().find(|key| key.id == id && key.is_good(now))
    }
}

/// Who sent a request, and how that is known.
#[derive(Clone, Debug)]
pub struct Sender {
    /// The app.
    pub app: Arc<App>,
    /// The name of the key the request was proven by.
    pub key: String,
    /// How.
    pub proof: Proof,
}

/// How a request was proven to be an app's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// It carried an API key.
    Bearer,
    /// It was signed.
    Signature,
}
