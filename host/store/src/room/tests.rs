use std::io;
use std::path::Path;
use std::sync::atomic::AtomicU64;

use super::*;
use crate::disk::{DiskFile, RealDisk};

const RESERVE: u64 = 1 << 20;

/// A disk of which the test says how much others have left.
struct Small {
    left: AtomicU64,
    /// Bytes that the state may still be given.
    ahead: AtomicU64,
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

    fn allocate_beyond(&self, _: &Path, bytes: u64) -> io::Result<()> {
        let take = |left: u64| left.checked_sub(bytes);
        let taken = self.ahead.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        taken.map(drop).map_err(|_| io::ErrorKind::StorageFull.into())
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
        let disk = Arc::new(Small { left: AtomicU64::new(left), ahead: AtomicU64::new(RESERVE) });
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

#[test]
fn no_commit_is_taken_that_the_state_might_have_no_space_for() {
    let mut site = Site::with(8 * RESERVE);
    let state = site.dir.path().join("state");
    std::fs::create_dir(&state).unwrap();
    let grow_to = |length: u64| {
        let file = std::fs::File::options().create(true).append(true).open(state.join("db"));
        file.unwrap().set_len(length).unwrap();
    };
    grow_to(1);
    assert_eq!(site.room.look(), Admits::Any);
    // Half of a reserve was given, and it is asked for more when half of that is used up.
    grow_to(RESERVE / 4 + 2);
    assert_eq!(site.room.look(), Admits::Any);
    assert_eq!(site.disk.ahead.load(Ordering::Relaxed), 0);
    // There is no more, though nobody says that the disk is full.
    grow_to(RESERVE / 2 + RESERVE / 8 + 3);
    assert_eq!(site.room.look(), Admits::None);
    site.disk.ahead.store(RESERVE, Ordering::Relaxed);
    assert_eq!(site.room.look(), Admits::Any);
}
