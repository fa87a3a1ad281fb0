//! Fresh private keys, as PKCS#8 in PEM (RFC 5958, RFC 7468). The randomness is aws-lc's own.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::{Error, Secret};

/// The kinds of key pairs that are made here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PairKind {
    /// RFC 8032.
    Ed25519,
    /// FIPS 186-5 over P-256.
    P256,
    /// RFC 8017 with a modulus of 3072 bits.
    Rsa3072,
}

impl PairKind {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            PairKind::Ed25519 => "ed25519",
            PairKind::P256 => "p256",
            PairKind::Rsa3072 => "rsa",
        }
    }
}

/// A fresh private key in PEM, under this name. `Rejected` when the system gives no randomness.
pub fn private_pem(name: &str, kind: PairKind) -> Result<Secret, Error> {
    let random = SystemRandom::new();
    let failed = |_| Error::Rejected;
    let pem = match kind {
        PairKind::Ed25519 => {
            pem(Ed25519KeyPair::generate_pkcs8v1(&random).map_err(failed)?.as_ref())
        }
        PairKind::P256 => {
            let by = &ECDSA_P256_SHA256_FIXED_SIGNING;
            pem(EcdsaKeyPair::generate_pkcs8(by, &random).map_err(failed)?.as_ref())
        }
        PairKind::Rsa3072 => {
            let pair = KeyPair::generate(KeySize::Rsa3072).map_err(failed)?;
            let der: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
            pem(der.as_ref())
        }
    };
    Ok(Secret::from_zeroizing(name, pem))
}

/// RFC 7468: lines of 64 characters.
fn pem(der: &[u8]) -> Zeroizing<Vec<u8>> {
    let text = Zeroizing::new(STANDARD.encode(der));
    let mut pem = Zeroizing::new(b"-----BEGIN PRIVATE KEY-----\n".to_vec());
    for line in text.as_bytes().chunks(64) {
        pem.extend_from_slice(line);
        pem.push(b'\n');
    }
    pem.extend_from_slice(b"-----END PRIVATE KEY-----\n");
    pem
}
