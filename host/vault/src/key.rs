//! A named key: loaded once from its text form, used by algorithm name, never given out.

use std::fmt;

use crate::pem::Read;
use crate::private::{self, PrivateKey};
use crate::public::{self, Family, PublicKey};
use crate::sealing::{self, Text};
use crate::{
    Cipher, Encoding, Error, KeyTransport, Legacy, MacAlgorithm, Published, Secret,
    SignatureAlgorithm, mac, pem,
};

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

/// A key in a slot. Its `Debug` prints slot, id and kind, and no byte of it.
pub struct Key {
    slot: String,
    id: Option<String>,
    not_after: Option<i64>,
    material: Material,
}

enum Material {
    Symmetric(Secret),
    Private(PrivateKey),
    Public(PublicKey),
}

impl Key {
    /// A key from PEM: PKCS#1, PKCS#8, SEC 1, SPKI or an X.509 certificate. The id of a certificate
    /// is its serial number in upper-case hexadecimal unless one is given. `BadInput` says what is
    /// wrong with the text, and shows nothing of it.
    pub fn from_pem(slot: &str, id: Option<&str>, pem: &Secret) -> Result<Key, Error> {
        let read = pem::read(pem).map_err(|what| {
            Error::BadInput(format!("secret `{}` for slot `{slot}`: {what}", pem.name()))
        })?;
        let (material, serial, not_after) = match read {
            Read::Private(key) => (Material::Private(key), None, None),
            Read::Public(key) => (Material::Public(key), None, None),
            Read::Certificate(certificate) => (
                Material::Public(certificate.key),
                Some(certificate.serial),
                Some(certificate.not_after),
            ),
        };
        let id = id.map(str::to_owned).or(serial);
        Ok(Key { slot: slot.to_owned(), id, not_after, material })
    }

    /// A symmetric key of these bytes; `BadInput` when there are none.
    pub fn symmetric(slot: &str, id: Option<&str>, bytes: &Secret) -> Result<Key, Error> {
        if bytes.expose().is_empty() {
            let name = bytes.name();
            return Err(Error::BadInput(format!("secret `{name}` for slot `{slot}` is empty")));
        }
        Ok(Key {
            slot: slot.to_owned(),
            id: id.map(str::to_owned),
            not_after: None,
            material: Material::Symmetric(bytes.clone()),
        })
    }

    /// A symmetric key of the bytes that `written` stands for.
    pub fn from_encoded(
        slot: &str,
        id: Option<&str>,
        written: &Secret,
        encoding: Encoding,
    ) -> Result<Key, Error> {
        Key::symmetric(slot, id, &encoding.decode(written)?)
    }

    /// The slot it fills.
    pub fn slot(&self) -> &str {
        &self.slot
    }

    /// Its id within the slot.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Of a certificate, the end of its validity in seconds of Unix time (RFC 5280 section
    /// 4.1.2.5). An expired certificate still verifies: the configuration check warns about it,
    /// so that no payment stops at midnight.
    pub fn not_after(&self) -> Option<i64> {
        self.not_after
    }

    /// What it can do.
    pub fn kind(&self) -> KeyKind {
        match self.material {
            Material::Symmetric(_) => KeyKind::Symmetric,
            Material::Private(_) => KeyKind::Private,
            Material::Public(_) => KeyKind::Public,
        }
    }

    /// What may be published of it; nothing of a symmetric key.
    pub fn published(&self) -> Option<Published> {
        match &self.material {
            Material::Symmetric(_) => None,
            Material::Private(key) => Published::of(&key.public().ok()?),
            Material::Public(key) => Published::of(key),
        }
    }

    /// A public key of these numbers; `BadInput` when they are no key, or one of a refused size.
    pub fn of_published(slot: &str, id: Option<&str>, published: &Published) -> Result<Key, Error> {
        let material = Material::Public(published.key()?);
        Ok(Key { slot: slot.to_owned(), id: id.map(str::to_owned), not_after: None, material })
    }

    /// The MAC of `message`.
    pub fn mac(&self, by: MacAlgorithm, message: &[u8], legacy: &Legacy) -> Result<Vec<u8>, Error> {
        legacy.admit(by.name())?;
        mac::tag(by, self.bytes(by.name())?, message)
    }

    /// Checks a MAC in constant time.
    pub fn verify_mac(
        &self,
        by: MacAlgorithm,
        message: &[u8],
        tag: &[u8],
        legacy: &Legacy,
    ) -> Result<(), Error> {
        legacy.admit(by.name())?;
        mac::verify(by, self.bytes(by.name())?, message, tag)
    }

    /// Signs `message`. Refuses legacy algorithms always.
    pub fn sign(&self, by: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>, Error> {
        Legacy::none().admit(by.name())?;
        let signed = match &self.material {
            Material::Private(key) => key.sign(by, message),
            _ => None,
        };
        signed.ok_or_else(|| self.unfit(by.name(), &private_key(Family::of(by))))
    }

    /// Checks a signature.
    pub fn verify(
        &self,
        by: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
        legacy: &Legacy,
    ) -> Result<(), Error> {
        legacy.admit(by.name())?;
        match &self.material {
            Material::Public(key) if key.family() == Family::of(by) => {
                key.verify(by, message, signature)
            }
            _ => Err(self.unfit(by.name(), &public_key(Family::of(by)))),
        }
    }

    /// Encrypts: the ciphertext, with the tag after it under AES-GCM.
    #[expect(clippy::too_many_arguments, reason = "five, besides the key itself")]
    pub fn seal(
        &self,
        cipher: Cipher,
        nonce: &[u8],
        associated: &[u8],
        plaintext: &[u8],
        legacy: &Legacy,
    ) -> Result<Vec<u8>, Error> {
        legacy.admit(cipher.name())?;
        let text = Text { nonce, associated, body: plaintext };
        sealing::seal(cipher, self.bytes(cipher.name())?, text)
    }

    /// Decrypts what `seal` makes.
    #[expect(clippy::too_many_arguments, reason = "five, besides the key itself")]
    pub fn open_sealed(
        &self,
        cipher: Cipher,
        nonce: &[u8],
        associated: &[u8],
        sealed: &[u8],
        legacy: &Legacy,
    ) -> Result<Vec<u8>, Error> {
        legacy.admit(cipher.name())?;
        let text = Text { nonce, associated, body: sealed };
        sealing::open(cipher, self.bytes(cipher.name())?, text)
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
        legacy.admit(by.name())?;
        match &self.material {
            Material::Public(PublicKey::Rsa { key, .. }) => public::wrap(key, by, plaintext, &seed),
            _ => Err(self.unfit(by.name(), &public_key(Family::Rsa))),
        }
    }

    /// Decrypts with this private key. PKCS#1 v1.5 is refused always: whoever learns whether its
    /// padding held can decrypt anything (RFC 8017 section 7.2).
    pub fn unwrap(&self, by: KeyTransport, wrapped: &[u8]) -> Result<Vec<u8>, Error> {
        let oaep = private::oaep(by).ok_or_else(|| Error::LegacyRefused(by.name().to_owned()))?;
        match &self.material {
            Material::Private(PrivateKey::Rsa { unwrapping, .. }) => {
                private::unwrap(unwrapping, oaep, wrapped)
            }
            _ => Err(self.unfit(by.name(), &private_key(Family::Rsa))),
        }
    }

    fn bytes(&self, algorithm: &str) -> Result<&[u8], Error> {
        match &self.material {
            Material::Symmetric(bytes) => Ok(bytes.expose()),
            _ => Err(self.unfit(algorithm, "a symmetric key")),
        }
    }

    fn unfit(&self, algorithm: &str, needed: &str) -> Error {
        let held = match &self.material {
            Material::Symmetric(_) => "a symmetric key".to_owned(),
            Material::Private(key) => private_key(key.family()),
            Material::Public(key) => public_key(key.family()),
        };
        let slot = &self.slot;
        Error::WrongKeyKind(format!("{algorithm} needs {needed}; slot `{slot}` holds {held}"))
    }
}

fn private_key(family: Family) -> String {
    format!("a private {} key", family.name())
}

fn public_key(family: Family) -> String {
    format!("a public {} key", family.name())
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}, {:?}, {:?})", self.slot, self.id, self.kind())
    }
}
