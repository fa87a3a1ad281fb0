//! Notifications: telling an app's endpoints what happened to its payments, by Standard Webhooks
//! 1.0.0.
//!
//! A row of the outbox is written in the commit of the event it is about, so none is forgotten and
//! none is told of what did not happen. It leaves the outbox in the commit that records how it
//! ended. A process that ends in between tells it again, under the same `webhook-id`: at least
//! once.
//!
//! Read in this order: `endpoint` (who is told), `outbox` (the rows), `lanes`, `circuit`, `pace`
//! and `schedule` (when each is sent: pure), `attempt` (one sending), `queue` (one endpoint's),
//! `deliverer` (the loop over all), `replay`.
//!
//! Not here: the feed (`event`), which an app reads by itself and which is never behind.

mod attempt;
mod circuit;
mod deliverer;
mod endpoint;
mod lanes;
mod options;
mod outbox;
mod pace;
mod pattern;
mod queue;
mod replay;
mod schedule;
mod signature;

pub use circuit::Health;
pub use endpoint::{Endpoint, EndpointSecret, NewEndpoint, ShownSecret};
pub use options::{NotifyOptions, Notifying};
pub use outbox::{Attempt, Notification, NotificationPage, Stage};
pub use pattern::patterns_refused;
pub use replay::{Replay, dead_letters, replay_offline};
pub use schedule::Schedule;

pub(crate) use circuit::Circuit;
pub(crate) use deliverer::Desk;
pub(crate) use endpoint::Registered;
pub(crate) use outbox::{Posted, addressed, note};

#[cfg(test)]
pub(crate) mod tests;
