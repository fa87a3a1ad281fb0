use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::atomic::AtomicU64;

use super::*;
use crate::checksum::{Mark, StoreId};
use crate::disk::{DiskFile, RealDisk};
use crate::replay::Known;
use crate::{JournalStore, Options, Space, Store};

const RESERVE: u64 = 1 << 20;
const SPACE: Space = Space::named("some");

/// A disk of which the test says how much others have left.
struct Small {
    left: AtomicU64,
    /// How far the file of the state may go.
    state_until: AtomicU64,
    /// How far it was made its own last.
    owned_until: AtomicU64,
}

impl Small {
    fn with(left: u64, state_until: u64) -> Arc<Small> {
        Arc::new(Small {
            left: AtomicU64::new(left),
            state_until: AtomicU64::new(state_until),
            owned_until: AtomicU64::new(0),
        })
    }
}

impl Disk for Small {
    fn make_dir(&self, path: &Path) -> io::Result<()> {
        RealDisk.make_dir(path)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        RealDisk.create(path)
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        RealDisk.append(path)
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

    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        let held = std::fs::metadata(dir.join("reserve")).map_or(0, |file| file.len());
        Ok(self.left.load(Ordering::Relaxed).saturating_sub(held))
    }

    fn allocate_beyond(&self, path: &Path, bytes: u64) -> io::Result<()> {
        let end = std::fs::metadata(path)?.len() + bytes;
        if end > self.state_until.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.owned_until.store(end, Ordering::Relaxed);
        RealDisk.allocate_beyond(path, bytes)
    }
}

struct Site {
    dir: tempfile::TempDir,
    disk: Arc<Small>,
    room: Room,
}

impl Site {
    fn with(left: u64) -> Site {
        let dir = tempfile::tempdir().unwrap();
        let disk = Small::with(left, RESERVE);
        let room = Room::new(Gauge::new(disk.clone(), Layout::new(dir.path()), RESERVE));
        Site { dir, disk, room }
    }

    fn leave(&mut self, left: u64) -> Admits {
        self.disk.left.store(left, Ordering::Relaxed);
        self.room.look()
    }

    fn has_reserve(&self) -> bool {
        self.dir.path().join("reserve").exists()
    }
}

#[test]
fn the_reserve_is_real_space_that_nobody_else_can_take() {
    use std::os::unix::fs::MetadataExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("reserve");
    RealDisk.allocate(&path, RESERVE).unwrap();
    let file = std::fs::metadata(&path).unwrap();
    assert_eq!(file.len(), RESERVE);
    assert!(file.blocks() * 512 >= RESERVE, "{} blocks", file.blocks());
    assert!(RealDisk.free_bytes(dir.path()).unwrap() > 0);
}

#[test]
fn new_work_is_refused_before_the_disk_is_full_and_what_was_begun_goes_on_in_the_reserve() {
    let mut site = Site::with(4 * RESERVE);
    assert!(site.has_reserve());
    assert_eq!(site.room.look(), Admits::Any);
    assert_eq!(site.leave(RESERVE + RESERVE / 8), Admits::Finishing);
    assert!(!site.has_reserve(), "it is given back to be used");
    let mut batch = Batch::at(0);
    assert_eq!(Admits::Finishing.refuse(&batch).unwrap_err().kind(), &Kind::Full);
    batch.finishing = true;
    Admits::Finishing.refuse(&batch).unwrap();
    assert_eq!(site.leave(RESERVE / 2 - 1), Admits::None);
    assert!(Admits::None.refuse(&batch).is_err());
}

#[test]
fn it_goes_on_when_there_is_room_for_the_reserve_twice_and_not_before() {
    let mut site = Site::with(4 * RESERVE);
    assert_eq!(site.leave(0), Admits::None);
    assert!(site.room.gauge().impediment().is_some_and(|why| why.contains("is full")));
    assert_eq!(site.leave(2 * RESERVE - 1), Admits::Finishing);
    assert!(site.room.gauge().impediment().is_some());
    site.disk.left.store(2 * RESERVE, Ordering::Relaxed);
    assert_eq!(site.room.gauge().impediment(), None, "it would go on, though nobody commits");
    assert_eq!(site.room.look(), Admits::Any);
    assert!(site.has_reserve());
}

#[test]
fn a_write_that_found_the_disk_full_is_tried_once_more_in_the_reserve() {
    let mut site = Site::with(4 * RESERVE);
    assert!(site.room.found_full());
    assert!(!site.has_reserve());
    assert!(!site.room.found_full(), "there is nothing left to give");
}

#[test]
fn a_store_is_not_opened_on_a_disk_without_room_for_it() {
    let site = Site::with(RESERVE / 8);
    let gauge = site.room.gauge();
    let refused = gauge.expect_room_to_open().unwrap_err();
    assert_eq!(refused.kind(), &Kind::Full);
    assert!(refused.to_string().contains("free 2048 KiB"), "{refused}");
    site.disk.left.store(RESERVE, Ordering::Relaxed);
    gauge.expect_room_to_open().unwrap();
}

#[test]
fn space_beyond_the_end_of_a_file_is_its_own_and_its_end_stays() {
    use std::os::unix::fs::MetadataExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    std::fs::write(&path, b"some").unwrap();
    RealDisk.allocate_beyond(&path, RESERVE).unwrap();
    let file = std::fs::metadata(&path).unwrap();
    assert_eq!(file.len(), 4);
    assert!(file.blocks() * 512 >= RESERVE, "{} blocks", file.blocks());
}

impl Site {
    /// Gives the state a file of this length, of which only what was allocated is there.
    fn grow_to(&self, length: u64) {
        let state = self.dir.path().join("state");
        std::fs::create_dir_all(&state).unwrap();
        let file = std::fs::File::options().create(true).append(true).open(state.join("db"));
        file.unwrap().set_len(length).unwrap();
    }

    fn holds(&self) -> u64 {
        use std::os::unix::fs::MetadataExt;
        std::fs::metadata(self.dir.path().join("state/db")).unwrap().blocks() * 512
    }
}

/// A group of one record that is new.
fn group(value_bytes: usize) -> Group {
    let mut batch = Batch::at(0);
    batch.put(SPACE, "k", vec![b'v'; value_bytes]);
    let mut group = Group::on(&Mark::start(&StoreId([7; 16])));
    group.admit(&Known(BTreeMap::new()), batch).unwrap();
    group
}

#[test]
fn no_commit_is_taken_that_the_state_might_have_no_space_for() {
    let mut site = Site::with(8 * RESERVE);
    site.grow_to(1);
    assert_eq!(site.room.look(), Admits::Any);
    assert!(site.holds() >= RESERVE / 2, "half of a reserve is taken ahead");
    site.grow_to(RESERVE / 4 + 2);
    assert_eq!(site.room.look(), Admits::Any);
    assert!(site.holds() >= 3 * RESERVE / 4, "and more when half of that is used up");
    // There is not so much more, but as much as is needed.
    site.grow_to(RESERVE - RESERVE / 8);
    assert_eq!(site.room.look(), Admits::Any);
    // There is no more, though nobody says that the disk is full.
    site.grow_to(RESERVE - RESERVE / 8 + 1);
    assert_eq!(site.room.look(), Admits::None);
    site.disk.state_until.store(4 * RESERVE, Ordering::Relaxed);
    assert_eq!(site.room.look(), Admits::Any);
}

#[test]
fn what_the_state_gives_back_by_shortening_its_file_is_taken_again() {
    let mut site = Site::with(8 * RESERVE);
    site.grow_to(RESERVE / 4);
    assert_eq!(site.room.look(), Admits::Any);
    // It is longer than before when it is looked at again.
    site.grow_to(0);
    site.grow_to(RESERVE / 4 + 1);
    assert_eq!(site.holds(), 0);
    assert_eq!(site.room.look(), Admits::Any);
    assert!(site.holds() >= RESERVE / 2);
}

#[test]
fn a_group_owns_what_the_state_may_need_for_it_and_for_the_one_before() {
    let mut site = Site::with(64 * RESERVE);
    site.disk.state_until.store(64 * RESERVE, Ordering::Relaxed);
    site.grow_to(1);
    let group = group(RESERVE as usize);
    assert!(group.growth() > 4 * RESERVE);
    site.room.own_for(&group).unwrap();
    assert!(site.holds() >= group.growth());
    site.room.own_for(&group).unwrap();
    assert!(site.holds() >= 2 * group.growth());
}

#[test]
fn a_group_that_cannot_own_what_it_may_need_is_refused_when_the_reserve_does_not_help() {
    let mut site = Site::with(8 * RESERVE);
    site.grow_to(1);
    assert_eq!(site.room.look(), Admits::Any);
    let refused = site.room.own_for(&group(RESERVE as usize)).unwrap_err();
    assert_eq!(refused.kind(), &Kind::Full);
    assert!(!site.has_reserve(), "it was given back to help");
    site.room.own_for(&group(1)).unwrap();
}

/// A store on a small disk.
struct Open {
    dir: tempfile::TempDir,
    disk: Arc<Small>,
    store: JournalStore,
}

impl Open {
    /// One that has taken a commit.
    async fn with(left: u64) -> Open {
        let (dir, disk) = (tempfile::tempdir().unwrap(), Small::with(left, u64::MAX));
        let options = Options::new(dir.path());
        let options = Options { disk: disk.clone(), reserve_bytes: RESERVE, ..options };
        let store = JournalStore::open(options).unwrap();
        store.commit(of_records(0..1, 10)).await.unwrap();
        Open { dir, disk, store }
    }

    fn length(&self, of: &str) -> u64 {
        std::fs::metadata(self.dir.path().join(of)).unwrap().len()
    }
}

fn of_records(keys: impl Iterator<Item = u64>, value_bytes: usize) -> Batch {
    let mut batch = Batch::at(0);
    for key in keys {
        batch.put(SPACE, key.to_be_bytes(), vec![b'v'; value_bytes]);
    }
    batch
}

#[tokio::test]
async fn what_the_state_might_have_no_space_for_is_never_in_the_journal() {
    let open = Open::with(8 * RESERVE).await;
    let (state, journal) = (open.length("state/db"), open.length("journal/00000001.log"));
    open.disk.state_until.store(state + RESERVE, Ordering::Relaxed);
    let refused = open.store.commit(of_records(1..2, RESERVE as usize)).await.unwrap_err();
    assert_eq!(refused.kind(), &Kind::Full);
    assert_eq!(open.length("journal/00000001.log"), journal);
    // Nothing was broken by it.
    assert_eq!(open.store.commit(of_records(2..3, 10)).await.unwrap().sequence, 2);
}

#[tokio::test]
async fn no_group_takes_more_in_the_state_than_was_made_its_own_before() {
    let open = Open::with(u64::MAX).await;
    let check = || {
        let (now, owned) = (open.length("state/db"), open.disk.owned_until.load(Ordering::Relaxed));
        assert!(now <= owned, "it is {now} long, {owned} were its own");
        now
    };
    let commits = async |batch: Batch| {
        open.store.commit(batch).await.unwrap();
        check();
    };
    let (large, small, paged) = (1_u64 << 40, 2_u64 << 40, 3_u64 << 40);
    for round in 0..6 {
        commits(of_records((0..7).map(|it| large + 7 * round + it), RESERVE as usize)).await;
        let scattered = (0..2_000).map(|it| small + (it * 7_919 + round) % 20_000);
        commits(of_records(scattered, 300)).await;
        // Records of which few make a page, and then one of each page again and again.
        commits(of_records((0..1_500).map(|it| paged + it), 4_000)).await;
        for step in 0..10 {
            commits(of_records((0..1_500).step_by(16).map(|it| paged + it + step), 100)).await;
        }
    }
    open.store.close().await.unwrap();
    assert!(check() > 64 * RESERVE, "what was asked for was not much");
}
