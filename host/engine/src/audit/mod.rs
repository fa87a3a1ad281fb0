//! The audit trail: one line for every request that may change something and for every act of an
//! operator, chained by hashes, durable before what it tells of begins.
//!
//! A line says who asked for what, with which key, and under which request; `chain` holds its form
//! and how it is checked, `appender` writes it, `export` takes it out of the store. The trail tells
//! of what was asked; what became of the money stands in the ledger.

mod appender;
mod chain;
mod export;

pub use appender::{Audit, Unwritten};
pub use chain::{Act, Actor, Bad, Chain, Line, Sound, Wrong};
pub use export::{Error, Export, Notary, verify_export, verify_store};

#[cfg(test)]
mod tests;
