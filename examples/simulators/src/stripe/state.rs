//! What the simulated Stripe knows: payment intents, charges, refunds, and the books.
//!
//! The changes are in [`super::intents`] and [`super::refunds`]; what callers see of it is in
//! [`super::shape`].

use std::collections::{BTreeMap, HashMap};

use http::StatusCode;
use serde_json::{Map, Value};

use crate::books::{Books, Movement, MovementKind};
use crate::identifiers;

use super::cards::{Card, Decline};
use super::refusal::Refusal;

/// Where a payment intent stands: <https://docs.stripe.com/payments/paymentintents/lifecycle>.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    RequiresCapture,
    Succeeded,
    Canceled,
}

impl Status {
    pub fn word(self) -> &'static str {
        match self {
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::RequiresConfirmation => "requires_confirmation",
            Self::RequiresAction => "requires_action",
            Self::RequiresCapture => "requires_capture",
            Self::Succeeded => "succeeded",
            Self::Canceled => "canceled",
        }
    }
}

/// How payment methods were chosen for an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Methods {
    /// `payment_method_types[]=card`.
    Card,
    /// `automatic_payment_methods`, also when nothing was said.
    Automatic { redirects: bool },
}

#[derive(Clone, Debug)]
pub(crate) struct Intent {
    pub id: String,
    pub secret: String,
    pub amount: i64,
    /// Lower case, as Stripe writes it.
    pub currency: String,
    pub created_s: i64,
    pub status: Status,
    pub captured_by_hand: bool,
    pub methods: Methods,
    pub received: i64,
    pub capturable: i64,
    pub metadata: BTreeMap<String, String>,
    /// Fields that are only kept and shown.
    pub shown: Map<String, Value>,
    pub card: Option<Card>,
    pub return_url: Option<String>,
    pub next_action: Option<Value>,
    pub latest_charge: Option<String>,
    pub last_error: Option<Value>,
    pub canceled: Option<(i64, Option<String>)>,
    /// The key of the request that confirmed it.
    pub key: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Charge {
    pub id: String,
    pub intent: String,
    pub amount: i64,
    pub currency: String,
    pub created_s: i64,
    pub captured: bool,
    pub amount_captured: i64,
    pub amount_refunded: i64,
    pub failure: Option<&'static Decline>,
    pub card: Card,
    pub metadata: BTreeMap<String, String>,
}

impl Charge {
    pub fn refundable(&self) -> i64 {
        self.amount_captured - self.amount_refunded
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Refund {
    pub id: String,
    pub charge: String,
    pub intent: String,
    pub amount: i64,
    pub currency: String,
    pub created_s: i64,
    pub status: &'static str,
    pub reason: Option<String>,
    pub failure: Option<&'static str>,
    pub metadata: BTreeMap<String, String>,
    pub key: String,
}

/// An event to be sent once the request is carried out.
pub(crate) struct Pending {
    pub kind: &'static str,
    pub object: Value,
}

/// Who asks, and when.
pub(crate) struct Call<'a> {
    pub now_s: i64,
    /// The idempotency key, or the request's identifier when none was sent.
    pub key: &'a str,
    /// Where this simulator is reached.
    pub base_url: &'a str,
}

#[derive(Default)]
pub(crate) struct State {
    pub intents: HashMap<String, Intent>,
    /// Identifiers of intents, oldest first.
    pub order: Vec<String>,
    pub charges: HashMap<String, Charge>,
    pub refunds: HashMap<String, Refund>,
    pub refund_order: Vec<String>,
    /// Payment methods made of card numbers, by identifier.
    pub methods: HashMap<String, Card>,
    pub outbox: Vec<Pending>,
    pub books: Books,
}

impl State {
    pub fn intent(&self, id: &str) -> Result<&Intent, Refusal> {
        let missing = || Refusal::missing(StatusCode::NOT_FOUND, "payment_intent", id, "intent");
        self.intents.get(id).ok_or_else(missing)
    }

    pub fn intent_mut(&mut self, id: &str) -> Result<&mut Intent, Refusal> {
        let missing = || Refusal::missing(StatusCode::NOT_FOUND, "payment_intent", id, "intent");
        self.intents.get_mut(id).ok_or_else(missing)
    }

    pub fn charge(&self, id: &str) -> Result<&Charge, Refusal> {
        let missing = || Refusal::missing(StatusCode::NOT_FOUND, "charge", id, "id");
        self.charges.get(id).ok_or_else(missing)
    }

    pub fn event(&mut self, kind: &'static str, object: Value) {
        self.outbox.push(Pending { kind, object });
    }

    /// Writes a line about a charge into the books.
    pub fn record(&mut self, kind: MovementKind, charge: &Charge, amount: i64, call: &Call<'_>) {
        self.books.record(Movement {
            kind,
            reference: charge.id.clone(),
            payment: charge.intent.clone(),
            key: call.key.to_owned(),
            entry: charge.metadata.get("entry").cloned(),
            amount,
            currency: charge.currency.to_uppercase(),
            at_s: call.now_s,
        });
    }
}

/// A new identifier, such as `pi_` and 24 letters and digits.
pub(crate) fn new_id(prefix: &str) -> String {
    identifiers::alphanumeric(prefix, 24)
}
