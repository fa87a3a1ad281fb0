//! What every story needs: a host to start and kill, somebody who pays, a provider, and patience.

mod audit;
mod client;
mod command;
mod config;
mod door;
mod ear;
mod environment;
mod host;
mod listening;
mod log;
mod mailbox;
mod office;
mod paths;
mod patience;
mod plugins;
mod random;
mod stage;
mod street;

pub use audit::{Findings, Ledger, replay, settle};
pub use client::{Client, Reply};
pub use command::tollgate;
pub use config::{Account, Config, Key};
pub use ear::{Ear, Manner, Told};
pub use environment::{number, seed};
pub use host::Host;
pub use listening::{Dispatched, Listening};
pub use mailbox::{Mailbox, Posted};
pub use office::Office;
pub use paths::{built, root};
pub use patience::{LONG, eventually};
pub use plugins::{Component, component};
pub use random::Random;
pub use stage::{ACCOUNT, StripeStage, WechatStage, charge, hold, soon};
pub use street::{Acknowledged, Street};
