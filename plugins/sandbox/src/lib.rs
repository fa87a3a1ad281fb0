//! The test provider: every outcome there is, chosen by a magic value, without a network.
//!
//! It sends nothing: `start` is the outcome. What comes later is not kept anywhere either, since it
//! follows from the same word: a sync reads it again from the entry, or, for what is done to a
//! payment afterwards, from the payment's reference. The one thing that is not decided beforehand
//! is what a payer does, and that arrives as a proven delivery (`payer`).

mod fate;
mod magic;
mod payer;

pub use fate::{Fate, LATER, LINES, Line, Manner};
pub use magic::CARDS;
use sdk::prelude::*;

/// The plugin.
pub struct TestProvider;

sdk::export!(TestProvider);

impl Adapter for TestProvider {
    fn describe() -> Description {
        use OperationKind::{Authorize, Cancel, Capture, Payout, Refund, Sync};
        let operations = [Authorize, Capture, Cancel, Refund, Payout, Sync];
        Description::new("sandbox", env!("CARGO_PKG_VERSION"), &operations)
            .methods(&["card", "token", "wallet", "bank", "qr"])
            .keys([key(payer::SLOT, KeyKind::Symmetric, "any text; proves what a test payer did")
                .required()])
            .recovery(Recovery { idempotent_seconds: None, query: true, close: true })
    }

    fn start(host: &dyn Host, operation: &Operation) -> Result<Step, Failure> {
        let order = operation.order();
        let magic = magic::of(order)?;
        let fate = match operation {
            Operation::Sync(_) => magic.then,
            _ => magic.first,
        };
        Ok(done(told(host, order, &magic.word, fate)?))
    }

    fn resume(_: &dyn Host, _: &Operation, _: &[u8], _: &Reply) -> Result<Step, Failure> {
        Err(Failure::malformed("the test provider asks nothing, so nothing can answer it"))
    }

    fn prove(_: &dyn Host, delivery: &Delivery) -> Result<Proof, Failure> {
        payer::prove(delivery)
    }

    fn interpret(_: &dyn Host, delivery: &Delivery) -> Result<Vec<Event>, Failure> {
        payer::interpret(delivery)
    }

    fn acknowledge(accepted: bool) -> HttpResponse {
        let (status, text) = match accepted {
            true => (200, "The test provider has your answer. Go back to the shop.\n"),
            false => (400, "The test provider does not know this payment.\n"),
        };
        HttpResponse::new(status, text).header_added("content-type", "text/plain; charset=utf-8")
    }
}

/// A fate as the outcome of this operation.
fn told(host: &dyn Host, order: &Order, word: &str, fate: Fate) -> Result<Outcome, Failure> {
    let known = references(&order.entry.id, word);
    Ok(match fate {
        Fate::Succeeded => Outcome::succeeded(known, order.entry.amount.clone()),
        Fate::Declined(code) => {
            let name = fate::name(code);
            let said = format!("The test provider declines, as `{word}` asks it to.");
            decline(code, fate::advice(code), name, said).at(known).into()
        }
        Fate::Asked(manner) => {
            Outcome::needs_action(known, payer::action(host, order, word, manner)?)
        }
        Fate::Pending => Outcome::pending(known),
        Fate::Unknown => {
            Outcome::unknown("the test provider loses this answer, as it was asked to")
        }
        Fate::Absent => Outcome::Absent,
        Fate::Expired => Outcome::expired(known),
        Fate::Unsupported => {
            return Err(Failure::Unsupported("the test provider was asked not to do this".into()));
        }
        Fate::Invalid => return Err(Failure::invalid("instrument: was to be refused, and is")),
        Fate::Misconfigured => {
            return Err(Failure::misconfigured("the test provider was asked to say so"));
        }
    })
}

/// What the test provider calls an entry, and the word that decides about it.
fn references(entry: &str, word: &str) -> References {
    (format!("test_{entry}"), word.to_owned()).into()
}
