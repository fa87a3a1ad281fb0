//! The platform's cryptography: it checks the merchant's signatures, signs its own answers, seals
//! notifications and opens names.
//!
//! RSA by the `rsa` crate and AES-GCM by `aes-gcm`, which are not the libraries of the host.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey};
use rsa::rand_core::OsRng;
use rsa::sha2::{Digest, Sha256};
use rsa::{Oaep, Pkcs1v15Sign, RsaPrivateKey, RsaPublicKey};
use serde_json::{Value, json};
use sha1_for_rsa::Sha1;
use x509_parser::pem::parse_x509_pem;

use crate::courier::Seal;
use crate::identifiers;

use super::keys::{KeyError, WechatpayKeys};

/// What the platform signs its answers and notifications with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlatformIdentity {
    /// A key named `PUB_KEY_ID_…`: the way of merchants since 2024.
    #[default]
    PublicKey,
    /// The key of a certificate, named by its serial number; the certificate can be downloaded.
    Certificate,
}

/// The platform's view of the keys.
pub(crate) struct Platform {
    pub identity: PlatformIdentity,
    pub mchid: String,
    pub merchant_serial: String,
    pub platform_serial: String,
    pub platform_certificate: String,
    pub public_key_id: String,
    merchant: RsaPublicKey,
    certificate_key: RsaPrivateKey,
    public_key: RsaPrivateKey,
    api_v3_key: Aes256Gcm,
}

impl Platform {
    pub fn new(keys: &WechatpayKeys, identity: PlatformIdentity) -> Result<Self, KeyError> {
        let private = |pem: &str| {
            RsaPrivateKey::from_pkcs8_pem(pem)
                .map_err(|error| KeyError::new(format!("not an RSA private key: {error}")))
        };
        let api_v3_key = Aes256Gcm::new_from_slice(keys.api_v3_key.as_bytes())
            .map_err(|_| KeyError::new("an APIv3 key has 32 characters"))?;
        Ok(Self {
            identity,
            mchid: keys.mchid.clone(),
            merchant_serial: keys.merchant_serial.clone(),
            platform_serial: keys.platform_serial.clone(),
            platform_certificate: keys.platform_certificate.clone(),
            public_key_id: keys.public_key_id.clone(),
            merchant: certified_key(&keys.merchant_certificate)?,
            certificate_key: private(&keys.platform_key)?,
            public_key: private(&keys.public_key_secret)?,
            api_v3_key,
        })
    }

    /// Whether the merchant signed this: RSASSA-PKCS1-v1_5 with SHA-256, in base64.
    pub fn merchant_signed(&self, message: &[u8], signature: &str) -> bool {
        let Ok(signature) = STANDARD.decode(signature) else { return false };
        let scheme = Pkcs1v15Sign::new::<Sha256>();
        self.merchant.verify(scheme, &Sha256::digest(message), &signature).is_ok()
    }

    /// The name of the key that signs.
    pub fn serial(&self) -> &str {
        match self.identity {
            PlatformIdentity::PublicKey => &self.public_key_id,
            PlatformIdentity::Certificate => &self.platform_serial,
        }
    }

    /// The headers that prove a body, over `timestamp\nnonce\nbody\n`.
    pub fn proof(&self, body: &[u8], at_s: i64, seal: Seal) -> Vec<(&'static str, String)> {
        let nonce = identifiers::alphanumeric("", 32);
        let mut message = format!("{at_s}\n{nonce}\n").into_bytes();
        message.extend_from_slice(body);
        message.push(b'\n');
        let signature = match seal {
            Seal::Genuine => self.sign(&message),
            // As WeChat Pay probes whether a merchant checks signatures at all.
            Seal::Broken => format!("WECHATPAY/SIGNTEST/{}", self.sign(&message)),
        };
        vec![
            ("wechatpay-timestamp", at_s.to_string()),
            ("wechatpay-nonce", nonce),
            ("wechatpay-signature", signature),
            ("wechatpay-serial", self.serial().to_owned()),
            ("wechatpay-signature-type", "WECHATPAY2-SHA256-RSA2048".to_owned()),
        ]
    }

    fn sign(&self, message: &[u8]) -> String {
        let key = match self.identity {
            PlatformIdentity::PublicKey => &self.public_key,
            PlatformIdentity::Certificate => &self.certificate_key,
        };
        let scheme = Pkcs1v15Sign::new::<Sha256>();
        let signed = key.sign_with_rng(&mut OsRng, scheme, &Sha256::digest(message));
        // A key of 2048 bits signs any digest; an empty signature would be refused by the host.
        STANDARD.encode(signed.unwrap_or_default())
    }

    /// Seals a text under the APIv3 key, as notifications and the certificate list carry it.
    pub fn sealed(&self, text: &[u8], associated_data: &str) -> Value {
        let nonce = identifiers::alphanumeric("", 12);
        let payload = Payload { msg: text, aad: associated_data.as_bytes() };
        let ciphertext = Nonce::try_from(nonce.as_bytes())
            .ok()
            .and_then(|nonce| self.api_v3_key.encrypt(&nonce, payload).ok())
            .unwrap_or_default();
        json!({
            "algorithm": "AEAD_AES_256_GCM",
            "nonce": nonce,
            "associated_data": associated_data,
            "ciphertext": STANDARD.encode(ciphertext),
        })
    }

    /// Opens a field the merchant encrypted to the key it names: RSA-OAEP over SHA-1.
    pub fn opened(&self, serial: &str, encrypted: &str) -> Option<String> {
        let key = if serial == self.public_key_id {
            &self.public_key
        } else if serial == self.platform_serial {
            &self.certificate_key
        } else {
            return None;
        };
        let ciphertext = STANDARD.decode(encrypted).ok()?;
        let plain = key.decrypt_blinded(&mut OsRng, Oaep::new::<Sha1>(), &ciphertext).ok()?;
        String::from_utf8(plain).ok()
    }
}

fn certified_key(pem: &str) -> Result<RsaPublicKey, KeyError> {
    let wrong = || KeyError::new("not a certificate of an RSA key");
    let (_, pem) = parse_x509_pem(pem.as_bytes()).map_err(|_| wrong())?;
    let certificate = pem.parse_x509().map_err(|_| wrong())?;
    RsaPublicKey::from_public_key_der(certificate.public_key().raw).map_err(|_| wrong())
}
