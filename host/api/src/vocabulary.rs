//! The shapes of what is asked and answered: every field with its bounds and what it is for.
//!
//! Not here: how a shape is checked or written down ([`shape`](crate::shape)).

mod books;
mod cards;
mod endpoints;
mod outcomes;
mod pages;

use ledger::AMOUNT_MINOR_MAX;

use crate::about;
use crate::admin::books::shapes as kept;
use crate::admin::reconcile::shapes as compared;
use crate::admin::shapes as admin;
use crate::problem::{CLASSES, RULES, Retry};
use crate::shape::Alphabet::{Any, Name, Printable, Text, Visible, Word};
use crate::shape::{Field, Shape, field, optional};

pub(crate) use books::*;
pub(crate) use cards::*;
pub(crate) use endpoints::*;
pub(crate) use outcomes::*;
pub(crate) use pages::*;

const fn text(min: usize, max: usize, of: crate::shape::Alphabet) -> Shape {
    Shape::Text { min, max, of }
}

/// Text of others, or for people, without bounds.
const ANY: Shape = text(0, usize::MAX, Any);
const REFERENCE: Shape = text(1, 64, Printable);
const DESCRIPTION: Field = optional("description", text(0, 127, Text), "Shown to the payer.");
const EXTRA: Field = optional(
    "extra",
    Shape::Texts { entries_max: 32, length_max: 1024 },
    "Provider-specific fields; the provider's page says which.",
);

/// The name of an account, as the operator configured it.
pub(crate) const ACCOUNT: Shape = text(1, 64, Name);

/// The value of `Idempotency-Key`.
pub(crate) const IDEMPOTENCY_KEY: Shape = text(1, 255, Printable);

const AMOUNT_MINOR: Field = field(
    "minor",
    Shape::Integer { min: 1, max: AMOUNT_MINOR_MAX },
    "Minor units: cents of EUR, yen of JPY. 1999 EUR is 19.99 euro; 19.99 is refused.",
);
pub(crate) static MONEY: Shape =
    Shape::Object(&[&[AMOUNT_MINOR, field("currency", Shape::Currency, "ISO 4217.")]]);
const AMOUNT: Shape = Shape::Named("Money", &MONEY);

/// Nothing is begun in a currency that is withdrawn; what was begun before stays in it.
pub(crate) static NEW_MONEY: Shape = Shape::Object(&[&[
    AMOUNT_MINOR,
    field("currency", Shape::CurrentCurrency, "ISO 4217, the current table."),
]]);
const NEW_AMOUNT: Shape = Shape::Named("NewMoney", &NEW_MONEY);

pub(crate) static NEW_PAYMENT: Shape = Shape::Object(&[&[
    field("account", ACCOUNT, "The account to pay through."),
    field("amount", NEW_AMOUNT, "How much."),
    field("merchant_reference", REFERENCE, "Your own reference."),
    field("instrument", PAID_WITH, "What is paid with."),
    optional(
        "capture",
        Shape::Choice(&["automatic", "manual"]),
        "Whether to take the amount at once (automatic, the default) or by a capture.",
    ),
    DESCRIPTION,
    optional("return_url", Shape::WebUri, "Where the payer's browser comes back to."),
    optional(
        "customer",
        Shape::Object(&[&[optional("ip", Shape::Address, "The payer's address.")]]),
        "Who pays.",
    ),
    EXTRA,
]]);

pub(crate) static NEW_PAYOUT: Shape = Shape::Object(&[&[
    field("account", ACCOUNT, "The account to pay out of."),
    field("amount", NEW_AMOUNT, "How much."),
    field("merchant_reference", REFERENCE, "Your own reference."),
    field("instrument", PAID_WITH, "Where it goes."),
    optional(
        "beneficiary",
        Shape::Object(&[&[field("name", text(1, 140, Text), "The name of who is paid.")]]),
        "Who is paid.",
    ),
    DESCRIPTION,
    EXTRA,
]]);

pub(crate) static PART: Shape = Shape::Object(&[&[optional(
    "amount",
    AMOUNT,
    "How much, in the payment's currency; all that is left when it is left out.",
)]]);

pub(crate) static NOTHING: Shape = Shape::Object(&[]);

const MINOR: Shape = Shape::Integer { min: 0, max: u64::MAX };

pub(crate) static ENTRY: Shape = Shape::Object(&[&[
    field("id", Shape::Id("ent_"), "Also the order number or idempotency key at the provider."),
    field(
        "kind",
        Shape::Choice(&["authorize", "capture", "cancel", "refund", "payout"]),
        "What was asked.",
    ),
    field("amount", AMOUNT, "How much."),
    field(
        "capture",
        Shape::Nullable(&Shape::Flag),
        "Of an authorisation: whether it takes the amount at once.",
    ),
    field(
        "state",
        Shape::Choice(&[
            "created",
            "sending",
            "needs-action",
            "pending",
            "unknown",
            "succeeded",
            "declined",
            "not-sent",
            "expired",
        ]),
        "What became of it; succeeded, declined, not-sent and expired are final.",
    ),
    field(
        "reference",
        Shape::Nullable(&Shape::Object(&[&[
            field("provider", ANY, "The provider's identifier."),
            field("secondary", Shape::Nullable(&ANY), "A second one."),
        ]])),
        "What the provider calls it, as soon as it is known.",
    ),
    field("next_action", NEXT, "In needs-action: what the payer has to do."),
    field("decline", DECLINED, "In declined: what the provider said."),
    field("why", Shape::Nullable(&ANY), "In unknown and not-sent: why, for people."),
    RESOLUTION,
    field("created_at", Shape::Time, "When it was asked."),
    field("changed_at", Shape::Time, "When it last changed."),
]]);

const ENTRIES: Shape = Shape::List(&Shape::Named("Entry", &ENTRY));
const PAYMENT_FIELDS: &[Field] = &[
    field("id", Shape::Id("pay_"), "Its identifier."),
    field(
        "status",
        Shape::Choice(&[
            "processing",
            "needs-action",
            "pending",
            "unknown",
            "authorized",
            "partially-captured",
            "captured",
            "partially-refunded",
            "refunded",
            "cancelled",
            "expired",
            "declined",
            "not-sent",
            "paid-out",
        ]),
        "What became of it, by the sums of its entries.",
    ),
    field("account", ANY, "The account at the provider."),
    field("merchant_reference", ANY, "Your own reference."),
    field("amount", AMOUNT, "How much it is about."),
    field("authorized_minor", MINOR, "What is authorised, in minor units."),
    field("captured_minor", MINOR, "What is captured."),
    field("refunded_minor", MINOR, "What is refunded."),
    field("next_action", NEXT, "What the payer has to do now."),
    field("decline", DECLINED, "Why the provider refused, when the newest attempt was refused."),
    field("entries", ENTRIES, "Operations, oldest first."),
    field("created_at", Shape::Time, "When it was asked."),
];
pub(crate) static PAYMENT: Shape = Shape::Object(&[PAYMENT_FIELDS]);

pub(crate) static OPERATED: Shape = Shape::Object(&[
    &[field("entry", Shape::Id("ent_"), "Which of the entries this request made.")],
    PAYMENT_FIELDS,
]);

pub(crate) static PAYMENT_PAGE: Shape = Shape::Object(&[&[
    field("payments", Shape::List(&Shape::Named("Payment", &PAYMENT)), "Newest first."),
    field("cursor", Shape::Nullable(&ANY), "What to ask for next; null on the last page."),
]]);

pub(crate) static EVENT: Shape = Shape::Object(&[&[
    field("id", Shape::Id("evt_"), "Its identifier."),
    field("name", ANY, "Kind and state, as authorize.needs-action or refund.succeeded."),
    field("at", Shape::Time, "When it happened."),
    field("payment", Shape::Named("Payment", &PAYMENT), "The payment just after."),
    field("entry", Shape::Named("Entry", &ENTRY), "The entry that changed."),
]]);

pub(crate) static EVENT_PAGE: Shape = Shape::Object(&[&[
    field("events", Shape::List(&Shape::Named("Event", &EVENT)), "Oldest first."),
    field("cursor", ANY, "What to ask for next: the events after these."),
]]);

pub(crate) static HEALTH: Shape =
    Shape::Object(&[&[field("status", Shape::Choice(&["ok"]), "The process answers.")]]);

pub(crate) static READINESS: Shape = Shape::Object(&[&[
    field("ready", Shape::Flag, "Whether payments can be taken."),
    field("impediments", Shape::List(&ANY), "What keeps the host from taking payments."),
]]);

const CODE_FIELDS: &[Field] = &[
    field("code", text(1, 64, Word), "The stable word."),
    field("status", Shape::Integer { min: 400, max: 599 }, "The HTTP status."),
    field("title", ANY, "A short summary."),
    field(
        "retry",
        Shape::Choice(&Retry::WORDS),
        "What may be done: nothing (never), the same request at once (same-key) or after \
         Retry-After (later), or a changed request under a new idempotency key (new-key).",
    ),
];

pub(crate) static CODE: Shape = Shape::Object(&[
    CODE_FIELDS,
    &[field("cause", ANY, "What brings it about."), field("remedy", ANY, "What to do about it.")],
]);

pub(crate) static CODE_LIST: Shape = Shape::Object(&[&[field(
    "problems",
    Shape::List(&Shape::Named("Code", &CODE)),
    "Every problem there is.",
)]]);

pub(crate) static PROBLEM: Shape = Shape::Object(&[
    CODE_FIELDS,
    &[
        field("type", text(1, 80, Visible), "Names the problem; answers its cause and remedy."),
        field("detail", ANY, "What happened this time, for people."),
        optional(
            "errors",
            Shape::List(&Shape::Object(&[&[
                field("in", Shape::Choice(&["body", "query", "header"]), "Where it stands."),
                field(
                    "field",
                    ANY,
                    "In the body a JSON pointer, else the name of the parameter or header.",
                ),
                field("rule", Shape::Choice(&RULES), "The rule that is broken."),
                optional(
                    "found",
                    Shape::Choice(&CLASSES),
                    "The class of what stood there; never the value, which may be secret.",
                ),
                field("detail", ANY, "What to write instead."),
            ]])),
            "What is wrong with single fields.",
        ),
        optional(
            "limit",
            Shape::Object(&[&[
                field("currency", Shape::Currency, "Which currency is limited."),
                field("left_minor", MINOR, "What may still be spent today, in minor units."),
                field("renews_at", Shape::Time, "When the next UTC day begins."),
            ]]),
            "Of a spending limit.",
        ),
    ],
]);

/// Every shape with a name of its own.
pub(crate) static NAMED: &[(&str, &Shape)] = &[
    ("Money", &MONEY),
    ("NewMoney", &NEW_MONEY),
    ("Instrument", &INSTRUMENT),
    ("NewPayment", &NEW_PAYMENT),
    ("NewPayout", &NEW_PAYOUT),
    ("NewCard", &NEW_CARD),
    ("Card", &CARD),
    ("Part", &PART),
    ("Nothing", &NOTHING),
    ("NextAction", &NEXT_ACTION),
    ("Decline", &DECLINE),
    ("Entry", &ENTRY),
    ("Payment", &PAYMENT),
    ("Operated", &OPERATED),
    ("PaymentPage", &PAYMENT_PAGE),
    ("Event", &EVENT),
    ("EventPage", &EVENT_PAGE),
    ("NewEndpoint", &NEW_ENDPOINT),
    ("Endpoint", &ENDPOINT),
    ("EndpointWithSecret", &ENDPOINT_WITH_SECRET),
    ("EndpointHealth", &ENDPOINT_HEALTH),
    ("EndpointList", &ENDPOINT_LIST),
    ("SecretRotation", &SECRET_ROTATION),
    ("Notification", &NOTIFICATION),
    ("NotificationPage", &NOTIFICATION_PAGE),
    ("Replay", &REPLAY),
    ("Replayed", &REPLAYED),
    ("EventStream", &EVENT_STREAM),
    ("EntryRecord", &kept::ENTRY_RECORD),
    ("EntryPage", &kept::ENTRY_PAGE),
    ("Settling", &kept::SETTLING),
    ("Anomaly", &kept::ANOMALY),
    ("AnomalyPage", &kept::ANOMALY_PAGE),
    ("Closing", &kept::CLOSING),
    ("NewReconciliation", &compared::NEW_RECONCILIATION),
    ("Reconciliation", &compared::RECONCILIATION),
    ("Difference", &compared::DIFFERENCE),
    ("Movement", &compared::MOVEMENT),
    ("App", &admin::APP),
    ("AppKey", &admin::APP_KEY),
    ("AppPage", &admin::APP_PAGE),
    ("AppWithKey", &admin::APP_WITH_KEY),
    ("AppChange", &admin::APP_CHANGE),
    ("AuditLine", &admin::AUDIT_LINE),
    ("AuditPage", &admin::AUDIT_PAGE),
    ("Plugin", &admin::PLUGIN),
    ("PluginStanding", &admin::STANDING),
    ("PluginList", &admin::PLUGIN_LIST),
    ("NewApp", &admin::NEW_APP),
    ("NewAppKey", &admin::NEW_KEY),
    ("Rotation", &admin::ROTATION),
    ("Health", &HEALTH),
    ("Readiness", &READINESS),
    ("KeySet", &about::KEY_SET),
    ("Platform", &about::PLATFORM),
    ("Code", &CODE),
    ("CodeList", &CODE_LIST),
    ("Problem", &PROBLEM),
    ("Document", &DOCUMENT),
];

/// The parameters of a list.
pub(crate) const PAGE: &[Field] = &[CURSOR, LIMIT];
pub(crate) const CURSOR: Field =
    optional("cursor", text(1, 512, Visible), "The `cursor` of the answer before; none to begin.");
pub(crate) const LIMIT: Field =
    optional("limit", Shape::Integer { min: 1, max: 100 }, "How many at most; 20 by default.");

/// `{payment}` in a path.
pub(crate) const PAYMENT_IN_PATH: Field = field("payment", Shape::Id("pay_"), "A payment.");

/// `{account}` in a path.
pub(crate) const ACCOUNT_IN_PATH: Field = field("account", ACCOUNT, "An account.");

/// `{code}` in a path.
pub(crate) const CODE_IN_PATH: Field = field("code", text(1, 64, Word), "A problem's code.");

/// The OpenAPI document: an object, whose own standard says the rest.
pub(crate) static DOCUMENT: Shape = Shape::Open;
