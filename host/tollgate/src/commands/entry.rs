//! `tollgate entry` and `tollgate anomaly`: the books of a host that is stopped.
//!
//! While it runs, the admin interface does the same. Each act leaves a line in the audit trail
//! before it is done. What is shown is JSON, one object a line in lists.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use engine::{Fate, Listed, Settling};
use ledger::Id;
use serde_json::Value;

use super::Outcome;
use super::desk::Desk;

/// Entries whose end is not known, and settling them. The host must not be running on the same
/// store.
#[derive(Subcommand)]
pub enum EntryCommand {
    /// List entries that are open, one JSON object a line.
    List {
        #[command(flatten)]
        which: Which,
        /// Only those of this account.
        #[arg(long)]
        account: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Show an entry, and the requests that were made for it.
    Show {
        /// The entry.
        entry: Id,
        #[command(flatten)]
        place: Place,
    },
    /// Ask the provider now what became of an entry, and show it.
    Ask {
        /// The entry.
        entry: Id,
        #[command(flatten)]
        place: Place,
    },
    /// Settle an open entry by your word: look it up at the provider first. It stays with the entry
    /// who said it, when and why; what the provider says later is compared with it.
    Resolve {
        /// The entry.
        entry: Id,
        /// How it ended.
        #[arg(long = "as", value_name = "STATE")]
        fate: FateArgument,
        /// Where you looked it up, and what stood there.
        #[arg(long, value_parser = reason)]
        reason: String,
        /// The provider's reference; needed for what succeeded, unless it is known already.
        #[arg(long, value_parser = reference)]
        reference: Option<String>,
        /// Your name.
        #[arg(long, value_parser = person)]
        by: String,
        #[command(flatten)]
        place: Place,
    },
}

/// What contradicts the ledger. The host must not be running on the same store.
#[derive(Subcommand)]
pub enum AnomalyCommand {
    /// List anomalies that nobody has closed, oldest first, one JSON object a line.
    List {
        /// Closed ones too.
        #[arg(long)]
        all: bool,
        /// Only those of this account.
        #[arg(long)]
        account: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Close an anomaly that you have looked into. It changes no entry.
    Close {
        /// The anomaly.
        anomaly: Id,
        /// What you found.
        #[arg(long, value_parser = reason)]
        reason: String,
        /// Your name.
        #[arg(long, value_parser = person)]
        by: String,
        #[command(flatten)]
        place: Place,
    },
}

/// Which entries.
#[derive(Args)]
#[group(multiple = false)]
pub struct Which {
    /// All that are open: the default.
    #[arg(long)]
    open: bool,
    /// Only those whose answer was lost.
    #[arg(long)]
    unknown: bool,
}

/// Which store.
#[derive(Args)]
pub struct Place {
    /// The configuration.
    #[arg(long, default_value = "tollgate.toml")]
    config: PathBuf,
}

/// How an entry ended.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum FateArgument {
    /// Done as asked.
    Succeeded,
    /// The provider refused and moved nothing.
    Declined,
    /// The provider never got it.
    NotSent,
    /// The provider closed it unpaid.
    Expired,
}

impl From<FateArgument> for Fate {
    fn from(fate: FateArgument) -> Fate {
        match fate {
            FateArgument::Succeeded => Fate::Succeeded,
            FateArgument::Declined => Fate::Declined,
            FateArgument::NotSent => Fate::NotSent,
            FateArgument::Expired => Fate::Expired,
        }
    }
}

fn reason(text: &str) -> Result<String, String> {
    bounded(text, 512, |_| true)
}

fn person(text: &str) -> Result<String, String> {
    bounded(text, 64, |_| true)
}

fn reference(text: &str) -> Result<String, String> {
    bounded(text, 255, |c| c.is_ascii())
}

fn bounded(text: &str, most: usize, taken: fn(char) -> bool) -> Result<String, String> {
    let text = text.trim();
    let fits = (1..=most).contains(&text.chars().count())
        && text.chars().all(|c| !c.is_control() && taken(c));
    fits.then(|| text.to_owned()).ok_or_else(|| format!("write 1 to {most} characters of one line"))
}

impl EntryCommand {
    /// Does it.
    pub fn run(self) -> Outcome {
        match self {
            EntryCommand::List { which, account, place } => {
                Desk::at(&place.config, async |desk| list(desk, which.unknown, account).await)
            }
            EntryCommand::Show { entry, place } => Desk::at(&place.config, async |desk| {
                whole(&api::entry_view(&desk.books().entry(&entry).await?))
            }),
            EntryCommand::Ask { entry, place } => {
                Desk::with_accounts(&place.config, async |desk| {
                    desk.note("askAboutEntry", entry.as_str(), "").await?;
                    whole(&api::entry_view(&desk.books().ask(&entry).await?))
                })
            }
            EntryCommand::Resolve { entry, fate, reason, reference, by, place } => {
                let said = Settling { fate: fate.into(), reference, reason, by };
                Desk::at(&place.config, async |desk| settle(desk, &entry, &said).await)
            }
        }
    }
}

async fn settle(desk: &Desk, entry: &Id, said: &Settling) -> Outcome {
    desk.note("settleEntry", entry.as_str(), &format!("{said:?}")).await?;
    whole(&api::entry_view(&desk.books().settle(entry, said).await?))
}

impl AnomalyCommand {
    /// Does it.
    pub fn run(self) -> Outcome {
        match self {
            AnomalyCommand::List { all, account, place } => {
                Desk::at(&place.config, async |desk| anomalies(desk, all, account).await)
            }
            AnomalyCommand::Close { anomaly, reason, by, place } => {
                Desk::at(&place.config, async |desk| {
                    let asked = format!("{by}\n{reason}");
                    desk.note("closeAnomaly", anomaly.as_str(), &asked).await?;
                    whole(&api::anomaly_view(&desk.books().close(&anomaly, &by, &reason).await?))
                })
            }
        }
    }
}

async fn list(desk: &Desk, narrowed: bool, account: Option<String>) -> Outcome {
    let mut listed = Listed { account, narrowed, cursor: None, limit: 100 };
    loop {
        let page = desk.books().open(&listed).await?;
        lines(page.entries.iter().map(api::entry_view))?;
        listed.cursor = page.cursor;
        if listed.cursor.is_none() {
            return Ok(());
        }
    }
}

async fn anomalies(desk: &Desk, narrowed: bool, account: Option<String>) -> Outcome {
    let mut listed = Listed { account, narrowed, cursor: None, limit: 100 };
    loop {
        let page = desk.books().anomalies(&listed).await?;
        lines(page.anomalies.iter().map(api::anomaly_view))?;
        listed.cursor = page.cursor;
        if listed.cursor.is_none() {
            return Ok(());
        }
    }
}

fn lines(all: impl Iterator<Item = Value>) -> Outcome {
    let mut out = std::io::stdout().lock();
    for one in all {
        writeln!(out, "{one}")?;
    }
    Ok(())
}

fn whole(one: &Value) -> Outcome {
    Ok(writeln!(std::io::stdout(), "{one:#}")?)
}
