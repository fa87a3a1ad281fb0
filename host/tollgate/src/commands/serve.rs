//! `tollgate serve`: takes payments until interrupted.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use store::JournalStore;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch::Sender;
use tokio::time::{Instant, timeout_at};

use super::Outcome;
use super::store::{open, runtime};
use crate::compose;
use crate::config::Loaded;

/// Opens the store, loads the plugins, recovers what was left open, and serves.
pub fn serve(config: &Path) -> Outcome {
    close_memory()?;
    let loaded = Loaded::read(config)?;
    make_room_for_files(&loaded)?;
    let runtime = runtime()?;
    let ended = runtime.block_on(async { run(&loaded).await });
    // The store is closed: what a plugin computes still is nobody's any more, and not waited for.
    runtime.shutdown_background();
    ended
}

/// A dump would hold keys, and the cards in hand. A limit of zero stops one that is a file, and not
/// one that the system pipes to a program (core(5)); a process that is not dumpable has neither,
/// and nobody but root reads its memory or its environment (ptrace(2), proc(5)).
fn close_memory() -> std::io::Result<()> {
    rlimit::setrlimit(rlimit::Resource::CORE, 0, 0)?;
    #[cfg(target_os = "linux")]
    capctl::prctl::set_dumpable(false)?;
    Ok(())
}

async fn run(loaded: &Loaded) -> Result<(), Box<dyn Error>> {
    let store = Arc::new(open(loaded)?);
    let card_keys = engine::open_card_keys(&*store, &compose::card_key_slots(loaded)).await?;
    let engine = compose::engine(loaded, store.clone(), Arc::new(card_keys))?;
    let recovered = engine.recover().await?;
    if recovered > 0 {
        tracing::warn!(recovered, "entries were being sent when the host last stopped");
    }
    let options = compose::api_options(loaded)?;
    // Before anybody is told that it takes payments: who reads that may stop it.
    let (told, mut when) = tokio::sync::watch::channel(None);
    let interrupted = interrupted(told)?;
    let server = api::Server::bind(options, Arc::new(engine.clone())).await?;
    let address = server.local_address();
    tracing::info!(%address, "taking payments");
    let resolving = tokio::spawn({
        let engine = engine.clone();
        async move { engine.run().await }
    });
    let resealing = tokio::spawn({
        let engine = engine.clone();
        async move { engine.keep_sealed().await }
    });
    let limits = loaded.config.limits.edge(loaded.config.server.limits());
    if !server.serve(interrupted).await {
        tracing::warn!("requests in hand were cut off");
    }
    resolving.abort();
    resealing.abort();
    // One time for the requests and for what goes on without a client.
    let began = (*when.borrow_and_update()).unwrap_or_else(Instant::now);
    let end = began + limits.lame_duck + limits.drain_timeout;
    if timeout_at(end, engine.stop()).await.is_err() {
        tracing::warn!("operations were cut off: the next start finds out what became of them");
    }
    close(&store).await?;
    tracing::info!("stopped");
    Ok(())
}

/// Without room for a last checkpoint everything is there all the same, and the next start takes
/// longer.
async fn close(store: &JournalStore) -> Result<(), store::Error> {
    match store.close().await {
        Err(why) if *why.kind() == store::Kind::Full => {
            tracing::warn!(%why, "no checkpoint");
            Ok(())
        }
        closed => closed,
    }
}

/// Files that are open beside those of connections: the store, the log, what leaves.
const FILES_BESIDE: u64 = 512;

/// As many open files as the connections need, here and towards providers: a store that cannot open
/// its next file stops the host.
fn make_room_for_files(loaded: &Loaded) -> Outcome {
    let limits = loaded.config.limits.edge(loaded.config.server.limits());
    let outwards = limits.payments_max.saturating_add(limits.operations_max);
    let needed = limits.connections_max.saturating_add(outwards);
    let needed = u64::try_from(needed).unwrap_or(u64::MAX).saturating_add(FILES_BESIDE);
    let allowed = rlimit::increase_nofile_limit(needed)?;
    if allowed < needed {
        return Err(format!(
            "the process may open {allowed} files, and its limits need {needed}: raise the limit \
             (LimitNOFILE of systemd, ulimit -n), or lower connections_max of [server]"
        )
        .into());
    }
    Ok(())
}

/// Ends at SIGINT or SIGTERM, and says when. A second one ends the process at once: the store is
/// made for that.
fn interrupted(told: Sender<Option<Instant>>) -> std::io::Result<impl Future<Output = ()>> {
    let mut signals = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        either(&mut signals).await;
        told.send_replace(Some(Instant::now()));
        tracing::info!("stopping: what is in hand is finished; a second signal ends it at once");
        tokio::spawn(async move {
            either(&mut signals).await;
            tracing::warn!("a second signal: the process ends at once");
            std::process::exit(1);
        });
    })
}

async fn either((interrupt, terminate): &mut (Signal, Signal)) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
