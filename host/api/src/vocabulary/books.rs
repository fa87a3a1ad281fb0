//! What an app is told of an entry that was settled otherwise than by an answer or a webhook.

use super::ANY;
use crate::shape::{Field, Shape, field};

/// Of an entry.
pub(crate) const RESOLUTION: Field = field(
    "resolution",
    Shape::Nullable(&Shape::Object(&[&[
        field(
            "means",
            Shape::Choice(&["person", "report"]),
            "By a person who looked it up, or by the provider's report of what it booked.",
        ),
        field("by", ANY, "Who: a person, or the account whose report it is."),
        field("reason", ANY, "Why, for people."),
        field("at", Shape::Time, "When."),
    ]])),
    "Who settled it, where neither an answer nor a webhook of the provider did.",
);
