//! The shapes of what is paid with: instruments, and cards that were handed over.

use super::{ANY, text};
use crate::shape::Alphabet::{Digits, Printable, Text, Visible};
use crate::shape::{Field, Shape, field, optional};

pub(crate) static INSTRUMENT: Shape = Shape::Tagged(&[
    ("token", &[field("token", text(1, 255, Visible), "A token the provider gave.")]),
    ("wallet", &[field("wallet", text(1, 255, Text), "A wallet account.")]),
    ("bank", &[field("bank", text(1, 64, Printable), "An IBAN or a local account number.")]),
    ("qr", &[]),
    ("card", &[field("card", Shape::Id("card_"), "A card that was handed over before.")]),
]);
pub(super) const PAID_WITH: Shape = Shape::Named("Instrument", &INSTRUMENT);

pub(crate) static NEW_CARD: Shape = Shape::Object(&[&[
    field("number", text(12, 19, Digits), "The card number."),
    field("expiry_month", Shape::Integer { min: 1, max: 12 }, "The last month it is good for."),
    field("expiry_year", Shape::Integer { min: 2000, max: 9999 }, "With all four digits."),
    optional(
        "security_code",
        text(3, 4, Digits),
        "CVC, CVV or CID. Kept for one authorisation or 15 minutes, in memory alone.",
    ),
    optional("holder", text(1, 140, Text), "The name on the card."),
]]);

pub(crate) static CARD: Shape = Shape::Object(&[&[
    field("id", Shape::Id("card_"), "The token to pay with."),
    field(
        "state",
        Shape::Choice(&["active", "erased", "expired"]),
        "Whether it can be paid with; of the others no number is left.",
    ),
    field("brand", ANY, "The scheme by the first digits, as visa; unknown where they do not say."),
    field("last4", text(4, 4, Digits), "The last four digits."),
    field("expiry_month", Shape::Integer { min: 1, max: 12 }, "The last month it is good for."),
    field("expiry_year", Shape::Integer { min: 2000, max: 9999 }, "With all four digits."),
    field(
        "fingerprint",
        Shape::Nullable(&ANY),
        "The same for the same number; it means nothing to another app, and goes with the card.",
    ),
    field("holder", Shape::Flag, "Whether a name is kept with it."),
    field("security_code", Shape::Flag, "Whether a security code waits for its one use."),
    field("created_at", Shape::Time, "When it was handed over."),
    field("kept_until", Shape::Time, "When it is erased by itself."),
]]);

/// `{card}` in a path.
pub(crate) const CARD_IN_PATH: Field = field("card", Shape::Id("card_"), "A card.");
