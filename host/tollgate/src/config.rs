//! The configuration: one TOML file, strict, with the line of whatever is wrong.
//!
//! It never holds a secret: a secret or a key is named by the file or the environment variable it
//! stands in. Paths are relative to the folder of the file.

mod admin;
mod cards;
mod limits;
mod notifications;
mod platform;
mod sandbox;
mod secrets;
mod vault;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use egress::AllowedHost;
use serde::Deserialize;
use toml::Spanned;

pub use admin::{Admin, Network};
pub use cards::{CardEntry, Cards, DerivedEntry};
pub use limits::Limits;
pub use notifications::Notifications;
pub use platform::{Platform, Use, authority};
pub use sandbox::Sandbox;
pub use secrets::{KeyEntry, SecretEntry};
pub use vault::Vault;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the open platform listens.
    pub server: Server,
    /// Where everything is kept.
    pub store: Store,
    /// The master keys that secrets and cards are sealed under; without them nothing is sealed.
    #[serde(default)]
    pub vault: Vault,
    /// What the platform proves itself with.
    #[serde(default)]
    pub platform: Platform,
    /// How long cards are kept.
    #[serde(default)]
    pub cards: Cards,
    /// How much is in hand at the same time.
    #[serde(default)]
    pub limits: Limits,
    /// Limits of plugins.
    #[serde(default)]
    pub sandbox: Sandbox,
    /// How apps are told.
    #[serde(default)]
    pub notifications: Notifications,
    /// How open entries are found out about.
    #[serde(default)]
    pub recovery: Recovery,
    /// Certificates to believe beside the public web's roots, PEM files.
    #[serde(default)]
    pub extra_roots: Vec<PathBuf>,
    /// Who may change apps while the host runs; nobody when left out.
    #[serde(default)]
    pub admin: Option<Spanned<Admin>>,
    /// The plugins, by the name accounts use.
    #[serde(default)]
    pub plugin: BTreeMap<String, Spanned<Plugin>>,
    /// The accounts, by the name in URLs.
    #[serde(default)]
    pub account: BTreeMap<String, Spanned<Account>>,
}

/// `[server]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Address and port, as `127.0.0.1:8080`; port 0 takes a free one.
    pub listen: SocketAddr,
    /// How providers reach this host, as `https://pay.example.com`.
    pub public_url: Spanned<String>,
    /// Connections at the same time.
    pub connections_max: Option<usize>,
    /// Connections at the same time from one address.
    pub connections_per_peer_max: Option<usize>,
    /// The largest request body, in KiB.
    pub body_kib_max: Option<usize>,
    /// Proxies before this host, which are believed when they say by `X-Forwarded-For` for whom
    /// they ask; the header of anybody else is not looked at.
    #[serde(default)]
    pub proxies: Vec<Network>,
    /// For a request's head, in milliseconds.
    pub head_timeout_ms: Option<u64>,
    /// For a request's whole body, in milliseconds.
    pub body_timeout_ms: Option<u64>,
}

impl Server {
    /// The limits of the HTTP edge: what is written, and the standard where nothing is.
    pub fn limits(&self) -> api::Limits {
        let standard = api::Limits::default();
        let time = |ms: Option<u64>, standard| ms.map_or(standard, Duration::from_millis);
        api::Limits {
            connections_max: self.connections_max.unwrap_or(standard.connections_max),
            connections_per_peer_max: self
                .connections_per_peer_max
                .unwrap_or(standard.connections_per_peer_max),
            body_bytes_max: self
                .body_kib_max
                .map_or(standard.body_bytes_max, |kib| kib.saturating_mul(1024)),
            head_timeout: time(self.head_timeout_ms, standard.head_timeout),
            body_timeout: time(self.body_timeout_ms, standard.body_timeout),
            ..standard
        }
    }
}

/// `[store]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// The folder of the store.
    pub path: PathBuf,
    /// Memory for the state's cache, in MiB.
    #[serde(default = "default_cache_mib")]
    pub cache_mib: u64,
    /// Space on the disk that is kept for finishing what was begun when the disk is full, in MiB;
    /// 0 keeps none.
    #[serde(default = "default_reserve_mib")]
    pub reserve_mib: u64,
}

fn default_reserve_mib() -> u64 {
    32
}

fn default_cache_mib() -> u64 {
    64
}

/// `[recovery]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recovery {
    /// When to ask again about an entry that is open, in milliseconds after the answer before; the
    /// last value repeats.
    pub sync_after_ms: Option<Vec<u64>>,
    /// How long after the last request "never heard of it" begins to count, in milliseconds.
    pub absent_after_ms: Option<u64>,
    /// How often it has to be said then.
    pub absences_min: Option<u32>,
    /// Entries of one account asked about at the same time.
    pub at_once_per_account_max: Option<usize>,
    /// Requests one operation may make.
    pub steps_max: Option<u32>,
}

impl Recovery {
    /// The options of the engine: what is written, and the standard where nothing is.
    pub fn options(&self) -> engine::Options {
        let standard = engine::Options::default();
        engine::Options {
            steps_max: self.steps_max.unwrap_or(standard.steps_max),
            sync_after_ms: self.sync_after_ms.clone().unwrap_or(standard.sync_after_ms),
            absent_after_ms: self.absent_after_ms.unwrap_or(standard.absent_after_ms),
            absences_min: self.absences_min.unwrap_or(standard.absences_min),
            concurrent_syncs_per_account_max: self
                .at_once_per_account_max
                .unwrap_or(standard.concurrent_syncs_per_account_max),
            ..standard
        }
    }
}

/// `[plugin.NAME]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plugin {
    /// The component.
    pub component: PathBuf,
    /// Its SHA-256, as `tollgate plugin build` and `tollgate plugin inspect` print it.
    pub digest: String,
}

/// `[account.NAME]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Which plugin speaks to the provider.
    pub plugin: String,
    /// `live`, or `test` where it moves no money.
    #[serde(default)]
    pub mode: engine::Mode,
    /// The only hosts it may reach.
    pub hosts: Vec<AllowedHost>,
    /// Legacy primitives granted to the plugin.
    #[serde(default)]
    pub legacy: Vec<String>,
    /// Settings by name; the plugin's README says which.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// Secrets by name, and where each may travel.
    #[serde(default)]
    pub secret: BTreeMap<String, SecretEntry>,
    /// Where cards may travel, if they may at all.
    pub card: Option<CardEntry>,
    /// Where results computed over secrets and cards may travel.
    pub derived: Option<DerivedEntry>,
    /// Keys; several of one slot are told apart by `id`.
    #[serde(default)]
    pub key: Vec<KeyEntry>,
    /// Timeouts of an exchange with the provider.
    #[serde(default)]
    pub timeouts: egress::Timeouts,
    /// How far a signed webhook's time may be from now, in seconds.
    #[serde(default = "default_delivery_age")]
    pub webhook_age_seconds_max: u64,
}

fn default_delivery_age() -> u64 {
    300
}

/// Everything that is wrong with a configuration, each with its line.
#[derive(Debug)]
pub struct Wrong {
    /// The file.
    pub file: PathBuf,
    /// Line (from 1) where one is known, and what is wrong there.
    pub faults: Vec<(Option<usize>, String)>,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, (line, what)) in self.faults.iter().enumerate() {
            let separator = if n == 0 { "" } else { "\n" };
            match line {
                Some(line) => write!(f, "{separator}{}:{line}: {what}", self.file.display())?,
                None => write!(f, "{separator}{}: {what}", self.file.display())?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for Wrong {}

/// A configuration that was read, and its text to find lines in.
pub struct Loaded {
    /// What it says.
    pub config: Config,
    /// The file.
    pub file: PathBuf,
    text: String,
}

impl Loaded {
    /// Reads and checks the form of a file.
    pub fn read(file: &Path) -> Result<Loaded, Wrong> {
        let wrong = |line, what| Wrong { file: file.to_owned(), faults: vec![(line, what)] };
        let text = std::fs::read_to_string(file)
            .map_err(|error| wrong(None, format!("cannot be read: {error}")))?;
        match toml::from_str::<Config>(&text) {
            Ok(config) => Ok(Loaded { config, file: file.to_owned(), text }),
            Err(error) => {
                let line = error.span().map(|span| line_of(&text, span.start));
                Err(wrong(line, error.message().to_owned()))
            }
        }
    }

    /// The folder of the file, which its paths start from.
    pub fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new(""))
    }

    /// A path of the file.
    pub fn path(&self, path: &Path) -> PathBuf {
        self.folder().join(path)
    }

    /// The line of something in the file, from 1.
    pub fn line<T>(&self, what: &Spanned<T>) -> usize {
        line_of(&self.text, what.span().start)
    }

    /// Faults of this file.
    pub fn wrong(&self, faults: Vec<(Option<usize>, String)>) -> Wrong {
        Wrong { file: self.file.clone(), faults }
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests;
