//! The ground a store stands on, which outlives the process: memory, or files on a disk that loses
//! its power, fills up or breaks. The disk is that of the store's own tests.

use std::fs;
use std::sync::Arc;

use store::{Error, JournalStore, Model, Options, Range, Space, Store};
use tempfile::TempDir;

use crate::chance::Chance as Seeded;
use crate::kept::at_once;
use crate::world::{Shape, State, World};

#[allow(dead_code, clippy::cast_possible_truncation)]
#[path = "../../../host/store/tests/common/faulty.rs"]
mod faulty;

use faulty::{Fault, Faulty};

/// What the monitor watches.
const WATCHED: [&str; 5] = ["payment", "due", "idempotency", "anomaly", "event"];
const FAULTS: &[(u64, (Fault, &str))] = &[
    (4, (Fault::PowerCut, "power cut while writing")),
    (3, (Fault::Full, "disk really full")),
    (3, (Fault::Broken, "disk breaks")),
];

/// Where a store is, between two processes too.
pub enum Ground {
    Memory(Model),
    Files { dir: TempDir, disk: Option<Spinning> },
}

/// The disk under a process.
pub struct Spinning {
    disk: Faulty,
    /// The operation that goes wrong, counted from 1, and how.
    fault: Option<(u64, &'static str)>,
}

impl Ground {
    pub fn new(shape: &Shape) -> Ground {
        if !shape.journal {
            return Ground::Memory(Model::new());
        }
        let memory = std::path::Path::new("/dev/shm");
        let dir = match memory.is_dir() {
            true => tempfile::tempdir_in(memory),
            false => tempfile::tempdir(),
        };
        Ground::Files { dir: dir.expect("a directory"), disk: None }
    }

    /// Opens it, and shows the monitor what is there.
    pub fn open(&mut self, world: &World) -> Result<Arc<dyn Store>, Error> {
        let Ground::Files { dir, disk } = self else {
            let Ground::Memory(model) = self else { return Ok(Arc::new(Model::new())) };
            return Ok(Arc::new(model.clone()));
        };
        let fresh = world.state().spin_up();
        let options = Options {
            segment_bytes_max: 200_000,
            cache_bytes: 4 * 1024 * 1024,
            disk: Arc::new(fresh.disk.clone()),
            ..Options::new(dir.path())
        };
        *disk = Some(fresh);
        let store = JournalStore::open(options)?;
        let mut rows = Vec::new();
        for space in WATCHED {
            let space = Space::parse(space).expect("the name of a space");
            rows.push((space, at_once(store.scan(Range::all(space).limit(usize::MAX)))?));
        }
        let sequence = *store.subscribe().borrow();
        world.state().reopened(sequence, rows);
        Ok(Arc::new(store))
    }

    /// Between two processes: what was not synced may be lost, where the power was.
    pub fn rest(&mut self, world: &World) {
        let Ground::Files { dir, disk } = self else { return };
        let Some(Spinning { disk, fault }) = disk.take() else { return };
        let mut state = world.state();
        if let Some((_, what)) = fault.filter(|(at, _)| *at <= disk.operations()) {
            state.tally.fault(what);
        }
        state.tally.add("disk operations", disk.operations());
        state.last_operations = disk.operations();
        let cut = state.faulty() && state.disk.permille(500);
        if cut || disk.is_dead() {
            state.tally.add("power cuts", 1);
            disk.lose_power();
            // sled never syncs: all of it may be gone.
            if state.disk.permille(300) {
                let _ = fs::remove_dir_all(dir.path().join("state"));
            }
        }
    }
}

impl State {
    fn spin_up(&mut self) -> Spinning {
        let seed = self.disk.next();
        if let Some(at) = self.shape.cut_at.filter(|_| self.lives == 1) {
            let fault = Some((at, "power cut while writing"));
            return Spinning { disk: Faulty::new(seed, at, Fault::PowerCut), fault };
        }
        let (fault, what) = self.disk.weighed(FAULTS);
        let at = 1 + self.disk.scaled(300);
        if self.faulty() && self.tally.crashes() < self.shape.crashes_max {
            return Spinning { disk: Faulty::new(seed, at, fault), fault: Some((at, what)) };
        }
        Spinning { disk: Faulty::new(seed, 0, fault), fault: None }
    }
}
