//! Where the magic value of an operation stands, and which line of the table it means.
//!
//! A payment or payout has it in its instrument: `test-<word>` as token, wallet or bank account,
//! the last four digits of a test card, or, where the instrument is only a code to scan, the extra
//! field `outcome`. What is done to a payment later has no instrument: it is decided by the word
//! the payment began with, which the payment's reference kept.

use sdk::prelude::*;

use crate::fate::{Fate, LATER, LINES};

/// A magic value, read.
#[derive(Debug, PartialEq)]
pub struct Magic {
    /// As it was written, without `test-`.
    pub word: String,
    /// The outcome.
    pub first: Fate,
    /// What a sync finds.
    pub then: Fate,
}

/// The last four digits of the test cards, and their words.
pub const CARDS: &[(&str, &str)] = &[
    ("4242", "succeed"),
    ("4444", "succeed"),
    ("0002", "decline-generic"),
    ("9995", "decline-insufficient-funds"),
    ("0069", "decline-expired"),
    ("0127", "decline-incorrect-details"),
    ("6975", "decline-limit-exceeded"),
    ("9979", "decline-suspected-fraud"),
    ("0119", "decline-provider-unavailable"),
    ("3220", "redirect"),
    ("7726", "refund-pending"),
    ("5126", "refund-pending-then-decline"),
];

const OUTCOME: &str = "outcome";

/// The magic value that decides about the order's entry.
pub fn of(order: &Order) -> Result<Magic, Failure> {
    match order.entry.kind {
        OperationKind::Authorize | OperationKind::Payout => first(&asked(order)?),
        kind => {
            let known = order.acted_on()?.secondary.as_deref().unwrap_or("succeed");
            Ok(later(known, kind))
        }
    }
}

/// The word that came with a payment or a payout.
fn asked(order: &Order) -> Result<String, Failure> {
    let extra = order.extra_of(&[OUTCOME])?;
    if let Some((_, value)) = extra.first() {
        return word(value, "extra.outcome");
    }
    match &order.instrument {
        Instrument::Token(token) => word(token, "instrument.token"),
        Instrument::Wallet(wallet) => word(wallet, "instrument.wallet"),
        Instrument::Bank(bank) => word(bank, "instrument.bank"),
        Instrument::Card(card) => by_last4(&card.last4),
        Instrument::Qr => Ok("qr".to_owned()),
        Instrument::None => Err(Failure::invalid("instrument: there is none")),
    }
}

fn word(value: &str, place: &str) -> Result<String, Failure> {
    let word = value.strip_prefix("test-").map(str::to_owned);
    word.ok_or_else(|| Failure::invalid(format!("{place}: write test- and a word of the table")))
}

fn by_last4(last4: &str) -> Result<String, Failure> {
    let line = CARDS.iter().find(|(digits, _)| *digits == last4);
    let word = line.map(|(_, word)| (*word).to_owned());
    word.ok_or_else(|| Failure::invalid(format!("instrument: no test card ends in {last4}")))
}

/// What the word says about the payment itself.
fn first(word: &str) -> Result<Magic, Failure> {
    let of = |first, then| Magic { word: word.to_owned(), first, then };
    if let Some((_, first, then)) = LINES.iter().find(|(known, ..)| *known == word) {
        return Ok(of(*first, *then));
    }
    let kinds = [OperationKind::Capture, OperationKind::Cancel, OperationKind::Refund];
    match kinds.into_iter().any(|kind| about(word, kind).is_some()) {
        true => Ok(of(Fate::Succeeded, Fate::Succeeded)),
        false => Err(Failure::invalid(format!("instrument: `{word}` is no word of the table"))),
    }
}

/// What the word a payment began with says about this operation on it.
fn later(word: &str, kind: OperationKind) -> Magic {
    let line = about(word, kind).and_then(|rest| LINES.iter().find(|(known, ..)| *known == rest));
    let (first, then) = line.map_or((Fate::Succeeded, Fate::Succeeded), |line| (line.1, line.2));
    Magic { word: word.to_owned(), first, then }
}

/// `pending` of `refund-pending`, for a refund.
fn about(word: &str, kind: OperationKind) -> Option<&str> {
    let rest = word.strip_prefix(kind.name())?.strip_prefix('-')?;
    LATER.contains(&rest).then_some(rest)
}
