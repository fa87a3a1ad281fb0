//! One movement against one entry. Pure.

use ledger::{Currency, Entry, State};

use super::Reconciliation;
use super::report::{Movement, MovementKind, MovementState};

/// In what two sides differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Differs {
    /// The ledger has an entry that succeeded, and the provider has booked nothing for it.
    MissingAtProvider,
    /// The provider has booked what no entry explains.
    UnknownHere,
    /// The two name different amounts.
    Amount,
    /// The two name different currencies.
    Currency,
    /// One says that it is done, and the other does not.
    State,
    /// The provider kept another fee than was agreed.
    Fee,
    /// It was booked outside the span, or far from when it was done.
    Timing,
    /// It was booked twice.
    Duplicate,
}

impl Differs {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Differs::MissingAtProvider => "missing-at-provider",
            Differs::UnknownHere => "unknown-here",
            Differs::Amount => "amount",
            Differs::Currency => "currency",
            Differs::State => "state",
            Differs::Fee => "fee",
            Differs::Timing => "timing",
            Differs::Duplicate => "duplicate",
        }
    }
}

/// What the provider was agreed to keep of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeRule {
    /// Of payments in this currency, whose fee is in it too.
    pub currency: Currency,
    /// Hundredths of a hundredth of the amount.
    pub basis_points: u32,
    /// And so many minor units.
    pub fixed_minor: u64,
}

impl FeeRule {
    /// The fee of an amount, rounded half up.
    fn of(&self, minor: u64) -> u64 {
        let part = (u128::from(minor) * u128::from(self.basis_points) + 5_000) / 10_000;
        u64::try_from(part).unwrap_or(u64::MAX).saturating_add(self.fixed_minor)
    }
}

/// An entry beside the movement that was found for it.
pub(super) struct Compared<'a> {
    pub entry: &'a Entry,
    pub movement: &'a Movement,
    pub asked: &'a Reconciliation,
    /// Whether both belong to the span, or neither does.
    pub timely: bool,
}

/// Whether the movement was booked while the entry was open, or not long before or after.
pub(super) fn timely(entry: &Entry, movement: &Movement, tolerance_ms: u64) -> bool {
    let from = entry.created_at_ms.saturating_sub(tolerance_ms);
    let to = entry.changed_at_ms.saturating_add(tolerance_ms);
    (from..=to).contains(&movement.booked_at_ms)
}

/// Whether the movement proves that an entry succeeded of which nothing is known.
pub(super) fn proves(entry: &Entry, movement: &Movement) -> bool {
    let same_reference = match (&entry.references, &movement.references) {
        (Some(known), Some(told)) => known.provider == told.provider,
        // Then the provider repeats our own.
        (None, Some(_)) => movement.entry.as_deref() == Some(entry.id.as_str()),
        (_, None) => false,
    };
    entry.state == State::Unknown
        && movement.state == MovementState::Booked
        && movement.kind != MovementKind::Reversal
        && same_reference
        && same_amount(entry, movement)
}

fn same_amount(entry: &Entry, movement: &Movement) -> bool {
    entry.amount.currency() == movement.currency && entry.amount.minor() == movement.minor
}

/// Everything in which they differ, each in words.
pub(super) fn differences(compared: &Compared<'_>) -> Vec<(Differs, String)> {
    let Compared { entry, movement, .. } = compared;
    let mut all = Vec::new();
    if entry.amount.currency() != movement.currency {
        let (ours, theirs) = (entry.amount.currency(), movement.currency);
        all.push((Differs::Currency, format!("{ours} here, {theirs} at the provider")));
    } else if entry.amount.minor() != movement.minor && movement.kind != MovementKind::Reversal {
        let (ours, theirs) = (entry.amount.minor(), movement.minor);
        all.push((Differs::Amount, format!("{ours} minor units here, {theirs} at the provider")));
    }
    all.extend(state(entry, movement).map(|why| (Differs::State, why)));
    all.extend(fee(compared).map(|why| (Differs::Fee, why)));
    if !compared.timely {
        let why = "booked far from when it was done here, on the other side of the span's edge";
        all.push((Differs::Timing, why.to_owned()));
    }
    all
}

fn state(entry: &Entry, movement: &Movement) -> Option<String> {
    let ours = entry.state;
    let theirs = match (movement.kind, movement.state) {
        (MovementKind::Reversal, MovementState::Booked) => "undone",
        (MovementKind::Reversal, _) => return None,
        (_, MovementState::Booked) => "booked",
        (_, MovementState::Pending) => "pending",
        (_, MovementState::Failed) => "failed",
    };
    let agree = match theirs {
        "booked" => ours == State::Succeeded,
        "pending" => matches!(ours, State::Pending | State::NeedsAction),
        _ => ours.is_terminal() && ours != State::Succeeded,
    };
    (!agree).then(|| format!("{} here, {theirs} at the provider", ours.name()))
}

fn fee(compared: &Compared<'_>) -> Option<String> {
    let Compared { movement, asked, .. } = compared;
    let (kept, currency) = movement.fee?;
    if movement.kind != MovementKind::Payment || movement.state != MovementState::Booked {
        return None;
    }
    let of_currency =
        |rule: &&FeeRule| rule.currency == currency && rule.currency == movement.currency;
    let agreed = asked.fees.iter().find(of_currency)?.of(movement.minor);
    // One minor unit is what two ways of rounding can differ by.
    let differ = kept.abs_diff(agreed) > 1;
    differ.then(|| format!("{kept} minor units were kept, {agreed} were agreed"))
}

#[cfg(test)]
mod tests;
