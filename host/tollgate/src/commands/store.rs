//! `tollgate store`: look at the store.

use std::io::Write;
use std::path::PathBuf;

use clap::Subcommand;
use store::JournalStore;

use super::Outcome;
use crate::config::Loaded;

/// Look at the store.
#[derive(Subcommand)]
pub enum StoreCommand {
    /// Read every file of the store, check every frame, checkpoint and record, and change nothing.
    /// The host must not be running on it.
    Verify {
        /// The configuration.
        #[arg(default_value = "tollgate.toml")]
        config: PathBuf,
    },
}

impl StoreCommand {
    /// Does it.
    pub fn run(self) -> Outcome {
        let StoreCommand::Verify { config } = self;
        let loaded = Loaded::read(&config)?;
        let folder = loaded.path(&loaded.config.store.path);
        let report = store::verify(&folder)?;
        writeln!(std::io::stdout(), "{report}")?;
        Ok(())
    }
}

/// Opens the store of a configuration. When it has to stop, so does the process: what it cannot
/// make durable must not be acknowledged.
pub fn open(loaded: &Loaded) -> Result<JournalStore, store::Error> {
    let options = store::Options {
        cache_bytes: loaded.config.store.cache_mib.saturating_mul(1 << 20),
        ..store::Options::at(loaded.path(&loaded.config.store.path))
    };
    JournalStore::open(options)
}

/// The runtime of a command.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}
