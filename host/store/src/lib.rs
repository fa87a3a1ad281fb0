//! The durable store: one contract, a journal with sled as its projection, and a model in memory.
//!
//! To read in this order: `contract` (what is promised), `batch` and `space` (what is asked),
//! `model` (the meaning, in memory); then `journal_store`, `committer` and `group` (how a commit is
//! made), `journal` and `state` (where), `recovery`, `checkpoint` and `verify` (what if), `export`,
//! `import` and `repair` (when the folder is lost). Beside all that stands `slots`: small values
//! that have to be able to vanish, which nothing in a journal can.
//!
//! Not here: what a record means (`engine`, `ledger`), encryption of values (`vault`).

mod batch;
mod checkpoint;
mod checksum;
mod committer;
mod contract;
mod cursor;
mod disk;
mod durable;
mod error;
mod export;
mod format;
#[doc(hidden)]
pub mod fuzzing;
mod group;
mod import;
mod journal;
mod journal_store;
mod layout;
mod lock;
mod model;
mod readable;
mod recovery;
mod repair;
mod replay;
mod restoring;
mod room;
mod slots;
mod space;
mod state;
mod verify;

pub use batch::{APPEND_BYTES, Batch, Change, Expectation, Expected, append_key};
pub use checksum::Hash;
pub use contract::{
    BATCH_BYTES_MAX, KEY_BYTES_MAX, Pending, Range, Receipt, Record, Row, SCAN_ROWS, Store,
    VALUE_BYTES_MAX,
};
pub use disk::{Disk, DiskFile, RealDisk};
pub use error::{Error, Kind};
pub use export::{Export, export, verify_export};
pub use import::import;
pub use journal::{Frame, Frames};
pub use journal_store::{JournalStore, OnStop, Options};
pub use model::Model;
pub use repair::{Loss, Repair, repair};
pub use slots::{
    SlotExport, SlotOptions, SlotPage, SlotReport, Slots, export_slots, import_slots, verify_slots,
};
pub use space::{SPACE_BYTES_MAX, Space};
pub use verify::{Report, verify};
