//! `tollgate notifications`: dead letters, and sending again, for a host that is stopped. A running
//! one does the same by its API.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use engine::{Replay, SystemClock, dead_letters, replay_offline};
use ledger::Id;

use super::Outcome;
use super::store::{open, runtime};
use crate::config::Loaded;

/// What apps' endpoints were told. The host must not be running on the same store.
#[derive(Subcommand)]
pub enum NotificationsCommand {
    /// Print the notifications that were given up, one JSON object a line, oldest first.
    Dead {
        /// Only those of this endpoint.
        #[arg(long)]
        endpoint: Option<Id>,
        /// The configuration.
        #[arg(long, default_value = "tollgate.toml")]
        config: PathBuf,
    },
    /// Send notifications of an endpoint again, once the host runs; prints how many.
    Replay {
        /// The endpoint.
        endpoint: Id,
        #[command(flatten)]
        what: What,
        /// The configuration.
        #[arg(long, default_value = "tollgate.toml")]
        config: PathBuf,
    },
}

/// Which notifications.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct What {
    /// The one of this identifier.
    #[arg(long)]
    one: Option<String>,
    /// All about what happened at this time or later, as 2026-01-31T09:30:00Z.
    #[arg(long)]
    since: Option<jiff::Timestamp>,
    /// Every dead letter.
    #[arg(long)]
    dead: bool,
}

impl What {
    fn replay(self) -> Replay {
        match (self.one, self.since) {
            (Some(id), _) => Replay::One(id),
            (None, Some(since)) => {
                Replay::Since(u64::try_from(since.as_millisecond()).unwrap_or_default())
            }
            (None, None) => Replay::Dead,
        }
    }
}

impl NotificationsCommand {
    /// Does it.
    pub fn run(self) -> Outcome {
        runtime()?.block_on(async {
            match self {
                NotificationsCommand::Dead { endpoint, config } => dead(endpoint, config).await,
                NotificationsCommand::Replay { endpoint, what, config } => {
                    replay(endpoint, what.replay(), config).await
                }
            }
        })
    }
}

async fn dead(endpoint: Option<Id>, config: PathBuf) -> Outcome {
    let store = open(&Loaded::read(&config)?)?;
    let letters = dead_letters(&store, endpoint.as_ref()).await;
    store.close().await?;
    let mut out = std::io::stdout().lock();
    for (endpoint, letter) in letters? {
        let line = serde_json::json!({
            "endpoint": endpoint,
            "id": letter.id,
            "event": letter.event,
            "name": letter.name,
            "payment": letter.payment,
            "attempts": letter.attempts,
            "given_up": letter.given_up,
        });
        writeln!(out, "{line}")?;
    }
    Ok(())
}

async fn replay(endpoint: Id, replay: Replay, config: PathBuf) -> Outcome {
    let store = open(&Loaded::read(&config)?)?;
    let count = replay_offline(&store, &SystemClock, &endpoint, &replay).await;
    store.close().await?;
    writeln!(std::io::stdout(), "{}", count?)?;
    Ok(())
}
