//! Backups: an export beside a writer is what the store was at one commit; whatever is done to an
//! export is noticed; what is imported is what was exported.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod common;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use common::faulty::{Fault, Faulty};
use common::{ALPHA, after, change, commit, contents, day, open, put, sequence, snapshot};
use store::{
    Batch, Disk, DiskFile, Export, JournalStore, Kind, Options, RealDisk, Store, export, import,
    verify, verify_export,
};
use tempfile::TempDir;

fn small(dir: &Path) -> Options {
    Options { segment_bytes_max: 900, checkpoint_frames: 12, ..common::options(dir) }
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

/// An export of some commits, in a directory of its own.
async fn exported(commits: u64) -> (TempDir, PathBuf, Export) {
    let dir = made(&day(commits)).await;
    let place = common::scratch();
    let file = place.path().join("day.export");
    let export = export(dir.path(), &file).unwrap();
    (place, file, export)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_imported_is_what_was_exported() {
    for commits in [0, 1, 40] {
        let batches = day(commits);
        let dir = made(&batches).await;
        let before = verify(dir.path()).unwrap();
        let place = common::scratch();
        let (file, into) = (place.path().join("day.export"), place.path().join("new"));
        let export = export(dir.path(), &file).unwrap();
        assert_eq!(export, verify_export(&file).unwrap());
        assert_eq!((export.commits, &export.last_hash), (commits, &before.last_hash));
        assert_eq!(export.bytes, fs::metadata(&file).unwrap().len());
        let report = import(&file, &small(&into)).unwrap();
        assert!(report.is_sound());
        assert_eq!(report, verify(&into).unwrap());
        assert_eq!(
            (&report.store, &report.last_hash, &report.digest, &report.records),
            (&before.store, &before.last_hash, &before.digest, &before.records)
        );
        let store = open(&into);
        assert!(contents(&store).await == after(&batches).await);
        assert_eq!(commit(&store, put(ALPHA, "next", "v")).await, commits + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_beside_a_writer_is_the_store_as_it_was_at_one_commit() {
    let dir = common::scratch();
    let store = Arc::new(JournalStore::open(small(dir.path())).unwrap());
    let (batches, stop) = (day(20_000), Arc::new(AtomicBool::new(false)));
    let acknowledged = Arc::new(AtomicU64::new(0));
    let writer = {
        let (store, batches) = (Arc::clone(&store), batches.clone());
        let (stop, acknowledged) = (Arc::clone(&stop), Arc::clone(&acknowledged));
        tokio::spawn(async move {
            for batch in batches {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                acknowledged.store(commit(&*store, batch).await, Ordering::SeqCst);
            }
        })
    };
    let mut commits = store.subscribe();
    let place = common::scratch();
    let mut ends = Vec::new();
    for round in 0..12 {
        let file = place.path().join(format!("{round}.export"));
        let due = *commits.borrow_and_update() + 3;
        commits.wait_for(|sequence| *sequence >= due).await.unwrap();
        let least = acknowledged.load(Ordering::SeqCst);
        let (from, to) = (dir.path().to_owned(), file.clone());
        let taken = tokio::task::spawn_blocking(move || export(&from, &to)).await.unwrap().unwrap();
        assert!(taken.commits >= least, "commit {least} was acknowledged before: {taken:?}");
        ends.push((file, taken));
    }
    assert!(!writer.is_finished(), "the writer wrote all the while");
    stop.store(true, Ordering::SeqCst);
    writer.await.unwrap();
    let written = sequence(&*store);
    drop(store);
    for (file, taken) in &ends {
        assert!(taken.commits <= written);
        let into = common::scratch();
        let report = import(file, &small(into.path())).unwrap();
        assert_eq!((report.is_sound(), report.commits), (true, taken.commits));
        let due = after(&batches[..taken.commits as usize]).await;
        assert!(contents(&open(into.path())).await == due, "{}", file.display());
    }
    assert!(ends.windows(2).all(|pair| pair[0].1.commits < pair[1].1.commits));
}

/// Takes an export in the middle of a commit: when its bytes are in the file and it is not durable.
#[derive(Clone)]
struct Interrupted {
    dir: PathBuf,
    place: PathBuf,
    /// The next write fails for want of space.
    armed: Arc<AtomicBool>,
    /// An export is taken before the next sync.
    at_sync: Arc<AtomicBool>,
    taken: Arc<Mutex<Vec<Export>>>,
}

impl Interrupted {
    fn export(&self) {
        let mut taken = self.taken.lock().unwrap();
        let file = self.place.join(taken.len().to_string());
        taken.push(export(&self.dir, &file).unwrap());
    }
}

impl Disk for Interrupted {
    fn make_dir(&self, path: &Path) -> io::Result<()> {
        RealDisk.make_dir(path)
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        RealDisk.create(path)
    }
    fn append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(InterruptedFile { disk: self.clone(), file: RealDisk.append(path)? }))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        RealDisk.sync_dir(path)
    }
}

struct InterruptedFile {
    disk: Interrupted,
    file: Box<dyn DiskFile>,
}

impl DiskFile for InterruptedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write(bytes)?;
        match self.disk.armed.swap(false, Ordering::SeqCst) {
            true => {
                self.disk.export();
                Err(io::Error::from(io::ErrorKind::StorageFull))
            }
            false => Ok(()),
        }
    }
    fn sync(&mut self) -> io::Result<()> {
        if self.disk.at_sync.swap(false, Ordering::SeqCst) {
            self.disk.export();
        }
        self.file.sync()
    }
    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.disk.export();
        self.file.truncate(length)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_is_not_durable_yet_or_is_taken_back_is_never_in_an_export() {
    let (dir, place) = (common::scratch(), common::scratch());
    let disk = Interrupted {
        dir: dir.path().to_owned(),
        place: place.path().to_owned(),
        armed: Arc::default(),
        at_sync: Arc::default(),
        taken: Arc::default(),
    };
    let options = Options { disk: Arc::new(disk.clone()), ..common::options(dir.path()) };
    let store = JournalStore::open(options).unwrap();
    commit(&store, put(ALPHA, "a", "1")).await;
    disk.armed.store(true, Ordering::SeqCst);
    let full = store.commit(put(ALPHA, "b", "taken back")).await.unwrap_err();
    assert_eq!(*full.kind(), Kind::Full);
    disk.at_sync.store(true, Ordering::SeqCst);
    commit(&store, put(ALPHA, "c", "3")).await;
    disk.export();
    let taken: Vec<_> = disk.taken.lock().unwrap().iter().map(|one| one.commits).collect();
    // In the write, before it is taken back, before the sync of the next one, and after it.
    assert_eq!(taken, [1, 1, 1, 2]);
    let into = common::scratch();
    import(&place.path().join("3"), &small(into.path())).unwrap();
    assert!(contents(&open(into.path())).await == contents(&store).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_changed_in_any_byte_or_cut_anywhere_is_refused_with_the_reason() {
    let (_place, file, _) = exported(5).await;
    let whole = fs::read(&file).unwrap();
    let into = common::scratch();
    let refuses = |bytes: &[u8], what: &str| {
        fs::write(&file, bytes).unwrap();
        let refused = import(&file, &small(into.path())).expect_err(what);
        assert!(matches!(refused.kind(), Kind::Damaged | Kind::Foreign), "{what}: {refused}");
        let text = refused.to_string();
        assert!(text.contains(&file.display().to_string()), "{what}: no file in {text}");
        let remedies = ["take another export", "give a file"];
        assert!(remedies.iter().any(|it| text.contains(it)), "{what}: no remedy in {text}");
        assert!(common::listed(into.path()).is_empty(), "{what}: something was written");
        text
    };
    for at in 0..whole.len() {
        for flip in [0x01, 0x80] {
            let mut bytes = whole.clone();
            bytes[at] ^= flip;
            refuses(&bytes, &format!("byte {at} ^ {flip}"));
        }
        let text = refuses(&whole[..at], &format!("cut at {at}"));
        assert!(at < 32 || text.contains("cut off"), "{text}");
    }
    let text = refuses(&[&whole[..], b"x"].concat(), "one byte more");
    assert!(text.contains("more behind the closing record"), "{text}");
    // The last commit left out, everything else as it was.
    let last = last_frame(&whole);
    let text = refuses(&[&whole[..last], &whole[whole.len() - 84..]].concat(), "one left out");
    assert!(text.contains("commits were left out"), "{text}");
    fs::write(&file, &whole).unwrap();
    assert_eq!(import(&file, &small(into.path())).unwrap().commits, 5);
}

/// Where the last frame of an export begins.
fn last_frame(bytes: &[u8]) -> usize {
    let (mut at, mut last) = (32, 32);
    while bytes[at..].starts_with(b"TGFR") {
        last = at;
        at += 72 + u32::from_be_bytes(bytes[at + 4..at + 8].try_into().unwrap()) as usize;
    }
    last
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_of_a_later_version_is_refused() {
    let (_place, file, _) = exported(1).await;
    change(&file, |bytes| {
        bytes[11] = 2;
        let sum = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI);
        let crc = sum.checksum(&[&bytes[12..28], &bytes[..28]].concat());
        bytes[28..32].copy_from_slice(&crc.to_be_bytes());
    });
    let refused = verify_export(&file).unwrap_err();
    assert_eq!(*refused.kind(), Kind::Newer);
    assert!(refused.to_string().contains("use the program that wrote it"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_goes_into_an_empty_directory_alone() {
    let (place, file, _) = exported(3).await;
    let into = place.path().join("new");
    fs::create_dir(&into).unwrap();
    fs::write(into.join("photo.jpg"), b"").unwrap();
    let refused = import(&file, &small(&into)).unwrap_err();
    assert_eq!(*refused.kind(), Kind::Foreign);
    assert!(refused.to_string().contains("is not empty"), "{refused}");
    fs::remove_file(into.join("photo.jpg")).unwrap();
    import(&file, &small(&into)).unwrap();
    let before = snapshot(&into);
    assert_eq!(*import(&file, &small(&into)).unwrap_err().kind(), Kind::Foreign);
    assert!(snapshot(&into) == before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_never_replaces_a_file_and_leaves_none_when_it_fails() {
    let dir = made(&day(12)).await;
    let place = common::scratch();
    let file = place.path().join("day.export");
    fs::write(&file, b"the one before").unwrap();
    assert_eq!(*export(dir.path(), &file).unwrap_err().kind(), Kind::Foreign);
    assert_eq!(fs::read(&file).unwrap(), b"the one before");
    fs::remove_file(&file).unwrap();
    change(&common::listed(&dir.path().join("journal"))[1], |bytes| bytes[100] ^= 1);
    let refused = export(dir.path(), &file).unwrap_err();
    assert_eq!(*refused.kind(), Kind::Damaged);
    assert!(common::listed(place.path()).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_lost_its_end_is_not_exported_as_if_it_were_whole() {
    for witness in ["checkpoint", "durable"] {
        let dir = made(&day(12)).await;
        let last = common::listed(&dir.path().join("journal")).pop().unwrap();
        fs::remove_file(last).unwrap();
        match witness {
            "durable" => fs::remove_dir_all(dir.path().join("checkpoint")).unwrap(),
            _ => fs::remove_file(dir.path().join("durable")).unwrap(),
        }
        let refused = export(dir.path(), &common::scratch().path().join("it")).unwrap_err();
        assert_eq!(*refused.kind(), Kind::Damaged);
        let text = refused.to_string();
        assert!(text.contains("acknowledged commits are missing"), "{text}");
        assert!(text.contains(&format!("/{witness}")), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_stopped_at_any_write_is_a_whole_store_or_none() {
    let (_place, file, export) = exported(12).await;
    let (mut whole, mut none) = (0, 0);
    for at in 1.. {
        let into = common::scratch();
        let disk = Faulty::new(at, at, Fault::PowerCut);
        let imported =
            import(&file, &Options { disk: Arc::new(disk.clone()), ..small(into.path()) });
        disk.lose_power();
        match JournalStore::open(small(into.path())) {
            // Nothing was written yet: an empty directory becomes a new store, as it always does.
            Ok(store) if sequence(&store) == 0 => assert!(at <= 4, "operation {at}: empty"),
            Ok(store) => {
                assert!(contents(&store).await == after(&day(12)).await, "operation {at}");
                assert_eq!(sequence(&store), export.commits);
                whole += 1;
            }
            Err(e) => {
                assert_eq!(*e.kind(), Kind::Foreign, "operation {at}: {e}");
                assert!(e.to_string().contains("remove all of it"), "operation {at}: {e}");
                assert!(import(&file, &small(into.path())).is_err());
                none += 1;
            }
        }
        if imported.is_ok() {
            break;
        }
    }
    assert!(whole > 0 && none > 20, "{whole} whole, {none} none");
}
