//! What the payer has to do next, and what a provider refused with.

use super::ANY;
use crate::shape::{Shape, field};

pub(crate) static NEXT_ACTION: Shape = Shape::Tagged(&[
    ("redirect", &[field("url", ANY, "Send the payer's browser here.")]),
    (
        "form",
        &[
            field("url", ANY, "Post the fields here, from the browser."),
            field(
                "fields",
                Shape::List(&Shape::Object(&[&[
                    field("name", ANY, "The field's name."),
                    field("value", ANY, "Its value."),
                ]])),
                "In this order.",
            ),
        ],
    ),
    ("qr", &[field("text", ANY, "Show this as a QR code.")]),
    ("app", &[field("link", ANY, "Open the provider's app with this.")]),
    ("show", &[field("text", ANY, "Show this text.")]),
]);
pub(super) const NEXT: Shape = Shape::Nullable(&Shape::Named("NextAction", &NEXT_ACTION));

pub(crate) static DECLINE: Shape = Shape::Object(&[&[
    field(
        "code",
        Shape::Choice(&[
            "generic",
            "insufficient-funds",
            "expired",
            "incorrect-details",
            "limit-exceeded",
            "suspected-fraud",
            "authentication-required",
            "not-permitted",
            "duplicate",
            "invalid-request",
            "provider-unavailable",
        ]),
        "Why, in words common to all providers.",
    ),
    field(
        "retry",
        Shape::Choice(&["never", "later", "after-change", "other-provider"]),
        "Whether asking again can help.",
    ),
    field("provider_code", ANY, "The provider's own code, to the letter."),
    field("provider_message", ANY, "Its own message, to the letter."),
]]);
pub(super) const DECLINED: Shape = Shape::Nullable(&Shape::Named("Decline", &DECLINE));
