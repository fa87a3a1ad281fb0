//! Conversations with a provider as text files, and their replay on any stage: natively against
//! the adapter's code, or against the built component in the host's sandbox.
//!
//! A transcript is a sequence of lines. What is asked (`authorize P1 EUR 1234 token pm_1`), what
//! the provider says (`<` replies, `!` webhook deliveries) and comments are given; what the plugin
//! says (`>` requests that may move money, `?` requests that cannot, `=` outcomes and events, `~`
//! proofs) is compared, or rewritten. So a replay gives back the whole text, and a test is one
//! comparison of texts. `FORMAT.md` is the manual.
//!
//! Not here: anything generated from the contract. A `Stage` translates.

mod book;
mod diff;
mod folder;
mod model;
mod replay;
mod report;
mod script;
mod show;
mod words;

pub use folder::{check, play_folder};
pub use model::{
    Answer, Decline, Delivery, Entry, Event, Exchange, Failure, Instrument, Kind, Money, Movement,
    NextAction, Operation, Order, Outcome, Page, Part, Payment, Piece, Portion, Proof, References,
    Reply, Request, Response, Span, State,
};
pub use replay::{Play, Stage, Verdict, random, replay};
pub use script::{Error, Material, Set};
pub use show::{event_text, exchange_text, failure_text, movement_text, outcome_text, proof_text};

#[cfg(test)]
mod tests;
