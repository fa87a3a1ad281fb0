//! What the operator configured, and what parts stand for in it.

use std::collections::{BTreeMap, BTreeSet};

use transcript::{Material, Set};
use vault::{Keyring, Legacy, Secret};

use crate::{CryptoError, Encoding, Part, Sensitive, Source};

/// What the operator configured.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub keys: Keyring,
    slots: BTreeSet<String>,
    legacy: Vec<String>,
    pub settings: BTreeMap<String, String>,
    secrets: BTreeMap<String, Secret>,
    card: BTreeMap<String, Secret>,
    pub now: u64,
    /// Of this step: what `derive` and `derive_mac` made, by number.
    pub derived: Vec<Derived>,
}

/// A result that stays with the host.
#[derive(Clone, Debug)]
pub(super) struct Derived {
    pub value: Vec<u8>,
    /// Whether a card field went into it.
    pub card: bool,
}

/// Parts with the sensitive ones filled in.
#[derive(Default)]
pub(super) struct Filled {
    pub bytes: Vec<u8>,
    /// Whether anything in it is sensitive.
    pub sensitive: bool,
    /// Whether a card field is in it, or a result computed from one.
    pub card: bool,
}

impl Account {
    /// Takes one line of configuration.
    pub fn set(&mut self, set: &Set) -> Result<(), String> {
        match set {
            Set::Now(seconds) => self.now = *seconds,
            Set::Setting(name, value) => {
                self.settings.insert(name.clone(), value.clone());
            }
            Set::Secret(name, value) => {
                self.secrets.insert(name.clone(), Secret::new(name, value.clone().into_bytes()));
            }
            Set::Card(field, value) => {
                self.card.insert(field.clone(), Secret::new(field, value.clone().into_bytes()));
            }
            Set::Legacy(name) => return self.grant(name),
            Set::Key { slot, id, material } => return self.key(slot, id.as_deref(), material),
        }
        Ok(())
    }

    fn key(&mut self, slot: &str, id: Option<&str>, material: &Material) -> Result<(), String> {
        let key = match material {
            Material::Symmetric(bytes) => {
                vault::Key::symmetric(slot, id, &Secret::new(slot, bytes.clone()))
            }
            Material::Pem(text) => {
                vault::Key::from_pem(slot, id, &Secret::new(slot, text.clone().into_bytes()))
            }
        };
        self.slots.insert(slot.to_owned());
        self.keys.add(key.map_err(|error| error.to_string())?);
        Ok(())
    }

    /// Grants come before keys: a ring keeps its grants from the beginning.
    fn grant(&mut self, name: &str) -> Result<(), String> {
        self.legacy.push(name.to_owned());
        let names = self.legacy.iter().map(String::as_str);
        let legacy = Legacy::granting(names).map_err(|error| error.to_string())?;
        self.keys = Keyring::new(legacy);
        Ok(())
    }

    /// The bytes that parts stand for, sensitive ones filled in.
    pub fn fill(&self, parts: &[Part]) -> Result<Filled, CryptoError> {
        let mut filled = Filled::default();
        for part in parts {
            match part {
                Part::Text(text) => filled.bytes.extend(text.as_bytes()),
                Part::Bytes(bytes) => filled.bytes.extend(bytes),
                Part::Sensitive(part) => {
                    let Derived { value, card } = self.value(&part.source)?;
                    filled.bytes.extend(encoded(&value, part)?);
                    filled.sensitive = true;
                    filled.card |= card;
                }
            }
        }
        Ok(filled)
    }

    /// Keeps a result for this step: its number.
    pub fn keep(&mut self, derived: Derived) -> Result<u32, CryptoError> {
        let number = u32::try_from(self.derived.len());
        self.derived.push(derived);
        number.map_err(|_| CryptoError::BadInput("too many derived values".to_owned()))
    }

    /// Whether a private key of the account undoes this ciphertext.
    pub fn opens(&self, by: vault::KeyTransport, wrapped: &[u8]) -> bool {
        let mut keys = self.slots.iter().flat_map(|slot| self.keys.versions(slot));
        keys.any(|key| key.kind() == vault::KeyKind::Private && key.unwrap(by, wrapped).is_ok())
    }

    fn value(&self, source: &Source) -> Result<Derived, CryptoError> {
        let of = |secret: &Secret, card| Derived { value: secret.expose().to_vec(), card };
        let found = match source {
            Source::Secret(name) => self.secrets.get(name).map(|secret| of(secret, false)),
            Source::Card(field) => {
                let name = super::to_plain::card_field(*field);
                self.card.get(name).map(|secret| of(secret, true))
            }
            Source::Derived(number) => {
                usize::try_from(*number).ok().and_then(|at| self.derived.get(at).cloned())
            }
        };
        found.ok_or_else(|| CryptoError::BadInput(format!("no value for {source:?}")))
    }
}

/// The encodings of the contract that a message under a MAC may ask for.
fn encoded(value: &[u8], part: &Sensitive) -> Result<Vec<u8>, CryptoError> {
    Ok(match part.encoding {
        Encoding::Raw => value.to_vec(),
        Encoding::Form => crate::form_encoded(value).into_bytes(),
        Encoding::Hex => crate::hex(value).into_bytes(),
        Encoding::Base64 => crate::base64(value).into_bytes(),
        other => return Err(CryptoError::BadInput(format!("{other:?} under a MAC"))),
    })
}
