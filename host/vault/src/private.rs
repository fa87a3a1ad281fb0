//! Private keys: sign and unwrap, in aws-lc alone, in constant time.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{
    KeyPair, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPrivateDecryptingKey,
    PrivateDecryptingKey,
};
use aws_lc_rs::signature::{self as lc, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaEncoding};
use rsa::pkcs8::PrivateKeyInfo;
use zeroize::Zeroizing;

use crate::public::{EC, ED25519, Family, P256, PublicKey, RSA};
use crate::{Error, KeyTransport, SignatureAlgorithm};

/// A private key, checked when it was read. aws-lc holds the bytes and wipes them.
pub enum PrivateKey {
    /// One key for each of its two uses.
    Rsa { signing: KeyPair, unwrapping: OaepPrivateDecryptingKey },
    /// One key for each of the two written forms of a signature.
    P256 { fixed: EcdsaKeyPair, der: EcdsaKeyPair },
    /// RFC 8032.
    Ed25519(Ed25519KeyPair),
}

impl PrivateKey {
    /// Reads a `PrivateKeyInfo` or `OneAsymmetricKey` (RFC 5208, RFC 5958), not encrypted.
    pub fn from_pkcs8(der: &[u8]) -> Result<PrivateKey, String> {
        let info = PrivateKeyInfo::try_from(der).map_err(|_| "malformed PKCS#8")?;
        match (info.algorithm.oid, info.algorithm.parameters_oid().ok()) {
            (RSA, _) => PrivateKey::from_pkcs1(info.private_key),
            (EC, Some(P256)) => PrivateKey::p256(der),
            (EC, _) => Err("an elliptic curve other than P-256".to_owned()),
            (ED25519, _) => Ed25519KeyPair::from_pkcs8(der)
                .map(PrivateKey::Ed25519)
                .map_err(|_| "an Ed25519 key that is not valid".to_owned()),
            (oid, _) => Err(format!("a private key of unknown algorithm {oid}")),
        }
    }

    /// Reads an `RSAPrivateKey` (RFC 8017 appendix A.1.2).
    pub fn from_pkcs1(der: &[u8]) -> Result<PrivateKey, String> {
        let signing =
            KeyPair::from_der(der).map_err(|reason| match reason.to_string().as_str() {
                "TooSmall" => "an RSA key of less than 2048 bits".to_owned(),
                "TooLarge" => "an RSA key of more than 8192 bits".to_owned(),
                _ => "an RSA key that is not valid".to_owned(),
            })?;
        let unwrapping = AsDer::as_der(&signing)
            .ok()
            .and_then(|pkcs8| PrivateDecryptingKey::from_pkcs8(pkcs8.as_ref()).ok())
            .and_then(|key| OaepPrivateDecryptingKey::new(key).ok())
            .ok_or("an RSA key that does not decrypt")?;
        Ok(PrivateKey::Rsa { signing, unwrapping })
    }

    /// Reads an `ECPrivateKey` (SEC 1 appendix C.4, RFC 5915) or its PKCS#8 form.
    pub fn p256(der: &[u8]) -> Result<PrivateKey, String> {
        let read = |form| {
            EcdsaKeyPair::from_private_key_der(form, der)
                .map_err(|_| "an elliptic-curve key that is not a valid P-256 key".to_owned())
        };
        Ok(PrivateKey::P256 {
            fixed: read(&lc::ECDSA_P256_SHA256_FIXED_SIGNING)?,
            der: read(&lc::ECDSA_P256_SHA256_ASN1_SIGNING)?,
        })
    }

    /// Its kind.
    pub fn family(&self) -> Family {
        match self {
            PrivateKey::Rsa { .. } => Family::Rsa,
            PrivateKey::P256 { .. } => Family::P256,
            PrivateKey::Ed25519(_) => Family::Ed25519,
        }
    }

    /// The public half.
    pub fn public(&self) -> Result<PublicKey, String> {
        match self {
            PrivateKey::Rsa { signing, .. } => PublicKey::from_pkcs1(signing.public_key().as_ref()),
            PrivateKey::P256 { fixed, .. } => PublicKey::p256(fixed.public_key().as_ref().to_vec()),
            PrivateKey::Ed25519(key) => PublicKey::ed25519(key.public_key().as_ref().to_vec()),
        }
    }

    /// Signs; nothing when the algorithm is for keys of another kind, or does not sign at all.
    pub fn sign(&self, by: SignatureAlgorithm, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        let signature = match (self, by) {
            (PrivateKey::Rsa { signing, .. }, by) => {
                let mut signature = vec![0; signing.public_modulus_len()];
                signing.sign(rsa_encoding(by)?, &random, message, &mut signature).ok()?;
                return Some(signature);
            }
            (PrivateKey::P256 { fixed, .. }, SignatureAlgorithm::EcdsaP256Sha256) => {
                fixed.sign(&random, message).ok()?
            }
            (PrivateKey::P256 { der, .. }, SignatureAlgorithm::EcdsaP256Sha256Der) => {
                der.sign(&random, message).ok()?
            }
            (PrivateKey::Ed25519(key), SignatureAlgorithm::Ed25519) => {
                key.try_sign(message).ok()?
            }
            _ => return None,
        };
        Some(signature.as_ref().to_vec())
    }
}

/// Decrypts under OAEP; any failure is `Rejected`.
pub fn unwrap(
    key: &OaepPrivateDecryptingKey,
    by: &'static OaepAlgorithm,
    wrapped: &[u8],
) -> Result<Vec<u8>, Error> {
    let mut room = Zeroizing::new(vec![0; key.min_output_size()]);
    let plaintext = key.decrypt(by, wrapped, &mut room, None).map_err(|_| Error::Rejected)?;
    Ok(plaintext.to_vec())
}

/// The OAEP parameters of a key transport; nothing for PKCS#1 v1.5, which is never unwrapped.
pub fn oaep(by: KeyTransport) -> Option<&'static OaepAlgorithm> {
    match by {
        KeyTransport::RsaOaepSha1 => Some(&OAEP_SHA1_MGF1SHA1),
        KeyTransport::RsaOaepSha256 => Some(&OAEP_SHA256_MGF1SHA256),
        KeyTransport::RsaPkcs1 => None,
    }
}

fn rsa_encoding(by: SignatureAlgorithm) -> Option<&'static dyn RsaEncoding> {
    match by {
        SignatureAlgorithm::RsaPkcs1Sha256 => Some(&lc::RSA_PKCS1_SHA256),
        SignatureAlgorithm::RsaPkcs1Sha384 => Some(&lc::RSA_PKCS1_SHA384),
        SignatureAlgorithm::RsaPkcs1Sha512 => Some(&lc::RSA_PKCS1_SHA512),
        SignatureAlgorithm::RsaPssSha256 => Some(&lc::RSA_PSS_SHA256),
        SignatureAlgorithm::RsaPssSha384 => Some(&lc::RSA_PSS_SHA384),
        SignatureAlgorithm::RsaPssSha512 => Some(&lc::RSA_PSS_SHA512),
        _ => None,
    }
}
