//! The host from outside: the real binary as a process, real plugins in its sandbox, and simulated
//! providers on loopback that keep books of their own.
//!
//! Not here: the inside of any room; each has its own tests beside it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops there, and says on the way what it saw"
)]

// The contract's types, where the SDK's translation of transcripts looks for them.
use sandbox::contract::*;

mod apps;
mod audit;
mod bad_config;
mod bad_input;
mod books;
mod canaries;
mod disk_full;
mod end_to_end;
mod guides;
mod kills;
mod lost_answers;
mod notifications;
mod overload;
mod powercuts;
mod quarantine;
mod reconcile;
mod resealing;
mod sealed;
mod ssrf;
mod support;
mod tampered;
mod test_provider;
mod tidy;
mod transcripts;
mod webhooks;
mod wechatpay;
