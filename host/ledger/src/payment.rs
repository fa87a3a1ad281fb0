//! A payment: its entries, the sums that must hold, and the status that follows from them.
//!
//! Nothing sets a status. `admit` refuses an operation that the sums do not allow, `tell` moves one
//! entry by the state table, and `status` reads both.

mod status;

use serde::{Deserialize, Serialize};

pub use status::Status;

use crate::anomaly::AnomalyKind;
use crate::{Entry, Id, Kind, Money, Resolution, State, TimestampMs, Told, Verdict, after};

/// A payment, or a payout, of one app at one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Its identifier.
    pub id: Id,
    /// The app it belongs to.
    pub app: Id,
    /// The account at the provider.
    pub account: String,
    /// The app's own reference.
    pub merchant_reference: String,
    /// How much it is about.
    pub amount: Money,
    /// Every operation, oldest first.
    pub entries: Vec<Entry>,
    /// When it was asked.
    pub created_at_ms: TimestampMs,
}

/// Why an operation was not admitted. The payment is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The payment is in another currency.
    #[error("the payment is in another currency")]
    OtherCurrency,
    /// An authorisation is open or done.
    #[error("the payment is authorised already, or may be")]
    AlreadyAuthorized,
    /// Nothing is authorised.
    #[error("nothing is authorised that could be captured")]
    NotAuthorized,
    /// More than is authorised and not captured, counting what is in hand.
    #[error("captures would exceed the authorised amount")]
    OverCapture,
    /// Nothing is captured.
    #[error("nothing is captured that could be refunded")]
    NotCaptured,
    /// More than is captured and not refunded, counting what is in hand.
    #[error("refunds would exceed the captured amount")]
    OverRefund,
    /// Captured, or being captured: refund instead.
    #[error("the payment is captured, or is being captured: refund it instead")]
    AlreadyCaptured,
    /// Cancelled, or being cancelled.
    #[error("the payment is cancelled, or is being cancelled")]
    AlreadyCancelled,
    /// Neither authorised nor on the way to it.
    #[error("there is nothing left to cancel")]
    NothingToCancel,
    /// Paid out already, or an operation of payments asked of a payout, or the reverse.
    #[error("a payout is one entry, and takes no other operation")]
    NotForPayouts,
}

/// What `tell` did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The entry went from one state to another, or learnt something new.
    Moved {
        /// The state before.
        from: State,
        /// The state after.
        to: State,
    },
    /// The ledger knew that.
    Known,
    /// It contradicts what the ledger knows; nothing was changed.
    Anomaly(AnomalyKind),
}

/// Why a word about an entry was not taken. The payment is unchanged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unresolved {
    /// The payment has no such entry.
    #[error("the payment has no such entry")]
    NoSuchEntry,
    /// The table has no line from this state by what is said.
    #[error("an entry in `{}` cannot become so", .0.name())]
    NotFrom(State),
    /// It contradicts what the ledger knows.
    #[error("it contradicts the ledger: {0:?}")]
    Contradicts(AnomalyKind),
}

impl Payment {
    /// Whether an operation may begin. Entries in hand count as if they will succeed.
    pub fn admit(&self, kind: Kind, amount: Money) -> Result<(), Refusal> {
        if amount.currency() != self.amount.currency() {
            return Err(Refusal::OtherCurrency);
        }
        if kind == Kind::Payout || self.entries.iter().any(|entry| entry.kind == Kind::Payout) {
            let first = kind == Kind::Payout && self.entries.is_empty();
            return if first { Ok(()) } else { Err(Refusal::NotForPayouts) };
        }
        match kind {
            Kind::Authorize => self.admit_authorize(),
            Kind::Capture => self.admit_capture(amount),
            Kind::Cancel => self.admit_cancel(),
            Kind::Refund => self.admit_refund(amount),
            Kind::Payout => Err(Refusal::NotForPayouts),
        }
    }

    fn admit_authorize(&self) -> Result<(), Refusal> {
        if self.cancelling() {
            return Err(Refusal::AlreadyCancelled);
        }
        let refused = |entry: &Entry| entry.state.is_terminal() && entry.state != State::Succeeded;
        let all = self.entries.iter().filter(|entry| entry.kind == Kind::Authorize).all(refused);
        if all { Ok(()) } else { Err(Refusal::AlreadyAuthorized) }
    }

    fn admit_capture(&self, amount: Money) -> Result<(), Refusal> {
        if self.cancelling() {
            return Err(Refusal::AlreadyCancelled);
        }
        match self.authorized_minor() {
            0 => Err(Refusal::NotAuthorized),
            all if self.captured_or_in_hand_minor() + amount.minor() > all => {
                Err(Refusal::OverCapture)
            }
            _ => Ok(()),
        }
    }

    fn admit_cancel(&self) -> Result<(), Refusal> {
        let live = |entry: &Entry| entry.state.is_open() || entry.state == State::Succeeded;
        if self.cancelling() {
            Err(Refusal::AlreadyCancelled)
        } else if self.captured_minor() > 0 || self.in_hand(Kind::Capture) {
            Err(Refusal::AlreadyCaptured)
        } else if !self.entries.iter().any(|entry| entry.kind == Kind::Authorize && live(entry)) {
            Err(Refusal::NothingToCancel)
        } else {
            Ok(())
        }
    }

    fn admit_refund(&self, amount: Money) -> Result<(), Refusal> {
        let given = self.sum(Kind::Refund, |entry| !entry.moved_nothing());
        match self.captured_minor() {
            0 => Err(Refusal::NotCaptured),
            captured if given + amount.minor() > captured => Err(Refusal::OverRefund),
            _ => Ok(()),
        }
    }

    /// Adds an entry in `created`, if it is admitted.
    pub fn begin(&mut self, entry: Entry) -> Result<(), Refusal> {
        self.admit(entry.kind, entry.amount)?;
        self.entries.push(entry);
        Ok(())
    }

    /// Tells something of an entry; none where the payment has no such entry. A cancellation that
    /// succeeds closes the authorisation that was not paid yet; one that is said to have succeeded
    /// although the money was taken is an anomaly.
    pub fn tell(&mut self, entry: &Id, verdict: &Verdict, now: TimestampMs) -> Option<Change> {
        let taken = self.captured_minor() > 0;
        let found = self.entries.iter_mut().find(|known| known.id == *entry)?;
        if taken && found.kind == Kind::Cancel && verdict.told() == Told::Succeeded {
            let (state, told) = (found.state, Box::new(verdict.clone()));
            return Some(Change::Anomaly(AnomalyKind::Contradiction { state, told }));
        }
        if let Some(taken) = self.part_taken(entry, verdict) {
            return Some(Change::Anomaly(taken));
        }
        let found = self.entries.iter_mut().find(|known| known.id == *entry)?;
        let change = found.tell(verdict, now);
        let done = matches!(change, Change::Moved { to: State::Succeeded, .. });
        if done && found.kind == Kind::Cancel {
            let waiting =
                |known: &&mut Entry| known.kind == Kind::Authorize && known.state.is_open();
            for known in self.entries.iter_mut().filter(waiting) {
                known.tell(&Verdict::Expired { references: None }, now);
            }
        }
        Some(change)
    }

    /// What contradicts where a capture or a refund is told under the identifier of another. One
    /// that a provider names by what it is a part of has no identifier of its own.
    fn part_taken(&self, entry: &Id, verdict: &Verdict) -> Option<AnomalyKind> {
        let named = &verdict.references()?.provider;
        let kind = self.entry(entry)?.kind;
        let mut others = self.entries.iter().filter(|known| known.kind != kind);
        let is_whole = !matches!(kind, Kind::Capture | Kind::Refund);
        if is_whole || others.any(|known| known.is_called(named)) {
            return None;
        }
        let bears = |known: &&Entry| known.kind == kind && known.is_called(named);
        let other = self.entries.iter().filter(bears).find(|known| known.id != *entry)?;
        let (reference, owner) = (named.clone(), other.id.clone());
        Some(AnomalyKind::ReferenceTaken { reference, owner })
    }

    /// Settles an open entry by the word of somebody who is not the provider. Unlike [`tell`], what
    /// contradicts the ledger is refused: whoever says it is there to be asked again.
    ///
    /// # Errors
    /// See [`Unresolved`]; nothing is changed then.
    ///
    /// [`tell`]: Payment::tell
    pub fn resolve(
        &mut self,
        entry: &Id,
        verdict: &Verdict,
        resolution: Resolution,
    ) -> Result<Change, Unresolved> {
        let known = self.entry(entry).ok_or(Unresolved::NoSuchEntry)?;
        let state = known.state;
        let to = after(state, verdict.told()).filter(|to| to.is_terminal());
        to.ok_or(Unresolved::NotFrom(state))?;
        let mut resolved = self.clone();
        let change = resolved.tell(entry, verdict, resolution.at_ms);
        match change.ok_or(Unresolved::NoSuchEntry)? {
            Change::Anomaly(kind) => Err(Unresolved::Contradicts(kind)),
            Change::Known => Err(Unresolved::NotFrom(state)),
            moved @ Change::Moved { .. } => {
                let settled = resolved.entries.iter_mut().find(|known| known.id == *entry);
                settled.ok_or(Unresolved::NoSuchEntry)?.resolution = Some(resolution);
                *self = resolved;
                Ok(moved)
            }
        }
    }

    /// The entry of this identifier.
    pub fn entry(&self, id: &Id) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.id == *id)
    }

    /// What is authorised, in minor units.
    pub fn authorized_minor(&self) -> u64 {
        self.sum(Kind::Authorize, Entry::succeeded)
    }

    /// What is captured, in minor units: by captures, and by authorisations that take at once.
    pub fn captured_minor(&self) -> u64 {
        self.sum(Kind::Capture, Entry::succeeded) + self.taken_at_once_minor()
    }

    /// What is refunded, in minor units.
    pub fn refunded_minor(&self) -> u64 {
        self.sum(Kind::Refund, Entry::succeeded)
    }

    fn taken_at_once_minor(&self) -> u64 {
        self.sum(Kind::Authorize, |entry| entry.capture && entry.succeeded())
    }

    fn captured_or_in_hand_minor(&self) -> u64 {
        self.sum(Kind::Capture, |entry| !entry.moved_nothing()) + self.taken_at_once_minor()
    }

    fn sum(&self, kind: Kind, counts: impl Fn(&Entry) -> bool) -> u64 {
        let of_kind = self.entries.iter().filter(|entry| entry.kind == kind && counts(entry));
        of_kind.map(|entry| entry.amount.minor()).sum()
    }

    fn in_hand(&self, kind: Kind) -> bool {
        self.entries.iter().any(|entry| entry.kind == kind && entry.state.is_open())
    }

    fn cancelled(&self) -> bool {
        self.entries.iter().any(|entry| entry.kind == Kind::Cancel && entry.succeeded())
    }

    fn cancelling(&self) -> bool {
        self.cancelled() || self.in_hand(Kind::Cancel)
    }
}

impl Entry {
    fn succeeded(&self) -> bool {
        self.state == State::Succeeded
    }

    /// Whether the provider knows it by this name.
    fn is_called(&self, name: &str) -> bool {
        let own = self.references.as_ref();
        own.is_some_and(|own| own.provider == name || own.secondary.as_deref() == Some(name))
    }

    fn moved_nothing(&self) -> bool {
        self.state.is_terminal() && self.state != State::Succeeded
    }

    fn tell(&mut self, verdict: &Verdict, now: TimestampMs) -> Change {
        let told = Box::new(verdict.clone());
        if let Some(differs) = self.differs(verdict) {
            return Change::Anomaly(differs);
        }
        let Some(to) = after(self.state, verdict.told()) else {
            return self.out_of_turn(told);
        };
        let before = self.clone();
        self.note(verdict, to, before.changed_at_ms);
        if *self == before && to != State::Sending {
            return Change::Known;
        }
        self.changed_at_ms = now;
        Change::Moved { from: before.state, to }
    }

    /// What the table has no line for: known, merely late, or a contradiction.
    fn out_of_turn(&self, told: Box<Verdict>) -> Change {
        let state = self.state;
        let says = match told.as_ref() {
            Verdict::Succeeded(_) => Some(State::Succeeded),
            Verdict::Declined { .. } => Some(State::Declined),
            Verdict::Expired { .. } => Some(State::Expired),
            Verdict::NotSent { .. } => Some(State::NotSent),
            // Whoever has never got it cannot be working on it.
            Verdict::NeedsAction { .. } | Verdict::Pending { .. } if state == State::NotSent => {
                return Change::Anomaly(AnomalyKind::Contradiction { state, told });
            }
            // News of a stage that is over says nothing new.
            Verdict::Sending
            | Verdict::NeedsAction { .. }
            | Verdict::Pending { .. }
            | Verdict::Lost { .. } => None,
        };
        match says {
            None => Change::Known,
            Some(said) if said == state => Change::Known,
            Some(_) if state.is_terminal() => {
                Change::Anomaly(AnomalyKind::Contradiction { state, told })
            }
            Some(_) => Change::Anomaly(AnomalyKind::OutOfTurn { state, told }),
        }
    }

    fn differs(&self, verdict: &Verdict) -> Option<AnomalyKind> {
        if let (Some(known), Some(told)) = (&self.references, verdict.references())
            && known.provider != told.provider
        {
            let (expected, told) = (known.provider.clone(), told.provider.clone());
            return Some(AnomalyKind::ReferenceDiffers { expected, told });
        }
        match verdict {
            Verdict::Succeeded(settled) if settled.amount != self.amount => {
                Some(AnomalyKind::AmountDiffers { expected: self.amount, told: settled.amount })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
