//! `tollgate app`: developers' integrations and their API keys.

use std::io::Write;
use std::path::PathBuf;

use clap::Subcommand;
use engine::{SystemClock, SystemEntropy, add_app};

use super::Outcome;
use super::store::{open, runtime};
use crate::config::Loaded;

/// Developers' integrations and their API keys.
#[derive(Subcommand)]
pub enum AppCommand {
    /// Add an app and print its API key, which is not kept and cannot be shown again. The host must
    /// not be running on the same store.
    Add {
        /// A name for people.
        name: String,
        /// The configuration.
        #[arg(long, default_value = "tollgate.toml")]
        config: PathBuf,
    },
}

impl AppCommand {
    /// Does it.
    pub fn run(self) -> Outcome {
        let AppCommand::Add { name, config } = self;
        if name.is_empty() || name.chars().count() > 64 || name.chars().any(char::is_control) {
            return Err("an app's name has 1 to 64 characters, none of them control".into());
        }
        let loaded = Loaded::read(&config)?;
        runtime()?.block_on(async {
            let store = open(&loaded)?;
            let (app, key) = add_app(&store, &SystemClock, &SystemEntropy, &name).await?;
            store.close().await?;
            tracing::info!(app = %app.id, name, "added");
            writeln!(std::io::stdout(), "{}", key.expose())?;
            Ok(())
        })
    }
}
