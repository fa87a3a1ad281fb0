//! `tollgate vault`: master keys, and what is sealed under them.

use std::io::Write;

use clap::Subcommand;
use vault::Master;

use super::Outcome;

/// Master keys, and what is sealed under them.
#[derive(Subcommand)]
pub enum VaultCommand {
    /// Print a fresh master key: 32 random bytes in base64. Nothing is written or kept.
    Key,
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
        }
    }
}
