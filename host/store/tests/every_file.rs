//! Every file of the directory, harmed in every way, as data: what was acknowledged is all there
//! afterwards, or the store does not open and says why and what to do; and a repair of it loses
//! nothing that it does not name.

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

use common::{Contents, Seeded, after, change, commit, contents, copy, day, files_below, sequence};
use store::{Error, JournalStore, Kind, Options, repair};
use tempfile::TempDir;

const COMMITS: u64 = 24;

fn small(dir: &Path) -> Options {
    Options { segment_bytes_max: 1_200, ..common::options(dir) }
}

/// Something that happens to a file.
#[derive(Clone, Debug)]
enum Harm {
    Removed,
    CutTo(usize),
    Flipped { at: usize, bits: u8 },
    Blanked { from: usize, to: usize },
    Appended(&'static [u8]),
    SwappedWith(PathBuf),
    CopiedFrom(PathBuf),
}

impl Harm {
    fn befall(&self, dir: &Path, file: &Path) {
        let path = dir.join(file);
        match self {
            Harm::Removed => fs::remove_file(path).unwrap(),
            Harm::CutTo(length) => change(&path, |bytes| bytes.truncate(*length)),
            Harm::Flipped { at, bits } => change(&path, |bytes| bytes[*at] ^= bits),
            Harm::Blanked { from, to } => change(&path, |bytes| bytes[*from..*to].fill(0)),
            Harm::Appended(tail) => change(&path, |bytes| bytes.extend_from_slice(tail)),
            Harm::SwappedWith(other) => {
                let (one, two) = (fs::read(&path).unwrap(), fs::read(dir.join(other)).unwrap());
                fs::write(&path, two).unwrap();
                fs::write(dir.join(other), one).unwrap();
            }
            Harm::CopiedFrom(other) => drop(fs::copy(dir.join(other), path).unwrap()),
        }
    }
}

/// Two sessions, so that there are two checkpoints.
async fn made() -> (TempDir, Contents) {
    let (dir, batches) = (common::scratch(), day(COMMITS));
    for half in batches.chunks(batches.len() / 2) {
        let store = JournalStore::open(small(dir.path())).unwrap();
        for batch in half {
            commit(&store, batch.clone()).await;
        }
        store.close().await.unwrap();
    }
    (dir, after(&batches).await)
}

/// Every harm of a file: every one of a small part, some of a large one.
fn harms(file: &Path, length: usize, others: &[PathBuf], seeded: &mut Seeded) -> Vec<Harm> {
    let mut harms = vec![Harm::Removed, Harm::Appended(b"\0\0\0\0"), Harm::Appended(b"TGFR!")];
    let step = (length / 24).max(1);
    for at in (0..length).step_by(step) {
        harms.push(Harm::CutTo(at));
        let at = at + seeded.below(step.min(length - at) as u64) as usize;
        harms.push(Harm::Flipped { at, bits: 1 << seeded.below(8) });
    }
    let blocks = (0..length).step_by((length / 8).next_multiple_of(512).max(512));
    harms.extend(blocks.map(|from| Harm::Blanked { from, to: length.min(from + 512) }));
    if length > 0 {
        harms.push(Harm::Blanked { from: 0, to: length });
    }
    for other in others.iter().filter(|other| *other != file) {
        harms.push(Harm::SwappedWith(other.clone()));
        harms.push(Harm::CopiedFrom(other.clone()));
    }
    harms
}

fn explains(e: &Error, dir: &Path, what: &str) {
    let text = e.to_string();
    assert!(matches!(e.kind(), Kind::Damaged | Kind::Foreign | Kind::Newer), "{what}: {text}");
    assert!(text.contains(&dir.display().to_string()), "{what}: no place in {text}");
    let remedies = ["restore", "remove", "give", "use the program", "move"];
    assert!(remedies.iter().any(|it| text.contains(it)), "{what}: no remedy in {text}");
}

/// A repair with leave: all is there, or it says that something is not, or it refuses.
async fn check_repair(dir: &Path, due: &Contents, what: &str) -> bool {
    let into = common::scratch();
    let repaired = match repair(dir, &small(into.path()), true) {
        Ok(repaired) => repaired,
        Err(e) => {
            explains(&e, dir, what);
            return false;
        }
    };
    let store = JournalStore::open(small(into.path())).unwrap_or_else(|e| panic!("{what}: {e}"));
    let whole = contents(&store).await == *due;
    assert!(whole || repaired.loses_records(), "{what}: lost in silence: {repaired:?}");
    assert!(whole || repaired.commits >= COMMITS, "{what}: {repaired:?}");
    whole
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_befalls_any_file_all_is_there_or_the_store_refuses_and_says_why() {
    let (made, due) = made().await;
    let files = files_below(made.path());
    for part in ["format", "lock", "durable", "journal/", "checkpoint/", "state/"] {
        assert!(files.iter().any(|file| file.to_string_lossy().starts_with(part)), "{part}");
    }
    let mut seeded = Seeded(16);
    let (mut recovered, mut refused, mut repaired) = (0, 0, 0);
    for file in &files {
        let length = fs::metadata(made.path().join(file)).unwrap().len() as usize;
        for harm in harms(file, length, &files, &mut seeded) {
            let what = format!("{}: {harm:?}", file.display());
            let dir = common::scratch();
            copy(made.path(), dir.path());
            harm.befall(dir.path(), file);
            match JournalStore::open(small(dir.path())) {
                Ok(store) => {
                    assert_eq!(sequence(&store), COMMITS, "{what}");
                    assert!(contents(&store).await == due, "{what}");
                    recovered += 1;
                }
                Err(e) => {
                    explains(&e, dir.path(), &what);
                    repaired += u32::from(check_repair(dir.path(), &due, &what).await);
                    refused += 1;
                }
            }
        }
    }
    assert!(recovered > 100 && refused > 100, "{recovered} recovered, {refused} refused");
    // One file alone never holds the only copy of a record.
    assert!(repaired * 10 > refused * 9, "{repaired} of {refused} repaired in full");
}
