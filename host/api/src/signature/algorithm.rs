//! The algorithms (RFC 9421, section 3.3), by the names of its registry. P-384 is not taken.

use vault::{Key, Legacy, MacAlgorithm, SignatureAlgorithm};

use super::Error;

/// An algorithm. Which one is used is decided by the key that is known, never by the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Section 3.3.3.
    HmacSha256,
    /// Section 3.3.1; a salt of 64 bytes.
    RsaPssSha512,
    /// Section 3.3.2.
    RsaV15Sha256,
    /// Section 3.3.4; `r || s`, 64 bytes.
    EcdsaP256Sha256,
    /// Section 3.3.6.
    Ed25519,
}

impl Algorithm {
    /// Every one.
    pub const ALL: [Algorithm; 5] = [
        Algorithm::HmacSha256,
        Algorithm::RsaPssSha512,
        Algorithm::RsaV15Sha256,
        Algorithm::EcdsaP256Sha256,
        Algorithm::Ed25519,
    ];

    /// The registered name.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::HmacSha256 => "hmac-sha256",
            Algorithm::RsaPssSha512 => "rsa-pss-sha512",
            Algorithm::RsaV15Sha256 => "rsa-v1_5-sha256",
            Algorithm::EcdsaP256Sha256 => "ecdsa-p256-sha256",
            Algorithm::Ed25519 => "ed25519",
        }
    }

    /// The algorithm of this name; none when it is not taken here.
    pub fn named(name: &str) -> Option<Algorithm> {
        Algorithm::ALL.into_iter().find(|one| one.name() == name)
    }

    /// The signature of `base`.
    ///
    /// # Errors
    /// A key of another kind, or a public one.
    pub fn sign(self, key: &Key, base: &str) -> Result<Vec<u8>, vault::Error> {
        match self.asymmetric() {
            Some(by) => key.sign(by, base.as_bytes()),
            None => key.mac(MacAlgorithm::HmacSha256, base.as_bytes(), &Legacy::none()),
        }
    }

    /// Whether `signature` is one of `base` by this key; a key of another kind is no different
    /// from a wrong one. A MAC is compared in constant time.
    pub fn verify(self, key: &Key, base: &str, signature: &[u8]) -> Result<(), Error> {
        let (message, legacy) = (base.as_bytes(), Legacy::none());
        let held = match self.asymmetric() {
            Some(by) => key.verify(by, message, signature, &legacy),
            None => key.verify_mac(MacAlgorithm::HmacSha256, message, signature, &legacy),
        };
        held.map_err(|_| Error::Wrong)
    }

    fn asymmetric(self) -> Option<SignatureAlgorithm> {
        match self {
            Algorithm::HmacSha256 => None,
            Algorithm::RsaPssSha512 => Some(SignatureAlgorithm::RsaPssSha512),
            Algorithm::RsaV15Sha256 => Some(SignatureAlgorithm::RsaPkcs1Sha256),
            Algorithm::EcdsaP256Sha256 => Some(SignatureAlgorithm::EcdsaP256Sha256),
            Algorithm::Ed25519 => Some(SignatureAlgorithm::Ed25519),
        }
    }
}
