//! `tollgate serve`: takes payments until interrupted.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};

use super::Outcome;
use super::store::{open, runtime};
use crate::compose;
use crate::config::Loaded;

/// Opens the store, loads the plugins, recovers what was left open, and serves.
pub fn serve(config: &Path) -> Outcome {
    close_memory()?;
    let loaded = Loaded::read(config)?;
    runtime()?.block_on(async { run(&loaded).await })
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
    let engine = compose::engine(loaded, store.clone())?;
    let recovered = engine.recover().await?;
    if recovered > 0 {
        tracing::warn!(recovered, "entries were being sent when the host last stopped");
    }
    let options = compose::api_options(loaded)?;
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
    if !server.serve(interrupted()?).await {
        tracing::warn!("requests in hand were cut off; their operations go on");
    }
    resolving.abort();
    resealing.abort();
    engine.stop().await;
    store.close().await?;
    tracing::info!("stopped");
    Ok(())
}

/// Ends at SIGINT or SIGTERM.
fn interrupted() -> std::io::Result<impl Future<Output = ()>> {
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(all(test, target_os = "linux"))]
#[test]
fn nobody_reads_the_memory_of_a_host_that_serves() {
    assert!(capctl::prctl::get_dumpable().unwrap());
    close_memory().unwrap();
    assert!(!capctl::prctl::get_dumpable().unwrap());
}
