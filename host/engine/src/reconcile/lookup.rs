//! The entry that a movement is about: the one it names, or the one the provider knows by its
//! reference.

use std::collections::HashSet;

use ledger::{Entry, Id, Kind, Payment};

use super::report::{Movement, MovementKind};
use super::{Mark, mark};
use crate::record::{self, Found};
use crate::{Engine, Error};

/// Whether an entry moves money when it succeeds.
pub(super) fn moves(entry: &Entry) -> bool {
    match entry.kind {
        Kind::Authorize => entry.capture,
        Kind::Capture | Kind::Refund | Kind::Payout => true,
        Kind::Cancel => false,
    }
}

fn fits(entry: &Entry, kind: MovementKind) -> bool {
    let of_kind = match kind {
        MovementKind::Payment => matches!(entry.kind, Kind::Authorize | Kind::Capture),
        MovementKind::Refund => entry.kind == Kind::Refund,
        MovementKind::Payout => entry.kind == Kind::Payout,
        MovementKind::Reversal => true,
        MovementKind::Other => false,
    };
    of_kind && moves(entry)
}

/// The kinds of entries whose references may name it.
fn kinds(kind: MovementKind) -> &'static [Kind] {
    match kind {
        MovementKind::Payment => &[Kind::Capture, Kind::Authorize],
        MovementKind::Refund => &[Kind::Refund],
        MovementKind::Payout => &[Kind::Payout],
        MovementKind::Reversal => &[Kind::Refund, Kind::Payout, Kind::Capture, Kind::Authorize],
        MovementKind::Other => &[],
    }
}

impl Engine {
    /// The entry that a movement is about, with its payment; `seen` tells which have one already.
    pub(super) async fn entry_of_movement(
        &self,
        account: &str,
        movement: &Movement,
        seen: &HashSet<Mark>,
    ) -> Result<Option<(Payment, Entry)>, Error> {
        let Some(found) = self.payment_of_movement(account, movement).await? else {
            return Ok(None);
        };
        let read = self.read_payment(&found.payment).await?;
        // Another account's provider has nothing to say about it.
        let Some(read) = read.filter(|read| read.value.account == account) else {
            return Ok(None);
        };
        let entry = pick(&read.value, &found.entry, movement, seen).cloned();
        Ok(entry.map(|entry| (read.value, entry)))
    }

    async fn payment_of_movement(
        &self,
        account: &str,
        movement: &Movement,
    ) -> Result<Option<Found>, Error> {
        let named = movement.entry.as_deref().and_then(|entry| entry.parse::<Id>().ok());
        if let Some(entry) = named
            && let Some(operation) = self.read_operation(&entry).await?
        {
            return Ok(Some(Found::new(&operation.value.payment, &entry)));
        }
        let Some(told) = &movement.references else { return Ok(None) };
        for known in [Some(&told.provider), told.secondary.as_ref()].into_iter().flatten() {
            for kind in kinds(movement.kind) {
                let key = record::reference_key(account, *kind, known);
                let found = record::read::<Found>(&*self.0.store, record::REFERENCE, &key).await?;
                if let Some(found) = found {
                    return Ok(Some(found.value));
                }
            }
        }
        Ok(None)
    }
}

/// The named entry, where it fits. What names only the authorisation is about one of its captures:
/// one of that amount that nothing was booked for yet, or any of them. A refund is never guessed.
fn pick<'a>(
    payment: &'a Payment,
    named: &Id,
    movement: &Movement,
    seen: &HashSet<Mark>,
) -> Option<&'a Entry> {
    let own = payment.entry(named);
    if let Some(own) = own.filter(|entry| fits(entry, movement.kind)) {
        let other = |entry: &&Entry| {
            entry.kind == Kind::Capture && fits(entry, movement.kind) && free(entry, seen)
        };
        let taken = own.kind == Kind::Capture && !free(own, seen);
        return payment.entries.iter().find(other).filter(|_| taken).or(Some(own));
    }
    if movement.kind != MovementKind::Payment {
        return None;
    }
    let captures = || payment.entries.iter().filter(|entry| entry.kind == Kind::Capture);
    let same = |entry: &&Entry| entry.amount.minor() == movement.minor && free(entry, seen);
    captures()
        .find(same)
        .or_else(|| captures().find(|entry| free(entry, seen)))
        .or_else(|| captures().next())
}

fn free(entry: &Entry, seen: &HashSet<Mark>) -> bool {
    !seen.contains(&mark("booked", entry.id.as_str()))
}
