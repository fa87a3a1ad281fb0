//! A named key: loaded once from its text form, used by algorithm name, never given out.

use std::fmt;

use crate::{Cipher, Error, KeyTransport, Legacy, MacAlgorithm, Secret, SignatureAlgorithm};

/// What a key can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Bytes for a MAC or a cipher.
    Symmetric,
    /// A private key: signs and unwraps.
    Private,
    /// A public key or a certificate: verifies and wraps.
    Public,
}

/// A key in a slot.
pub struct Key {
    slot: String,
    id: Option<String>,
}

impl Key {
    /// A key from PEM: PKCS#1, PKCS#8, SEC 1, SPKI or an X.509 certificate. The id of a certificate
    /// is its serial number in upper-case hexadecimal unless one is given.
    pub fn from_pem(slot: &str, id: Option<&str>, pem: &Secret) -> Result<Key, Error> {
        let _ = (slot, id, pem);
        unimplemented!()
    }

    /// A symmetric key of these bytes.
    pub fn symmetric(slot: &str, id: Option<&str>, bytes: &Secret) -> Result<Key, Error> {
        let _ = (slot, id, bytes);
        unimplemented!()
    }

    /// The slot it fills.
    pub fn slot(&self) -> &str {
        &self.slot
    }

    /// Its id within the slot.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// What it can do.
    pub fn kind(&self) -> KeyKind {
        unimplemented!()
    }

    /// The MAC of `message`.
    pub fn mac(&self, by: MacAlgorithm, message: &[u8], legacy: &Legacy) -> Result<Vec<u8>, Error> {
        let _ = (by, message, legacy);
        unimplemented!()
    }

    /// Checks a MAC in constant time.
    pub fn verify_mac(
        &self,
        by: MacAlgorithm,
        message: &[u8],
        tag: &[u8],
        legacy: &Legacy,
    ) -> Result<(), Error> {
        let _ = (by, message, tag, legacy);
        unimplemented!()
    }

    /// Signs `message`. Refuses legacy algorithms always.
    pub fn sign(&self, by: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>, Error> {
        let _ = (by, message);
        unimplemented!()
    }

    /// Checks a signature.
    pub fn verify(
        &self,
        by: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
        legacy: &Legacy,
    ) -> Result<(), Error> {
        let _ = (by, message, signature, legacy);
        unimplemented!()
    }

    /// Encrypts: the ciphertext, with the tag after it under AES-GCM.
    pub fn seal(
        &self,
        cipher: Cipher,
        nonce: &[u8],
        associated: &[u8],
        plaintext: &[u8],
        legacy: &Legacy,
    ) -> Result<Vec<u8>, Error> {
        let _ = (cipher, nonce, associated, plaintext, legacy);
        unimplemented!()
    }

    /// Decrypts what `seal` makes.
    pub fn open_sealed(
        &self,
        cipher: Cipher,
        nonce: &[u8],
        associated: &[u8],
        sealed: &[u8],
        legacy: &Legacy,
    ) -> Result<Vec<u8>, Error> {
        let _ = (cipher, nonce, associated, sealed, legacy);
        unimplemented!()
    }

    /// Encrypts to this public key; `seed` is the randomness, so that a step run again gives the
    /// same bytes.
    pub fn wrap(
        &self,
        by: KeyTransport,
        plaintext: &[u8],
        seed: [u8; 32],
        legacy: &Legacy,
    ) -> Result<Vec<u8>, Error> {
        let _ = (by, plaintext, seed, legacy);
        unimplemented!()
    }

    /// Decrypts with this private key.
    pub fn unwrap(&self, by: KeyTransport, wrapped: &[u8]) -> Result<Vec<u8>, Error> {
        let _ = (by, wrapped);
        unimplemented!()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}, {:?})", self.slot, self.id)
    }
}
