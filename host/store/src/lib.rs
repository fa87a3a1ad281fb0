//! The durable store: one contract, a journal with sled as its projection, and a model in memory.
//!
//! To read in this order: `contract` (what is promised), `batch` and `space` (what is asked),
//! `model` (the meaning, in memory).
//!
//! Not here: what a record means (`engine`, `ledger`), encryption of values (`vault`).

mod batch;
mod contract;
mod error;
mod model;
mod readable;
mod space;

pub use batch::{APPEND_BYTES, Batch, Change, Expectation, Expected, append_key};
pub use contract::{
    BATCH_BYTES_MAX, KEY_BYTES_MAX, Pending, Range, Receipt, Record, Row, SCAN_ROWS, Store,
    VALUE_BYTES_MAX,
};
pub use error::{Error, Kind};
pub use model::Model;
pub use space::{SPACE_BYTES_MAX, Space};
