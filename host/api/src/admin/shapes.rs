//! The shapes of what the admin interface is asked and answers.

use ledger::AMOUNT_MINOR_MAX;

use crate::shape::Alphabet::{Any, Name, Text, Visible};
use crate::shape::{Field, Shape, field, optional};

const ANY: Shape = Shape::Text { min: 0, max: usize::MAX, of: Any };
const APP_NAME: Shape = Shape::Text { min: 1, max: 64, of: Text };
const KEY_NAME: Shape = Shape::Text { min: 1, max: 64, of: Name };
const PEM: Shape = Shape::Text { min: 1, max: 16_384, of: Any };
const NETWORK: Shape = Shape::Text { min: 1, max: 64, of: Visible };
const SCOPE: Shape = Shape::Choice(&["pay", "refund", "payout", "read"]);
const PROTECTION: Shape = Shape::Choice(&["bearer", "signature", "encryption"]);
const ACCOUNTS: Shape = Shape::Nullable(&Shape::List(&crate::vocabulary::ACCOUNT));
const RATE: Shape = Shape::Nullable(&Shape::Object(&[&[
    field("per_second", Shape::Integer { min: 1, max: 1_000_000 }, "In the long run."),
    field("burst", Shape::Integer { min: 1, max: 1_000_000 }, "At once."),
]]));
const SPENDING: Shape = Shape::List(&Shape::Object(&[&[
    field("currency", Shape::Currency, "Which currency; each once."),
    field(
        "amount_minor_max",
        Shape::Integer { min: 0, max: AMOUNT_MINOR_MAX },
        "How much in a UTC day, payments and payouts together, in minor units.",
    ),
]]));
const MOMENT: Shape = Shape::Nullable(&Shape::Time);

/// What can be set of an app.
const SETTINGS: &[Field] = &[
    optional("scopes", Shape::OneOrMore(&SCOPE), "What it may do."),
    optional(
        "networks",
        Shape::List(&NETWORK),
        "Where its requests may come from, as 192.0.2.0/24; an empty list is anywhere.",
    ),
    optional("protection", PROTECTION, "The least each request has to prove."),
    optional("accounts", ACCOUNTS, "The accounts open to it; null opens all."),
    optional("rate", RATE, "Requests a second; null is as many as it likes."),
    optional("spending", SPENDING, "What it may spend; currencies not listed have no limit."),
];

pub(crate) static APP_CHANGE: Shape =
    Shape::Object(&[&[optional("name", APP_NAME, "A name for people.")], SETTINGS]);

const PUBLIC_KEY: Field = field("public_key", PEM, "In PEM: `PUBLIC KEY` or `CERTIFICATE`.");
const KEY_ID: Field = optional("id", KEY_NAME, "A name of your own for the key.");

pub(crate) static NEW_KEY: Shape = Shape::Tagged(&[
    ("bearer", &[KEY_ID]),
    ("hmac", &[KEY_ID]),
    ("verify", &[KEY_ID, PUBLIC_KEY]),
    ("aes", &[KEY_ID]),
    ("encrypt", &[KEY_ID, PUBLIC_KEY]),
]);

pub(crate) static NEW_APP: Shape = Shape::Object(&[
    &[
        field("name", APP_NAME, "A name for people."),
        optional(
            "key",
            Shape::Nullable(&Shape::Named("NewAppKey", &NEW_KEY)),
            "Its first key: an API key when left out, none when null.",
        ),
    ],
    SETTINGS,
]);

pub(crate) static ROTATION: Shape = Shape::Object(&[&[
    optional(
        "overlap_s",
        Shape::Integer { min: 0, max: 31_536_000 },
        "How long the old key stays good, in seconds; a day when left out.",
    ),
    optional("public_key", PEM, "The new public key, where the old one is one."),
]]);

pub(crate) static APP_KEY: Shape = Shape::Object(&[&[
    field("id", KEY_NAME, "Its name."),
    field("use", Shape::Choice(&["bearer", "sign", "encrypt"]), "What it is for."),
    field(
        "form",
        Shape::Choice(&["api-key", "public-key", "hmac-sha256", "aes-256"]),
        "What it is.",
    ),
    field("public_key", Shape::Nullable(&ANY), "Of a public key: it, in PEM."),
    field("created_at", Shape::Time, "When it was added."),
    field("not_after", MOMENT, "The last moment it is good."),
    field("revoked_at", MOMENT, "When it was revoked."),
]]);

pub(crate) static APP: Shape = Shape::Object(&[&[
    field("id", Shape::Id("app_"), "Its identifier."),
    field("name", ANY, "A name for people."),
    field("state", Shape::Choice(&["active", "revoked"]), "Whether it is admitted at all."),
    field("created_at", Shape::Time, "When it was added."),
    field("revoked_at", MOMENT, "When it was revoked."),
    field("scopes", Shape::List(&SCOPE), "What it may do."),
    field("networks", Shape::List(&ANY), "Where its requests may come from; empty is anywhere."),
    field("protection", PROTECTION, "The least each request has to prove."),
    field("accounts", ACCOUNTS, "The accounts open to it; null is all."),
    field("rate", RATE, "Requests a second."),
    field("spending", SPENDING, "What it may spend in a UTC day."),
    field("keys", Shape::List(&Shape::Named("AppKey", &APP_KEY)), "Its keys, oldest first."),
]]);

pub(crate) static APP_PAGE: Shape = Shape::Object(&[&[
    field("apps", Shape::List(&Shape::Named("App", &APP)), "Oldest first."),
    field("cursor", Shape::Nullable(&ANY), "What to ask for next; null on the last page."),
]]);

pub(crate) static APP_WITH_KEY: Shape = Shape::Object(&[&[
    field("app", Shape::Named("App", &APP), "The app."),
    field(
        "key",
        Shape::Nullable(&Shape::Object(&[&[
            field("id", KEY_NAME, "Its name."),
            field(
                "secret",
                Shape::Nullable(&ANY),
                "Shown this once: an API key, or a symmetric key in base64.",
            ),
        ]])),
        "The key that was made.",
    ),
]]);

const HASH: Shape = Shape::Text { min: 64, max: 64, of: Name };

pub(crate) static AUDIT_LINE: Shape = Shape::Object(&[&[
    field("seq", Shape::Integer { min: 1, max: u64::MAX }, "Its place: 1, 2, 3 and so on."),
    field("at_ms", Shape::Integer { min: 0, max: u64::MAX }, "When, milliseconds of Unix time."),
    field("actor", ANY, "Who: an app's identifier, `admin`, `operator` or `host`."),
    field("key", Shape::Nullable(&ANY), "The name of the key that proved it."),
    field("action", ANY, "What: an operation of this document, or the same by a command."),
    field("object", ANY, "To what: an identifier, an idempotency key, or a name."),
    field("request", Shape::Nullable(&ANY), "The `Request-Id` of the answer."),
    field("digest", HASH, "SHA-256 of what was asked: method, path and body, a line end between."),
    field("prev", HASH, "The `hash` of the line before; zeros in the first."),
    field("hash", HASH, "SHA-256 of this object without `hash`, as canonical JSON (RFC 8785)."),
]]);

pub(crate) static AUDIT_PAGE: Shape = Shape::Object(&[&[
    field("lines", Shape::List(&Shape::Named("AuditLine", &AUDIT_LINE)), "Oldest first."),
    field("cursor", ANY, "What to ask for next: the lines after these."),
]]);

pub(crate) static STANDING: Shape = Shape::Tagged(&[
    ("called", &[]),
    (
        "resting",
        &[
            field("reason", ANY, "Why it is not called."),
            field(
                "tried_in_ms",
                Shape::Integer { min: 0, max: u64::MAX },
                "How long until a self-test and one call decide.",
            ),
        ],
    ),
    ("tried", &[field("reason", ANY, "Why it was not called.")]),
    ("shut", &[field("reason", ANY, "Why it is not called until it is cleared.")]),
]);

pub(crate) static PLUGIN: Shape = Shape::Object(&[&[
    field("name", ANY, "Its name in the configuration."),
    field("digest", ANY, "The identity of its component."),
    field("provider", ANY, "The provider, by its own name."),
    field("version", ANY, "Its version, as it says."),
    field("accounts", Shape::List(&ANY), "The accounts that use it."),
    field("calls", Shape::Integer { min: 0, max: u64::MAX }, "Calls since it was loaded."),
    field("faults", Shape::Integer { min: 0, max: u64::MAX }, "Of these, faults of its own."),
    field("standing", Shape::Named("PluginStanding", &STANDING), "Whether it is called."),
]]);

pub(crate) static PLUGIN_LIST: Shape = Shape::Object(&[&[field(
    "plugins",
    Shape::List(&Shape::Named("Plugin", &PLUGIN)),
    "By name.",
)]]);

/// `{plugin}` in a path.
pub(crate) const PLUGIN_IN_PATH: Field = field("plugin", ANY, "A plugin, by its name.");

/// `{app}` in a path.
pub(crate) const APP_IN_PATH: Field = field("app", Shape::Id("app_"), "An app.");

/// `{key}` in a path.
pub(crate) const KEY_IN_PATH: Field = field("key", KEY_NAME, "A key of the app.");
