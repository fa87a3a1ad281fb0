//! What every story needs: a host to start and kill, somebody who pays, a provider, and patience.

mod audit;
mod client;
mod command;
mod config;
mod door;
mod environment;
mod host;
mod log;
mod mailbox;
mod paths;
mod patience;
mod plugins;
mod random;
mod stage;
mod street;

pub use audit::{Findings, Ledger, replay, settle};
pub use client::Client;
pub use command::tollgate;
pub use config::{Account, Config, Key};
pub use environment::{number, seed};
pub use host::Host;
pub use mailbox::{Mailbox, Posted};
pub use paths::{built, root};
pub use patience::{LONG, eventually};
pub use plugins::{Component, component};
pub use random::Random;
pub use stage::{ACCOUNT, StripeStage, WechatStage, charge, hold, soon};
pub use street::{Acknowledged, Street};
