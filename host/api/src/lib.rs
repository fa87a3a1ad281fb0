//! The open platform over HTTP: authentication, payments, webhooks, the feed, and what the host
//! says about itself.
//!
//! Nothing is decided here about money: a request is proven well-formed and its sender known, then
//! the [engine](Payments) is asked. Read in this order: `table` (the routes), `edge` (a request's
//! way), `shape` and `vocabulary` (what may be asked), `catalogue` (what can go wrong), `server`.

mod about;
mod admin;
mod admission;
mod answer;
mod attest;
mod auth;
mod body;
mod cards;
mod catalogue;
mod connection;
pub mod content_digest;
mod contract;
mod docs;
mod edge;
mod endpoints;
mod events;
mod forms;
#[doc(hidden)]
pub mod fuzzing;
mod head;
pub mod jose;
mod json;
mod limits;
mod load;
mod metrics;
mod numeral;
mod openapi;
mod outgoing;
mod pace;
mod pages;
mod payments;
mod peers;
mod places;
mod platform;
mod problem;
mod proof;
mod query;
mod refusals;
mod route;
mod router;
mod schema;
mod sealed;
mod server;
mod shape;
pub mod signature;
mod socket;
mod stray;
mod streams;
mod table;
mod time;
mod views;
mod vocabulary;
mod webhooks;

pub use admin::AdminAccess;
pub use admin::books::{anomaly as anomaly_view, entry_record as entry_view};
pub use admin::reconcile::{
    difference as difference_view, head as reconciliation_head, tail as reconciliation_tail,
};
pub use catalogue::CATALOGUE;
pub use contract::{Endpoints, Payments, Plugins, Shown, Soon};
pub use events::event_body;
pub use limits::Limits;
pub use platform::{Platform, PlatformKey, Usage};
pub use problem::{CLASSES, Code, Fault, Place, Problem, RULES, Retry};
pub use server::{BindError, Options, Server};

#[cfg(test)]
mod tests;
