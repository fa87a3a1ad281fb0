//! `tollgate platform`: the keys that the platform proves itself with.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use vault::{Key, PairKind, private_pem};

use super::Outcome;
use crate::config::Use;

/// The keys that the platform proves itself with.
#[derive(Subcommand)]
pub enum PlatformCommand {
    /// Make a private key and write it into a new file that its owner alone may read. What is
    /// printed is its public half, as apps will find it.
    Key {
        /// What for: `sign` answers, or `decrypt` requests.
        #[arg(long = "use")]
        usage: Use,
        /// The file; it must not exist.
        #[arg(long)]
        out: PathBuf,
        /// Its id in the configuration.
        #[arg(long, default_value = "1")]
        id: String,
        /// Its kind; what decrypts is always RSA.
        #[arg(long, default_value = "ed25519")]
        kind: Kind,
    },
}

/// The kinds of keys that sign.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Kind {
    /// RFC 8032.
    Ed25519,
    /// FIPS 186-5 over P-256.
    P256,
    /// 3072 bits; signs by RSA-PSS.
    Rsa,
}

impl PlatformCommand {
    /// Does it.
    pub fn run(self) -> Outcome {
        let PlatformCommand::Key { usage, out, id, kind } = self;
        let (kind, word) = match (usage, kind) {
            (Use::Decrypt, _) => (PairKind::Rsa3072, "enc"),
            (Use::Sign, Kind::Ed25519) => (PairKind::Ed25519, "sig"),
            (Use::Sign, Kind::P256) => (PairKind::P256, "sig"),
            (Use::Sign, Kind::Rsa) => (PairKind::Rsa3072, "sig"),
        };
        let pem = private_pem("platform key", kind)?;
        let key = Key::from_pem("platform", Some(&id), &pem)?;
        let published =
            api::jose::jwk(&key, &id, word, None).ok_or("the key has no public half")?;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&out)
            .map_err(|error| format!("{}: {error}", out.display()))?;
        file.write_all(pem.expose())?;
        file.sync_all()?;
        writeln!(std::io::stdout(), "{published}")?;
        Ok(())
    }
}
