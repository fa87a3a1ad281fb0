//! One file a target; what each holds stands at its head.

mod adapters;
mod addresses;
mod body;
mod config;
mod edge;
mod jose;
mod journal;
mod keys;
mod outcomes;
mod records;
mod replies;
mod requests;
mod signature;
mod webhook;

pub use adapters::adapters;
pub use addresses::addresses;
pub use body::body;
pub use config::config;
pub use edge::edge;
pub use jose::jose;
pub use journal::journal;
pub use keys::keys;
pub use outcomes::outcomes;
pub use records::records;
pub use replies::replies;
pub use requests::requests;
pub use signature::signature;
pub use webhook::webhook;
