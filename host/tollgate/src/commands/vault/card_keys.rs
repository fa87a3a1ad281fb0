//! `tollgate vault card-keys`: the keys of cards, which no export of the store holds.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Subcommand;
use engine::audit::Audit;
use engine::{Clock, SystemClock};
use store::{JournalStore, SlotExport, Slots};

use super::super::Outcome;
use super::super::desk::note;
use super::super::store::{open, runtime};
use crate::compose::card_key_slots;
use crate::config::Loaded;

/// The keys of cards: each lies outside of the store, and is destroyed when its card is erased.
#[derive(Subcommand)]
pub enum CardKeysCommand {
    /// Write every key, wrapped by its master key, into one new file. The host may be running. Take
    /// it after the store's export, so that no card in that is without its key. Whoever has both
    /// and the master key has the cards that are erased later, too: keep it as short as you can.
    Export {
        /// The configuration.
        #[arg(default_value = "tollgate.toml")]
        config: PathBuf,
        /// The file to write.
        #[arg(long)]
        out: PathBuf,
    },
    /// Put the keys of an export in their folder, where there are none. Those of cards that were
    /// erased since are destroyed when the host starts.
    Import {
        /// The configuration.
        #[arg(default_value = "tollgate.toml")]
        config: PathBuf,
        /// The export.
        #[arg(long)]
        from: PathBuf,
    },
    /// Read every slot, or an export, and change nothing. The host may be running.
    Verify {
        /// The configuration.
        #[arg(default_value = "tollgate.toml")]
        config: PathBuf,
        /// An export to check; the host's own keys when left out.
        #[arg(long)]
        export: Option<PathBuf>,
    },
    /// Destroy the keys of cards that the store does not know. The host must not be running. After
    /// a restored backup, first make sure that no later state of the store is needed.
    Tidy {
        /// The configuration.
        #[arg(default_value = "tollgate.toml")]
        config: PathBuf,
    },
    /// Give up keys that are lost: the cards that need them count as erased, and the host starts
    /// with the keys that are in the folder, or with none. The host must not be running.
    Abandon {
        /// The configuration.
        #[arg(default_value = "tollgate.toml")]
        config: PathBuf,
    },
}

impl CardKeysCommand {
    /// Does it.
    pub fn run(self) -> Outcome {
        match self {
            CardKeysCommand::Export { config, out } => {
                let dir = card_key_slots(&Loaded::read(&config)?).dir;
                say("exported", &store::export_slots(&dir, &out)?)
            }
            CardKeysCommand::Import { config, from } => {
                let slots = card_key_slots(&Loaded::read(&config)?);
                say("restored", &store::import_slots(&from, &slots)?)
            }
            CardKeysCommand::Verify { config, export } => {
                let file = match export {
                    Some(file) => file,
                    None => card_key_slots(&Loaded::read(&config)?).dir,
                };
                verify(&file)
            }
            CardKeysCommand::Tidy { config } => tidy(&Loaded::read(&config)?),
            CardKeysCommand::Abandon { config } => abandon(&Loaded::read(&config)?),
        }
    }
}

fn say(done: &str, export: &SlotExport) -> Outcome {
    let SlotExport { id, count } = export;
    writeln!(std::io::stdout(), "file         {id}\nkeys         {count}\n{done}")?;
    Ok(())
}

fn verify(file: &Path) -> Outcome {
    let found = store::verify_slots(file)?;
    let store::SlotReport { id, count, torn } = &found;
    writeln!(std::io::stdout(), "file         {id}\nkeys         {count}\nunreadable   {torn}")?;
    match torn {
        0 => Ok(()),
        _ => Err("slots are unreadable: of a running host, one that is being written; otherwise \
                  a power cut tore it, which costs no card, or it is damaged: `tollgate vault \
                  status` says whether a card is without its key"
            .into()),
    }
}

fn tidy(loaded: &Loaded) -> Outcome {
    let done = runtime()?.block_on(async {
        let store = Arc::new(open(loaded)?);
        let slots = engine::open_card_keys(&*store, &card_key_slots(loaded)).await;
        let slots: Arc<Slots> = Arc::new(closing(&store, slots).await?);
        note(&audit(&store), "tidyCardKeys", &slots.id(), "").await?;
        let done = engine::settle_card_keys(&*store, &slots, true).await;
        let done = closing(&store, done).await?;
        store.close().await?;
        Ok::<_, super::super::Failure>(done)
    })?;
    let engine::KeysSettled { destroyed, strays } = done;
    let what = format!("{destroyed} keys of erased cards, {strays} keys of unknown cards");
    writeln!(std::io::stdout(), "destroyed    {what}")?;
    Ok(())
}

fn abandon(loaded: &Loaded) -> Outcome {
    let any = runtime()?.block_on(async {
        let store = Arc::new(open(loaded)?);
        note(&audit(&store), "abandonCardKeys", "", "").await?;
        let any = engine::abandon_card_keys(&*store, SystemClock.now_ms()).await;
        let any = closing(&store, any).await?;
        store.close().await?;
        Ok::<_, super::super::Failure>(any)
    })?;
    let said = match any {
        true => "given up: cards whose key is not in the folder count as erased",
        false => "there is nothing to give up: the store's cards need no keys",
    };
    writeln!(std::io::stdout(), "{said}")?;
    Ok(())
}

/// What was asked, with the store closed when it failed.
async fn closing<T>(
    store: &JournalStore,
    done: Result<T, store::Error>,
) -> Result<T, super::super::Failure> {
    match done {
        Ok(done) => Ok(done),
        Err(error) => {
            store.close().await?;
            Err(error.into())
        }
    }
}

fn audit(store: &Arc<JournalStore>) -> Audit {
    Audit::new(store.clone(), Arc::new(SystemClock))
}
