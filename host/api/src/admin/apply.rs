//! What an operator asks, read from a body that was held to its shape already.

use std::collections::BTreeSet;

use engine::{AppChange, IpNet, NewKey, Protection, Rate, Scope, SpendingLimit};
use serde::{Deserialize, Deserializer};

use crate::catalogue::FIELDS_INVALID;
use crate::problem::{Fault, Place, Problem};

/// How long an old key stays good beside a new one when nothing is said: a day.
const OVERLAP_S: u64 = 86_400;

/// The body of a new app.
#[derive(Deserialize)]
pub(super) struct NewAppForm {
    /// None within: no key yet.
    #[serde(default, deserialize_with = "said")]
    key: Option<Option<KeyForm>>,
    #[serde(flatten)]
    change: ChangeForm,
}

/// The body of a change of an app.
#[derive(Deserialize)]
pub(super) struct ChangeForm {
    name: Option<String>,
    scopes: Option<BTreeSet<Scope>>,
    networks: Option<Vec<String>>,
    protection: Option<Protection>,
    #[serde(default, deserialize_with = "said")]
    accounts: Option<Option<BTreeSet<String>>>,
    #[serde(default, deserialize_with = "said")]
    rate: Option<Option<Rate>>,
    spending: Option<Vec<SpendingLimit>>,
}

/// The body of a new key.
#[derive(Deserialize)]
pub(super) struct KeyForm {
    id: Option<String>,
    #[serde(rename = "type")]
    kind: KeyKind,
    #[serde(default)]
    public_key: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum KeyKind {
    Bearer,
    Hmac,
    Verify,
    Aes,
    Encrypt,
}

/// The body of a rotation.
#[derive(Deserialize)]
pub(super) struct RotationForm {
    overlap_s: Option<u64>,
    public_key: Option<String>,
}

/// Tells null, which is said, from nothing, which is not.
fn said<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}

impl NewAppForm {
    /// What to make the app of, and its first key: an API key when nothing is said.
    pub(super) fn read(self) -> Result<(AppChange, Option<NewKey>), Problem> {
        let key = match self.key {
            None => Some(NewKey::Bearer),
            Some(key) => key.map(|key| key.read().1),
        };
        Ok((self.change.read()?, key))
    }
}

impl ChangeForm {
    pub(super) fn read(self) -> Result<AppChange, Problem> {
        Ok(AppChange {
            name: self.name,
            scopes: self.scopes,
            networks: self.networks.map(|networks| read_networks(&networks)).transpose()?,
            protection: self.protection,
            accounts: self.accounts,
            rate: self.rate,
            spending: self.spending,
        })
    }
}

impl KeyForm {
    /// The name that is wanted, and the key.
    pub(super) fn read(self) -> (Option<String>, NewKey) {
        let key = match self.kind {
            KeyKind::Bearer => NewKey::Bearer,
            KeyKind::Hmac => NewKey::Hmac,
            KeyKind::Verify => NewKey::Verify(self.public_key),
            KeyKind::Aes => NewKey::Aes,
            KeyKind::Encrypt => NewKey::Encrypt(self.public_key),
        };
        (self.id, key)
    }
}

impl RotationForm {
    pub(super) fn overlap_ms(&self) -> u64 {
        self.overlap_s.unwrap_or(OVERLAP_S).saturating_mul(1_000)
    }

    pub(super) fn public_key(&self) -> Option<&str> {
        self.public_key.as_deref()
    }
}

fn read_networks(texts: &[String]) -> Result<Vec<IpNet>, Problem> {
    let mut faults = Vec::new();
    let mut networks = Vec::new();
    for (n, text) in texts.iter().enumerate() {
        match engine::network(text) {
            Some(network) => networks.push(network),
            None => faults.push(Fault::new(
                Place::Body,
                format!("/networks/{n}"),
                "format",
                "write a network as in 192.0.2.0/24 or 2001:db8::/32",
            )),
        }
    }
    let whole = faults.is_empty();
    if whole { Ok(networks) } else { Err(Problem::with_faults(&FIELDS_INVALID, faults)) }
}
