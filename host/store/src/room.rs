//! Room on the disk: commits are refused while there is some left, so that what was begun can be
//! finished and sled is not hurt.
//!
//! A file of the store's folder holds a reserve that nobody else can take. When little else is left
//! the store is full: new work is refused, the reserve is given back to the disk, and commits that
//! finish what was begun (`Batch::finishing`) go on as long as half of it is left. It is full until
//! there is room for the reserve twice over, so it does not come and go with every file; then the
//! reserve is taken again and the store goes on, without anybody's doing.
//!
//! sled cannot be told to wait, and has to be given up after a write that fails. So the space its
//! file grows into is made its own before a group goes into the journal: the most that such a group
//! was measured to need, and that of the group before once more, which sled may still be writing. A
//! group that cannot have it is refused. It is a measure and no bound, for sled states none, and it
//! may shorten its file while it takes a group, which gives back what is behind the end. If then it
//! needs more, and others have filled the disk within that moment, its write fails and the store
//! stops: all that was acknowledged is in the journal, and it opens when there is room again.
//!
//! Not here: a write that finds the disk full all the same (`journal`), which takes itself back.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::disk::Disk;
use crate::group::Group;
use crate::layout::Layout;
use crate::{Batch, Error, Kind};

/// The reserve, and whether it is there.
pub(crate) struct Room {
    gauge: Gauge,
    /// How far the state's file may grow into space that is its own.
    owned_until: u64,
    /// What the last group may need of it.
    last_growth: u64,
}

/// What of it is looked at from elsewhere. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Gauge {
    disk: Arc<dyn Disk>,
    layout: Layout,
    reserve_bytes: u64,
    full: Arc<AtomicBool>,
}

/// Which commits are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admits {
    /// All.
    Any,
    /// Those that finish what was begun.
    Finishing,
    /// None.
    None,
}

impl Admits {
    /// Why this batch is not taken, if it is not.
    pub(crate) fn refuse(self, batch: &Batch) -> Result<(), Error> {
        match self {
            Admits::Any => Ok(()),
            Admits::Finishing if batch.finishing => Ok(()),
            Admits::Finishing | Admits::None => {
                let what = "the disk is full: nothing new is recorded until there is room again";
                Err(Error::new(Kind::Full, what))
            }
        }
    }
}

impl Gauge {
    /// The disk under a store; a reserve of nothing keeps none and never looks.
    pub(crate) fn new(disk: Arc<dyn Disk>, layout: Layout, reserve_bytes: u64) -> Gauge {
        Gauge { disk, layout, reserve_bytes, full: Arc::default() }
    }

    /// Before a store is opened: there has to be room for what that writes.
    ///
    /// # Errors
    /// `Full`; nothing was changed but the reserve, which is given back.
    pub(crate) fn expect_room_to_open(&self) -> Result<(), Error> {
        if self.free_bytes().is_none_or(|free| free >= self.reserve_bytes / 4) {
            return Ok(());
        }
        self.give_back();
        match self.free_bytes() {
            Some(free) if free < self.reserve_bytes / 4 => Err(self.too_full(free)),
            _ => Ok(()),
        }
    }

    /// Why commits are refused, if they are: looked up now, so that it ends as soon as there is
    /// room, whether or not anybody commits.
    pub(crate) fn impediment(&self) -> Option<String> {
        if !self.full.load(Ordering::Relaxed) {
            return None;
        }
        let free = self.free_bytes()?;
        (free < self.reserve_bytes.saturating_mul(2)).then(|| self.too_full(free).to_string())
    }

    /// Whether there is room for something that can wait, as a checkpoint.
    pub(crate) fn has_room_to_spare(&self) -> bool {
        self.free_bytes().is_none_or(|free| free >= self.reserve_bytes)
    }

    /// Bytes that may be written beside the reserve; none where nobody counts them.
    fn free_bytes(&self) -> Option<u64> {
        if self.reserve_bytes == 0 {
            return None;
        }
        self.disk.free_bytes(self.layout.dir()).ok()
    }

    fn too_full(&self, free: u64) -> Error {
        let (dir, needed) = (self.layout.dir().display(), self.reserve_bytes.saturating_mul(2));
        let what = format!(
            "the disk of {dir} is full: {} KiB are left; free {} KiB of it, and the store goes on",
            free / 1024,
            needed / 1024
        );
        Error::new(Kind::Full, what)
    }

    fn path(&self) -> PathBuf {
        self.layout.reserve()
    }

    fn give_back(&self) {
        if let Err(why) = self.disk.remove(&self.path())
            && why.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%why, "the reserve of the store cannot be given back to the disk");
        }
    }
}

impl Room {
    /// Takes the reserve, if there is room for it.
    pub(crate) fn new(gauge: Gauge) -> Room {
        let mut room = Room { gauge, owned_until: 0, last_growth: 0 };
        if room.gauge.reserve_bytes > 0 && !room.take_reserve() {
            room.fill(room.gauge.free_bytes().unwrap_or_default());
        }
        room
    }

    /// For whoever wants to know without asking the committer.
    pub(crate) fn gauge(&self) -> &Gauge {
        &self.gauge
    }

    /// Looks at the disk, before a group is written.
    pub(crate) fn look(&mut self) -> Admits {
        let Some(free) = self.gauge.free_bytes() else { return Admits::Any };
        let reserve = self.gauge.reserve_bytes;
        let state_can_grow = self.own(reserve / 8);
        if !self.is_full() && (free < reserve / 4 || !state_can_grow) {
            self.fill(free);
        } else if self.is_full() && free >= reserve.saturating_mul(2) && self.take_reserve() {
            self.gauge.full.store(false, Ordering::Relaxed);
            tracing::info!("there is room on the disk again: the store goes on");
        }
        match self.is_full() {
            false => Admits::Any,
            true if !state_can_grow => Admits::None,
            true if self.gauge.free_bytes().is_none_or(|free| free >= reserve / 2) => {
                Admits::Finishing
            }
            true => Admits::None,
        }
    }

    /// A write found the disk full. True when giving the reserve back has made room since.
    pub(crate) fn found_full(&mut self) -> bool {
        if self.gauge.reserve_bytes == 0 || self.is_full() {
            return false;
        }
        self.fill(0);
        true
    }

    /// Before a group is written: makes the space that the state may need for it its own.
    ///
    /// # Errors
    /// `Full`: nothing was changed but the reserve, which is given back.
    pub(crate) fn own_for(&mut self, group: &Group) -> Result<(), Error> {
        if self.gauge.reserve_bytes == 0 {
            return Ok(());
        }
        let needed = group.growth().saturating_add(self.last_growth);
        if self.own(needed) || (self.found_full() && self.own(needed)) {
            self.last_growth = group.growth();
            return Ok(());
        }
        let what = format!("the disk has no {} KiB that this commit may need", needed / 1024);
        Err(Error::new(Kind::Full, what))
    }

    /// Whether so many bytes after the end of the state's file are its own. Half a reserve's worth
    /// is taken ahead, or else as much as that, once half of it is used up.
    fn own(&mut self, needed: u64) -> bool {
        let path = self.gauge.layout.state_file();
        // Without a file there is nothing that sled has to be spared.
        let Ok(file) = std::fs::metadata(&path) else { return true };
        let (length, reserve) = (file.len(), self.gauge.reserve_bytes);
        if file.blocks().saturating_mul(512) < self.owned_until {
            // sled has shortened its file, and what was beyond the end is gone with that.
            self.owned_until = length;
        }
        let owned = self.owned_until.saturating_sub(length);
        if owned >= needed.max(reserve / 4) {
            return true;
        }
        for bytes in [needed.max(reserve / 2), needed] {
            if self.gauge.disk.allocate_beyond(&path, bytes).is_ok() {
                self.owned_until = length.saturating_add(bytes.max(owned));
                return true;
            }
        }
        owned >= needed
    }

    fn is_full(&self) -> bool {
        self.gauge.full.load(Ordering::Relaxed)
    }

    fn fill(&mut self, free: u64) {
        let why = self.gauge.too_full(free);
        tracing::error!(%why, "the store takes nothing new");
        self.gauge.full.store(true, Ordering::Relaxed);
        self.gauge.give_back();
    }

    fn take_reserve(&mut self) -> bool {
        let (path, bytes) = (self.gauge.path(), self.gauge.reserve_bytes);
        let taken = self.gauge.disk.allocate(&path, bytes);
        if let Err(why) = &taken {
            tracing::warn!(%why, "there is no room for the reserve of the store");
            self.gauge.give_back();
        }
        taken.is_ok()
    }
}

#[cfg(test)]
mod tests;
