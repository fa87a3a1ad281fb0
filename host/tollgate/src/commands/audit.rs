//! `tollgate audit`: the trail of what was asked and changed, taken out and checked.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use api::Usage;
use clap::Subcommand;
use engine::audit::{Export, Notary, Sound, verify_export, verify_store};
use jiff::Timestamp;
use vault::{Key, Secret};

use super::Outcome;
use super::store::{open, runtime};
use crate::compose;
use crate::config::Loaded;

/// Take out and check the trail of what was asked and changed, and by whom. The host must not be
/// running on the same store; an export is checked anywhere.
#[derive(Subcommand)]
pub enum AuditCommand {
    /// Write the trail as JSON lines, and a closing line with their count and the hash of the last,
    /// signed by the platform's signing key where the configuration has one.
    Export {
        /// Only lines from this moment on, as 2026-11-01T00:00:00Z.
        #[arg(long)]
        from: Option<Timestamp>,
        /// Only lines before this moment.
        #[arg(long)]
        to: Option<Timestamp>,
        /// The file to write; standard output when left out.
        #[arg(long)]
        out: Option<PathBuf>,
        /// The configuration.
        #[arg(long, default_value = "tollgate.toml")]
        config: PathBuf,
    },
    /// Find the first line that was changed, taken out, moved, doubled or cut off.
    Verify {
        /// An export; the store itself when left out.
        file: Option<PathBuf>,
        /// The hash its last line must have, as it was kept elsewhere.
        #[arg(long)]
        head: Option<String>,
        /// The platform's key that signed an export, in PEM; its public half is enough, as by
        /// `openssl pkey -in sign.pem -pubout`.
        #[arg(long, requires = "file")]
        key: Option<PathBuf>,
        /// The configuration, where the store is checked.
        #[arg(long, default_value = "tollgate.toml")]
        config: PathBuf,
    },
}

impl AuditCommand {
    /// Does it.
    pub fn run(self) -> Outcome {
        match self {
            AuditCommand::Export { from, to, out, config } => {
                let export = Export { from_ms: from.map(unix_ms), to_ms: to.map(unix_ms) };
                let sound = export_to(export, out.as_deref(), &config)?;
                tracing::info!(lines = sound.count, head = sound.head, "exported");
                Ok(())
            }
            AuditCommand::Verify { file, head, key, config } => {
                let sound = match file {
                    Some(file) => verify_file(&file, key.as_deref())?,
                    None => verify(&config)?,
                };
                writeln!(std::io::stdout(), "{}", as_text(&sound))?;
                match head.filter(|head| *head != sound.head) {
                    None => Ok(()),
                    Some(head) => Err(format!(
                        "line {}: lines were cut off at the end, or all were written anew: the \
                         last should have the hash {head}",
                        sound.count
                    )
                    .into()),
                }
            }
        }
    }
}

fn export_to(export: Export, out: Option<&Path>, config: &Path) -> Result<Sound, super::Failure> {
    let loaded = Loaded::read(config)?;
    let platform = compose::api_options(&loaded)?.platform;
    let signing = platform.keys.iter().find(|key| key.usage == Usage::Sign);
    let notary = signing.map(|signing| Notary { id: &signing.id, key: &signing.key });
    runtime()?.block_on(async {
        let store = open(&loaded)?;
        let sound = match out {
            Some(file) => {
                let mut file = BufWriter::new(File::create(file)?);
                let sound = export.write(&store, &mut file, notary).await?;
                file.into_inner()?.sync_all()?;
                sound
            }
            None => export.write(&store, &mut std::io::stdout().lock(), notary).await?,
        };
        store.close().await?;
        Ok(sound)
    })
}

fn verify(config: &Path) -> Result<Sound, super::Failure> {
    let loaded = Loaded::read(config)?;
    runtime()?.block_on(async {
        let store = open(&loaded)?;
        let sound = verify_store(&store).await;
        store.close().await?;
        Ok(sound?)
    })
}

fn verify_file(file: &Path, key: Option<&Path>) -> Result<Sound, super::Failure> {
    let unread = |file: &Path, error| format!("{}: {error}", file.display());
    let key = key.map(|file| {
        let pem = std::fs::read(file).map_err(|error| unread(file, error))?;
        let pem = Secret::new(file.display().to_string(), pem);
        let key = Key::from_pem("audit", None, &pem).map_err(|error| error.to_string())?;
        // Of a private key too, its public half is what verifies.
        let public = key.published().ok_or("the key has no public half")?;
        Key::of_published("audit", None, &public).map_err(|error| error.to_string())
    });
    let key = key.transpose()?;
    let opened = File::open(file).map_err(|error| unread(file, error))?;
    Ok(verify_export(&mut BufReader::new(opened), key.as_ref())?)
}

fn unix_ms(moment: Timestamp) -> u64 {
    u64::try_from(moment.as_millisecond()).unwrap_or_default()
}

fn as_text(sound: &Sound) -> String {
    let first = sound.first.map_or_else(|| "-".to_owned(), |first| first.to_string());
    format!("sound: {} lines from number {first} on, head {}", sound.count, sound.head)
}
