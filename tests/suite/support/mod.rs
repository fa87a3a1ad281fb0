//! What every story needs: a host to start and kill, somebody who pays, a provider, and patience.

mod audit;
mod client;
mod command;
mod config;
mod door;
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
pub use client::{Client, Reply};
pub use command::{Ended, tollgate};
pub use config::{Account, Config, Key, Secret};
pub use door::Door;
pub use host::Host;
pub use mailbox::{Mailbox, Posted};
pub use paths::{built, root};
pub use patience::{LONG, eventually};
pub use plugins::{Component, component};
pub use random::Random;
pub use stage::{ACCOUNT, StripeStage, WechatStage, charge, hold, soon};
pub use street::{Acknowledged, Street};
