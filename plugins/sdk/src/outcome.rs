//! Outcomes and what they are made of.

use crate::{
    Action, Decline, DeclineCode, Entry, EntryState, Failure, Money, NextAction, Operation,
    OperationKind, Order, Outcome, Payment, References, RetryAdvice, Settled, Step,
};

/// The operation is over, with this outcome.
pub fn done(outcome: impl Into<Outcome>) -> Step {
    Step::Done(outcome.into())
}

impl Outcome {
    /// Done as was asked; `amount` is what the provider says it moved.
    pub fn succeeded(references: impl Into<References>, amount: Money) -> Outcome {
        Outcome::Succeeded(Settled { references: references.into(), amount })
    }

    /// The payer has to act first.
    pub fn needs_action(references: impl Into<References>, next: NextAction) -> Outcome {
        Outcome::NeedsAction(Action { references: references.into(), next })
    }

    /// The provider has it and will decide later.
    pub fn pending(references: impl Into<References>) -> Outcome {
        Outcome::Pending(references.into())
    }

    /// The provider closed it before it was paid.
    pub fn expired(references: impl Into<References>) -> Outcome {
        Outcome::Expired(references.into())
    }

    /// The answer says nothing definite about the money; why.
    pub fn unknown(why: impl Into<String>) -> Outcome {
        Outcome::Unknown(why.into())
    }
}

/// The provider refused, and moved no money. Its own code and message are kept to the letter.
pub fn decline(
    code: DeclineCode,
    retry: RetryAdvice,
    provider_code: impl Into<String>,
    provider_message: impl Into<String>,
) -> Decline {
    let (provider_code, provider_message) = (provider_code.into(), provider_message.into());
    Decline { code, retry, provider_code, provider_message, references: None }
}

impl Decline {
    /// With what the provider calls the refused thing.
    #[must_use]
    pub fn at(mut self, references: impl Into<References>) -> Decline {
        self.references = Some(references.into());
        self
    }
}

impl From<Decline> for Outcome {
    fn from(decline: Decline) -> Outcome {
        Outcome::Declined(decline)
    }
}

impl From<&str> for References {
    fn from(provider: &str) -> References {
        References::from(provider.to_owned())
    }
}
impl From<String> for References {
    fn from(provider: String) -> References {
        References { provider, secondary: None }
    }
}
impl From<(String, String)> for References {
    fn from((provider, secondary): (String, String)) -> References {
        References { provider, secondary: Some(secondary) }
    }
}

impl Money {
    /// So many minor units.
    pub fn new(minor: u64, currency: impl Into<String>) -> Money {
        Money { minor, currency: currency.into() }
    }
}

impl Operation {
    /// What it has to say.
    pub fn order(&self) -> &Order {
        match self {
            Operation::Authorize(order)
            | Operation::Capture(order)
            | Operation::Cancel(order)
            | Operation::Refund(order)
            | Operation::Payout(order)
            | Operation::Sync(order) => order,
        }
    }

    /// Which it is.
    pub fn kind(&self) -> OperationKind {
        match self {
            Operation::Authorize(_) => OperationKind::Authorize,
            Operation::Capture(_) => OperationKind::Capture,
            Operation::Cancel(_) => OperationKind::Cancel,
            Operation::Refund(_) => OperationKind::Refund,
            Operation::Payout(_) => OperationKind::Payout,
            Operation::Sync(_) => OperationKind::Sync,
        }
    }
}

impl Order {
    /// What the provider calls the payment that a capture, cancel or refund acts on.
    ///
    /// # Errors
    /// `Failure::Invalid` when the provider has given it no reference.
    pub fn acted_on(&self) -> Result<&References, Failure> {
        let references = self.payment.reference();
        references.ok_or_else(|| Failure::invalid("payment: the provider knows none yet"))
    }

    /// The app's extra fields, if each is one of these.
    ///
    /// # Errors
    /// `Failure::Invalid` that names the first which is not.
    pub fn extra_of(&self, known: &[&str]) -> Result<&[(String, String)], Failure> {
        match self.extra.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((name, _)) => Err(Failure::invalid(format!("extra.{name}: not known here"))),
            None => Ok(&self.extra),
        }
    }
}

impl Payment {
    /// The newest entry of this kind that succeeded and has a reference.
    pub fn succeeded(&self, kind: OperationKind) -> Option<&Entry> {
        let done = |entry: &&Entry| entry.kind == kind && entry.state == EntryState::Succeeded;
        self.entries.iter().rev().find(|entry| done(entry) && entry.references.is_some())
    }

    /// What the provider calls this payment: of the newest authorization that it did not refuse.
    pub fn reference(&self) -> Option<&References> {
        let over = |state| matches!(state, EntryState::Declined | EntryState::NotSent);
        let alive = |entry: &&Entry| entry.kind == OperationKind::Authorize && !over(entry.state);
        self.entries.iter().rev().filter(alive).find_map(|entry| entry.references.as_ref())
    }
}
