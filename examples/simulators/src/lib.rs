//! Payment providers on loopback: servers that speak a provider's own protocol, make the checks the
//! provider makes, and keep books, so that a host can be tested against a counterparty that was not
//! written from the host's own code.
//!
//! Not a mock: nothing is scripted. A charge is reserved, captured, refunded and counted here, and
//! [`Books`] tells afterwards what money moved, for whom and under which key. Not a second
//! implementation of the host either: no crate of the host is used.
//!
//! Where a provider's manual leaves a rule open, the simulator takes the stricter reading, and the
//! module that does so says it.

mod books;
mod clock;
mod controls;
mod courier;
mod delay;
mod exchange;
mod faults;
mod identifiers;
mod payer;
mod server;
mod stripe;
mod wechatpay;

pub use books::{Books, Movement, MovementKind};
pub use clock::Clock;
pub use courier::{Attempt, Delivery, Retries};
pub use delay::Delay;
pub use faults::{Fault, FaultRule};
pub use payer::PayerAnswer;
pub use server::{Running, StartError};
pub use stripe::{StripeOptions, StripeSimulator};
pub use wechatpay::{
    KeyError, PlatformIdentity, WechatpayKeys, WechatpayOptions, WechatpaySimulator,
};
