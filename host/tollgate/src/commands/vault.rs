//! `tollgate vault`: master keys, and what is sealed under them.

use std::io::Write;
use std::path::PathBuf;

use clap::Subcommand;
use vault::Master;

use super::Outcome;
use super::store::{open, runtime};
use crate::config::Loaded;

/// Master keys, and what is sealed under them.
#[derive(Subcommand)]
pub enum VaultCommand {
    /// Print a fresh master key: 32 random bytes in base64. Nothing is written or kept.
    Key,
    /// Count what is sealed under which master key. The host must not be running on the store.
    Status {
        /// The configuration.
        #[arg(default_value = "tollgate.toml")]
        config: PathBuf,
    },
}

impl VaultCommand {
    /// Does it.
    pub fn run(self) -> Outcome {
        match self {
            VaultCommand::Key => {
                let key = Master::fresh()?;
                writeln!(std::io::stdout(), "{}", key.as_str())?;
                Ok(())
            }
            VaultCommand::Status { config } => status(&Loaded::read(&config)?),
        }
    }
}

fn status(loaded: &Loaded) -> Outcome {
    let at_rest = loaded.config.vault.open(loaded.folder()).map_err(|wrong| wrong.join("; "))?;
    let under = runtime()?.block_on(async {
        let store = open(loaded)?;
        let under = engine::sealed_under(&store).await?;
        store.close().await?;
        Ok::<_, store::Error>(under)
    })?;
    let mut out = std::io::stdout().lock();
    let current = at_rest.current();
    writeln!(out, "current  {}", current.unwrap_or("none: the vault is closed"))?;
    for master in &loaded.config.vault.master {
        let (id, count) = (&master.id, under.get(&master.id).copied().unwrap_or_default());
        let note = match (count, Some(id.as_str()) == current) {
            (0, false) => ": needed no more",
            _ => "",
        };
        writeln!(out, "sealed   {count} under {id}{note}")?;
    }
    let named = |id: &String| loaded.config.vault.master.iter().any(|master| master.id == *id);
    let lost: Vec<_> = under.iter().filter(|(id, _)| !named(id)).collect();
    for (id, count) in &lost {
        writeln!(out, "LOST     {count} under {id}, which [vault] does not name")?;
    }
    match lost.is_empty() {
        true => Ok(()),
        false => Err("some records cannot be opened; add their master keys to [vault]".into()),
    }
}
