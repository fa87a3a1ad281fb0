//! The store on disk against the model, over seeded random batches, scans and reopenings.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::fs;
use std::path::Path;

use common::{SPACES, Seeded, contents};
use store::{Batch, Expected, JournalStore, Model, Options, Range, Space, Store, verify};

const STEPS: u64 = 150;

fn options(dir: &Path) -> Options {
    Options { segment_bytes_max: 20_000, checkpoint_frames: 20, ..common::options(dir) }
}

fn space(seeded: &mut Seeded) -> Space {
    SPACES[seeded.below(2) as usize]
}

/// Few and short keys, so that they meet; some are prefixes of others.
fn key(seeded: &mut Seeded) -> Vec<u8> {
    let length = seeded.below(4) as usize;
    (0..length).map(|_| [0, b'a', b'b', 0xff][seeded.below(4) as usize]).collect()
}

fn value(seeded: &mut Seeded) -> Vec<u8> {
    let length = [0, 1, 30, 4_096, 4_097, 20_000][seeded.below(6) as usize];
    seeded.bytes(length)
}

async fn random_batch(seeded: &mut Seeded, model: &Model) -> Batch {
    let mut batch = Batch::at(seeded.next() >> 20);
    for _ in 0..seeded.below(5) {
        match seeded.below(4) {
            0 => batch.remove(space(seeded), key(seeded)),
            1 => batch.append(space(seeded), key(seeded), value(seeded)),
            _ => batch.put(space(seeded), key(seeded), value(seeded)),
        };
    }
    for _ in 0..seeded.below(3) {
        let (space, key) = (space(seeded), key(seeded));
        let now = model.read(space, &key).await.unwrap();
        let right = now.map_or(Expected::Absent, |record| Expected::Version(record.version));
        let expected =
            if seeded.below(6) == 0 { Expected::Version(seeded.below(9)) } else { right };
        batch.expect(space, key, expected);
    }
    batch
}

fn random_range(seeded: &mut Seeded) -> Range {
    let mut range = Range::under(space(seeded), key(seeded)).limit(seeded.below(12) as usize);
    range.from = (seeded.below(2) == 0).then(|| key(seeded));
    range.to = (seeded.below(2) == 0).then(|| key(seeded));
    range.reverse = seeded.below(2) == 0;
    range
}

/// Ends the store in one of several ways and opens it again.
async fn reopen(seeded: &mut Seeded, store: JournalStore, dir: &Path) -> JournalStore {
    let how = seeded.below(5);
    if how < 2 {
        store.close().await.unwrap();
    }
    drop(store);
    match how {
        1 | 2 => fs::remove_dir_all(dir.join("state")).unwrap(),
        3 => fs::remove_dir_all(dir.join("checkpoint")).unwrap(),
        _ => {}
    }
    JournalStore::open(options(dir)).unwrap()
}

async fn agree(seed: u64) {
    let dir = common::scratch();
    let (mut seeded, model) = (Seeded(seed), Model::new());
    let mut store = JournalStore::open(options(dir.path())).unwrap();
    for step in 0..STEPS {
        let batch = random_batch(&mut seeded, &model).await;
        let due = model.commit(batch.clone()).await.map_err(|e| e.to_string());
        let found = store.commit(batch).await.map_err(|e| e.to_string());
        assert_eq!(found, due, "seed {seed}, step {step}");
        let range = random_range(&mut seeded);
        let due = model.scan(range.clone()).await.unwrap();
        assert!(
            store.scan(range.clone()).await.unwrap() == due,
            "seed {seed}, step {step}: {range:?}"
        );
        if seeded.below(40) == 0 {
            store = reopen(&mut seeded, store, dir.path()).await;
            assert!(contents(&store).await == contents(&model).await, "seed {seed}, step {step}");
        }
    }
    store.close().await.unwrap();
    drop(store);
    let report = verify(dir.path()).unwrap();
    assert!(report.is_sound() && report.notes.is_empty(), "seed {seed}: {report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_does_what_the_model_does() {
    for seed in 0..12 {
        agree(seed).await;
    }
}
