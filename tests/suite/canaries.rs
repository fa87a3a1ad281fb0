//! The central promise: adapters are blind, and what is secret is nowhere but where it belongs.
//!
//! Random canaries stand in for every secret, key and card. Guest memory is read after each call of
//! every plugin; so are the host's log at its most talkative, every file of the store, and every
//! answer. Each search is shown to find what is planted, in every place and every encoding.

mod cards;
mod furnished;
mod left;
mod memory;
mod planted;
mod process;
mod scan;
mod story;

pub use scan::{Canary, Scan, encodings};
