//! Repairs: everything that can be saved is saved, what cannot is said to the commit, nothing is
//! written without leave, and the damaged store stays as it is.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{ALPHA, BETA, after, change, commit, contents, copy, day, open, put, snapshot};
use store::{Batch, Expected, JournalStore, Kind, Options, Repair, Store, repair, verify};
use tempfile::TempDir;

const COMMITS: u64 = 30;

fn small(dir: &Path) -> Options {
    Options { segment_bytes_max: 900, ..common::options(dir) }
}

async fn made(batches: &[Batch]) -> TempDir {
    let dir = common::scratch();
    let store = JournalStore::open(small(dir.path())).unwrap();
    for batch in batches {
        commit(&store, batch.clone()).await;
    }
    store.close().await.unwrap();
    dir
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    common::listed(&dir.join("journal"))
}

/// Where the payload of a commit stands.
fn payload_of(dir: &Path, sequence: u64) -> (PathBuf, usize) {
    for path in segments(dir) {
        let (bytes, mut at) = (fs::read(&path).unwrap(), 76);
        while at < bytes.len() {
            let number = |at: usize| u64::from_be_bytes(bytes[at..at + 8].try_into().unwrap());
            if number(at + 8) == sequence {
                return (path, at + 72);
            }
            at += 72 + (number(at + 4) >> 32) as usize;
        }
    }
    panic!("there is no commit {sequence}");
}

/// Changes the last byte but one of some commits: it is in a value.
fn spoil(dir: &Path, sequences: impl IntoIterator<Item = u64>) {
    for sequence in sequences {
        let (path, at) = payload_of(dir, sequence);
        change(&path, |bytes| {
            let length = u32::from_be_bytes(bytes[at - 68..at - 64].try_into().unwrap());
            bytes[at + length as usize - 1] ^= 0x20;
        });
    }
}

fn forget(dir: &Path, parts: &[&str]) {
    for part in parts {
        let path = dir.join(part);
        let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        removed.unwrap();
    }
}

const WITNESSES: [&str; 3] = ["state", "checkpoint", "durable"];

/// Repairs with leave, having seen that without it nothing is written when something is lost.
fn repaired(dir: &Path) -> (TempDir, Repair) {
    let (before, into) = (snapshot(dir), common::scratch());
    let asked = repair(dir, &small(into.path()), false).unwrap();
    assert_eq!(asked.repaired.is_none(), !asked.losses.is_empty());
    if asked.repaired.is_some() {
        assert!(snapshot(dir) == before, "the damaged store was changed");
        return (into, asked);
    }
    assert!(common::listed(into.path()).is_empty(), "something was written");
    let done = repair(dir, &small(into.path()), true).unwrap();
    assert!(snapshot(dir) == before, "the damaged store was changed");
    assert_eq!(Repair { repaired: None, ..done.clone() }, asked, "it did what it said");
    let report = verify(into.path()).unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.commits, Some(&report.store)), (done.commits, done.repaired.as_ref()));
    assert_ne!(report.store, done.store);
    (into, done)
}

/// First, last and whether the records were put back.
fn ranges(repair: &Repair) -> Vec<(u64, u64, bool)> {
    let range = |loss: &store::Loss| (loss.first, loss.last, loss.records_from.is_some());
    repair.losses.iter().map(range).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_lost_nothing_is_repaired_as_it_was() {
    let harms: [fn(&Path); 5] = [
        |_| (),
        |dir| forget(dir, &["format"]),
        |dir| fs::write(dir.join("format"), "something else").unwrap(),
        |dir| forget(dir, &WITNESSES),
        |dir| change(segments(dir).last().unwrap(), |bytes| bytes.extend([0; 700])),
    ];
    let made = made(&day(COMMITS)).await;
    let was = verify(made.path()).unwrap();
    for harm in harms {
        let dir = common::scratch();
        copy(made.path(), dir.path());
        harm(dir.path());
        let (into, repair) = repaired(dir.path());
        assert_eq!((repair.found, repair.commits), (COMMITS, COMMITS));
        assert_eq!(repair.repaired.as_ref(), Some(&was.store));
        let is = verify(into.path()).unwrap();
        assert_eq!((is.last_hash, is.digest), (was.last_hash.clone(), was.digest.clone()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_a_checkpoint_or_the_state_has_are_all_saved() {
    for witness in ["checkpoint", "state"] {
        // Removals, records relied on and the last commit among them.
        for lost in [vec![1], vec![6], vec![5, 6, 7, 12], vec![30], (1..=30).collect()] {
            let dir = made(&day(COMMITS)).await;
            spoil(dir.path(), lost.iter().copied());
            let other = if witness == "state" { "checkpoint" } else { "state" };
            forget(dir.path(), &[other]);
            let (into, repair) = repaired(dir.path());
            let said: Vec<u64> =
                repair.losses.iter().flat_map(|loss| loss.first..=loss.last).collect();
            assert_eq!(said, lost);
            assert!(!repair.loses_records());
            for loss in &repair.losses {
                assert!(loss.records_from.as_ref().unwrap().contains(witness), "{loss:?}");
                let own = format!("alpha own-{:03}", loss.first - 1);
                assert!(loss.touched.contains(&own), "{loss:?}");
            }
            let store = open(into.path());
            // The very versions and keys too, so that what relies on them goes on.
            assert!(contents(&store).await == after(&day(COMMITS)).await, "{witness} {lost:?}");
            assert_eq!(commit(&store, put(ALPHA, "next", "v")).await, COMMITS + 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_nothing_else_has_seen_are_said_to_be_lost() {
    let batches = day(COMMITS);
    let dir = made(&batches).await;
    spoil(dir.path(), [11, 12, 20]);
    forget(dir.path(), &WITNESSES);
    let (into, repair) = repaired(dir.path());
    assert_eq!(ranges(&repair), [(11, 12, false), (20, 20, false)]);
    assert!(repair.loses_records());
    for (loss, sequences) in repair.losses.iter().zip([11..=12_u64, 20..=20]) {
        for sequence in sequences {
            // The keys can still be read, though the commit is not what was written.
            let own = format!("alpha own-{:03}", sequence - 1);
            assert!(loss.touched.contains(&own), "{loss:?}");
            assert!(loss.touched.iter().any(|it| it.starts_with("beta ")), "{loss:?}");
        }
    }
    let (found, due) = (contents(&open(into.path())).await, after(&batches).await);
    let missing = |row: &&store::Row| [11, 12, 20].contains(&row.version);
    assert!(!due[&BETA].iter().any(|row| missing(&row) && found[&BETA].contains(row)));
    let kept: Vec<_> = due[&BETA].iter().filter(|row| !missing(row)).cloned().collect();
    assert_eq!(found[&BETA], kept, "every other commit is there under its sequence");
    for row in found[&ALPHA].iter().filter(|row| !due[&ALPHA].contains(row)) {
        let key = format!("alpha {}", row.key.escape_ascii());
        let told = repair.losses.iter().any(|loss| loss.touched.contains(&key));
        assert!(told, "{key} is not what it was, and that is not said");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_later_commits_relied_on_is_said_though_the_commit_is_gone_altogether() {
    let mut batches = vec![put(ALPHA, "a", "1"), put(ALPHA, "b", "1")];
    let mut relies = put(ALPHA, "b", "2");
    relies.expect(ALPHA, "b", Expected::Version(2));
    batches.push(relies);
    let dir = made(&batches).await;
    let (path, at) = payload_of(dir.path(), 2);
    change(&path, |bytes| bytes[at - 72..at + 4].fill(0));
    forget(dir.path(), &WITNESSES);
    let (into, repair) = repaired(dir.path());
    assert_eq!(ranges(&repair), [(2, 2, false)]);
    assert_eq!(repair.losses[0].touched, ["alpha b"]);
    assert_eq!(repair.unproven, [3]);
    let record = open(into.path()).read(ALPHA, b"b").await.unwrap().unwrap();
    assert_eq!((record.version, record.value), (3, b"2".to_vec()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_segment_is_a_range_of_commits() {
    let made = made(&day(COMMITS)).await;
    let count = segments(made.path()).len();
    assert!(count > 3);
    for index in 0..count {
        for witnesses in [&[][..], &["state", "checkpoint"]] {
            let dir = common::scratch();
            copy(made.path(), dir.path());
            fs::remove_file(&segments(dir.path())[index]).unwrap();
            forget(dir.path(), witnesses);
            let (into, repair) = repaired(dir.path());
            let whole = witnesses.is_empty();
            let [(first, last, back)] = ranges(&repair)[..] else { panic!("{repair:?}") };
            // The file `durable` says where the journal ended, though its last segment is gone.
            assert_eq!((repair.commits, back), (COMMITS, whole));
            assert_eq!(repair.found, COMMITS - (last - first + 1));
            let same = contents(&open(into.path())).await == after(&day(COMMITS)).await;
            assert_eq!(same, whole);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_end_of_which_nothing_is_known_is_said_to_be_open() {
    let dir = made(&day(4)).await;
    forget(dir.path(), &WITNESSES);
    change(segments(dir.path()).last().unwrap(), |bytes| bytes.extend([7; 90]));
    let (_into, repair) = repaired(dir.path());
    assert_eq!(ranges(&repair), [(5, 5, false)]);
    assert!(repair.losses[0].or_more);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repair_chooses_between_no_two_histories() {
    let before = made(&day(3)).await;
    let mut histories = Vec::new();
    for value in ["left", "rite"] {
        let dir = common::scratch();
        copy(before.path(), dir.path());
        let store = JournalStore::open(small(dir.path())).unwrap();
        commit(&store, put(ALPHA, "k", value)).await;
        drop(store);
        histories.push(dir);
    }
    let (left, rite) = (histories[0].path(), histories[1].path());
    let into = common::scratch();
    for harm in ["state", "journal", "both"] {
        let dir = common::scratch();
        copy(left, dir.path());
        match harm {
            "state" => {
                forget(dir.path(), &["state"]);
                copy(&rite.join("state"), &dir.path().join("state"));
            }
            "journal" => {
                forget(dir.path(), &["journal"]);
                copy(&rite.join("journal"), &dir.path().join("journal"));
            }
            _ => {
                let other = segments(rite).pop().unwrap();
                fs::copy(other, dir.path().join("journal/00000009.log")).unwrap();
            }
        }
        let refused = repair(dir.path(), &small(into.path()), true).unwrap_err();
        assert_eq!(*refused.kind(), Kind::Damaged, "{harm}");
        assert!(refused.to_string().contains("restore an export"), "{harm}: {refused}");
        assert!(common::listed(into.path()).is_empty(), "{harm}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repair_needs_a_closed_store_and_an_empty_directory_elsewhere() {
    let dir = made(&day(3)).await;
    let into = common::scratch();
    let store = open(dir.path());
    let locked = repair(dir.path(), &small(into.path()), true).unwrap_err();
    assert_eq!(*locked.kind(), Kind::Locked);
    drop(store);
    let inside = repair(dir.path(), &small(&dir.path().join("new")), true).unwrap_err();
    assert!(inside.to_string().contains("to stay as it is"), "{inside}");
    let full = repair(dir.path(), &small(dir.path()), true).unwrap_err();
    assert_eq!(*full.kind(), Kind::Foreign);
    let nothing = repair(into.path(), &small(&into.path().join("new")), true).unwrap_err();
    assert_eq!(*nothing.kind(), Kind::Foreign);
}
