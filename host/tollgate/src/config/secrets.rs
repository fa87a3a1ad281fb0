//! Secrets and keys as the configuration names them: by file or environment variable, never by
//! value.

use std::path::{Path, PathBuf};

use egress::{AllowedHost, Grant, Granted, Place};
use serde::Deserialize;
use vault::{Encoding, Key, Secret};

/// Where a secret stands.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Source {
    /// In an environment variable.
    Env {
        /// Its name.
        env: String,
    },
    /// In a file; one line end at its end is not part of the secret.
    File {
        /// Its path.
        file: PathBuf,
    },
}

/// `[account.NAME.secret.SECRET]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretEntry {
    env: Option<String>,
    file: Option<PathBuf>,
    /// Where it may travel: `header:authorization`, `body`.
    pub places: Vec<PlaceText>,
    /// Towards these of the account's hosts; all of them when not said.
    pub hosts: Option<Vec<AllowedHost>>,
}

/// `[[account.NAME.key]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyEntry {
    /// The slot it fills.
    pub slot: String,
    /// Its id within the slot; of a certificate, the serial number when not said.
    pub id: Option<String>,
    /// How it is written.
    pub form: Form,
    env: Option<String>,
    file: Option<PathBuf>,
}

/// How a key is written.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// PKCS#1, PKCS#8, SEC 1, SPKI or an X.509 certificate in PEM.
    Pem,
    /// The bytes of the text.
    Text,
    /// Hexadecimal.
    Hex,
    /// Base64.
    Base64,
}

/// `header:<name>` or `body`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct PlaceText(pub Place);

impl TryFrom<String> for PlaceText {
    type Error = String;

    fn try_from(text: String) -> Result<PlaceText, String> {
        match text.split_once(':') {
            None if text == "body" => Ok(PlaceText(Place::Body)),
            Some(("header", name)) if !name.is_empty() => {
                Ok(PlaceText(Place::Header(name.to_ascii_lowercase())))
            }
            _ => Err(format!("`{text}` is no place; write `header:authorization` or `body`")),
        }
    }
}

/// The places as the gate has them.
pub(super) fn granted_places(places: &[PlaceText]) -> Vec<Place> {
    places.iter().map(|place| place.0.clone()).collect()
}

impl SecretEntry {
    /// What it grants to the secret of this name.
    pub fn grant(&self, name: &str) -> Grant {
        let (places, hosts) = (granted_places(&self.places), self.hosts.clone());
        Grant { value: Granted::Secret(name.to_owned()), places, hosts }
    }

    /// Reads the secret. The error names it and never shows it.
    pub fn read(&self, name: &str, folder: &Path) -> Result<Secret, String> {
        read(name, &self.env, &self.file, folder)
    }
}

impl KeyEntry {
    /// Reads the key. The error names it and never shows it.
    pub fn read(&self, folder: &Path) -> Result<Key, String> {
        let (slot, id) = (self.slot.as_str(), self.id.as_deref());
        let secret = read(slot, &self.env, &self.file, folder)?;
        let key = match self.form {
            Form::Pem => Key::from_pem(slot, id, &secret),
            Form::Text => Key::from_encoded(slot, id, &secret, Encoding::Text),
            Form::Hex => Key::from_encoded(slot, id, &secret, Encoding::Hex),
            Form::Base64 => Key::from_encoded(slot, id, &secret, Encoding::Base64),
        };
        key.map_err(|error| format!("key `{slot}`: {error}"))
    }
}

fn source(name: &str, env: &Option<String>, file: &Option<PathBuf>) -> Result<Source, String> {
    match (env, file) {
        (Some(env), None) => Ok(Source::Env { env: env.clone() }),
        (None, Some(file)) => Ok(Source::File { file: file.clone() }),
        _ => Err(format!("`{name}` needs either `env = \"VARIABLE\"` or `file = \"path\"`")),
    }
}

/// The secret in one of the two. The error names it and never shows it.
pub(super) fn read(
    name: &str,
    env: &Option<String>,
    file: &Option<PathBuf>,
    folder: &Path,
) -> Result<Secret, String> {
    let mut bytes = match source(name, env, file)? {
        Source::Env { env } => std::env::var(&env)
            .map_err(|_| format!("`{name}`: the environment variable {env} is not set"))?
            .into_bytes(),
        Source::File { file } => {
            let path = folder.join(file);
            std::fs::read(&path)
                .map_err(|error| format!("`{name}`: cannot read {}: {error}", path.display()))?
        }
    };
    // Editors end a file with a line end; no provider's secret does.
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    match bytes.is_empty() {
        true => Err(format!("`{name}` is empty")),
        false => Ok(Secret::new(name, bytes)),
    }
}
