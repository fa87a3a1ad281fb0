//! Values sealed at rest: a data key for each value, wrapped by a master key of the operator.
//!
//! A [`Vaulted`] is plain data for a store: AES-256-GCM under a data key of its own, which is
//! wrapped by AES-256-GCM under the current [`Master`]. What is sealed is bound to its place (a
//! name such as `card/card_01J.../number`): copied to another place it does not open. Under a new
//! master only the data key is wrapped anew, so that re-sealing reads no value. A value that has to
//! be destroyed one day, whoever has a copy of it, is sealed by a key that lies `apart`.
//!
//! Not here: where master keys are read from, which records hold a [`Vaulted`], when it is done.

mod apart;

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

pub use self::apart::{ValueKey, WrappedKey};
use crate::sealing::{self, Text};
use crate::{Cipher, Encoding, Secret};

/// The form of a [`Vaulted`] that this version writes and reads.
const VERSION: u8 = 1;
/// Bytes of a master key and of a data key: AES-256.
const KEY_BYTES: usize = 32;
/// Bytes of a nonce of AES-GCM, which stand before the sealed text (SP 800-38D section 5.2.1.1).
const NONCE_BYTES: usize = 12;
/// What binds a wrapped data key to its purpose: it opens as nothing else.
const WRAPPING: &str = "tollgate/at-rest/1/data-key/";
/// What binds a sealed value to its purpose; its place follows.
const SEALING: &str = "tollgate/at-rest/1/value/";

/// Why something was not sealed or not opened. None shows a byte of a value or of a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No master key is configured.
    #[error(
        "the vault is closed: make a master key with `tollgate vault key > keys/master` and name \
         it in the configuration by [vault] master = [{{ id = \"1\", file = \"keys/master\" }}]"
    )]
    Closed,
    /// The value is under a master key that is not configured.
    #[error(
        "sealed under the master key `{0}`, which [vault] does not name: add it after the current \
         one"
    )]
    NoSuchMaster(String),
    /// The value was changed, or copied from another place.
    #[error("what is sealed at `{0}` does not open: it was changed, or sealed for another place")]
    Rejected(String),
    /// Written by a later version.
    #[error("sealed in the form {0}, which this version does not read")]
    Version(u8),
    /// A master key is not one, or two have one name.
    #[error("master key `{id}`: {what}")]
    Unfit {
        /// Which.
        id: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The operating system gives no random bytes.
    #[error("the operating system gives no random bytes")]
    NoEntropy,
}

/// A master key with a name. Its `Debug` prints the name.
#[derive(Clone)]
pub struct Master {
    id: String,
    key: Secret,
}

impl Master {
    /// The master key of this name as it is written: 32 bytes in base64 or hexadecimal.
    ///
    /// # Errors
    /// `Unfit` where the name or the text is none.
    pub fn read(id: &str, written: &Secret) -> Result<Master, Error> {
        let unfit = |what| Error::Unfit { id: id.to_owned(), what };
        let named = (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
        if !named {
            return Err(unfit("its id has 1 to 64 printable ASCII characters and no space"));
        }
        // 64 characters of hexadecimal would be 48 bytes of base64: never both.
        let forms = [Encoding::Hex, Encoding::Base64].map(|form| form.decode(written).ok());
        let key = forms.into_iter().flatten().find(|key| key.expose().len() == KEY_BYTES);
        let key = key.ok_or_else(|| unfit("it is not 32 bytes in base64 or hexadecimal"))?;
        if key.expose().iter().all(|byte| Some(byte) == key.expose().first()) {
            return Err(unfit("it is one byte 32 times over: make one with `tollgate vault key`"));
        }
        Ok(Master { id: id.to_owned(), key })
    }

    /// A fresh master key in base64, as [`Master::read`] takes it.
    ///
    /// # Errors
    /// `NoEntropy`.
    pub fn fresh() -> Result<Zeroizing<String>, Error> {
        Ok(Zeroizing::new(BASE64.encode(random::<KEY_BYTES>()?)))
    }
}

impl fmt::Debug for Master {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Master({})", self.id)
    }
}

/// A sealed value, for a store. Serialised it is an object whose field `vaulted` is its version.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vaulted {
    vaulted: u8,
    /// The master key that wraps the data key.
    key: String,
    /// Nonce, wrapped data key, tag.
    #[serde(with = "base64_text")]
    wrapped: Vec<u8>,
    /// Nonce, sealed value, tag.
    #[serde(with = "base64_text")]
    sealed: Vec<u8>,
}

impl Vaulted {
    /// The name of the master key it is under.
    pub fn key_id(&self) -> &str {
        &self.key
    }
}

impl fmt::Debug for Vaulted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vaulted(under {}, {} bytes)", self.key, self.sealed.len())
    }
}

/// Seals and opens values. Cheap to clone; without a master key it is closed and refuses.
#[derive(Clone, Debug, Default)]
pub struct AtRest(Arc<[Master]>);

impl AtRest {
    /// Seals under the first master key and opens under any of them; closed where there is none.
    ///
    /// # Errors
    /// `Unfit` where two have one name.
    pub fn new(masters: Vec<Master>) -> Result<AtRest, Error> {
        for (n, master) in masters.iter().enumerate() {
            if masters.iter().take(n).any(|other| other.id == master.id) {
                let what = "two master keys have this id";
                return Err(Error::Unfit { id: master.id.clone(), what });
            }
        }
        Ok(AtRest(masters.into()))
    }

    /// Without a master key: refuses everything, with the remedy.
    pub fn closed() -> AtRest {
        AtRest::default()
    }

    /// The name of the master key that new values are sealed under; none when closed.
    pub fn current(&self) -> Option<&str> {
        self.0.first().map(|master| master.id.as_str())
    }

    /// Seals a value for a place; the same value sealed twice looks different each time.
    ///
    /// # Errors
    /// `Closed` or `NoEntropy`.
    pub fn seal(&self, place: &str, plain: &[u8]) -> Result<Vaulted, Error> {
        let master = self.0.first().ok_or(Error::Closed)?;
        let data_key = Zeroizing::new(random::<KEY_BYTES>()?);
        Ok(Vaulted {
            vaulted: VERSION,
            key: master.id.clone(),
            wrapped: wrap(master, &*data_key)?,
            sealed: sealed(&*data_key, &format!("{SEALING}{place}"), plain)?,
        })
    }

    /// Opens what was sealed for this place. The secret has the name of the place.
    ///
    /// # Errors
    /// `Closed`, `NoSuchMaster`, `Version`, or `Rejected` whatever else is wrong with it.
    pub fn open(&self, place: &str, vaulted: &Vaulted) -> Result<Secret, Error> {
        let data_key = self.unwrap(place, vaulted)?;
        let value = opened(&data_key, &format!("{SEALING}{place}"), &vaulted.sealed);
        let value = value.ok_or_else(|| Error::Rejected(place.to_owned()))?;
        Ok(Secret::from_zeroizing(place, value))
    }

    /// The same value under the current master key; none when it is under it already. The value is
    /// not opened: only its data key is wrapped anew.
    ///
    /// # Errors
    /// As [`AtRest::open`].
    pub fn reseal(&self, vaulted: &Vaulted) -> Result<Option<Vaulted>, Error> {
        let master = self.0.first().ok_or(Error::Closed)?;
        if vaulted.key == master.id {
            return Ok(None);
        }
        let data_key = self.unwrap("a data key", vaulted)?;
        let wrapped = wrap(master, &data_key)?;
        Ok(Some(Vaulted { key: master.id.clone(), wrapped, ..vaulted.clone() }))
    }

    fn unwrap(&self, place: &str, vaulted: &Vaulted) -> Result<Zeroizing<Vec<u8>>, Error> {
        if self.0.is_empty() {
            return Err(Error::Closed);
        }
        if vaulted.vaulted != VERSION {
            return Err(Error::Version(vaulted.vaulted));
        }
        let master = self.0.iter().find(|master| master.id == vaulted.key);
        let master = master.ok_or_else(|| Error::NoSuchMaster(vaulted.key.clone()))?;
        let purpose = format!("{WRAPPING}{}", master.id);
        opened(master.key.expose(), &purpose, &vaulted.wrapped)
            .ok_or_else(|| Error::Rejected(place.to_owned()))
    }
}

fn wrap(master: &Master, data_key: &[u8]) -> Result<Vec<u8>, Error> {
    sealed(master.key.expose(), &format!("{WRAPPING}{}", master.id), data_key)
}

/// Nonce, sealed text, tag. A random nonce of 96 bits may be drawn 2^32 times under one key (SP
/// 800-38D section 8.3): a data key is used once, a master key once a value.
fn sealed(key: &[u8], associated: &str, plain: &[u8]) -> Result<Vec<u8>, Error> {
    let nonce = random::<NONCE_BYTES>()?;
    let text = Text { nonce: &nonce, associated: associated.as_bytes(), body: plain };
    // The sizes of key and nonce are ours: what is left to fail is a text of 64 GiB.
    let sealed = sealing::seal(Cipher::AesGcm, key, text)
        .map_err(|_| Error::Rejected(associated.to_owned()))?;
    Ok([&nonce[..], &sealed].concat())
}

fn opened(key: &[u8], associated: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, body) = sealed.split_at_checked(NONCE_BYTES)?;
    let text = Text { nonce, associated: associated.as_bytes(), body };
    sealing::open(Cipher::AesGcm, key, text).ok().map(Zeroizing::new)
}

fn random<const LENGTH: usize>() -> Result<[u8; LENGTH], Error> {
    let mut bytes = [0; LENGTH];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Error::NoEntropy)?;
    Ok(bytes)
}

/// Bytes as a text of base64, for records in JSON.
mod base64_text {
    use super::*;

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64.decode(text).map_err(|_| serde::de::Error::custom("not base64"))
    }
}

#[cfg(test)]
mod tests;
