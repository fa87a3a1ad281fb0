//! `[platform]`: the platform's name, its keys, and how old a signature may be.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use api::signature::{Authority, Policy};
use api::{PlatformKey, Usage};
use serde::Deserialize;
use url::Url;
use vault::{Key, Published};

use super::secrets;

/// The whole table.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Platform {
    /// A name for people; `Tollgate` when left out.
    pub name: Option<String>,
    /// The keys; the first of a use is current, the others still open and stay published.
    #[serde(default)]
    pub key: Vec<PlatformKeyEntry>,
    /// How old the signature of a request may be.
    pub signature_age_seconds_max: Option<u64>,
    /// How far ahead of the host's clock it may be.
    pub signature_ahead_seconds_max: Option<u64>,
}

/// `[[platform.key]]`: a private key in PEM, as `tollgate platform key` makes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlatformKeyEntry {
    /// `sign` or `decrypt`.
    #[serde(rename = "use")]
    pub usage: Use,
    /// Its name for everybody; never give another key the same one.
    pub id: String,
    env: Option<String>,
    file: Option<PathBuf>,
}

/// What a key is for.
#[derive(Clone, Copy, Debug, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Use {
    /// Signs answers.
    Sign,
    /// Opens encrypted requests.
    Decrypt,
}

/// How old a signature may be made at most by configuration: its nonce is kept as long.
const AGE_SECONDS_EVER: u64 = 3600;

impl Platform {
    /// Reads every key; everything that is wrong is told at once.
    pub fn open(&self, public_url: &str, folder: &Path) -> Result<api::Platform, Vec<String>> {
        let (mut keys, mut wrong) = (Vec::<PlatformKey>::new(), Vec::new());
        for entry in &self.key {
            match entry.read(folder) {
                Ok(key) if keys.iter().any(|other| other.id == key.id) => {
                    wrong.push(format!("two keys have the id `{}`", key.id));
                }
                Ok(key) => keys.push(key),
                Err(what) => wrong.push(what),
            }
        }
        let standard = Policy::default();
        let seconds =
            |seconds: Option<u64>, standard| seconds.map_or(standard, Duration::from_secs);
        let policy = Policy {
            age_max: seconds(self.signature_age_seconds_max, standard.age_max),
            ahead_max: seconds(self.signature_ahead_seconds_max, standard.ahead_max),
        };
        let most = Duration::from_secs(AGE_SECONDS_EVER);
        if policy.age_max > most || policy.ahead_max > most {
            wrong.push(format!("a signature may be {AGE_SECONDS_EVER} seconds old at most"));
        }
        let public = Url::parse(public_url).ok().and_then(|url| authority(&url));
        match wrong.is_empty() {
            false => Err(wrong),
            true => Ok(api::Platform {
                name: self.name.clone().unwrap_or_else(|| "Tollgate".to_owned()),
                public,
                keys: Arc::from(keys),
                policy,
                ..api::Platform::default()
            }),
        }
    }
}

/// Scheme, host and port of a URL.
pub fn authority(url: &Url) -> Option<Authority> {
    let host = url.host_str()?;
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    Some(Authority::new(url.scheme(), &host))
}

impl PlatformKeyEntry {
    fn read(&self, folder: &Path) -> Result<PlatformKey, String> {
        let id = &self.id;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if !(1..=64).contains(&id.len()) || !id.bytes().all(plain) {
            return Err(format!("`{id}`: an id has letters, digits, `-`, `_` and `.`, 64 at most"));
        }
        let name = format!("platform key `{id}`");
        let pem = secrets::read(&name, &self.env, &self.file, folder)?;
        let key = Key::from_pem("platform", Some(id), &pem).map_err(|error| error.to_string())?;
        let usage = match self.usage {
            Use::Sign => Usage::Sign,
            Use::Decrypt => Usage::Decrypt,
        };
        if key.kind() != vault::KeyKind::Private {
            return Err(format!("{name} is not a private key"));
        }
        match (usage, key.published()) {
            (_, None) => Err(format!("{name} has no public half")),
            (Usage::Decrypt, Some(published)) if !is_rsa(&published) => Err(format!(
                "{name}: RSA keys alone decrypt; make one with `tollgate platform key`"
            )),
            _ => Ok(PlatformKey { id: id.clone(), usage, key }),
        }
    }
}

fn is_rsa(published: &Published) -> bool {
    matches!(published, Published::Rsa { .. })
}
