//! Stops after every write, sync, rename and removal in turn, loses what was not synced, tears
//! what was being written, and opens what survived: every acknowledged commit must be there.

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
use std::sync::{Arc, Mutex};

use common::faulty::{Fault, Faulty};
use common::{ALPHA, BETA, batch, contents, put};
use store::{Disk, Error, JournalStore, Kind, Options, RealDisk, Store, verify};

fn options(dir: &Path, disk: Arc<dyn Disk>) -> Options {
    let options = common::options(dir);
    Options { segment_bytes_max: 900, checkpoint_frames: 1_000, disk, ..options }
}

/// What became of the rounds of a run.
#[derive(Default)]
struct Told {
    acknowledged: Vec<u64>,
    refused: Vec<u64>,
    stopped: bool,
}

const ROUNDS: u64 = 14;

/// Commits rounds on a faulty disk, some of them at once; closes at half time and at the end.
async fn run(dir: &Path, disk: &Faulty) -> Told {
    let mut told = Told::default();
    for half in [0..ROUNDS / 2, ROUNDS / 2..ROUNDS] {
        let Ok(store) = JournalStore::open(options(dir, Arc::new(disk.clone()))) else {
            told.stopped = true;
            return told;
        };
        let rounds: Vec<_> = half.collect();
        for pair in rounds.chunks(2) {
            // Both are polled before the committer answers: they may share a group.
            let asked = pair.iter().map(|round| store.commit(round_batch(*round)));
            let answers = join(asked.collect()).await;
            for (round, answer) in pair.iter().zip(answers) {
                told.note(*round, answer);
            }
        }
        let _ = store.close().await;
    }
    told
}

/// Answers to several commits that are under way together.
async fn join<T>(pending: Vec<store::Pending<'_, T>>) -> Vec<Result<T, Error>> {
    let mut pending: Vec<_> = pending.into_iter().map(|one| (one, None)).collect();
    std::future::poll_fn(|context| {
        for (one, answer) in pending.iter_mut().filter(|(_, answer)| answer.is_none()) {
            if let std::task::Poll::Ready(ready) = one.as_mut().poll(context) {
                *answer = Some(ready);
            }
        }
        match pending.iter().all(|(_, answer)| answer.is_some()) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    pending.into_iter().filter_map(|(_, answer)| answer).collect()
}

fn round_batch(round: u64) -> store::Batch {
    let value = vec![b'v'; 40 + 120 * (round as usize % 5)];
    batch(|it| it.put(ALPHA, format!("{round:03}"), value).append(BETA, "", round.to_string()))
}

impl Told {
    fn note(&mut self, round: u64, answer: Result<store::Receipt, Error>) {
        match answer {
            Ok(_) => self.acknowledged.push(round),
            Err(e) if *e.kind() == Kind::Full => self.refused.push(round),
            Err(e) => {
                assert_eq!(*e.kind(), Kind::Stopped, "{e}");
                self.stopped = true;
            }
        }
    }
}

/// What survived has every acknowledged round, no refused one, none by half, and works.
async fn check(dir: &Path, told: &Told, what: &str) {
    let store = JournalStore::open(options(dir, Arc::new(RealDisk)));
    let store = store.unwrap_or_else(|e| panic!("{what}: {e}"));
    let found = contents(&store).await;
    let rounds = found[&ALPHA].iter().map(|row| String::from_utf8(row.key.clone()).unwrap());
    let rounds: Vec<u64> = rounds.map(|key| key.parse().unwrap()).collect();
    for round in &told.acknowledged {
        assert!(rounds.contains(round), "{what}: round {round} was acknowledged and is lost");
    }
    for round in &told.refused {
        assert!(!rounds.contains(round), "{what}: round {round} was refused and is there");
    }
    let mut events = found[&BETA].iter().map(|row| String::from_utf8(row.value.clone()).unwrap());
    let mut events: Vec<u64> = events.by_ref().map(|event| event.parse().unwrap()).collect();
    events.sort_unstable();
    assert_eq!(events, rounds, "{what}: a commit is there by half");
    store.commit(put(ALPHA, "999", "v")).await.unwrap();
    store.close().await.unwrap();
    drop(store);
    let report = verify(dir).unwrap();
    assert!(report.is_sound(), "{what}: {report:?}");
}

async fn operations_of_a_run() -> u64 {
    let dir = common::scratch();
    let disk = Faulty::new(0, u64::MAX, Fault::PowerCut);
    let told = run(dir.path(), &disk).await;
    assert_eq!(told.acknowledged.len() as u64, ROUNDS);
    check(dir.path(), &told, "without a fault").await;
    disk.operations()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_at_any_operation_loses_nothing_acknowledged() {
    let operations = operations_of_a_run().await;
    assert!(operations > 40, "{operations}");
    for at in 1..=operations {
        for seed in 0..2 {
            let dir = common::scratch();
            let disk = Faulty::new(seed * 1_000 + at, at, Fault::PowerCut);
            let told = run(dir.path(), &disk).await;
            disk.lose_power();
            if seed == 1 {
                // sled never syncs: it may as well be gone.
                let _ = fs::remove_dir_all(dir.path().join("state"));
            }
            check(dir.path(), &told, &format!("power cut at operation {at}, seed {seed}")).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_at_any_operation_refuses_or_stops_and_keeps_its_word() {
    let mut refusals = 0;
    for at in 1..=operations_of_a_run().await {
        let dir = common::scratch();
        let disk = Faulty::new(at, at, Fault::Full);
        let told = run(dir.path(), &disk).await;
        refusals += told.refused.len();
        check(dir.path(), &told, &format!("disk full at operation {at}")).await;
    }
    assert!(refusals > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_the_disk_at_any_operation_stops_the_store_and_it_keeps_its_word() {
    let mut stops = 0;
    for at in 1..=operations_of_a_run().await {
        let dir = common::scratch();
        let disk = Faulty::new(at, at, Fault::Broken);
        let told = run(dir.path(), &disk).await;
        stops += u32::from(told.stopped);
        assert!(told.refused.is_empty());
        disk.lose_power();
        check(dir.path(), &told, &format!("error at operation {at}")).await;
    }
    assert!(stops > 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_sync_stops_the_store_for_good_and_says_so_once() {
    let dir = common::scratch();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let disk = Faulty::new(0, u64::MAX, Fault::Broken);
    let hook = Arc::clone(&heard);
    let on_stop: store::OnStop =
        Arc::new(move |why: &Error| hook.lock().unwrap().push(why.to_string()));
    let faulty = Options { on_stop: Some(on_stop), ..options(dir.path(), Arc::new(disk.clone())) };
    let store = JournalStore::open(faulty).unwrap();
    store.commit(put(ALPHA, "a", "1")).await.unwrap();
    // The write is the next operation, its sync the one after.
    let at = disk.operations() + 2;
    disk.fail_at(at);
    let stopped = store.commit(put(ALPHA, "b", "1")).await.unwrap_err();
    assert_eq!(*stopped.kind(), Kind::Stopped);
    assert!(stopped.to_string().contains("cannot sync"), "{stopped}");
    let mut commits = store.subscribe();
    while commits.changed().await.is_ok() {}
    for _ in 0..3 {
        let again = store.commit(put(ALPHA, "c", "1")).await.unwrap_err();
        assert_eq!(*again.kind(), Kind::Stopped);
        assert!(again.to_string().contains("cannot sync"), "{again}");
    }
    assert_eq!(*store.read(ALPHA, b"a").await.unwrap_err().kind(), Kind::Stopped);
    assert_eq!(disk.operations(), at, "nothing is written after a failed sync");
    assert_eq!(heard.lock().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_segment_whose_name_was_not_durable_when_its_process_died_is_not_lost_later() {
    for seed in 0..8 {
        let dir = common::scratch();
        let disk = Faulty::new(seed, u64::MAX, Fault::Broken);
        let open = || JournalStore::open(options(dir.path(), Arc::new(disk.clone()))).unwrap();
        let mut told = Told::default();
        let store = open();
        for round in [4, 9] {
            told.note(round, store.commit(round_batch(round)).await);
        }
        // The next one begins a segment: create, write, sync, rename, and the sync of its name.
        disk.fail_at(disk.operations() + 5);
        told.note(19, store.commit(round_batch(19)).await);
        assert!(told.stopped);
        drop(store);
        assert!(dir.path().join("journal/00000002.log").exists());
        told.note(24, open().commit(round_batch(24)).await);
        disk.lose_power();
        assert_eq!(told.acknowledged, [4, 9, 24]);
        check(dir.path(), &told, &format!("seed {seed}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_and_the_store_goes_on() {
    let dir = common::scratch();
    let disk = Faulty::new(7, u64::MAX, Fault::Full);
    let store = JournalStore::open(options(dir.path(), Arc::new(disk.clone()))).unwrap();
    store.commit(put(ALPHA, "a", "1")).await.unwrap();
    let next = disk.operations() + 1;
    disk.fail_at(next);
    let full = store.commit(put(ALPHA, "b", "1")).await.unwrap_err();
    assert_eq!(*full.kind(), Kind::Full, "{full}");
    assert_eq!(store.read(ALPHA, b"b").await.unwrap(), None);
    assert_eq!(store.commit(put(ALPHA, "c", "1")).await.unwrap().sequence, 2);
    drop(store);
    assert!(verify(dir.path()).unwrap().is_sound());
}
