//! The parameters of pages for people.

use ledger::AMOUNT_MINOR_MAX;

use super::{ACCOUNT, text};
use crate::shape::Alphabet::{Name, Word};
use crate::shape::{Field, Shape, field};

/// `{page}` in a path.
pub(crate) const PAGE_IN_PATH: Field = field("page", text(1, 64, Name), "A page's name.");

const TAG: Shape = text(64, 64, Name);

/// What the page of a test payment is about: the decision's fields, and a tag for each decision.
pub(crate) const TEST_PAYMENT: &[Field] = &[
    field("account", ACCOUNT, "The account of the test provider."),
    field("entry", Shape::Id("ent_"), "What is to be paid."),
    field("word", text(1, 64, Word), "The magic value."),
    field("minor", Shape::Integer { min: 1, max: AMOUNT_MINOR_MAX }, "How much."),
    field("currency", Shape::Currency, "ISO 4217."),
    field("paid", TAG, "Proves that the payer pays."),
    field("refused", TAG, "Proves that the payer refuses."),
];
