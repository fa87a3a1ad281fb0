//! What an app asks, read from a body that was held to its shape already.
//!
//! A failure here is therefore ours: the form and the shape differ.

use std::collections::BTreeMap;

use engine::{Instrument, NewCard, NewPayment, NewPayout, Secret};
use ledger::{Id, Money};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::catalogue::INTERNAL;
use crate::problem::Problem;

/// Reads a form.
pub(crate) fn read<T: DeserializeOwned>(body: Value) -> Result<T, Problem> {
    serde_json::from_value(body).map_err(|_| {
        // The error's own text holds the value.
        let form = std::any::type_name::<T>();
        tracing::error!(form, "a form and its shape differ");
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

/// The body of a new card. Its texts are wiped when dropped.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CardForm {
    number: Zeroizing<String>,
    expiry_month: u8,
    expiry_year: u16,
    security_code: Option<Zeroizing<String>>,
    holder: Option<Zeroizing<String>>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum InstrumentForm {
    Token { token: String },
    Wallet { wallet: String },
    Bank { bank: String },
    Qr,
    Card { card: Id },
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
            InstrumentForm::Card { card } => Instrument::Card(card),
        }
    }
}

impl From<CardForm> for NewCard {
    fn from(form: CardForm) -> NewCard {
        let secret = |name: &str, text: &String| Secret::new(name, text.as_bytes().to_vec());
        NewCard {
            number: secret("card number", &form.number),
            expiry_month: form.expiry_month,
            expiry_year: form.expiry_year,
            security_code: form.security_code.map(|code| secret("security code", &code)),
            holder: form.holder.map(|name| secret("card holder", &name)),
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
