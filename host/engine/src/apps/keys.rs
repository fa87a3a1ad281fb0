//! Making keys of apps: what the host keeps of each, and what is shown once.
//!
//! An API key is `tgk_<app>_<secret>`: which app, and 32 random bytes in hexadecimal. Only the
//! SHA-256 of the secret is kept; 256 random bits need no slower hash. A key that both sides know
//! is kept sealed; of a key pair only the public half ever comes here.

use sha2::{Digest, Sha256};
use vault::Spki;

use super::{Apps, KEYS_MAX, Unchanged, unfit};
use crate::app::{App, AppKey, KeyForm, place};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ledger::TimestampMs;

/// A key to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewKey {
    /// An API key.
    Bearer,
    /// A key for HMAC-SHA256 signatures.
    Hmac,
    /// A public key that verifies signatures: SPKI or X.509 in PEM; Ed25519, P-256, RSA from 2048
    /// bits on.
    Verify(String),
    /// A key for AES-256-GCM.
    Aes,
    /// A public key to encrypt answers to: SPKI or X.509 in PEM; RSA from 2048 bits on.
    Encrypt(String),
}

/// A key that was made. What it shows is not kept, and cannot be shown again.
pub struct Shown {
    /// The key's name.
    pub id: String,
    /// The API key, or the symmetric key in base64; none of a public key.
    pub secret: Option<String>,
}

impl NewKey {
    /// A new key of the form of an older one.
    pub(super) fn like(form: &KeyForm, pem: Option<&str>) -> Result<NewKey, Unchanged> {
        let needed = || unfit("public_key", "give the new public key");
        match (form, pem) {
            (KeyForm::Verify(_), pem) => Ok(NewKey::Verify(pem.ok_or_else(needed)?.to_owned())),
            (KeyForm::Encrypt(_), pem) => Ok(NewKey::Encrypt(pem.ok_or_else(needed)?.to_owned())),
            (_, Some(_)) => Err(unfit("public_key", "leave it out: the new key is drawn")),
            (KeyForm::Bearer(_), None) => Ok(NewKey::Bearer),
            (KeyForm::Hmac(_), None) => Ok(NewKey::Hmac),
            (KeyForm::Aes(_), None) => Ok(NewKey::Aes),
        }
    }
}

impl Apps {
    /// Makes a key and adds it to the app.
    pub(super) fn make_key(
        &self,
        app: &mut App,
        name: Option<&str>,
        key: &NewKey,
        now: TimestampMs,
    ) -> Result<Shown, Unchanged> {
        let id = self.key_name(app, name)?;
        let (form, secret) = self.form(app, &id, key)?;
        make_room(app, now)?;
        app.keys.push(AppKey {
            id: id.clone(),
            form,
            created_at_ms: now,
            not_after_ms: None,
            revoked_at_ms: None,
        });
        Ok(Shown { id, secret })
    }

    fn key_name(&self, app: &App, name: Option<&str>) -> Result<String, Unchanged> {
        let Some(name) = name else {
            return Ok(format!("key-{}", hex::encode(self.random::<4>())));
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if !(1..=64).contains(&name.len()) || !name.bytes().all(plain) {
            return Err(unfit("id", "write 1 to 64 letters, digits, hyphens, points, underscores"));
        }
        match app.keys.iter().any(|key| key.id == name) {
            true => Err(Unchanged::KeyExists(name.to_owned())),
            false => Ok(name.to_owned()),
        }
    }

    fn form(
        &self,
        app: &App,
        id: &str,
        key: &NewKey,
    ) -> Result<(KeyForm, Option<String>), Unchanged> {
        match key {
            NewKey::Bearer => {
                let secret = hex::encode(self.random::<32>());
                let shown = format!("tgk_{}_{secret}", app.id.as_str().trim_start_matches("app_"));
                Ok((KeyForm::Bearer(hash(&secret)), Some(shown)))
            }
            NewKey::Hmac | NewKey::Aes => {
                let secret = self.random::<32>();
                let sealed = self.at_rest.seal(&place(&app.id, id), &secret)?;
                let hmac = *key == NewKey::Hmac;
                let form = if hmac { KeyForm::Hmac(sealed) } else { KeyForm::Aes(sealed) };
                Ok((form, Some(BASE64.encode(secret))))
            }
            NewKey::Verify(pem) => Ok((KeyForm::Verify(public(pem)?.pem), None)),
            NewKey::Encrypt(pem) => match public(pem)? {
                spki if spki.algorithm == "RSA" => Ok((KeyForm::Encrypt(spki.pem), None)),
                spki => {
                    let remedy =
                        format!("answers are encrypted to RSA keys, not {}", spki.algorithm);
                    Err(unfit("public_key", remedy))
                }
            },
        }
    }
}

fn public(pem: &str) -> Result<Spki, Unchanged> {
    Spki::read(pem).map_err(|what| unfit("public_key", what))
}

/// Forgets the oldest keys that are no longer good, where there are too many.
fn make_room(app: &mut App, now: TimestampMs) -> Result<(), Unchanged> {
    while app.keys.len() >= KEYS_MAX {
        let ended = app.keys.iter().position(|key| !key.is_good(now));
        let ended = ended.ok_or_else(|| unfit("key", "revoke a key first: the app has many"))?;
        app.keys.remove(ended);
    }
    Ok(())
}

pub(super) fn no_key(id: &str) -> Unchanged {
    Unchanged::NoSuchKey(id.chars().take(64).collect())
}

pub(super) fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret))
}
