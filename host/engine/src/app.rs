//! What an app is: a developer's integration, what it may do, and the keys it proves itself with.
//!
//! Not here: how a request proves itself (the HTTP edge), and how apps are kept (`apps`).

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use ledger::{Currency, Id, TimestampMs};
use serde::{Deserialize, Serialize};
use vault::Vaulted;

/// A developer's integration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    #[serde(default = "every_scope")]
    pub scopes: BTreeSet<Scope>,
    /// Where its requests may come from; empty stands for anywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<IpNet>,
    /// The least it has to prove with each request.
    #[serde(default)]
    pub protection: Protection,
    /// The accounts open to it; none stands for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accounts: Option<BTreeSet<String>>,
    /// How often it may ask; none stands for as often as it likes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// What it may spend in a UTC day: at most one limit a currency; others have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spending: Vec<SpendingLimit>,
    /// Every key it was ever given.
    pub keys: Vec<AppKey>,
}

fn every_scope() -> BTreeSet<Scope> {
    Scope::ALL.into()
}

/// How often an app may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// Requests a second, in the long run; at least 1.
    pub per_second: u32,
    /// Requests at once; at least 1.
    pub burst: u32,
}

/// What an app may spend of one currency in a UTC day: by payments, whether they are captured or
/// not, and by payouts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpendingLimit {
    /// Which currency.
    pub currency: Currency,
    /// How much of it, in minor units.
    pub amount_minor_max: u64,
}

/// A network as people write it: in CIDR notation, or one address.
pub fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protection {
    /// Nothing but an API key: for tests, and behind a network that can be trusted.
    #[default]
    Bearer,
    /// Each request is signed (RFC 9421).
    Signature,
    /// Each request is signed, and its body encrypted (RFC 7516).
    Encryption,
}

impl Protection {
    /// All of them, the least first.
    pub const ALL: [Protection; 3] =
        [Protection::Bearer, Protection::Signature, Protection::Encryption];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Protection::Bearer => "bearer",
            Protection::Signature => "signature",
            Protection::Encryption => "encryption",
        }
    }
}

/// A key of an app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Kept")]
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

/// A key as it stands in the store: before keys had names, it was the hash of an API key.
#[derive(Deserialize)]
#[serde(untagged)]
enum Kept {
    Hash(String),
    Named {
        id: String,
        form: KeyForm,
        created_at_ms: TimestampMs,
        #[serde(default)]
        not_after_ms: Option<TimestampMs>,
        #[serde(default)]
        revoked_at_ms: Option<TimestampMs>,
    },
}

impl From<Kept> for AppKey {
    fn from(kept: Kept) -> AppKey {
        match kept {
            Kept::Hash(hash) => AppKey {
                id: format!("key-{}", hash.get(..8).unwrap_or_default()),
                form: KeyForm::Bearer(hash),
                created_at_ms: 0,
                not_after_ms: None,
                revoked_at_ms: None,
            },
            Kept::Named { id, form, created_at_ms, not_after_ms, revoked_at_ms } => {
                AppKey { id, form, created_at_ms, not_after_ms, revoked_at_ms }
            }
        }
    }
}

/// What a key is for, and what the host keeps of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyForm {
    /// An API key: the SHA-256 of its secret, in hexadecimal.
    Bearer(String),
    /// Verifies signatures: a public key, SPKI in PEM; Ed25519, P-256 or RSA.
    Verify(String),
    /// Verifies signatures, and is known to both sides: the 32 bytes of an HMAC-SHA256 key, sealed.
    /// See [`place`] for where.
    Hmac(Vaulted),
    /// Encrypts answers: an RSA public key, SPKI in PEM.
    Encrypt(String),
    /// Encrypts bodies both ways, and is known to both sides: the 32 bytes of an AES-256 key,
    /// sealed. See [`place`] for where.
    Aes(Vaulted),
}

/// The place that the sealed key of an app is bound to.
pub fn place(app: &Id, key: &str) -> String {
    format!("app/{app}/{key}")
}

impl KeyForm {
    /// What the host does with it: `bearer`, `sign` or `encrypt`.
    pub fn used_to(&self) -> &'static str {
        match self {
            KeyForm::Bearer(_) => "bearer",
            KeyForm::Verify(_) | KeyForm::Hmac(_) => "sign",
            KeyForm::Encrypt(_) | KeyForm::Aes(_) => "encrypt",
        }
    }
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

    /// Whether its requests may come from this address. An IPv4 address written as an IPv6 one is
    /// that IPv4 address.
    pub fn is_from(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.is_empty() || self.networks.iter().any(|network| network.contains(&address))
    }

    /// Whether the account is open to it.
    pub fn may_use(&self, account: &str) -> bool {
        self.accounts.as_ref().is_none_or(|open| open.contains(account))
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
