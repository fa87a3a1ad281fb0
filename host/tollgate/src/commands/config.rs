//! `tollgate config check`: everything that is wrong, each with its line, before anything runs.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Subcommand;

use super::Outcome;
use crate::compose;
use crate::config::Loaded;

/// Look at the configuration.
#[derive(Subcommand)]
pub enum ConfigCommand {
    /// Read the file, load its plugins, read its secrets, and say everything that is wrong.
    Check {
        /// The configuration.
        #[arg(default_value = "tollgate.toml")]
        config: PathBuf,
    },
}

impl ConfigCommand {
    /// Does it.
    pub fn run(self) -> Outcome {
        let ConfigCommand::Check { config } = self;
        let loaded = Loaded::read(&config)?;
        compose::api_options(&loaded)?;
        let card_keys = Arc::new(store::Slots::in_memory());
        compose::engine(&loaded, Arc::new(store::Model::new()), card_keys)?;
        let (plugins, accounts) = (loaded.config.plugin.len(), loaded.config.account.len());
        let file = config.display();
        writeln!(std::io::stdout(), "{file}: {plugins} plugins and {accounts} accounts are fit")?;
        Ok(())
    }
}
