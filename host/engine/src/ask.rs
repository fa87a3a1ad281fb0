//! What an app asks, and what it is answered.

use std::collections::BTreeMap;

use ledger::{Id, Money, Payment};
use serde::{Deserialize, Serialize};

/// Who asks, and under which idempotency key.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The app.
    pub app: Id,
    /// The name of the app's key that proved the request.
    pub key: String,
    /// The value of the `Idempotency-Key` header: 1 to 255 printable ASCII characters.
    pub idempotency_key: String,
    /// The SHA-256 of what was asked (method, path and body): the same key with another digest is
    /// refused.
    pub digest: [u8; 32],
}

/// What is paid with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Instrument {
    /// A token the provider gave.
    Token(String),
    /// A wallet account.
    Wallet(String),
    /// An IBAN or a local account number.
    Bank(String),
    /// A code which the payer scans.
    Qr,
    /// A card handed over before, by its token.
    Card(Id),
}

/// A payment to begin.
#[derive(Clone, Debug)]
pub struct NewPayment {
    /// The account to pay through.
    pub account: String,
    /// How much.
    pub amount: Money,
    /// The app's own reference, 1 to 64 printable ASCII characters.
    pub merchant_reference: String,
    /// What is paid with.
    pub instrument: Instrument,
    /// Whether to take the amount at once.
    pub capture: bool,
    /// Shown to the payer, at most 127 characters.
    pub description: String,
    /// Where the payer's browser comes back to.
    pub return_url: Option<String>,
    /// The payer's address.
    pub customer_ip: Option<String>,
    /// Provider-specific fields.
    pub extra: BTreeMap<String, String>,
}

/// A payout to begin.
#[derive(Clone, Debug)]
pub struct NewPayout {
    /// The account to pay out of.
    pub account: String,
    /// How much.
    pub amount: Money,
    /// The app's own reference, 1 to 64 printable ASCII characters.
    pub merchant_reference: String,
    /// Where it goes.
    pub instrument: Instrument,
    /// The name of who is paid.
    pub beneficiary: Option<String>,
    /// Shown to who is paid, at most 127 characters.
    pub description: String,
    /// Provider-specific fields.
    pub extra: BTreeMap<String, String>,
}

/// What became of it.
#[derive(Clone, Debug)]
pub struct Done {
    /// The payment afterwards.
    pub payment: Payment,
    /// The entry this operation was recorded as.
    pub entry: Id,
    /// Whether this is the answer of an earlier request with the same idempotency key.
    pub replayed: bool,
}
