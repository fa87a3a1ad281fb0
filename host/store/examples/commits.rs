//! Measures durable commits a second: `cargo run -p store --release --example commits [DIR]`.
//! Each commit puts three records, 428 bytes in all. Prints; proves nothing.

#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use std::sync::Arc;
use std::time::Instant;

use store::{Batch, Error, JournalStore, Options, Space, Store};

const SPACE: Space = Space::named("bench");
const COMMITS: u64 = 8_000;

fn batch(writer: u64, round: u64) -> Batch {
    let mut batch = Batch::at(round);
    for record in 0..3_u64 {
        let key = [writer.to_be_bytes(), round.to_be_bytes(), record.to_be_bytes()].concat();
        batch.put(SPACE, key, vec![b'x'; 118]);
    }
    batch
}

async fn write(store: Arc<JournalStore>, writer: u64, commits: u64) -> Result<(), Error> {
    for round in 0..commits {
        store.commit(batch(writer, round)).await?;
    }
    Ok(())
}

async fn measure(dir: &std::path::Path, writers: u64) -> Result<f64, Box<dyn std::error::Error>> {
    let store = Arc::new(JournalStore::open(Options::new(dir.join(format!("{writers}"))))?);
    let (began, each) = (Instant::now(), COMMITS / writers);
    let tasks: Vec<_> =
        (0..writers).map(|writer| tokio::spawn(write(Arc::clone(&store), writer, each))).collect();
    for task in tasks {
        task.await??;
    }
    let rate = (each * writers) as f64 / began.elapsed().as_secs_f64();
    store.close().await?;
    Ok(rate)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir()?;
    let place = std::env::args_os().nth(1).map_or(dir.path().to_owned(), Into::into);
    for writers in [1, 8, 64] {
        let rate = measure(&place, writers).await?;
        println!("{writers:>3} writers: {rate:>8.0} commits/s");
    }
    let began = Instant::now();
    let store = JournalStore::open(Options::new(place.join("64")))?;
    println!("opened again in {:?}, at {}", began.elapsed(), *store.subscribe().borrow());
    Ok(())
}
