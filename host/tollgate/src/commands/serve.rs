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
    // A dump would hold keys, and the cards in hand.
    rlimit::setrlimit(rlimit::Resource::CORE, 0, 0)?;
    let loaded = Loaded::read(config)?;
    runtime()?.block_on(async { run(&loaded).await })
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
