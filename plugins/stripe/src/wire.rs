//! Stripe's own objects, by Stripe's own names: the fields this adapter reads, and no more.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// A PaymentIntent.
#[derive(Debug, Deserialize)]
pub struct Intent {
    pub id: String,
    pub status: String,
    pub amount: u64,
    #[serde(default)]
    pub amount_capturable: u64,
    #[serde(default)]
    pub amount_received: u64,
    pub currency: String,
    pub capture_method: Option<String>,
    pub client_secret: Option<String>,
    /// The newest charge; null until something was tried.
    pub latest_charge: Option<Value>,
    pub last_payment_error: Option<Fault>,
    pub next_action: Option<Value>,
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
}

impl Intent {
    /// Whether funds are held first, to be captured later.
    pub fn manual(&self) -> bool {
        self.capture_method.as_deref() == Some("manual")
    }
}

/// A refund.
#[derive(Debug, Deserialize)]
pub struct Refund {
    pub id: String,
    pub status: Option<String>,
    pub amount: u64,
    pub currency: String,
    pub failure_reason: Option<String>,
    #[serde(default)]
    pub metadata: Option<BTreeMap<String, String>>,
}

/// A charge, as `charge.refunded` brings it; later API versions leave the refunds out.
#[derive(Debug, Deserialize)]
pub struct Charge {
    pub refunds: Option<List<Refund>>,
}

/// A page of a list.
#[derive(Debug, Deserialize)]
pub struct List<T> {
    pub data: Vec<T>,
    #[serde(default)]
    pub has_more: bool,
}

/// A payment method, made of a card.
#[derive(Debug, Deserialize)]
pub struct PaymentMethod {
    pub id: String,
}

/// The body of every answer that is not 200.
#[derive(Debug, Deserialize)]
pub struct Problem {
    pub error: Fault,
}

/// What went wrong.
#[derive(Debug, Deserialize)]
pub struct Fault {
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub code: Option<String>,
    pub decline_code: Option<String>,
    /// The issuer's advice: `confirm_card_data`, `do_not_try_again`, `try_again_later`.
    pub advice_code: Option<String>,
    pub message: Option<String>,
    pub payment_intent: Option<Box<Intent>>,
}

/// A webhook event; its object is read by its type.
#[derive(Debug, Deserialize)]
pub struct Event {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub data: Subject,
}

/// What an event is about.
#[derive(Debug, Deserialize)]
pub struct Subject {
    pub object: Value,
}
