//! `tollgate store`: look at the store.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

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
        write!(std::io::stdout(), "{}", as_text(&report))?;
        match report.is_sound() {
            true => Ok(()),
            false => Err("the store is damaged; what is wrong is said above".into()),
        }
    }
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
