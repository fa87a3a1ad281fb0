//! `tollgate vault`: master keys, what is sealed under them, and the keys of cards.

mod card_keys;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Subcommand;
use vault::Master;

use super::Outcome;
use super::store::{open, runtime};
use crate::compose::card_key_slots;
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
    /// The keys of cards: back them up, restore them, check them.
    #[command(subcommand)]
    CardKeys(card_keys::CardKeysCommand),
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
            VaultCommand::CardKeys(command) => command.run(),
        }
    }
}

/// What is sealed in a store and beside it.
struct Sealed {
    under: BTreeMap<String, usize>,
    /// Keys of cards.
    keys: usize,
    /// Active cards without a key.
    keyless: usize,
}

async fn sealed(loaded: &Loaded) -> Result<Sealed, store::Error> {
    let store = open(loaded)?;
    let mut under = engine::sealed_under(&store).await?;
    let slots = Arc::new(engine::open_card_keys(&store, &card_key_slots(loaded)).await?);
    for (id, count) in engine::card_keys_under(&slots).await? {
        *under.entry(id).or_insert(0) += count;
    }
    let keyless = engine::cards_without_key(&store, &slots).await?;
    store.close().await?;
    Ok(Sealed { under, keys: slots.count(), keyless })
}

fn status(loaded: &Loaded) -> Outcome {
    let at_rest = loaded.config.vault.open(loaded.folder()).map_err(|wrong| wrong.join("; "))?;
    let Sealed { under, keys, keyless } = runtime()?.block_on(sealed(loaded))?;
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
    writeln!(out, "cards    {keys} have their key")?;
    if keyless > 0 {
        let why = "they were erased after the backup that was restored, or their keys are lost";
        writeln!(out, "NO KEY   {keyless} cards, which count as erased: {why}")?;
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
