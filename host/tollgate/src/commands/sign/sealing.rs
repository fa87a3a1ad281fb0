//! Encrypting the body of a request that is sent for a try, and opening the answer.

use std::path::PathBuf;

use api::jose::{self, Compact, KeyWrap, Recipient};
use clap::Args;
use engine::SystemEntropy;
use serde_json::Value;
use url::Url;

use super::super::Failure;
use super::{exchange, read_key};

/// To whom the body is encrypted.
#[derive(Args)]
pub struct Sealing {
    /// Encrypt the body to the platform: the URL of its keys, `…/.well-known/jwks.json`, or
    /// a file.
    #[arg(long, conflicts_with = "encrypt_key")]
    encrypt_to: Option<String>,
    /// Encrypt the body by a key that both sides hold: a file with 32 bytes in base64.
    #[arg(long, requires = "encrypt_kid")]
    encrypt_key: Option<PathBuf>,
    /// The name of that key: the app's id, a slash, the key's name.
    #[arg(long)]
    encrypt_kid: Option<String>,
    /// The app's private RSA key, to open answers to a body that was encrypted to the platform.
    #[arg(long)]
    decrypt_key: Option<PathBuf>,
}

impl Sealing {
    pub(super) fn wanted(&self) -> bool {
        self.encrypt_to.is_some() || self.encrypt_key.is_some()
    }

    /// The body as a compact JWE.
    pub(super) async fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, Failure> {
        if let (Some(path), Some(kid)) = (&self.encrypt_key, &self.encrypt_kid) {
            let key = read_key(path)?;
            let to = Recipient { kid, wrap: KeyWrap::Dir, key: &key };
            return Ok(jose::seal(plain, to, &SystemEntropy)?.into_bytes());
        }
        let from = self.encrypt_to.as_deref().ok_or("nothing says how to encrypt")?;
        let set = match Url::parse(from) {
            Ok(url) if url.scheme().starts_with("http") => exchange::read_json(&url).await?,
            _ => serde_json::from_slice::<Value>(&std::fs::read(from)?)?,
        };
        let keys = jose::read_set(&set)?;
        let found = keys.iter().find(|(_, usage, _)| usage == "enc");
        let (kid, _, key) = found.ok_or("the platform publishes no key to encrypt to")?;
        let to = Recipient { kid, wrap: KeyWrap::RsaOaep256, key };
        Ok(jose::seal(plain, to, &SystemEntropy)?.into_bytes())
    }

    /// An answer that is a compact JWE.
    pub(super) fn open(&self, body: &[u8]) -> Result<Vec<u8>, Failure> {
        let path = self.encrypt_key.as_ref().or(self.decrypt_key.as_ref());
        let path = path.ok_or("the answer is encrypted; name the key by --decrypt-key")?;
        let key = read_key(path)?;
        let opened = jose::open(&Compact::read(body)?, Some(&key), [0; 32])?;
        Ok(opened.expose().to_vec())
    }
}
