//! What a reply or a delivery tells about an order, a refund or a transfer: one form for the three.

use sdk::prelude::*;

use crate::ask::entry_id;
use crate::wire::{self, Fate, REFUND, TRADE, TRANSFER, Thing};
use OperationKind::{Payout, Refund};

/// One thing that WeChat keeps by our number, as it stands.
pub(crate) struct Told {
    /// The entry whose number it has.
    pub entry: String,
    pub fate: Option<Fate>,
    pub references: References,
    /// What somebody is to act with.
    package: Option<String>,
    /// The state, or why it failed; and in words.
    code: String,
    words: String,
    amount: Option<Money>,
}

impl Told {
    /// Reads what is told about an entry of this kind.
    pub fn read(kind: OperationKind, text: &[u8]) -> Result<Told, Failure> {
        let thing: Thing = serde_json::from_slice(text)?;
        let amount = thing.amount.unwrap_or_default();
        let (table, ours, theirs, minor) = match kind {
            Refund => (REFUND, thing.out_refund_no, thing.refund_id, amount.refund),
            Payout => (TRANSFER, thing.out_bill_no, thing.transfer_bill_no, thing.transfer_amount),
            _ => (TRADE, thing.out_trade_no, thing.transaction_id, amount.total),
        };
        let provider = ours.ok_or_else(|| Failure::malformed("it has no number of ours"))?;
        let currency = amount.currency.unwrap_or_else(|| wire::CNY.to_owned());
        let fate = table.iter().find(|(_, states)| wire::among(states, &thing.state));
        Ok(Told {
            entry: if kind == Payout { entry_id(&provider) } else { provider.clone() },
            fate: fate.map(|(fate, _)| *fate),
            references: References { provider, secondary: theirs.filter(|id| !id.is_empty()) },
            package: thing.package_info,
            words: thing.trade_state_desc.unwrap_or_else(|| thing.state.clone()),
            code: thing.fail_reason.filter(|why| !why.is_empty()).unwrap_or(thing.state),
            amount: minor.map(|minor| Money::new(minor, currency)),
        })
    }

    /// As an outcome. Where somebody is to act, and with what is not told but `shown` already,
    /// nothing new is told: `unknown` leaves the entry, and what it shows, as they are.
    pub fn outcome(self, shown: bool) -> Outcome {
        match (self.fate, self.amount, self.package) {
            (Some(Fate::Succeeded), Some(amount), _) => Outcome::succeeded(self.references, amount),
            (Some(Fate::Pending), ..) => Outcome::pending(self.references),
            (Some(Fate::Waiting), _, Some(app)) => {
                Outcome::needs_action(self.references, NextAction::App(app))
            }
            // Lost with its answer. Asking again could move money; and it ends by itself.
            (Some(Fate::Waiting), ..) if !shown => Outcome::pending(self.references),
            (Some(Fate::Expired), ..) => Outcome::expired(self.references),
            (Some(Fate::Declined), ..) => {
                let otherwise = (DeclineCode::Generic, RetryAdvice::AfterChange);
                let (ours, retry) = wire::refusal(&self.code).unwrap_or(otherwise);
                decline(ours, retry, self.code, self.words).at(self.references).into()
            }
            _ => Outcome::unknown(format!("{}: {}", self.code, self.words)),
        }
    }

    /// What became of a close of this amount, when this is what was to be closed.
    pub fn closed(self, amount: Money) -> Outcome {
        let (ours, retry) = (DeclineCode::NotPermitted, RetryAdvice::Never);
        match self.fate {
            Some(Fate::Expired) => Outcome::succeeded(self.references, amount),
            Some(Fate::Waiting) => Outcome::Absent,
            Some(Fate::Succeeded) => decline(ours, retry, self.code, self.words).into(),
            _ => Outcome::unknown(format!("{}: {}", self.code, self.words)),
        }
    }
}
