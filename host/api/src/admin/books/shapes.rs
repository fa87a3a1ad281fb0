//! The shapes of what an operator is told of the books, and says about them.

use crate::shape::Alphabet::{Any, Printable, Text};
use crate::shape::{Field, Shape, field, optional};
use crate::vocabulary::{ACCOUNT, CURSOR, ENTRY, LIMIT};

const ANY: Shape = Shape::Text { min: 0, max: usize::MAX, of: Any };
const PERSON: Shape = Shape::Text { min: 1, max: 64, of: Text };
const REASON: Shape = Shape::Text { min: 1, max: 512, of: Text };
const COUNT: Shape = Shape::Integer { min: 0, max: u32::MAX as u64 };

/// Who looked into something, and what they found.
const BY: Field = field("by", PERSON, "Who says so.");
const WHY: Field = field("reason", REASON, "Why, for people: where it was looked up.");

pub(crate) static SETTLING: Shape = Shape::Object(&[&[
    field(
        "as",
        Shape::Choice(&["succeeded", "declined", "not-sent", "expired"]),
        "How it ended; taken where the state table has a line for it.",
    ),
    optional(
        "reference",
        Shape::Text { min: 1, max: 255, of: Printable },
        "The provider's reference; needed for what succeeded, unless it is known already.",
    ),
    WHY,
    BY,
]]);

pub(crate) static CLOSING: Shape = Shape::Object(&[&[WHY, BY]]);

pub(crate) static ENTRY_RECORD: Shape = Shape::Object(&[&[
    field("entry", Shape::Named("Entry", &ENTRY), "The entry."),
    field("payment", Shape::Id("pay_"), "The payment it belongs to."),
    field("app", Shape::Id("app_"), "The app that asked for it."),
    field("account", ANY, "The account at the provider."),
    field("merchant_reference", ANY, "The app's own reference."),
    field("asked", COUNT, "How often the provider was asked what became of it."),
    field("absences", COUNT, "How often it said, late enough, that it has never heard of it."),
    field("next_at", Shape::Nullable(&Shape::Time), "When it is asked next."),
    field(
        "exchanges",
        Shape::List(&Shape::Object(&[&[
            field("to", ANY, "Method and URL, or the endpoint of a framed exchange."),
            field("moves_money", Shape::Flag, "Whether the provider may move money on it."),
            field("at", Shape::Time, "When it was made."),
            field("ended", ANY, "The status of the reply, or why there is none."),
        ]])),
        "The requests that were made for it, oldest first; empty in a list.",
    ),
]]);

pub(crate) static ENTRY_PAGE: Shape = Shape::Object(&[&[
    field(
        "entries",
        Shape::List(&Shape::Named("EntryRecord", &ENTRY_RECORD)),
        "By account, and by when the provider is asked next.",
    ),
    field("cursor", Shape::Nullable(&ANY), "What to ask for next; null on the last page."),
]]);

pub(crate) static ANOMALY: Shape = Shape::Object(&[&[
    field("id", Shape::Id("ano_"), "Its identifier."),
    field(
        "kind",
        Shape::Choice(&[
            "contradiction",
            "out-of-turn",
            "amount-differs",
            "reference-differs",
            "reference-taken",
            "orphan",
        ]),
        "What contradicts: an orphan is what the provider knows and the ledger does not.",
    ),
    field("account", ANY, "The account at the provider."),
    field("payment", Shape::Nullable(&Shape::Id("pay_")), "The payment, where one was found."),
    field("entry", Shape::Nullable(&Shape::Id("ent_")), "The entry, where one was found."),
    field("told", ANY, "What was told, and what the ledger holds against it; for people."),
    field("noticed_at", Shape::Time, "When it was noticed."),
    field(
        "closed",
        Shape::Nullable(&Shape::Object(&[&[BY, WHY, field("at", Shape::Time, "When.")]])),
        "Who looked into it, and what they found; null while nobody did.",
    ),
]]);

pub(crate) static ANOMALY_PAGE: Shape = Shape::Object(&[&[
    field("anomalies", Shape::List(&Shape::Named("Anomaly", &ANOMALY)), "Oldest first."),
    field("cursor", Shape::Nullable(&ANY), "What to ask for next; null on the last page."),
]]);

const OF_ACCOUNT: Field = optional("account", ACCOUNT, "Only those of this account.");

pub(crate) const ENTRIES_QUERY: &[Field] = &[
    optional("state", Shape::Choice(&["open", "unknown"]), "All that are open, by default."),
    OF_ACCOUNT,
    CURSOR,
    LIMIT,
];
pub(crate) const ANOMALIES_QUERY: &[Field] = &[
    optional("state", Shape::Choice(&["open", "all"]), "Those nobody has closed, by default."),
    OF_ACCOUNT,
    CURSOR,
    LIMIT,
];

/// `{entry}` in a path.
pub(crate) const ENTRY_IN_PATH: Field = field("entry", Shape::Id("ent_"), "An entry.");

/// `{anomaly}` in a path.
pub(crate) const ANOMALY_IN_PATH: Field = field("anomaly", Shape::Id("ano_"), "An anomaly.");
