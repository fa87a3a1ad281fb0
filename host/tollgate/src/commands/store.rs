//! `tollgate store`: look at the store, back it up, restore it, save what can be saved of it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Subcommand;
use store::JournalStore;

use super::Outcome;
use crate::config::Loaded;

/// Look at the store, back it up, restore it, repair it.
#[derive(Subcommand)]
pub enum StoreCommand {
    /// Read every file of the store, check every frame, checkpoint and record, and change nothing.
    /// The host must not be running on it. Or check an export, anywhere and at any time.
    Verify {
        /// The configuration.
        #[arg(default_value = "tollgate.toml")]
        config: PathBuf,
        /// An export to check; the store itself when left out.
        #[arg(long)]
        export: Option<PathBuf>,
    },
    /// Write every commit into one new file, the backup. The host may be running, and is not held
    /// up; the file ends at a commit that was durable after the command was given.
    Export {
        /// The configuration.
        #[arg(default_value = "tollgate.toml")]
        config: PathBuf,
        /// The file to write.
        #[arg(long)]
        out: PathBuf,
    },
    /// Make the store that was exported, in the store's folder, which must be empty or not there.
    /// Nothing is written before all of the export is verified.
    Import {
        /// The configuration.
        #[arg(default_value = "tollgate.toml")]
        config: PathBuf,
        /// The export.
        #[arg(long)]
        from: PathBuf,
    },
    /// Make a new store of what a damaged one still holds, and leave that as it is. What cannot be
    /// saved is said; then nothing is written without leave. The host must not be running on it.
    Repair {
        /// The configuration.
        #[arg(default_value = "tollgate.toml")]
        config: PathBuf,
        /// The folder for the new store, empty or not there.
        #[arg(long)]
        into: PathBuf,
        /// Write the new store without what cannot be saved.
        #[arg(long)]
        accept_loss: bool,
    },
}

impl StoreCommand {
    /// Does it.
    pub fn run(self) -> Outcome {
        match self {
            StoreCommand::Verify { export: Some(file), .. } => {
                say(&export_as_text("sound", &store::verify_export(&file)?))
            }
            StoreCommand::Verify { config, export: None } => verify(&config),
            StoreCommand::Export { config, out } => {
                let exported = store::export(&folder(&config)?, &out)?;
                say(&export_as_text("exported", &exported))
            }
            StoreCommand::Import { config, from } => {
                let report = store::import(&from, &store::Options::new(folder(&config)?))?;
                say(&as_text(&report))
            }
            StoreCommand::Repair { config, into, accept_loss } => {
                repair(&folder(&config)?, into, accept_loss)
            }
        }
    }
}

fn folder(config: &Path) -> Result<PathBuf, super::Failure> {
    let loaded = Loaded::read(config)?;
    Ok(loaded.path(&loaded.config.store.path))
}

fn say(text: &str) -> Outcome {
    write!(std::io::stdout(), "{text}")?;
    Ok(())
}

fn verify(config: &Path) -> Outcome {
    let report = store::verify(&folder(config)?)?;
    say(&as_text(&report))?;
    match report.is_sound() {
        true => Ok(()),
        false => Err("the store is damaged; what is wrong is said above; `tollgate store repair` \
             says what can be saved"
            .into()),
    }
}

fn repair(folder: &Path, into: PathBuf, accept_loss: bool) -> Outcome {
    let done = store::repair(folder, &store::Options::new(into), accept_loss)?;
    say(&repair_as_text(&done))?;
    match done.repaired {
        Some(_) => Ok(()),
        None => Err("nothing was written; `--accept-loss` writes the new store without what is \
             said above to be lost"
            .into()),
    }
}

fn export_as_text(done: &str, export: &store::Export) -> String {
    let store::Export { store, commits, last_hash, bytes, .. } = export;
    format!(
        "store        {store}\ncommits      {commits}\nlast hash    {last_hash}\n\
         bytes        {bytes}\n{done}\n"
    )
}

fn repair_as_text(repair: &store::Repair) -> String {
    let store::Repair { store, repaired, commits, found, losses, unproven } = repair;
    let mut lines = vec![
        format!("store        {store}"),
        format!("commits      {found} of {commits} are whole"),
    ];
    for loss in losses {
        let more = if loss.or_more { ", perhaps more" } else { "" };
        let what = match &loss.records_from {
            Some(from) => format!("history alone: the records are put back from {from}"),
            None => "history, and the records that only they wrote".to_owned(),
        };
        lines.push(format!("LOST         commits {} to {}{more}: {what}", loss.first, loss.last));
        lines.extend(loss.touched.iter().map(|name| format!("             touched {name}")));
    }
    let relies = "relied on what is lost: that it was right to cannot be shown any more";
    lines.extend(unproven.iter().map(|commit| format!("note         commit {commit} {relies}")));
    lines.push(match repaired {
        Some(id) if losses.is_empty() => format!("repaired, nothing lost, store {id}"),
        Some(id) => format!("repaired, store {id}"),
        None => "not repaired".to_owned(),
    });
    lines.join("\n") + "\n"
}

fn as_text(report: &store::Report) -> String {
    let mut lines = vec![
        format!("store        {}", report.store),
        format!(
            "journal      {} segments, {} bytes, {} commits",
            report.segments, report.journal_bytes, report.commits
        ),
        format!("last hash    {}", report.last_hash),
        format!("digest       {}", report.digest),
        format!("checkpoints  {:?}", report.checkpoints),
    ];
    let records = report.records.iter().map(|(space, n)| format!("records      {n} in {space}"));
    lines.extend(records);
    lines.extend(report.notes.iter().map(|note| format!("note         {note}")));
    lines.extend(report.damage.iter().map(|damage| format!("DAMAGE       {damage}")));
    lines.push(if report.is_sound() { "sound".to_owned() } else { "damaged".to_owned() });
    lines.join("\n") + "\n"
}

/// Opens the store of a configuration. When it has to stop, so does the process: what it cannot
/// make durable must not be acknowledged.
pub fn open(loaded: &Loaded) -> Result<JournalStore, store::Error> {
    let options = store::Options {
        cache_bytes: loaded.config.store.cache_mib.saturating_mul(1 << 20),
        reserve_bytes: loaded.config.store.reserve_mib.saturating_mul(1 << 20),
        on_stop: Some(Arc::new(|error: &store::Error| {
            tracing::error!(%error, "the store has stopped, and so does the host");
            std::process::abort();
        })),
        ..store::Options::new(loaded.path(&loaded.config.store.path))
    };
    JournalStore::open(options)
}

/// The runtime of a command.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}
