//! Stripe's own objects, by Stripe's own names: the fields this adapter reads, and no more.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

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

#[derive(Debug, Deserialize)]
pub struct Refund {
    pub id: String,
    pub status: Option<String>,
    pub amount: u64,
    pub currency: String,
    pub failure_reason: Option<String>,
    pub metadata: Option<BTreeMap<String, String>>,
}

impl Refund {
    /// The entry it was asked for by.
    pub fn entry(&self) -> Option<&str> {
        self.metadata.as_ref()?.get("entry").map(String::as_str)
    }
}

#[derive(Debug, Deserialize)]
pub struct List<T> {
    pub data: Vec<T>,
    pub has_more: bool,
}

#[derive(Debug, Deserialize)]
pub struct PaymentMethod {
    pub id: String,
}

#[derive(Debug, Deserialize)]
pub struct Problem {
    pub error: Fault,
}

#[derive(Debug, Deserialize)]
pub struct Fault {
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub code: Option<String>,
    pub decline_code: Option<String>,
    pub advice_code: Option<String>,
    pub message: Option<String>,
    pub payment_intent: Option<Box<Intent>>,
}

#[derive(Debug, Deserialize)]
pub struct Event {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: String,
    /// `object`: what the event is about, to be read by its type.
    pub data: BTreeMap<String, Value>,
}
