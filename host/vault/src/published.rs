//! What may be published of an asymmetric key: the numbers of its public half, as a JWK holds them
//! (RFC 7518 section 6, RFC 8037 section 2), and a key read back from them.

use rsa::pkcs1::EncodeRsaPublicKey;
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, RsaPublicKey};

use crate::Error;
use crate::public::PublicKey;

/// The public half of a key, numbers in big-endian bytes without leading zeros for RSA, and of
/// their full width for the curves.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are what their names say")]
pub enum Published {
    /// RFC 8017.
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    /// A point of P-256, 32 bytes each.
    P256 { x: Vec<u8>, y: Vec<u8> },
    /// RFC 8032, 32 bytes.
    Ed25519 { x: Vec<u8> },
}

impl Published {
    /// The numbers of a PKCS#1 public key, an uncompressed point or an Ed25519 key.
    pub(crate) fn of(key: &PublicKey) -> Option<Published> {
        match key {
            PublicKey::Rsa { key, .. } => Some(Published::Rsa {
                modulus: key.n().to_bytes_be(),
                exponent: key.e().to_bytes_be(),
            }),
            PublicKey::P256(point) => {
                let (form, numbers) = point.split_first()?;
                let (x, y) = numbers.split_at_checked(32)?;
                let whole = *form == 4 && y.len() == 32;
                whole.then(|| Published::P256 { x: x.to_vec(), y: y.to_vec() })
            }
            PublicKey::Ed25519(x) => Some(Published::Ed25519 { x: x.clone() }),
        }
    }

    /// The key, checked as one from PEM is.
    pub(crate) fn key(&self) -> Result<PublicKey, Error> {
        let read = match self {
            Published::Rsa { modulus, exponent } => rsa_key(modulus, exponent),
            Published::P256 { x, y } => PublicKey::p256([&[4], x.as_slice(), y].concat()),
            Published::Ed25519 { x } => PublicKey::ed25519(x.clone()),
        };
        read.map_err(Error::BadInput)
    }
}

fn rsa_key(modulus: &[u8], exponent: &[u8]) -> Result<PublicKey, String> {
    let (n, e) = (BigUint::from_bytes_be(modulus), BigUint::from_bytes_be(exponent));
    let key = RsaPublicKey::new_with_max_size(n, e, 8192)
        .map_err(|_| "an RSA key outside the limits of size and exponent")?;
    let der = key.to_pkcs1_der().map_err(|_| "malformed RSA key")?;
    PublicKey::from_pkcs1(der.as_bytes())
}
