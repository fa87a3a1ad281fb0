//! Values whose key lies apart from them, so that destroying the key destroys the value, copies of
//! the value and master keys notwithstanding.
//!
//! A [`Vaulted`](super::Vaulted) carries its data key along, wrapped. Here the value is sealed
//! under a [`ValueKey`] alone, and the key, wrapped by the master key into a [`WrappedKey`], goes
//! to another place: neither place opens anything without the other and the master key. Both are
//! bound to the place of the value.
//!
//! Not here: where wrapped keys are kept, and how they are destroyed.

use std::fmt;

use zeroize::Zeroizing;

use super::{AtRest, Error, KEY_BYTES, Master, opened, random, sealed};
use crate::Secret;

/// What binds a wrapped key to its purpose; the master key's name and the place follow.
const WRAPPING: &str = "tollgate/at-rest/1/key-apart/";
/// What binds a value to its purpose; its place follows.
const SEALING: &str = "tollgate/at-rest/1/value-apart/";
/// The form of [`WrappedKey::to_bytes`].
const FORM: u8 = 1;

/// The key of one value. Wiped when dropped.
pub struct ValueKey(Zeroizing<Vec<u8>>);

/// A [`ValueKey`] under a master key.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedKey {
    master: String,
    /// Nonce, wrapped key, tag.
    wrapped: Vec<u8>,
}

impl ValueKey {
    /// Seals the value of this key. A key seals one value.
    ///
    /// # Errors
    /// `NoEntropy`.
    pub fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>, Error> {
        sealed(&self.0, &format!("{SEALING}{place}"), plain)
    }

    /// Opens what was sealed by this key for this place.
    ///
    /// # Errors
    /// `Rejected`.
    pub fn open(&self, place: &str, value: &[u8]) -> Result<Secret, Error> {
        let value = opened(&self.0, &format!("{SEALING}{place}"), value);
        let value = value.ok_or_else(|| Error::Rejected(place.to_owned()))?;
        Ok(Secret::from_zeroizing(place, value))
    }
}

impl WrappedKey {
    /// The name of the master key it is under.
    pub fn key_id(&self) -> &str {
        &self.master
    }

    /// For a store: at most 126 bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        // A master key's name has 1 to 64 characters.
        let length = u8::try_from(self.master.len()).unwrap_or_default();
        [&[FORM, length], self.master.as_bytes(), &self.wrapped].concat()
    }

    /// From what a store kept; none where it is something else.
    pub fn from_bytes(bytes: &[u8]) -> Option<WrappedKey> {
        let (&[FORM, length], rest) = bytes.split_first_chunk()? else { return None };
        let (master, wrapped) = rest.split_at_checked(usize::from(length))?;
        let master = String::from_utf8(master.to_vec()).ok()?;
        Some(WrappedKey { master, wrapped: wrapped.to_vec() })
    }
}

impl fmt::Debug for ValueKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ValueKey")
    }
}

impl fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WrappedKey(under {})", self.master)
    }
}

impl AtRest {
    /// A fresh key for one value at this place, and the same under the current master key.
    ///
    /// # Errors
    /// `Closed` or `NoEntropy`.
    pub fn fresh_key(&self, place: &str) -> Result<(ValueKey, WrappedKey), Error> {
        let master = self.0.first().ok_or(Error::Closed)?;
        let key = ValueKey(Zeroizing::new(random::<KEY_BYTES>()?.to_vec()));
        let wrapped = wrap(master, place, &key)?;
        Ok((key, wrapped))
    }

    /// The key that was wrapped for this place.
    ///
    /// # Errors
    /// `Closed`, `NoSuchMaster`, `Rejected`.
    pub fn unwrap_key(&self, place: &str, wrapped: &WrappedKey) -> Result<ValueKey, Error> {
        if self.0.is_empty() {
            return Err(Error::Closed);
        }
        let master = self.0.iter().find(|master| master.id == wrapped.master);
        let master = master.ok_or_else(|| Error::NoSuchMaster(wrapped.master.clone()))?;
        let key = opened(master.key.expose(), &purpose(master, place), &wrapped.wrapped);
        key.map(ValueKey).ok_or_else(|| Error::Rejected(place.to_owned()))
    }

    /// The same key under the current master key; none when it is under it already.
    ///
    /// # Errors
    /// As [`AtRest::unwrap_key`].
    pub fn rewrap(&self, place: &str, wrapped: &WrappedKey) -> Result<Option<WrappedKey>, Error> {
        let master = self.0.first().ok_or(Error::Closed)?;
        if wrapped.master == master.id {
            return Ok(None);
        }
        wrap(master, place, &self.unwrap_key(place, wrapped)?).map(Some)
    }
}

fn wrap(master: &Master, place: &str, key: &ValueKey) -> Result<WrappedKey, Error> {
    let wrapped = sealed(master.key.expose(), &purpose(master, place), &key.0)?;
    Ok(WrappedKey { master: master.id.clone(), wrapped })
}

fn purpose(master: &Master, place: &str) -> String {
    format!("{WRAPPING}{}/{place}", master.id)
}

#[cfg(test)]
mod tests;
