//! Damage as data: whatever happens to the files, every acknowledged commit is there afterwards,
//! or the store does not open and says why, where and what to do.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{ALPHA, BETA, Contents, batch, commit, contents, copy, open, options, put, sequence};
use store::{Error, Frames, JournalStore, Kind, Options, Store, repair, verify};
use tempfile::TempDir;

/// What else than the journal a store has seen its commits.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Seen {
    /// It was closed: by a checkpoint and the state.
    ByBoth,
    /// It was dropped: by the state.
    ByState,
}

/// A store with some commits, and what it holds.
struct Made {
    dir: TempDir,
    contents: Contents,
    commits: u64,
}

/// Segments of about three small commits.
fn small(dir: &Path) -> Options {
    Options { segment_bytes_max: 250, ..options(dir) }
}

async fn made(commits: u64, value_bytes: usize, seen: Seen) -> Made {
    let dir = common::scratch();
    let store = JournalStore::open(small(dir.path())).unwrap();
    for round in 0..commits {
        let value = vec![b'v'; value_bytes];
        let asked =
            batch(|it| it.put(ALPHA, format!("{}", round % 4), value).append(BETA, "", "e"));
        assert_eq!(commit(&store, asked).await, round + 1);
    }
    let contents = contents(&store).await;
    if seen == Seen::ByBoth {
        store.close().await.unwrap();
    }
    drop(store);
    Made { dir, contents, commits }
}

impl Made {
    /// A copy of it with something done to the copy.
    fn but(&self, harm: impl FnOnce(&Path)) -> TempDir {
        let dir = common::scratch();
        copy(self.dir.path(), dir.path());
        harm(dir.path());
        dir
    }

    /// After the harm everything is there, and the store goes on; or it refuses.
    async fn check(&self, what: &str, harm: impl FnOnce(&Path)) -> Result<TempDir, Error> {
        let (dir, store) = self.open(what, harm).await?;
        assert_eq!(commit(&store, put(ALPHA, "next", "v")).await, self.commits + 1, "{what}");
        let after = contents(&store).await;
        store.close().await.unwrap();
        drop(store);
        assert!(contents(&open(dir.path())).await == after, "{what}");
        Ok(dir)
    }

    /// After the harm everything is there; or it refuses.
    async fn open(
        &self,
        what: &str,
        harm: impl FnOnce(&Path),
    ) -> Result<(TempDir, JournalStore), Error> {
        let dir = self.but(harm);
        let store = JournalStore::open(small(dir.path()));
        // What tests/campaign counts, by the name of the test.
        let end = if store.is_ok() { "recovered" } else { "refused" };
        println!("damaged: {} {end}", std::thread::current().name().unwrap_or("?"));
        let store = store?;
        assert_eq!(sequence(&store), self.commits, "{what}");
        assert!(contents(&store).await == self.contents, "{what}");
        Ok((dir, store))
    }

    async fn recovers(&self, what: &str, harm: impl FnOnce(&Path)) -> TempDir {
        let checked = self.check(what, harm).await;
        checked.unwrap_or_else(|e| panic!("{what} should recover: {e}"))
    }

    /// It recovers because it noticed that the state cannot be used.
    async fn rebuilds(&self, what: &str, harm: impl FnOnce(&Path)) {
        let dir = self.recovers(what, harm).await;
        assert!(dir.path().join("state.set-aside").exists(), "{what}: the state was used");
    }

    /// It recovers with the state it has.
    async fn keeps_its_state(&self, what: &str, harm: impl FnOnce(&Path)) {
        let dir = self.recovers(what, harm).await;
        assert!(!dir.path().join("state.set-aside").exists(), "{what}: the state was rebuilt");
    }

    /// It refuses with this kind, and the message has these words.
    async fn refuses(&self, kind: Kind, words: &[&str], harm: impl FnOnce(&Path)) {
        let refused = self.check("unexpectedly open", harm).await.unwrap_err();
        assert_eq!(*refused.kind(), kind, "{refused}");
        for word in words {
            assert!(refused.to_string().contains(word), "`{word}` in: {refused}");
        }
    }
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    listed(&dir.join("journal"))
}

fn listed(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(dir).unwrap().map(|it| it.unwrap().path()).collect();
    paths.sort();
    paths
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

/// Reads all frames: how many, and whether that ended well.
fn read_all(dir: &Path) -> (usize, Result<(), Error>) {
    let frames = match Frames::all(dir) {
        Ok(frames) => frames,
        Err(e) => return (0, Err(e)),
    };
    let mut count = 0;
    for frame in frames {
        match frame {
            Ok(_) => count += 1,
            Err(e) => return (count, Err(e)),
        }
    }
    (count, Ok(()))
}

fn says_where_and_what_to_do(e: &Error) {
    let text = e.to_string();
    assert!(["/journal/", "/format"].iter().any(|it| text.contains(it)), "no place in: {text}");
    let remedies = ["restore", "remove", "give", "use the program"];
    assert!(remedies.iter().any(|it| text.contains(it)), "no remedy in: {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_byte_of_the_journal_is_always_noticed_by_a_reader() {
    let made = made(7, 5, Seen::ByBoth).await;
    let dir = made.but(|_| ());
    assert_eq!(read_all(dir.path()).0, 7);
    assert!(segments(dir.path()).len() > 2);
    for path in segments(dir.path()) {
        for at in 0..fs::read(&path).unwrap().len() {
            for flip in [0x01, 0x80, 0xff] {
                change(&path, |bytes| bytes[at] ^= flip);
                let (_, read) = read_all(dir.path());
                let e = read.expect_err(&format!("{} byte {at} ^ {flip}", path.display()));
                says_where_and_what_to_do(&e);
                change(&path, |bytes| bytes[at] ^= flip);
            }
        }
    }
    assert!(read_all(dir.path()).1.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_byte_of_a_journal_that_was_closed_never_loses_a_commit() {
    let (opened, refused) = open_with_each_byte_changed(Seen::ByBoth).await;
    // Only what comes before the segment of the oldest checkpoint is not read.
    assert!(opened > 0 && refused > opened / 2, "{opened} opened, {refused} refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_byte_of_a_journal_without_a_checkpoint_is_refused() {
    let (opened, refused) = open_with_each_byte_changed(Seen::ByState).await;
    assert!(opened == 0 && refused > 400, "{opened} opened, {refused} refused");
}

/// How often it opened, with everything in it, and how often it refused.
async fn open_with_each_byte_changed(seen: Seen) -> (u32, u32) {
    let made = made(3, 2, seen).await;
    let (mut opened, mut refused) = (0, 0);
    for (index, path) in segments(made.dir.path()).iter().enumerate() {
        for at in 0..fs::read(path).unwrap().len() {
            let what = format!("{seen:?}: segment {index}, byte {at}");
            let harm = |dir: &Path| change(&segments(dir)[index], |bytes| bytes[at] ^= 0x10);
            match made.open(&what, harm).await {
                Ok(_) => opened += 1,
                Err(e) => {
                    says_where_and_what_to_do(&e);
                    refused += 1;
                }
            }
        }
    }
    (opened, refused)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_cut_at_any_length_is_refused_when_more_was_seen() {
    for seen in [Seen::ByBoth, Seen::ByState] {
        let made = made(4, 2, seen).await;
        let last = segments(made.dir.path()).len() - 1;
        let length = fs::read(&segments(made.dir.path())[last]).unwrap().len();
        for at in 0..length {
            made.refuses(Kind::Damaged, &["/journal/", "restore the journal"], |dir| {
                change(&segments(dir)[last], |bytes| bytes.truncate(at));
            })
            .await;
        }
        made.keeps_its_state("uncut", |_| ()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_cut_at_any_length_that_nothing_else_has_seen_keeps_every_whole_commit() {
    let made = made(2, 2, Seen::ByState).await;
    let path = segments(made.dir.path()).pop().unwrap();
    let whole = read_all(made.dir.path()).0 - 1;
    let first = 76 + frame_bytes(&path, 76);
    assert_eq!((segments(made.dir.path()).len(), whole), (1, 1));
    for at in first..fs::read(&path).unwrap().len() {
        let dir = made.but(|dir| {
            change(&segments(dir)[0], |bytes| bytes.truncate(at));
            forget(dir, &["state", "durable"]);
        });
        let due = read_all(dir.path()).0;
        assert!((1..=whole).contains(&due));
        let store = JournalStore::open(small(dir.path())).unwrap();
        assert_eq!(sequence(&store), due as u64);
        assert_eq!(contents(&store).await[&BETA].len(), due);
        assert_eq!(commit(&store, put(ALPHA, "next", "v")).await, due as u64 + 1);
        drop(store);
        assert!(verify(dir.path()).unwrap().is_sound());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_ends_before_what_was_told_durable_is_refused_though_all_else_is_lost() {
    let commits = 7;
    let made = made(commits, 2, Seen::ByState).await;
    let mut cuts = 0;
    for number in 0..segments(made.dir.path()).len() {
        let path = &segments(made.dir.path())[number];
        let (length, mut at) = (fs::read(path).unwrap().len(), 76);
        while at < length {
            let cut = |dir: &Path| {
                change(&segments(dir)[number], |bytes| bytes.truncate(at));
                segments(dir)[number + 1..].iter().for_each(|path| fs::remove_file(path).unwrap());
                forget(dir, &["state"]);
            };
            is_refused_by_what_was_told(&made, cuts, cut).await;
            (at, cuts) = (at + frame_bytes(path, at), cuts + 1);
        }
    }
    assert_eq!(cuts, commits);
}

/// After the cut `left` commits are there, whole, and nothing but `durable` knows of more.
async fn is_refused_by_what_was_told(made: &Made, left: u64, cut: impl Fn(&Path)) {
    let (ends, seen) =
        (format!("ends at frame {left},"), format!("has seen frame {}", made.commits));
    let remedy = "move `state`, `checkpoint` and `durable` away";
    made.refuses(Kind::Damaged, &["/journal/", &ends, "/durable", &seen, remedy], &cut).await;

    let dir = made.but(&cut);
    let report = verify(dir.path()).unwrap();
    let [said] = &report.damage[..] else { panic!("{report:?}") };
    assert!(said.contains(&format!("/durable has seen commit {}", made.commits)), "{said}");
    assert_eq!(report.commits, left);

    let into = common::scratch();
    let repaired = repair(dir.path(), &small(into.path()), true).unwrap();
    let [loss] = &repaired.losses[..] else { panic!("{repaired:?}") };
    assert_eq!((loss.first, loss.last, loss.or_more), (left + 1, made.commits, false));
    assert_eq!((repaired.found, loss.records_from.as_ref()), (left, None));
    drop(JournalStore::open(small(into.path())).unwrap());

    // What the remedy says, for whoever has read it.
    forget(dir.path(), &["checkpoint", "durable"]);
    let store = JournalStore::open(small(dir.path())).unwrap();
    assert_eq!(sequence(&store), left);
    assert_eq!(commit(&store, put(ALPHA, "next", "v")).await, left + 1);
    drop(store);
    assert!(verify(dir.path()).unwrap().is_sound());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_that_was_told_durable_and_is_another_is_refused() {
    let [left, right] = histories(Seen::ByState).await;
    let turn = |dir: &Path| {
        fs::copy(right.dir.path().join("durable"), dir.join("durable")).unwrap();
        forget(dir, &["state", "checkpoint"]);
    };
    let words = ["frame 4 of the journal is not the one", "/durable", "and `durable` away"];
    left.refuses(Kind::Damaged, &words, turn).await;
    let report = verify(left.but(turn).path()).unwrap();
    let [said] = &report.damage[..] else { panic!("{report:?}") };
    assert!(said.contains("/durable is not what the journal gives for commit 4"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_durable_and_is_old_illegible_or_gone_is_not_missed() {
    let before = made(1, 2, Seen::ByState).await;
    let dir = before.but(|_| ());
    let store = JournalStore::open(small(dir.path())).unwrap();
    for round in 0..12 {
        commit(&store, put(ALPHA, &round.to_string(), "v")).await;
    }
    let contents = contents(&store).await;
    store.close().await.unwrap();
    drop(store);
    let made = Made { dir, contents, commits: 13 };
    let ways: [(&str, Way<'_>); 4] = [
        ("old", &|path| assert!(fs::copy(before.dir.path().join("durable"), path).is_ok())),
        ("cut", &|path| change(path, |bytes| bytes.truncate(43))),
        ("changed", &|path| change(path, |bytes| bytes[7] ^= 0x40)),
        ("gone", &|path| fs::remove_file(path).unwrap()),
    ];
    for (what, way) in ways {
        made.keeps_its_state(what, |dir| {
            way(&dir.join("durable"));
            // Before the checkpoint: it would be noticed if that were read.
            change(&segments(dir)[1], |bytes| *bytes.last_mut().unwrap() ^= 1);
        })
        .await;
    }
}

/// Something that is done to a file.
type Way<'a> = &'a dyn Fn(&Path);

fn forget(dir: &Path, parts: &[&str]) {
    for path in parts.iter().map(|part| dir.join(part)) {
        let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        removed.unwrap();
    }
}

/// The length of the frame at this offset.
fn frame_bytes(path: &Path, at: usize) -> usize {
    let bytes = fs::read(path).unwrap();
    72 + u32::from_be_bytes(bytes[at + 4..at + 8].try_into().unwrap()) as usize
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_of_zeros_is_cut() {
    let made = made(4, 2, Seen::ByBoth).await;
    for zeros in [1, 3, 71, 72, 511, 512, 4_096, 100_000] {
        made.recovers(&format!("{zeros} zeros"), |dir| {
            change(segments(dir).last().unwrap(), |bytes| bytes.extend(vec![0; zeros]));
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_torn_frame_behind_the_last_one_is_cut() {
    let (path, whole, longer) = made_on_the_same().await;
    let tail = &longer[whole.len()..];
    for at in 0..tail.len() {
        // The end is missing.
        check_tail(&path, &whole, &tail[..at]).await;
    }
    // A sector in the middle is still blank.
    for sector in whole.len().div_ceil(512)..(longer.len() / 512) {
        let mut torn = longer.clone();
        torn[sector * 512..(sector + 1) * 512].fill(0);
        check_tail(&path, &whole, &torn[whole.len()..]).await;
    }
}

/// A store before and after one more commit of 1,500 bytes that nothing else has seen.
async fn made_on_the_same() -> (TempDir, Vec<u8>, Vec<u8>) {
    let dir = common::scratch();
    let store = open(dir.path());
    commit(&store, put(ALPHA, "first", "v")).await;
    store.close().await.unwrap();
    drop(store);
    let before = common::scratch();
    copy(dir.path(), before.path());
    let whole = fs::read(&segments(dir.path())[0]).unwrap();
    let store = open(dir.path());
    commit(&store, batch(|it| it.put(ALPHA, "second", vec![b'x'; 1_500]))).await;
    drop(store);
    let longer = fs::read(&segments(dir.path())[0]).unwrap();
    (before, whole, longer)
}

async fn check_tail(before: &TempDir, whole: &[u8], tail: &[u8]) {
    let path = &segments(before.path())[0];
    fs::write(path, [whole, tail].concat()).unwrap();
    let (read, ended) = read_all(before.path());
    ended.unwrap_or_else(|e| panic!("a tail of {} bytes is no damage: {e}", tail.len()));
    assert_eq!(read, 1);
    if tail.len().is_multiple_of(97) {
        let store = open(before.path());
        assert_eq!(sequence(&store), 1);
        drop(store);
        assert_eq!(fs::read(path).unwrap(), whole, "the torn tail is gone");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_torn_write_leaves_is_refused_behind_the_last_frame() {
    let made = made(4, 2, Seen::ByBoth).await;
    for tail in [b"x".to_vec(), b"TGFx".to_vec(), vec![7; 72], vec![0xff; 5_000]] {
        made.refuses(Kind::Damaged, &["frame 5", "at offset", "restore"], |dir| {
            change(segments(dir).last().unwrap(), |bytes| bytes.extend(&tail));
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_segment_is_refused() {
    let made = made(12, 2, Seen::ByBoth).await;
    for index in 0..segments(made.dir.path()).len() {
        made.refuses(Kind::Damaged, &["/journal/", "restore the journal"], |dir| {
            fs::remove_file(&segments(dir)[index]).unwrap();
        })
        .await;
    }
    made.refuses(Kind::Damaged, &["00000001.log", "missing"], |dir| {
        segments(dir).iter().for_each(|path| fs::remove_file(path).unwrap());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn swapped_and_copied_segments_are_refused() {
    let made = made(12, 2, Seen::ByBoth).await;
    let count = segments(made.dir.path()).len();
    for (one, other) in (1..count).map(|it| (it - 1, it)) {
        made.refuses(Kind::Damaged, &["under the name of segment"], |dir| {
            let (one, other) = (&segments(dir)[one], &segments(dir)[other]);
            let bytes = fs::read(one).unwrap();
            fs::copy(other, one).unwrap();
            fs::write(other, bytes).unwrap();
        })
        .await;
        made.refuses(Kind::Damaged, &["under the name of segment"], |dir| {
            fs::copy(&segments(dir)[one], &segments(dir)[other]).unwrap();
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_segment_of_another_store_is_refused() {
    let (ours, theirs) = (made(6, 2, Seen::ByBoth).await, made(6, 2, Seen::ByBoth).await);
    ours.refuses(Kind::Foreign, &["belongs to store"], |dir| {
        fs::copy(&segments(theirs.dir.path())[0], &segments(dir)[0]).unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blanked_block_of_the_journal_never_loses_a_commit() {
    for seen in [Seen::ByBoth, Seen::ByState] {
        let made = made_in_one_segment(40).await;
        if seen == Seen::ByBoth {
            open(made.dir.path()).close().await.unwrap();
        }
        let length = fs::read(&segments(made.dir.path())[0]).unwrap().len();
        for start in (0..length).step_by(4_096) {
            let end = length.min(start + 4_096);
            let blank = |dir: &Path| change(&segments(dir)[0], |bytes| bytes[start..end].fill(0));
            if let Err(e) = made.check(&format!("{seen:?}: block at {start}"), blank).await {
                says_where_and_what_to_do(&e);
            }
            assert!(!verify(made.but(blank).path()).unwrap().is_sound());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blank_before_a_later_commit_is_refused_though_nothing_else_saw_it() {
    let made = made_in_one_segment(20).await;
    let length = fs::read(&segments(made.dir.path())[0]).unwrap().len();
    // The last commit itself may be torn as far as anyone can tell.
    for start in (512..length - 2_048).step_by(512) {
        made.refuses(Kind::Damaged, &["is damaged", "restore the journal"], |dir| {
            change(&segments(dir)[0], |bytes| bytes[start..start + 512].fill(0));
            forget(dir, &["state", "durable"]);
        })
        .await;
    }
}

/// Commits of about 800 bytes, without a checkpoint.
async fn made_in_one_segment(commits: u64) -> Made {
    let dir = common::scratch();
    let store = open(dir.path());
    for round in 0..commits {
        let value = vec![b'v'; 700];
        commit(&store, batch(|it| it.put(ALPHA, round.to_string(), value))).await;
    }
    let contents = contents(&store).await;
    drop(store);
    Made { dir, contents, commits }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_is_gone_or_broken_is_rebuilt() {
    for seen in [Seen::ByBoth, Seen::ByState] {
        let made = made(30, 9_000, seen).await;
        made.recovers("removed", |dir| fs::remove_dir_all(dir.join("state")).unwrap()).await;
        made.rebuilds("emptied", |dir| {
            fs::remove_dir_all(dir.join("state")).unwrap();
            fs::create_dir(dir.join("state")).unwrap();
        })
        .await;
        made.rebuilds("a new sled in its place", |dir| {
            fs::remove_dir_all(dir.join("state")).unwrap();
            drop(sled::open(dir.join("state")).unwrap());
        })
        .await;
        made.keeps_its_state("a half-written snapshot", |dir| {
            fs::write(dir.join("state/snap.7FFFFFFFFFFFFFFF.generating"), b"half").unwrap();
        })
        .await;
        made.rebuilds("no file of the database", |dir| {
            fs::remove_file(dir.join("state/db")).unwrap();
        })
        .await;
        made.recovers("no configuration", |dir| fs::remove_file(dir.join("state/conf")).unwrap())
            .await;
        made.recovers("a changed configuration", |dir| {
            change(&dir.join("state/conf"), |bytes| bytes[0] ^= 0xff);
        })
        .await;
        for name in listed(&made.dir.path().join("state")) {
            let name = name.file_name().unwrap().to_owned();
            if name != "blobs" {
                let harm = |dir: &Path| fs::write(dir.join("state").join(&name), b"").unwrap();
                made.recovers(&format!("{name:?} emptied"), harm).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blanked_part_of_the_state_is_noticed_and_rebuilt() {
    let made = made(60, 9_000, Seen::ByBoth).await;
    let length = fs::read(made.dir.path().join("state/db")).unwrap().len();
    for (block, step) in [(4_096, 8 * 4_096), (512 * 1024, 512 * 1024)] {
        for start in (0..length).step_by(step) {
            let end = length.min(start + block);
            made.recovers(&format!("{block} bytes at {start} of the state"), |dir| {
                change(&dir.join("state/db"), |bytes| bytes[start..end].fill(0));
                for path in listed(&dir.join("state")) {
                    if path.to_string_lossy().contains("snap.") {
                        fs::remove_file(path).unwrap();
                    }
                }
            })
            .await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_says_something_else_than_it_was_told_is_rebuilt() {
    let made = made(10, 100, Seen::ByBoth).await;
    let edit = |edit: fn(&sled::Db)| {
        move |dir: &Path| {
            let db = sled::open(dir.join("state")).unwrap();
            edit(&db);
            drop(db);
        }
    };
    made.rebuilds(
        "a record removed",
        edit(|db| {
            assert!(db.remove(b"\x01alpha\x001").unwrap().is_some());
        }),
    )
    .await;
    made.rebuilds(
        "a value changed",
        edit(|db| {
            let mut value = db.get(b"\x01alpha\x001").unwrap().unwrap().to_vec();
            *value.last_mut().unwrap() ^= 1;
            db.insert(b"\x01alpha\x001", value).unwrap();
        }),
    )
    .await;
    made.rebuilds(
        "a record doubled",
        edit(|db| {
            let value = db.get(b"\x01alpha\x001").unwrap().unwrap();
            db.insert(b"\x01alpha\x00new", value).unwrap();
        }),
    )
    .await;
    made.rebuilds(
        "a part without a record",
        edit(|db| {
            db.insert(b"\x02alpha\x001\0\0\0\0", b"part").unwrap();
        }),
    )
    .await;
    made.rebuilds(
        "a foreign entry",
        edit(|db| {
            db.insert(b"\xffother", b"x").unwrap();
        }),
    )
    .await;
    made.rebuilds(
        "the mark removed",
        edit(|db| {
            assert!(db.remove([0]).unwrap().is_some());
        }),
    )
    .await;
    made.rebuilds(
        "the mark changed",
        edit(|db| {
            let mut mark = db.get([0]).unwrap().unwrap().to_vec();
            mark[20] ^= 1;
            db.insert([0], mark).unwrap();
        }),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_of_another_store_is_rebuilt() {
    let (ours, theirs) = (made(6, 2, Seen::ByBoth).await, made(9, 2, Seen::ByBoth).await);
    ours.rebuilds("another store's state", |dir| {
        fs::remove_dir_all(dir.join("state")).unwrap();
        copy(&theirs.dir.path().join("state"), &dir.join("state"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_state_catches_up() {
    let dir = common::scratch();
    let store = open(dir.path());
    commit(&store, put(ALPHA, "a", "1")).await;
    drop(store);
    let old = common::scratch();
    copy(&dir.path().join("state"), old.path());
    let store = open(dir.path());
    commit(&store, batch(|it| it.put(ALPHA, "a", "2").append(BETA, "", "e"))).await;
    let contents = contents(&store).await;
    drop(store);
    let made = Made { dir, contents, commits: 2 };
    made.keeps_its_state("an older state", |dir| {
        fs::remove_dir_all(dir.join("state")).unwrap();
        copy(old.path(), &dir.join("state"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_or_checkpoint_ahead_of_the_journal_is_refused() {
    for seen in [Seen::ByBoth, Seen::ByState] {
        let dir = common::scratch();
        let store = open(dir.path());
        commit(&store, put(ALPHA, "a", "1")).await;
        drop(store);
        let old = common::scratch();
        copy(&dir.path().join("journal"), old.path());
        let store = open(dir.path());
        commit(&store, put(ALPHA, "a", "2")).await;
        let contents = contents(&store).await;
        if seen == Seen::ByBoth {
            store.close().await.unwrap();
        }
        drop(store);
        let made = Made { dir, contents, commits: 2 };
        let words = ["the journal ends at frame 1", "has seen frame 2", "restore the journal"];
        let turn_back = |dir: &Path| {
            fs::remove_dir_all(dir.join("journal")).unwrap();
            copy(old.path(), &dir.join("journal"));
        };
        made.refuses(Kind::Damaged, &words, turn_back).await;
        if seen == Seen::ByBoth {
            made.refuses(Kind::Damaged, &[&words[..], &[".ckp"]].concat(), |dir| {
                turn_back(dir);
                fs::remove_dir_all(dir.join("state")).unwrap();
            })
            .await;
        }
        let report = verify(made.but(turn_back).path()).unwrap();
        assert!(!report.is_sound());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_history_of_the_same_store_is_refused() {
    for seen in [Seen::ByState, Seen::ByBoth] {
        // With a checkpoint of what both histories share, and without one.
        let [left, right] = histories(seen).await;
        let words = ["frame 4 of the journal is not the one", "restore"];
        left.refuses(Kind::Damaged, &words, |dir| {
            fs::remove_dir_all(dir.join("journal")).unwrap();
            copy(&right.dir.path().join("journal"), &dir.join("journal"));
        })
        .await;
        left.refuses(Kind::Damaged, &words, |dir| {
            fs::remove_dir_all(dir.join("checkpoint")).unwrap();
            copy(&right.dir.path().join("checkpoint"), &dir.join("checkpoint"));
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_put_in_from_another_history_is_refused() {
    // Every sum of the frame is right, as whoever knows the store's id can make it; only the
    // chain shows that it was not written behind this frame.
    let [left, right] = histories(Seen::ByState).await;
    let bytes = fs::read(&segments(right.dir.path())[0]).unwrap();
    left.refuses(Kind::Damaged, &["frame 4", "does not follow"], |dir| {
        let path = &segments(dir)[0];
        let end = (0..2).fold(76, |at, _| at + frame_bytes(path, at));
        assert_eq!(fs::read(path).unwrap()[..end], bytes[..end]);
        let third = frame_bytes(path, end);
        change(path, |own| own.splice(end + third.., bytes[end + third..].to_vec()).for_each(drop));
        for other in ["state", "checkpoint"] {
            fs::remove_dir_all(dir.join(other)).unwrap();
        }
    })
    .await;
}

/// Two stores that are one up to their second commit, and differ from the third on.
async fn histories(seen: Seen) -> [Made; 2] {
    let before = made(2, 2, seen).await;
    let mut histories = Vec::new();
    for value in ["left", "rite"] {
        let dir = before.but(|_| ());
        let store = open(dir.path());
        commit(&store, put(ALPHA, "k", value)).await;
        commit(&store, put(ALPHA, "l", "both")).await;
        let contents = contents(&store).await;
        store.close().await.unwrap();
        drop(store);
        histories.push(Made { dir, contents, commits: 4 });
    }
    histories.try_into().ok().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_byte_of_a_checkpoint_is_passed_over() {
    let made = made(5, 2, Seen::ByBoth).await;
    let checkpoints = |dir: &Path| listed(&dir.join("checkpoint"));
    assert_eq!(checkpoints(made.dir.path()).len(), 1);
    let length = fs::read(&checkpoints(made.dir.path())[0]).unwrap().len();
    for at in (0..length).step_by(3) {
        made.recovers(&format!("byte {at} of the checkpoint, no state"), |dir| {
            change(&checkpoints(dir)[0], |bytes| bytes[at] ^= 0x40);
            fs::remove_dir_all(dir.join("state")).unwrap();
        })
        .await;
    }
    for at in (0..length).step_by(29) {
        made.recovers(&format!("a checkpoint of {at} bytes, no state"), |dir| {
            change(&checkpoints(dir)[0], |bytes| bytes.truncate(at));
            fs::remove_dir_all(dir.join("state")).unwrap();
        })
        .await;
    }
    made.recovers("neither checkpoint nor state", |dir| {
        fs::remove_dir_all(dir.join("checkpoint")).unwrap();
        fs::remove_dir_all(dir.join("state")).unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_two_checkpoints_are_kept_and_either_serves() {
    let dir = common::scratch();
    for round in 0..5 {
        let store = open(dir.path());
        commit(&store, put(ALPHA, &round.to_string(), "v")).await;
        store.close().await.unwrap();
    }
    let store = open(dir.path());
    let made = Made { contents: contents(&store).await, commits: 5, dir };
    drop(store);
    let checkpoints = |dir: &Path| listed(&dir.join("checkpoint"));
    assert_eq!(checkpoints(made.dir.path()).len(), 2);
    for index in 0..2 {
        made.recovers(&format!("without checkpoint {index} and state"), |dir| {
            change(&checkpoints(dir)[index], |bytes| bytes[40] ^= 1);
            fs::remove_dir_all(dir.join("state")).unwrap();
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_is_no_store_or_not_ours_is_refused() {
    let made = made(3, 2, Seen::ByBoth).await;
    made.refuses(Kind::Newer, &["format 2", "use the program"], |dir| {
        change(&dir.join("format"), |bytes| *bytes = replace(bytes, "store 1 ", "store 2 "));
    })
    .await;
    made.refuses(Kind::Foreign, &["not the format file of a store"], |dir| {
        fs::write(dir.join("format"), "something else\n").unwrap();
    })
    .await;
    made.refuses(Kind::Foreign, &["belongs to store"], |dir| {
        change(&dir.join("format"), |bytes| {
            bytes[20] = if bytes[20] == b'0' { b'1' } else { b'0' }
        });
    })
    .await;
    made.refuses(Kind::Damaged, &["no format file", "restore it"], |dir| {
        fs::remove_file(dir.join("format")).unwrap();
    })
    .await;
    let other = common::scratch();
    fs::write(other.path().join("photo.jpg"), b"").unwrap();
    let refused = JournalStore::open(options(other.path())).unwrap_err();
    assert_eq!(*refused.kind(), Kind::Foreign);
    assert_eq!(*verify(other.path()).unwrap_err().kind(), Kind::Foreign);
}

fn replace(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    String::from_utf8(bytes.to_vec()).unwrap().replace(from, to).into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_open_is_locked_for_everyone_else() {
    let dir = common::scratch();
    let store = open(dir.path());
    let refused = JournalStore::open(options(dir.path())).unwrap_err();
    assert_eq!(*refused.kind(), Kind::Locked);
    assert!(refused.to_string().contains(&std::process::id().to_string()), "{refused}");
    assert_eq!(*verify(dir.path()).unwrap_err().kind(), Kind::Locked);
    drop(store);
    open(dir.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_counts_what_is_there_and_changes_nothing() {
    let made = made(10, 5_000, Seen::ByBoth).await;
    let before = snapshot(made.dir.path());
    let report = verify(made.dir.path()).unwrap();
    assert!(snapshot(made.dir.path()) == before);
    assert!(report.is_sound());
    assert_eq!(report.notes, [""; 0]);
    assert_eq!((report.commits, report.state, report.checkpoints), (10, Some(10), vec![10]));
    assert_eq!(
        report.records.into_iter().collect::<Vec<_>>(),
        [("alpha".to_owned(), 4), ("beta".to_owned(), 10)]
    );
    assert_eq!(report.segments, segments(made.dir.path()).len() as u64);
}

fn snapshot(dir: &Path) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    let mut all = Vec::new();
    for path in listed(dir) {
        if path.is_dir() {
            all.extend(snapshot(&path));
        }
        all.push((path.clone(), fs::read(&path).ok()));
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_inside_a_value_is_not_taken_for_one() {
    // Somebody stores a frame of a later commit, of a store of their own, and its write is torn.
    let theirs = made(2, 2, Seen::ByState).await;
    let forged = fs::read(&segments(theirs.dir.path())[0]).unwrap()[76..].to_vec();
    let (dir, whole, _) = made_on_the_same().await;
    let store = open(dir.path());
    commit(&store, batch(|it| it.put(ALPHA, "piece", [forged, vec![b'x'; 500]].concat()))).await;
    drop(store);
    change(&segments(dir.path())[0], |bytes| bytes.truncate(bytes.len() - 10));
    forget(dir.path(), &["state", "durable"]);
    assert_eq!(sequence(&open(dir.path())), 1);
    assert_eq!(fs::read(&segments(dir.path())[0]).unwrap(), whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn sled_never_makes_a_file_for_a_large_value() {
    let dir = common::scratch();
    let store = open(dir.path());
    let mut seeded = common::Seeded(4);
    for round in 0..60_u64 {
        let (size, key) = (seeded.below(300_000) as usize, seeded.below(12));
        let long = vec![b'k'; 1_000];
        let key = [long, key.to_be_bytes().to_vec()].concat();
        let value = seeded.bytes(size);
        let small = seeded.bytes(4_096);
        let other = [key.clone(), round.to_be_bytes().to_vec()].concat();
        commit(&store, batch(|it| it.put(ALPHA, key, value).put(BETA, other, small))).await;
    }
    drop(store);
    let blobs = listed(&dir.path().join("state/blobs"));
    assert!(blobs.is_empty(), "{blobs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_are_the_audit_trail() {
    let made = made(7, 2, Seen::ByBoth).await;
    let frames: Vec<_> = Frames::all(made.dir.path()).unwrap().map(Result::unwrap).collect();
    assert_eq!(frames.len(), 7);
    for pair in frames.windows(2) {
        assert_eq!(pair[1].previous, pair[0].hash);
        assert_eq!(pair[1].sequence, pair[0].sequence + 1);
    }
    let json = serde_json::to_string(&frames[0].batch).unwrap();
    assert!(json.contains(r#""put":{"space":"alpha","key":"0","value":"vv"}"#), "{json}");
    let back: store::Batch = serde_json::from_str(&json).unwrap();
    assert_eq!(back, frames[0].batch);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_can_be_read_as_a_trait_object() {
    let dir = common::scratch();
    let store: Box<dyn Store> = Box::new(open(dir.path()));
    assert_eq!(store.read(ALPHA, b"k").await.unwrap(), None);
}
