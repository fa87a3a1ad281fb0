//! The vault against what others have published: Wycheproof's vectors, the vectors of the standards
//! and of providers, the CRC catalogue, and a second implementation of the same algorithms.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops there"
)]

mod aead;
mod checksums;
mod differential;
mod keys;
mod legacy;
mod macs;
mod oaep;
mod published;
mod sealing;
mod signatures;
mod support;
mod tally;
