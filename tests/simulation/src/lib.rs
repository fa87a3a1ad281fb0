//! A deterministic simulation of the whole engine: one seed drives the apps, the provider, the
//! clock, the network, the disk and the deaths of the process, and a checker holds the books of
//! both sides.
//!
//! What runs is the host's own: engine, egress with its barrier and its HTTP, ledger, store. Time,
//! randomness, sockets, plugins and disks come in through traits, and stand on the world here.
//!
//! Read in this order: `world` (time, points, crashes), `day` (one process after the other),
//! `clients`, `net`, `provider`, `webhook`, `adapter`, `inbox`, `kept` and `disk` (what is around
//! the process), `monitor` and `books` (what must hold), `ending` and `sweep` (many
//! days).
//!
//! Not here: the HTTP interface towards apps, TLS, the sandbox. The suite runs those.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod adapter;
mod books;
mod chance;
mod clients;
mod day;
mod disk;
mod ending;
mod http;
mod inbox;
mod kept;
mod monitor;
mod net;
mod provider;
mod sweep;
mod tally;
mod webhook;
mod world;

pub use chance::Chance;
pub use day::{Report, day};
pub use ending::{Ending, kept};
pub use sweep::{Sweep, quiet};
pub use tally::{FAULTS, Tally};
pub use webhook::forgeries;
pub use world::Shape;
