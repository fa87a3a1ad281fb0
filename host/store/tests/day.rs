//! A scripted day, stopped after every single write: what is there afterwards is what the model
//! has after that many commits, all that were acknowledged among them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod common;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use common::faulty::{Fault, Faulty};
use common::{Contents, after, change, commit, contents, copy, day, put, sequence};
use store::{Batch, JournalStore, Kind, Options, Store, verify};
use tempfile::TempDir;

const COMMITS: u64 = 18;
/// The day has a night in it: the store is closed after so many commits, and opened again.
const SESSION: usize = 9;
const SECTOR: usize = 512;

fn small(dir: &Path) -> Options {
    // Checkpoints are made beside the commits too, not at the close alone.
    Options { segment_bytes_max: 700, checkpoint_frames: 4, ..common::options(dir) }
}

/// What the model has after each number of commits.
async fn model(batches: &[Batch]) -> Vec<Contents> {
    let mut all = Vec::new();
    for commits in 0..=batches.len() {
        all.push(after(&batches[..commits]).await);
    }
    all
}

/// Lives the day on a disk; gives how many commits were acknowledged, and whether it was stopped.
async fn live(dir: &Path, disk: &Faulty, batches: &[Batch]) -> (u64, bool) {
    let mut acknowledged = 0;
    for session in batches.chunks(SESSION) {
        let options = Options { disk: Arc::new(disk.clone()), ..small(dir) };
        let Ok(store) = JournalStore::open(options) else { return (acknowledged, true) };
        for batch in session {
            match store.commit(batch.clone()).await {
                Ok(receipt) => acknowledged = receipt.sequence,
                Err(e) => {
                    assert_eq!(*e.kind(), Kind::Stopped, "{e}");
                    return (acknowledged, true);
                }
            }
        }
        if store.close().await.is_err() {
            return (acknowledged, true);
        }
    }
    (acknowledged, false)
}

/// Opens what is left, compares it with the model, and goes on; gives how many commits it has.
async fn goes_on(dir: &Path, model: &[Contents], what: &str) -> u64 {
    let store = JournalStore::open(small(dir)).unwrap_or_else(|e| panic!("{what}: {e}"));
    let commits = sequence(&store);
    assert!(contents(&store).await == model[commits as usize], "{what}: {commits} commits");
    assert_eq!(commit(&store, put(common::ALPHA, "next", "v")).await, commits + 1, "{what}");
    commits
}

/// The same, and verifies what it left.
async fn check(dir: &Path, model: &[Contents], what: &str) -> u64 {
    let commits = goes_on(dir, model, what).await;
    let report = verify(dir).unwrap();
    assert!(report.is_sound(), "{what}: {report:?}");
    commits
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_stopped_at_any_write_of_journal_or_checkpoint_is_the_model_s() {
    let batches = day(COMMITS);
    let model = model(&batches).await;
    let mut writes = 0;
    for at in 1.. {
        let dir = common::scratch();
        let disk = Faulty::new(at, at, Fault::PowerCut);
        let (acknowledged, stopped) = live(dir.path(), &disk, &batches).await;
        disk.lose_power();
        if at % 2 == 0 {
            // sled never syncs: all of it may be gone.
            let _ = fs::remove_dir_all(dir.path().join("state"));
        }
        let found = check(dir.path(), &model, &format!("stopped at write {at}")).await;
        // The one under way may be there too.
        let may_be = acknowledged..=acknowledged + 1;
        assert!(may_be.contains(&found), "write {at}: {found} of {acknowledged} acknowledged");
        writes = at;
        if !stopped && disk.operations() < at {
            break;
        }
    }
    assert!(writes > 60, "{writes}");
}

/// The directory after each session.
async fn evenings(batches: &[Batch], session: usize) -> Vec<TempDir> {
    let dir = common::scratch();
    let mut evenings = Vec::new();
    for session in batches.chunks(session) {
        let store = JournalStore::open(small(dir.path())).unwrap();
        for batch in session {
            commit(&store, batch.clone()).await;
        }
        drop(store);
        let evening = common::scratch();
        copy(dir.path(), evening.path());
        evenings.push(evening);
    }
    evenings
}

fn put_state(of: &Path, into: &Path) {
    let _ = fs::remove_dir_all(into.join("state"));
    copy(&of.join("state"), &into.join("state"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_whose_state_stopped_at_any_write_of_its_own_is_the_model_s() {
    let batches = day(COMMITS);
    let model = model(&batches).await;
    let evenings = evenings(&batches, 6).await;
    let mut sectors = 0;
    for pair in evenings.windows(2) {
        let (before, now) = (pair[0].path(), pair[1].path());
        let read = |dir: &Path| fs::read(dir.join("state/db")).unwrap();
        let (old, new) = (read(before), read(now));
        let commits = sequence(&JournalStore::open(small(copied(now).path())).unwrap());
        // Each sector it wrote: up to that one, and that one alone.
        for at in (0..new.len()).step_by(SECTOR) {
            let end = new.len().min(at + SECTOR);
            if old.get(at..end) == Some(&new[at..end]) {
                continue;
            }
            sectors += 1;
            for alone in [false, true] {
                let dir = copied(now);
                put_state(before, dir.path());
                change(&dir.path().join("state/db"), |bytes| {
                    bytes.resize(bytes.len().max(end), 0);
                    let from = if alone { at } else { 0 };
                    bytes[from..end].copy_from_slice(&new[from..end]);
                });
                let what = format!("state: sector at {at} of commit {commits}, alone: {alone}");
                assert_eq!(goes_on(dir.path(), &model, &what).await, commits, "{what}");
            }
        }
    }
    assert!(sectors > 4, "{sectors} sectors were written");
}

fn copied(from: &Path) -> TempDir {
    let dir = common::scratch();
    copy(from, dir.path());
    dir
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_whose_state_is_of_any_earlier_moment_is_the_model_s() {
    let batches = day(COMMITS);
    let model = model(&batches).await;
    let evenings = evenings(&batches, 1).await;
    for (now, evening) in evenings.iter().enumerate() {
        for (then, earlier) in evenings[..=now].iter().enumerate() {
            let dir = copied(evening.path());
            put_state(earlier.path(), dir.path());
            let what = format!("a state of commit {} at {}", then + 1, now + 1);
            assert_eq!(goes_on(dir.path(), &model, &what).await, now as u64 + 1, "{what}");
        }
    }
}
