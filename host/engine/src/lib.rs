//! The engine: drives operations from the request of an app to the outcome in the ledger.
//!
//! Knows no HTTP server, no TOML and no command line. Time and randomness enter by [`Clock`] and
//! [`Entropy`]; the store, the sandbox and egress are given to it. Read in this order: [`ask`](Ask),
//! `operate` (decide, record, step, send, resume, record), `deliver` (webhooks), `resolve` (what was
//! left open).

mod apps;
mod ask;
mod engine;
mod error;
mod event;

pub use apps::{ApiKey, App};
pub use ask::{Ask, Done, Instrument, NewPayment, NewPayout};
pub use engine::{Acknowledgement, Delivery, Engine, PaymentPage};
pub use error::Error;
pub use event::{Event, EventPage};

pub use ledger;
