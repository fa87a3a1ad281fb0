//! What was moved, by both sides: sums for each kind and currency. Pure.

use std::collections::BTreeMap;

use ledger::{Currency, Entry, Kind};

use super::report::{Movement, MovementKind, MovementState};

/// What one side or the other says was moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Entries that succeeded.
    pub ledger_count: u64,
    /// Their sum, in minor units.
    pub ledger_minor: u128,
    /// Movements that were booked.
    pub provider_count: u64,
    /// Their sum, before fees.
    pub provider_minor: u128,
    /// What the provider kept of them, where it settles in the same currency.
    pub fee_minor: u128,
}

/// Sums by kind (`payment`, `refund`, `payout`, `reversal`, `other`) and currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums(BTreeMap<(&'static str, String), Sum>);

impl Sums {
    /// Each kind and currency, with its sum.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str, &Sum)> {
        self.0.iter().map(|((kind, currency), sum)| (*kind, currency.as_str(), sum))
    }

    pub(super) fn ledger(&mut self, entry: &Entry) {
        let sum = self.of(kind(entry.kind), entry.amount.currency());
        sum.ledger_count += 1;
        sum.ledger_minor += u128::from(entry.amount.minor());
    }

    pub(super) fn provider(&mut self, movement: &Movement) {
        if movement.state != MovementState::Booked {
            return;
        }
        let sum = self.of(movement.kind.name(), movement.currency);
        sum.provider_count += 1;
        sum.provider_minor += u128::from(movement.minor);
        if let Some((fee, _)) = movement.fee.filter(|(_, kept)| *kept == movement.currency) {
            sum.fee_minor += u128::from(fee);
        }
    }

    fn of(&mut self, kind: &'static str, currency: Currency) -> &mut Sum {
        self.0.entry((kind, currency.code().to_owned())).or_default()
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Authorize | Kind::Capture | Kind::Cancel => MovementKind::Payment.name(),
        Kind::Refund => MovementKind::Refund.name(),
        Kind::Payout => MovementKind::Payout.name(),
    }
}
