//! Egress against real servers on loopback, written byte by byte.

mod answers;
mod barrier;
mod frames;
mod reuse;
mod secrets;
mod support;
mod tls;
