//! The simulators driven as a host would: over sockets, with signatures made and checked here by
//! hand, without the simulator's own cryptography.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests, and what only tests use"
)]

mod faults;
mod inbox;
mod stripe;
mod stripe_client;
mod stripe_events;
mod stripe_idempotency;
mod wechatpay;
mod wechatpay_client;
mod wechatpay_notifications;
mod wechatpay_transfers;
mod wire;
