//! The shapes of a reconciliation.

use crate::shape::Alphabet::Any;
use crate::shape::{Shape, field, optional};
use crate::vocabulary::{ACCOUNT, ENTRY};

const ANY: Shape = Shape::Text { min: 0, max: usize::MAX, of: Any };
const COUNT: Shape = Shape::Integer { min: 0, max: u64::MAX };
const KIND: Shape = Shape::Choice(&["payment", "refund", "payout", "reversal", "other"]);
const MONEY: Shape = Shape::Object(&[&[
    field("minor", COUNT, "Minor units."),
    field("currency", Shape::Currency, "ISO 4217."),
]]);

pub(crate) static NEW_RECONCILIATION: Shape = Shape::Object(&[&[
    field("account", ACCOUNT, "The account."),
    field("from", Shape::Time, "From this moment on."),
    field("to", Shape::Time, "Before this one, which has to be over."),
    optional(
        "resolve",
        Shape::Flag,
        "Settle unknown entries that a booked movement proves, and record movements that no entry \
         explains as anomalies.",
    ),
    optional(
        "margin_hours",
        Shape::Integer { min: 0, max: 744 },
        "How far around the span the provider is asked too, to tell late from missing; 24 hours.",
    ),
    optional(
        "tolerance_minutes",
        Shape::Integer { min: 0, max: 10_080 },
        "How far a booking may be from the entry before it counts as late or early; an hour.",
    ),
    optional(
        "fees",
        Shape::List(&Shape::Object(&[&[
            field("currency", Shape::Currency, "Of payments in this currency."),
            field("basis_points", Shape::Integer { min: 0, max: 10_000 }, "150 is 1.5 percent."),
            field("fixed_minor", Shape::Integer { min: 0, max: 1_000_000 }, "And minor units."),
        ]])),
        "What the provider was agreed to keep; without it no fee differs.",
    ),
]]);

pub(crate) static MOVEMENT: Shape = Shape::Object(&[&[
    field("id", ANY, "The provider's identifier of the booking."),
    field("kind", KIND, "What it did."),
    field("state", Shape::Choice(&["booked", "pending", "failed"]), "Whether it counts."),
    field("reference", Shape::Nullable(&ANY), "The provider's reference of the operation."),
    field("entry", Shape::Nullable(&ANY), "Our entry, where the report names it."),
    field("amount", MONEY, "How much, before fees."),
    field("fee", Shape::Nullable(&MONEY), "What the provider kept."),
    field("booked_at", Shape::Time, "When it was booked."),
]]);

pub(crate) static DIFFERENCE: Shape = Shape::Object(&[&[
    field(
        "differs",
        Shape::Choice(&[
            "missing-at-provider",
            "unknown-here",
            "amount",
            "currency",
            "state",
            "fee",
            "timing",
            "duplicate",
        ]),
        "In what the two sides differ.",
    ),
    field("why", ANY, "In words."),
    field("settled", Shape::Flag, "Whether the report settled it, so that it differs no more."),
    field("payment", Shape::Nullable(&Shape::Id("pay_")), "The payment, where one is known."),
    field("merchant_reference", Shape::Nullable(&ANY), "The app's own reference."),
    field(
        "entry",
        Shape::Nullable(&Shape::Named("Entry", &ENTRY)),
        "The entry, as it was compared.",
    ),
    field(
        "movement",
        Shape::Nullable(&Shape::Named("Movement", &MOVEMENT)),
        "The movement, where there is one.",
    ),
]]);

pub(crate) static RECONCILIATION: Shape = Shape::Object(&[&[
    field("account", ANY, "The account."),
    field("from", Shape::Time, "The beginning of the span."),
    field("to", Shape::Time, "Its end."),
    field(
        "differences",
        Shape::List(&Shape::Named("Difference", &DIFFERENCE)),
        "What differs, a thousand at most: compare a shorter span where `differing` is more.",
    ),
    field(
        "sums",
        Shape::List(&Shape::Object(&[&[
            field("kind", KIND, "Of these movements."),
            field("currency", Shape::Currency, "In this currency."),
            field("ledger_count", COUNT, "Entries that succeeded in the span."),
            field("ledger_minor", COUNT, "Their sum, in minor units."),
            field("provider_count", COUNT, "Movements that were booked in it."),
            field("provider_minor", COUNT, "Their sum, before fees."),
            field("fee_minor", COUNT, "What the provider kept, where it is in this currency."),
        ]])),
        "What was moved in the span, by both sides.",
    ),
    field("movements", COUNT, "Movements that were read, those around the span included."),
    field("differing", COUNT, "How many differences there are, and still are."),
    field("settled", COUNT, "Entries that the report settled."),
    field("agrees", Shape::Flag, "Whether nothing differs."),
]]);
