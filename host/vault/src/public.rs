//! Public keys: verify signatures (aws-lc) and encrypt to their holder (`rsa`).
//!
//! `rsa` wraps because it takes the source of randomness, so that a step run again gives the same
//! bytes; a public operation has no secret of the key to leak.

use aws_lc_rs::signature::{self as lc, UnparsedPublicKey, VerificationAlgorithm};
use hmac::{Hmac, KeyInit, Mac};
use rand_chacha::ChaCha20Rng;
use rsa::pkcs8::{ObjectIdentifier, SubjectPublicKeyInfoRef};
use rsa::rand_core::SeedableRng;
use rsa::sha2::Sha256;
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, Oaep, Pkcs1v15Encrypt, RsaPublicKey};

use sha1_of_rsa::Sha1;

use crate::{Error, KeyTransport, SignatureAlgorithm};

/// The kinds of asymmetric keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Rsa,
    P256,
    Ed25519,
}

impl Family {
    /// The kind of key that a signature algorithm needs.
    pub fn of(by: SignatureAlgorithm) -> Family {
        match by {
            SignatureAlgorithm::RsaPkcs1Sha1
            | SignatureAlgorithm::RsaPkcs1Sha256
            | SignatureAlgorithm::RsaPkcs1Sha384
            | SignatureAlgorithm::RsaPkcs1Sha512
            | SignatureAlgorithm::RsaPssSha256
            | SignatureAlgorithm::RsaPssSha384
            | SignatureAlgorithm::RsaPssSha512 => Family::Rsa,
            SignatureAlgorithm::EcdsaP256Sha256 | SignatureAlgorithm::EcdsaP256Sha256Der => {
                Family::P256
            }
            SignatureAlgorithm::Ed25519 => Family::Ed25519,
        }
    }

    /// Its name in a message.
    pub fn name(self) -> &'static str {
        match self {
            Family::Rsa => "RSA",
            Family::P256 => "P-256",
            Family::Ed25519 => "Ed25519",
        }
    }
}

pub const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
pub const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
pub const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
pub const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// RSA moduli taken, in bits; see `POLICY.md`.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// A public key, checked when it was read.
pub enum PublicKey {
    /// The key, and its PKCS#1 form for aws-lc.
    Rsa { key: RsaPublicKey, der: Vec<u8> },
    /// The point, SEC 1 section 2.3.3.
    P256(Vec<u8>),
    /// RFC 8032 section 5.1.5.
    Ed25519(Vec<u8>),
}

impl PublicKey {
    /// Reads a `SubjectPublicKeyInfo` (RFC 5280 section 4.1).
    pub fn from_spki(der: &[u8]) -> Result<PublicKey, String> {
        let spki = SubjectPublicKeyInfoRef::try_from(der).map_err(|_| "malformed public key")?;
        let bytes = spki.subject_public_key.as_bytes().ok_or("malformed public key")?;
        match (spki.algorithm.oid, spki.algorithm.parameters_oid().ok()) {
            (RSA, _) => PublicKey::from_pkcs1(bytes),
            (EC, Some(P256)) => PublicKey::p256(bytes.to_vec()),
            (EC, _) => Err("an elliptic curve other than P-256".to_owned()),
            (ED25519, _) => PublicKey::ed25519(bytes.to_vec()),
            (oid, _) => Err(format!("a public key of unknown algorithm {oid}")),
        }
    }

    /// A point of P-256 (SEC 1 section 2.3.3).
    pub fn p256(point: Vec<u8>) -> Result<PublicKey, String> {
        checked(&lc::ECDSA_P256_SHA256_FIXED, &point).map(PublicKey::P256)
    }

    /// A key of RFC 8032 section 5.1.5.
    pub fn ed25519(key: Vec<u8>) -> Result<PublicKey, String> {
        checked(&lc::ED25519, &key).map(PublicKey::Ed25519)
    }

    /// Reads an `RSAPublicKey` (RFC 8017 appendix A.1.1).
    pub fn from_pkcs1(der: &[u8]) -> Result<PublicKey, String> {
        let parts = rsa::pkcs1::RsaPublicKey::try_from(der).map_err(|_| "malformed RSA key")?;
        let modulus = BigUint::from_bytes_be(parts.modulus.as_bytes());
        let exponent = BigUint::from_bytes_be(parts.public_exponent.as_bytes());
        rsa_size(modulus.bits())?;
        let key = RsaPublicKey::new_with_max_size(modulus, exponent, *RSA_BITS.end())
            .map_err(|_| "an RSA key outside the limits of size and exponent")?;
        let der = checked(&lc::RSA_PKCS1_2048_8192_SHA256, der)?;
        Ok(PublicKey::Rsa { key, der })
    }

    /// Its kind.
    pub fn family(&self) -> Family {
        match self {
            PublicKey::Rsa { .. } => Family::Rsa,
            PublicKey::P256(_) => Family::P256,
            PublicKey::Ed25519(_) => Family::Ed25519,
        }
    }

    /// Checks a signature by a key of the right family.
    pub fn verify(
        &self,
        by: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Error> {
        UnparsedPublicKey::new(verification(by), self.bytes())
            .verify(message, signature)
            .map_err(|_| Error::Rejected)
    }

    fn bytes(&self) -> &[u8] {
        match self {
            PublicKey::Rsa { der, .. } => der,
            PublicKey::P256(bytes) | PublicKey::Ed25519(bytes) => bytes,
        }
    }
}

/// Whether the policy takes an RSA modulus of this many bits.
pub fn rsa_size(bits: usize) -> Result<(), String> {
    match RSA_BITS.contains(&bits) {
        true => Ok(()),
        false => Err(format!("an RSA key of {bits} bits; it takes 2048 to 8192")),
    }
}

/// Encrypts to an RSA key, with randomness drawn from `seed`, the key and the text: the same call
/// gives the same bytes, and no two texts share their randomness under one seed.
pub fn wrap(
    key: &RsaPublicKey,
    by: KeyTransport,
    plaintext: &[u8],
    seed: &[u8; 32],
) -> Result<Vec<u8>, Error> {
    let mut random = random(key, by, plaintext, seed)?;
    let wrapped = match by {
        KeyTransport::RsaOaepSha1 => key.encrypt(&mut random, Oaep::new::<Sha1>(), plaintext),
        KeyTransport::RsaOaepSha256 => key.encrypt(&mut random, Oaep::new::<Sha256>(), plaintext),
        KeyTransport::RsaPkcs1 => key.encrypt(&mut random, Pkcs1v15Encrypt, plaintext),
    };
    wrapped.map_err(|_| {
        let room = key.size().saturating_sub(overhead(by));
        Error::BadInput(format!(
            "{by} under this key takes {room} bytes at most, not {}",
            plaintext.len()
        ))
    })
}

/// Bytes of the modulus that the padding takes (RFC 8017 sections 7.1.1 and 7.2.1).
fn overhead(by: KeyTransport) -> usize {
    match by {
        KeyTransport::RsaOaepSha1 => 2 * 20 + 2,
        KeyTransport::RsaOaepSha256 => 2 * 32 + 2,
        KeyTransport::RsaPkcs1 => 11,
    }
}

fn random(
    key: &RsaPublicKey,
    by: KeyTransport,
    plaintext: &[u8],
    seed: &[u8; 32],
) -> Result<ChaCha20Rng, Error> {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(seed)
        .map_err(|_| Error::BadInput("no seed".to_owned()))?;
    for part in [by.name().as_bytes(), &key.n().to_bytes_be(), plaintext] {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    Ok(ChaCha20Rng::from_seed(mac.finalize().into_bytes().into()))
}

fn checked(by: &'static dyn VerificationAlgorithm, bytes: &[u8]) -> Result<Vec<u8>, String> {
    match UnparsedPublicKey::new(by, bytes).parse() {
        Ok(_) => Ok(bytes.to_vec()),
        Err(_) => Err("a public key that is not valid".to_owned()),
    }
}

fn verification(by: SignatureAlgorithm) -> &'static dyn VerificationAlgorithm {
    match by {
        SignatureAlgorithm::RsaPkcs1Sha1 => &lc::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
        SignatureAlgorithm::RsaPkcs1Sha256 => &lc::RSA_PKCS1_2048_8192_SHA256,
        SignatureAlgorithm::RsaPkcs1Sha384 => &lc::RSA_PKCS1_2048_8192_SHA384,
        SignatureAlgorithm::RsaPkcs1Sha512 => &lc::RSA_PKCS1_2048_8192_SHA512,
        SignatureAlgorithm::RsaPssSha256 => &lc::RSA_PSS_2048_8192_SHA256,
        SignatureAlgorithm::RsaPssSha384 => &lc::RSA_PSS_2048_8192_SHA384,
        SignatureAlgorithm::RsaPssSha512 => &lc::RSA_PSS_2048_8192_SHA512,
        SignatureAlgorithm::EcdsaP256Sha256 => &lc::ECDSA_P256_SHA256_FIXED,
        SignatureAlgorithm::EcdsaP256Sha256Der => &lc::ECDSA_P256_SHA256_ASN1,
        SignatureAlgorithm::Ed25519 => &lc::ED25519,
    }
}
