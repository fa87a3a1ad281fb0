//! The engine: drives operations from the request of an app to the outcome in the ledger.
//!
//! Knows no HTTP server, no TOML and no command line. Time and randomness enter by [`Clock`] and
//! [`Entropy`]; the store, the sandbox and egress are given to it. Read in this order: `ask` (what
//! can be asked), `operate` (decide, and record the intent), `converse` (send, resume, and so on),
//! `tell` (every change of the ledger), `deliver` (webhooks), `resolve` (what was left open),
//! `schedule` (when), `books` (what an operator sees and settles), `reconcile` (against what the
//! provider has booked), `notify` (telling apps).

mod account;
mod app;
mod apps;
mod ask;
pub mod audit;
mod books;
mod call;
mod cards;
mod clock;
mod converse;
mod deliver;
mod engine;
mod error;
mod event;
mod expire;
#[doc(hidden)]
pub mod fuzzing;
mod nonce;
mod notify;
mod offer;
mod operate;
mod plugin;
mod plugins;
mod proofs;
mod reconcile;
mod record;
mod references;
mod reseal;
mod resolve;
mod schedule;
mod share;
mod spending;
mod stray;
mod tell;
mod translate;

pub use account::{AccountParts, Mode};
pub use app::{
    App, AppKey, KeyForm, Proof, Protection, Rate, Scope, Sender, SpendingLimit, network,
    place as key_place,
};
pub use apps::{AppChange, Apps, NewKey, Shown, Unchanged};
pub use ask::{Ask, Done, Instrument, NewPayment, NewPayout};
pub use books::{
    AnomalyPage, Books, EntryPage, EntryRecord, Fate, Listed, Settling, ShownExchange, Unsettled,
};
pub use cards::{
    Card, CardFault, CardState, KeysSettled, NewCard, abandon_card_keys, card_keys_under,
    cards_without_key, open_card_keys, settle_card_keys,
};
pub use clock::{Clock, Entropy, SystemClock, SystemEntropy};
pub use deliver::{Acknowledgement, Delivery};
pub use engine::{Engine, Options, Parts, PaymentPage, Unfit};
pub use error::Error;
pub use event::{Event, EventPage};
pub use ipnet::IpNet;
pub use nonce::{Nonce, Nonces};
pub use notify::{
    Attempt, Endpoint, EndpointSecret, Health, NewEndpoint, Notification, NotificationPage,
    NotifyOptions, Notifying, Replay, Schedule, ShownSecret, Stage, dead_letters, patterns_refused,
    replay_offline,
};
pub use offer::{Grade, Offer};
pub use plugin::{Calling, Plugin};
pub use plugins::{LoadedPlugin, Quarantine};
pub use reconcile::{
    Difference, Differs, FeeRule, Found, Movement, MovementKind, MovementState, Reconciled,
    Reconciliation, ReportFile, Sum, Sums,
};
pub use reseal::{Resealed, sealed_under};
pub use sandbox::Until;
pub use stray::holds_secret;
pub use vault::Secret;
