//! Keys for the tests: made anew at each run, or given by a published vector.

use std::sync::LazyLock;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs8::{DecodePrivateKey, EncodePublicKey, LineEnding};
use vault::{Key, Legacy, Secret};

/// One RSA key for the whole run: 2048 bits, made at its start.
pub struct RsaPair {
    pub own: rsa::RsaPrivateKey,
    pub private: Key,
    pub public: Key,
}

pub static RSA: LazyLock<RsaPair> = LazyLock::new(|| {
    let made = KeyPair::generate(KeySize::Rsa2048).unwrap().as_der().unwrap();
    let own = rsa::RsaPrivateKey::from_pkcs8_der(made.as_ref()).unwrap();
    let public = own.to_public_key().to_public_key_pem(LineEnding::LF).unwrap();
    RsaPair {
        private: from_pem(&armour("PRIVATE KEY", made.as_ref())),
        public: from_pem(&public),
        own,
    }
});

pub fn secret(bytes: &[u8]) -> Secret {
    Secret::new("of-test", bytes.to_vec())
}

pub fn symmetric(bytes: &[u8]) -> Key {
    Key::symmetric("test", None, &secret(bytes)).unwrap()
}

pub fn from_pem(pem: &str) -> Key {
    Key::from_pem("test", None, &secret(pem.as_bytes())).unwrap()
}

pub fn armour(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

pub fn bytes(digits: &str) -> Vec<u8> {
    hex::decode(digits.split_ascii_whitespace().collect::<String>()).unwrap()
}

pub fn everything_granted() -> Legacy {
    Legacy::granting(Legacy::NAMES).unwrap()
}
