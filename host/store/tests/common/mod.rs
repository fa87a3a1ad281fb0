//! What the store's tests share: spaces, a seeded generator, short ways to commit and to look.

#![allow(dead_code, reason = "each test binary uses its part")]

pub mod faulty;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use store::{Batch, Error, Expected, JournalStore, Options, Range, Receipt, Row, Space, Store};

pub const ALPHA: Space = Space::named("alpha");
pub const BETA: Space = Space::named("beta");
pub const SPACES: [Space; 2] = [ALPHA, BETA];

/// SplitMix64: small, seeded, the same everywhere.
pub struct Seeded(pub u64);

impl Seeded {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}

pub fn options(dir: &Path) -> Options {
    Options { cache_bytes: 4 * 1024 * 1024, ..Options::new(dir) }
}

pub fn open(dir: &Path) -> JournalStore {
    JournalStore::open(options(dir)).expect("the store opens")
}

pub fn batch(fill: impl FnOnce(&mut Batch) -> &mut Batch) -> Batch {
    let mut batch = Batch::at(1_700_000_000_000);
    fill(&mut batch);
    batch
}

pub fn put(space: Space, key: &str, value: &str) -> Batch {
    batch(|it| it.put(space, key, value))
}

pub async fn commit(store: &dyn Store, batch: Batch) -> u64 {
    store.commit(batch).await.expect("the commit is taken").sequence
}

pub async fn try_put(
    store: &dyn Store,
    key: &str,
    expected: Expected,
    value: &str,
) -> Result<Receipt, Error> {
    let asked = batch(|it| it.expect(ALPHA, key, expected).put(ALPHA, key, value));
    store.commit(asked).await
}

pub async fn keys(store: &dyn Store, range: Range) -> Vec<String> {
    let rows = store.scan(range).await.expect("the scan is answered");
    rows.into_iter().map(|row| String::from_utf8(row.key).expect("a key of text")).collect()
}

/// Everything in a store.
pub type Contents = BTreeMap<Space, Vec<Row>>;

pub async fn contents(store: &dyn Store) -> Contents {
    let mut all = Contents::new();
    for space in SPACES {
        let rows = store.scan(Range::all(space).limit(usize::MAX)).await;
        all.insert(space, rows.expect("the scan is answered"));
    }
    all
}

pub fn sequence(store: &dyn Store) -> u64 {
    *store.subscribe().borrow()
}

/// A directory in memory where there is one: thousands of stores are opened here, and what a disk
/// would lose is lost by hand.
pub fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = match memory.is_dir() {
        true => tempfile::tempdir_in(memory),
        false => tempfile::tempdir(),
    };
    made.expect("a directory")
}

/// A copy of a directory.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory");
    for entry in std::fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

/// What is in a directory, in order.
pub fn listed(dir: &Path) -> Vec<PathBuf> {
    let found = std::fs::read_dir(dir).expect("a directory");
    let mut paths: Vec<_> = found.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

/// Every file below a directory, in order, by its path from there.
pub fn files_below(dir: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for path in listed(dir) {
        let name = PathBuf::from(path.file_name().expect("a name"));
        match path.is_dir() {
            true => all.extend(files_below(&path).into_iter().map(|below| name.join(below))),
            false => all.push(name),
        }
    }
    all
}

/// Every file below a directory with what is in it.
pub fn snapshot(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let read = |path: PathBuf| (path.clone(), std::fs::read(dir.join(path)).expect("a file"));
    files_below(dir).into_iter().map(read).collect()
}

/// Changes what is in a file.
pub fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).expect("a file");
    change(&mut bytes);
    std::fs::write(path, bytes).expect("a file is written");
}

/// Every batch of a small day, in order: records written, relied on, removed, appended.
pub fn day(commits: u64) -> Vec<Batch> {
    let mut versions = BTreeMap::<String, u64>::new();
    let mut batches = Vec::new();
    for round in 0..commits {
        let (key, sequence) = (format!("k{}", round * 7 % 5), round + 1);
        let mut batch = Batch::at(1_700_000_000_000 + round);
        let expected = versions.get(&key).map_or(Expected::Absent, |it| Expected::Version(*it));
        batch.expect(ALPHA, key.clone(), expected);
        match round % 6 {
            5 => {
                versions.remove(&key);
                batch.remove(ALPHA, key);
            }
            _ => {
                versions.insert(key.clone(), sequence);
                batch.put(ALPHA, key, vec![b'a' + (round % 26) as u8; 40 * (round as usize % 4)]);
            }
        }
        batch.put(ALPHA, format!("own-{round:03}"), "v").append(BETA, "", round.to_string());
        batches.push(batch);
    }
    batches
}

/// What the model holds after the batches.
pub async fn after(batches: &[Batch]) -> Contents {
    let model = store::Model::new();
    for batch in batches {
        commit(&model, batch.clone()).await;
    }
    contents(&model).await
}
