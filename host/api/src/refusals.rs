//! The engine's errors as problems: one match, so that a new error does not compile unanswered.
//!
//! What is the operator's to know (a misconfigured account, a broken plugin, the store) goes to the
//! log and not to the app.

use engine::{Error, Unsettled};
use ledger::Refusal;
use serde_json::json;

use crate::auth;
use crate::catalogue as known;
use crate::problem::{Code, Fault, Place, Problem, cut};
use crate::time::rfc3339;

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        let said = error.to_string();
        match error {
            Error::InFlight => Problem::new(&known::IN_PROGRESS, said),
            Error::KeyReused => Problem::new(&known::KEY_REUSED, said),
            Error::NoSuchPayment(_) => Problem::new(&known::NO_SUCH_PAYMENT, said),
            Error::NoSuchAccount(name) => {
                let detail = format!("there is no account `{}`", cut(&name));
                Problem::new(&known::NO_SUCH_ACCOUNT, detail)
            }
            Error::NoSuchCard(_) => Problem::new(&known::NO_SUCH_CARD, said),
            Error::CardGone(..) => Problem::new(&known::CARD_GONE, said),
            Error::CardRefused(fault) => {
                let fault = Fault::new(Place::Body, fault.field, fault.rule, fault.detail);
                Problem::with_faults(&known::CARD_REFUSED, vec![fault])
            }
            // Told as any key that is not good: nobody learns that it once was.
            Error::AppRevoked => auth::refused(&known::API_KEY_WRONG, auth::INVALID_TOKEN),
            Error::SpendingLimit { currency, left_minor, renews_at_ms } => {
                let renews_at = rfc3339(renews_at_ms);
                let currency = currency.code();
                let limit = json!({
                    "currency": currency, "left_minor": left_minor, "renews_at": renews_at,
                });
                let limit = Some(Box::new(limit));
                let detail = format!(
                    "{left_minor} minor units of {currency} are left today; the next day begins at \
                     {renews_at}"
                );
                Problem { limit, ..Problem::new(&known::SPENDING_LIMIT, detail) }
            }
            Error::NoSuchEntry(_) => Problem::new(&known::NO_SUCH_ENTRY, said),
            Error::Unsettled(Unsettled::InHand) => Problem::new(&known::ENTRY_IN_HAND, said),
            Error::Unsettled(_) => Problem::new(&known::ENTRY_NOT_SETTLED, said),
            Error::NoSuchAnomaly(_) => Problem::new(&known::NO_SUCH_ANOMALY, said),
            Error::AnomalyClosed { .. } => Problem::new(&known::ANOMALY_CLOSED, said),
            Error::NotACursor(_) => no_such_cursor(),
            Error::NoSuchEndpoint(_) => Problem::new(&known::NO_SUCH_ENDPOINT, said),
            Error::EndpointRefused(_) => Problem::new(&known::ENDPOINT_REFUSED, said),
            Error::TooManyEndpoints(_) => Problem::new(&known::TOO_MANY_ENDPOINTS, said),
            Error::EndpointBusy => Problem::new(&known::ENDPOINT_BUSY, said),
            Error::NoVault => Problem::new(&known::VAULT_CLOSED, said),
            Error::Refused(refusal) => Problem::new(code(refusal), said),
            Error::Unsupported(_) => Problem::new(&known::UNSUPPORTED, said),
            Error::Invalid(_) => Problem::new(&known::REFUSED_BY_PLUGIN, said),
            Error::Span(_) => Problem::new(&known::SPAN_REFUSED, said),
            // Asked for by operators alone: they are told what the plugin says.
            Error::Report(_) => Problem::new(&known::REPORT_UNREADABLE, said),
            Error::Misconfigured(_) => hidden(&known::MISCONFIGURED, &error),
            Error::PluginFault(_) => hidden(&known::PLUGIN_FAILED, &error),
            Error::Busy => Problem::new(&known::PAYMENT_BUSY, said),
            Error::Vault(_) => hidden(&known::VAULT_CLOSED, &error),
            Error::PluginQuarantined(_) => hidden(&known::PLUGIN_QUARANTINED, &error),
            Error::NoSuchPlugin(_) => Problem::new(&known::NO_SUCH_PLUGIN, said),
            Error::AccountOverloaded(_) => Problem::new(&known::ACCOUNT_OVERLOADED, said),
            Error::Overloaded => Problem::new(&known::OVERLOADED, said),
            Error::Store(_) | Error::Audit(_) if error.is_storage_full() => {
                Problem::new(&known::STORAGE_FULL, known::STORAGE_FULL.cause)
            }
            Error::Store(_) | Error::Audit(_) => hidden(&known::STORE_UNAVAILABLE, &error),
            Error::Stopping => Problem::new(&known::STOPPING, said),
        }
    }
}

fn no_such_cursor() -> Problem {
    let remedy = "take the cursor of an earlier answer, or none";
    let fault = Fault::new(Place::Query, "cursor", "exists", remedy);
    Problem::with_faults(&known::NO_SUCH_CURSOR, vec![fault])
}

fn hidden(code: &'static Code, error: &Error) -> Problem {
    let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    tracing::error!(code = code.code, %error, cause, "an operation was not begun");
    Problem::new(code, code.cause)
}

fn code(refusal: Refusal) -> &'static Code {
    match refusal {
        Refusal::OtherCurrency => &known::OTHER_CURRENCY,
        Refusal::AlreadyAuthorized => &known::ALREADY_AUTHORIZED,
        Refusal::NotAuthorized => &known::NOT_AUTHORIZED,
        Refusal::OverCapture => &known::OVER_CAPTURE,
        Refusal::NotCaptured => &known::NOT_CAPTURED,
        Refusal::OverRefund => &known::OVER_REFUND,
        Refusal::AlreadyCaptured => &known::ALREADY_CAPTURED,
        Refusal::AlreadyCancelled => &known::ALREADY_CANCELLED,
        Refusal::NothingToCancel => &known::NOTHING_TO_CANCEL,
        Refusal::NotForPayouts => &known::NOT_FOR_PAYOUTS,
    }
}
