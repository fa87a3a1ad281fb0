//! Runs plugins: WASM components that export `tollgate:adapter`, each call in a fresh instance.
//!
//! A plugin gets our own interfaces and nothing else: no WASI, no clock, no randomness, no socket,
//! no file. It holds no key and no secret. What it may use is bounded by `Limits`; what goes wrong
//! in it ends in a `Fault` and never harms the host.
//!
//! Not here: what an outcome means (`engine`), what leaves (`egress`), what is kept (`store`), and
//! money (`ledger`).
//!
//! To read in order: `contract`, `surroundings`, `generation`, `settlement`, `quarantine`, `call`,
//! `crypto`, `payments`.

mod algorithm;
mod cache;
mod call;
mod compile;
pub mod contract;
mod crypto;
mod decimal;
mod description;
mod digest;
mod error;
mod fault;
mod generation;
mod lane;
mod limits;
mod loading;
mod message;
mod meter;
mod payments;
mod quarantine;
mod runtime;
mod settlement;
mod stream;
mod surroundings;

#[cfg(test)]
mod tests;

pub use digest::{Digest, NotADigest};
pub use error::{Error, ErrorKind};
pub use fault::{Fault, Kind, LogLine};
pub use generation::Generation;
pub use limits::Limits;
pub use loading::{Decimals, InUse, Sandbox};
pub use quarantine::{Quarantined, Standing, Thresholds, Until};
pub use surroundings::{Called, Remembered, Sensitive, Surroundings};
