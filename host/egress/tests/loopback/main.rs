//! Egress against real servers on loopback, written byte by byte.

// The lints let tests panic, but do not see that a helper function outside them is one too.
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod answers;
mod barrier;
mod frames;
mod outside;
mod reuse;
mod secrets;
mod support;
mod tls;
