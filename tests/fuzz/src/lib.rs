//! Fuzz targets: each takes any bytes, gives them to one place that reads what somebody else wrote,
//! and panics where something does not hold that always should.
//!
//! Two things run them: the test `kept_inputs_and_their_mutations_hold_what_always_should` in the
//! ordinary build, and, for as long as one likes, `tests/fuzz/run` by cargo-fuzz. An input that was
//! a crash is kept in `corpus/`, under a name that says what it was.
//!
//! Not here: what is checked with a host as a process, and guests (`sandbox`'s own campaign).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is how a target says what it found"
)]

mod fixed;
mod given;
mod memory;
mod mutation;
mod obliging;
mod targets;

pub use mutation::Mutations;
pub use targets::*;

/// A fuzz target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name: of the folder in `corpus/`, and of the program for cargo-fuzz.
    pub name: &'static str,
    /// Panics when something does not hold.
    pub run: fn(&[u8]),
}

/// Every target.
pub const TARGETS: [Target; 14] = [
    Target { name: "edge", run: edge },
    Target { name: "signature", run: signature },
    Target { name: "body", run: body },
    Target { name: "jose", run: jose },
    Target { name: "webhook", run: webhook },
    Target { name: "config", run: config },
    Target { name: "journal", run: journal },
    Target { name: "records", run: records },
    Target { name: "requests", run: requests },
    Target { name: "outcomes", run: outcomes },
    Target { name: "replies", run: replies },
    Target { name: "adapters", run: adapters },
    Target { name: "addresses", run: addresses },
    Target { name: "keys", run: keys },
];
