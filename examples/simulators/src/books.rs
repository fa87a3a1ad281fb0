//! The simulator's own ledger: what money moved, for whom, under which key.
//!
//! A test compares it with the host's ledger. It holds no balance and no card number.

use std::collections::BTreeMap;

use serde::Serialize;

/// What a movement did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MovementKind {
    /// Money of the payer was reserved.
    Authorization,
    /// Money of the payer was taken.
    Capture,
    /// A reservation was given up, wholly or in part.
    Release,
    /// Money went back to the payer.
    Refund,
    /// A refund that had been counted failed, and the money came back.
    RefundReversal,
    /// Money of the merchant was paid out.
    Payout,
    /// An attempt was refused: no money moved.
    Decline,
}

/// One line of the books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Movement {
    /// What happened.
    pub kind: MovementKind,
    /// The provider's own identifier of this movement: a charge, a transaction, a refund.
    pub reference: String,
    /// The payment it belongs to, by the identifier the caller knows: `pi_…` or `out_trade_no`.
    pub payment: String,
    /// What the caller gave to be recognised by: the idempotency key, `out_trade_no`,
    /// `out_refund_no` or `out_bill_no`.
    pub key: String,
    /// The caller's own entry, when it told one: `metadata.entry`, or `attach`.
    pub entry: Option<String>,
    /// In the currency's minor unit.
    pub amount: i64,
    /// ISO 4217, upper case.
    pub currency: String,
    /// When, in seconds since 1970 on the simulator's clock.
    pub at_s: i64,
}

/// All movements, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Books {
    /// Oldest first; a line is never changed or removed, but where a test rewrites the books.
    pub movements: Vec<Movement>,
}

impl Books {
    pub(crate) fn record(&mut self, movement: Movement) {
        self.movements.push(movement);
    }

    /// The movements of one kind.
    pub fn of(&self, kind: MovementKind) -> impl Iterator<Item = &Movement> {
        self.movements.iter().filter(move |movement| movement.kind == kind)
    }

    /// The sum of one kind in one currency (upper case), in minor units.
    pub fn total(&self, kind: MovementKind, currency: &str) -> i64 {
        self.of(kind).filter(|movement| movement.currency == currency).map(|m| m.amount).sum()
    }

    /// Money taken and kept for one payment, in minor units: captures less refunds.
    pub fn kept(&self, payment: &str) -> i64 {
        let of = |kind| -> i64 {
            self.of(kind).filter(|m| m.payment == payment).map(|m| m.amount).sum()
        };
        of(MovementKind::Capture) - of(MovementKind::Refund) + of(MovementKind::RefundReversal)
    }

    /// What was done more than once for one entry of the caller: charged, captured, refunded or
    /// paid out. A caller that never repeats an effect sees none.
    pub fn doubled(&self) -> Vec<(MovementKind, String)> {
        let counted = [
            MovementKind::Authorization,
            MovementKind::Capture,
            MovementKind::Refund,
            MovementKind::Payout,
        ];
        let mut seen: BTreeMap<(MovementKind, String), u32> = BTreeMap::new();
        for movement in self.movements.iter().filter(|m| counted.contains(&m.kind)) {
            let entry = movement.entry.as_ref().unwrap_or(&movement.key);
            *seen.entry((movement.kind, entry.clone())).or_default() += 1;
        }
        seen.into_iter().filter(|(_, times)| *times > 1).map(|(what, _)| what).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capture(entry: &str, amount: i64) -> Movement {
        Movement {
            kind: MovementKind::Capture,
            reference: "ch_1".into(),
            payment: "pi_1".into(),
            key: "key".into(),
            entry: Some(entry.into()),
            amount,
            currency: "EUR".into(),
            at_s: 0,
        }
    }

    #[test]
    fn an_entry_captured_twice_is_told() {
        let mut books = Books::default();
        books.record(capture("E1", 5));
        books.record(capture("E2", 5));
        assert_eq!(books.doubled(), vec![]);
        books.record(capture("E1", 5));
        assert_eq!(books.doubled(), vec![(MovementKind::Capture, "E1".to_owned())]);
    }

    #[test]
    fn what_is_kept_is_captures_less_refunds() {
        let mut books = Books::default();
        books.record(capture("E1", 500));
        books.record(Movement { kind: MovementKind::Refund, ..capture("E2", 120) });
        books.record(Movement { kind: MovementKind::Authorization, ..capture("E1", 500) });
        assert_eq!(books.kept("pi_1"), 380);
        assert_eq!(books.kept("pi_2"), 0);
        assert_eq!(books.total(MovementKind::Capture, "EUR"), 500);
        assert_eq!(books.total(MovementKind::Capture, "USD"), 0);
    }
}
