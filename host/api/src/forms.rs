//! What an app asks, read from a body that was held to its shape already.
//!
//! A failure here is therefore ours: the form and the shape differ.

use std::collections::BTreeMap;

use engine::{Instrument, NewPayment, NewPayout};
use ledger::Money;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::catalogue::INTERNAL;
use crate::problem::Problem;

/// Reads a form.
pub(crate) fn read<T: DeserializeOwned>(body: Value) -> Result<T, Problem> {
    serde_json::from_value(body).map_err(|error| {
        tracing::error!(%error, "a form and its shape differ");
        Problem::new(&INTERNAL, INTERNAL.cause)
    })
}

/// The body of a new payment.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PaymentForm {
    account: String,
    amount: Money,
    merchant_reference: String,
    instrument: InstrumentForm,
    #[serde(default)]
    capture: CaptureForm,
    #[serde(default)]
    description: String,
    return_url: Option<String>,
    #[serde(default)]
    customer: CustomerForm,
    #[serde(default)]
    extra: BTreeMap<String, String>,
}

/// The body of a new payout.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PayoutForm {
    account: String,
    amount: Money,
    merchant_reference: String,
    instrument: InstrumentForm,
    beneficiary: Option<BeneficiaryForm>,
    #[serde(default)]
    description: String,
    #[serde(default)]
    extra: BTreeMap<String, String>,
}

/// The body of a capture or a refund.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartForm {
    pub(crate) amount: Option<Money>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum InstrumentForm {
    Token { token: String },
    Wallet { wallet: String },
    Bank { bank: String },
    Qr,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum CaptureForm {
    #[default]
    Automatic,
    Manual,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct CustomerForm {
    ip: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BeneficiaryForm {
    name: String,
}

impl From<InstrumentForm> for Instrument {
    fn from(form: InstrumentForm) -> Instrument {
        match form {
            InstrumentForm::Token { token } => Instrument::Token(token),
            InstrumentForm::Wallet { wallet } => Instrument::Wallet(wallet),
            InstrumentForm::Bank { bank } => Instrument::Bank(bank),
            InstrumentForm::Qr => Instrument::Qr,
        }
    }
}

impl From<PaymentForm> for NewPayment {
    fn from(form: PaymentForm) -> NewPayment {
        NewPayment {
            account: form.account,
            amount: form.amount,
            merchant_reference: form.merchant_reference,
            instrument: form.instrument.into(),
            capture: matches!(form.capture, CaptureForm::Automatic),
            description: form.description,
            return_url: form.return_url,
            customer_ip: form.customer.ip,
            extra: form.extra,
        }
    }
}

impl From<PayoutForm> for NewPayout {
    fn from(form: PayoutForm) -> NewPayout {
        NewPayout {
            account: form.account,
            amount: form.amount,
            merchant_reference: form.merchant_reference,
            instrument: form.instrument.into(),
            beneficiary: form.beneficiary.map(|who| who.name),
            description: form.description,
            extra: form.extra,
        }
    }
}
