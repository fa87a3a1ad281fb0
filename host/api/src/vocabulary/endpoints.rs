//! The shapes of endpoints and notifications.

use super::{ANY, MINOR, text};
use crate::shape::Alphabet::Visible;
use crate::shape::{Field, Shape, field, optional};

/// Patterns of one endpoint.
pub(crate) const PATTERNS_MAX: usize = 32;

const PATTERNS: Shape = Shape::OneOrMore(&text(1, 64, Visible));
const PLACE: Shape = text(20, 20, Visible);

pub(crate) static NEW_ENDPOINT: Shape = Shape::Object(&[&[
    field("url", Shape::WebUri, "Where to send; https, and on the public Internet."),
    field("events", PATTERNS, "Which events: *, refund.*, *.succeeded, or the name of one."),
]]);

pub(crate) static ENDPOINT_HEALTH: Shape = Shape::Tagged(&[
    ("taking", &[]),
    (
        "failing",
        &[
            field("since", Shape::Time, "Since when it has taken nothing."),
            field("why", ANY, "What was wrong last."),
        ],
    ),
    (
        "left-alone",
        &[
            field("since", Shape::Time, "Since when it has taken nothing."),
            field("until", Shape::Time, "When it is tried next, by one notification."),
            field("why", ANY, "What was wrong last."),
        ],
    ),
    (
        "disabled",
        &[
            field("since", Shape::Time, "Since when it is told nothing."),
            field("why", ANY, "What it answered: that it wants no more."),
        ],
    ),
]);

const ENDPOINT_FIELDS: &[Field] = &[
    field("id", Shape::Id("end_"), "Its identifier."),
    field("url", ANY, "Where it is."),
    field("events", Shape::List(&ANY), "Which events it is told."),
    field("created_at", Shape::Time, "When it was added."),
    field(
        "secrets",
        Shape::List(&Shape::Object(&[&[
            field("created_at", Shape::Time, "Since when it signs."),
            field("not_after", Shape::Nullable(&Shape::Time), "Until when."),
        ]])),
        "Its secrets, oldest first, without their values.",
    ),
    field("health", Shape::Named("EndpointHealth", &ENDPOINT_HEALTH), "How it has been answering."),
];
pub(crate) static ENDPOINT: Shape = Shape::Object(&[ENDPOINT_FIELDS]);

pub(crate) static ENDPOINT_WITH_SECRET: Shape = Shape::Object(&[
    ENDPOINT_FIELDS,
    &[field("secret", ANY, "whsec_ and base64, for a library of Standard Webhooks. Shown once.")],
]);

pub(crate) static ENDPOINT_LIST: Shape = Shape::Object(&[&[field(
    "endpoints",
    Shape::List(&Shape::Named("Endpoint", &ENDPOINT)),
    "Oldest first.",
)]]);

pub(crate) static SECRET_ROTATION: Shape = Shape::Object(&[&[optional(
    "overlap_s",
    Shape::Integer { min: 0, max: 604_800 },
    "For how many seconds the secrets before sign along; a day when it is left out.",
)]]);

pub(crate) static NOTIFICATION: Shape = Shape::Object(&[&[
    field("id", ANY, "Its identifier at this endpoint."),
    field("event", Shape::Id("evt_"), "The event it tells: its webhook-id."),
    field("name", ANY, "The event's name."),
    field("payment", Shape::Id("pay_"), "The payment."),
    field("stage", STAGE, "Whether it waits, was taken, or was given up."),
    field("queued_at", Shape::Time, "Since when it waits: written, or replayed."),
    field("due_at", Shape::Nullable(&Shape::Time), "Waiting: not sent before."),
    field("attempts", MINOR, "How often it was sent since then."),
    field("replays", MINOR, "How often it was replayed."),
    field(
        "last",
        Shape::Nullable(&Shape::Object(&[&[
            field("at", Shape::Time, "When it ended."),
            field("took_ms", MINOR, "How long it took, in milliseconds."),
            field("status", Shape::Nullable(&MINOR), "The status that was answered."),
            field("why", Shape::Nullable(&ANY), "Why it was not taken."),
        ]])),
        "The last sending.",
    ),
    field("given_up", Shape::Nullable(&ANY), "Dead: why it was given up."),
]]);

const STAGE: Shape = Shape::Choice(&["waiting", "delivered", "dead"]);

pub(crate) static NOTIFICATION_PAGE: Shape = Shape::Object(&[&[
    field(
        "notifications",
        Shape::List(&Shape::Named("Notification", &NOTIFICATION)),
        "Newest first.",
    ),
    field("cursor", Shape::Nullable(&ANY), "What to ask for next; null on the last page."),
]]);

pub(crate) static REPLAY: Shape = Shape::Tagged(&[
    ("one", &[field("notification", PLACE, "The identifier of a notification.")]),
    ("since", &[field("since", Shape::Time, "All about what happened then or later.")]),
    ("dead", &[]),
]);

pub(crate) static REPLAYED: Shape =
    Shape::Object(&[&[field("replayed", MINOR, "How many wait again.")]]);

pub(crate) static EVENT_STREAM: Shape = Shape::Stream;

/// The parameters of the list of notifications.
pub(crate) const NOTIFICATION_QUERY: &[Field] = &[
    optional("stage", STAGE, "Only those that stand so."),
    optional("cursor", text(1, 512, Visible), "The `cursor` of the answer before; none to begin."),
    optional("limit", Shape::Integer { min: 1, max: 100 }, "How many at most; 20 by default."),
];

/// `{endpoint}` in a path.
pub(crate) const ENDPOINT_IN_PATH: Field = field("endpoint", Shape::Id("end_"), "An endpoint.");
