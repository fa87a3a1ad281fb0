//! What Stripe's answers mean for the entry they are about.

use sdk::prelude::*;

use crate::declines;
use crate::money::from_stripe;
use crate::wire::{Fault, Intent, List, Refund};

/// What a PaymentIntent says about an authorization, its capture or its cancellation.
pub fn intent(entry: &Entry, found: &Intent) -> Outcome {
    match entry.kind {
        OperationKind::Authorize => authorized(found),
        OperationKind::Capture => captured(&entry.id, found),
        OperationKind::Cancel => canceled(found),
        _ => unexpected(found),
    }
}

/// About the authorization.
pub fn authorized(found: &Intent) -> Outcome {
    let id = found.id.as_str();
    match found.status.as_str() {
        // Of a hold that was captured since, `amount` is what was held.
        "succeeded" if found.manual() => moved(id, found.amount, &found.currency),
        "succeeded" => moved(id, found.amount_received, &found.currency),
        "requires_capture" => moved(id, found.amount_capturable, &found.currency),
        "processing" => Outcome::pending(id),
        "requires_action" => needs_action(found),
        "canceled" => Outcome::expired(id),
        "requires_payment_method" => match &found.last_payment_error {
            Some(fault) => declines::of_fault(fault).at(id).into(),
            None => unexpected(found),
        },
        _ => unexpected(found),
    }
}

/// About the capture of this entry, which left its id with the PaymentIntent.
pub fn captured(entry: &str, found: &Intent) -> Outcome {
    let id = found.id.as_str();
    let ours = found.metadata.get("capture").is_some_and(|capture| capture == entry);
    match found.status.as_str() {
        "succeeded" if ours => moved(id, found.amount_received, &found.currency),
        "processing" if ours => Outcome::pending(id),
        // Captured, but not by this entry; or still to be captured.
        "succeeded" | "requires_capture" => Outcome::Absent,
        "canceled" => Outcome::expired(id),
        _ => unexpected(found),
    }
}

/// About a capture that no entry asked for.
pub fn received(found: &Intent) -> Outcome {
    moved(&found.id, found.amount_received, &found.currency)
}

/// About a cancellation.
pub fn canceled(found: &Intent) -> Outcome {
    match found.status.as_str() {
        "canceled" => moved(&found.id, found.amount, &found.currency),
        "succeeded" => {
            let message = "the PaymentIntent is captured";
            let (code, retry) = (DeclineCode::NotPermitted, RetryAdvice::Never);
            decline(code, retry, "succeeded", message).at(found.id.as_str()).into()
        }
        "requires_capture" | "requires_action" | "requires_payment_method" => Outcome::Absent,
        _ => unexpected(found),
    }
}

/// What a refund says.
pub fn refund(found: &Refund) -> Outcome {
    let id = found.id.as_str();
    match found.status.as_deref() {
        Some("succeeded") => moved(id, found.amount, &found.currency),
        // `requires_action`: Stripe asks the payer for a bank account by mail.
        Some("pending" | "requires_action") => Outcome::pending(id),
        Some("failed") => {
            let reason = found.failure_reason.as_deref().unwrap_or("unknown");
            declines::of_refund(reason).at(id).into()
        }
        Some("canceled") => Outcome::expired(id),
        other => Outcome::unknown(format!("refund status {}", other.unwrap_or("missing"))),
    }
}

/// The refund of this entry among those of its payment. Only a whole list proves it absent.
pub fn listed(order: &Order, list: &List<Refund>) -> Outcome {
    let entry = |found: &&Refund| {
        let metadata = found.metadata.as_ref();
        metadata.and_then(|metadata| metadata.get("entry")) == Some(&order.entry.id)
    };
    match list.data.iter().find(entry) {
        Some(found) => refund(found),
        None if list.has_more => Outcome::unknown("more refunds than one page"),
        None => Outcome::Absent,
    }
}

/// What an answer other than 200 to a command says.
pub fn refused(host: &dyn Host, entry: &Entry, status: u16, fault: Fault) -> Outcome {
    let kind = fault.kind.as_deref().unwrap_or_default();
    match status {
        // The same key with other parameters: the first request with it may have moved money.
        _ if kind == "idempotency_error" => Outcome::unknown("idempotency key used before"),
        // The first request with this key is still under way.
        409 => Outcome::unknown("another request is in progress"),
        _ if kind == "card_error" => declined(entry, &fault),
        400 | 402 | 404 => already(entry, &fault).unwrap_or_else(|| declined(entry, &fault)),
        401 | 403 | 429 => turned_away(host, entry, status, &fault),
        _ => Outcome::unknown(format!("status {status}")),
    }
}

/// "Unexpected state" may mean that this very operation was done before: its answer was lost, and
/// the key forgotten.
fn already(entry: &Entry, fault: &Fault) -> Option<Outcome> {
    let found = fault.payment_intent.as_deref()?;
    let outcome = match entry.kind {
        OperationKind::Capture => captured(&entry.id, found),
        OperationKind::Cancel => canceled(found),
        _ => return None,
    };
    matches!(outcome, Outcome::Succeeded(_)).then_some(outcome)
}

fn declined(entry: &Entry, fault: &Fault) -> Outcome {
    let decline = declines::of_fault(fault);
    let found = fault.payment_intent.as_ref().filter(|_| entry.kind == OperationKind::Authorize);
    match found {
        Some(found) => decline.at(found.id.as_str()).into(),
        None => decline.into(),
    }
}

/// Turned away at the door: this request moved nothing. When it was sent again because an answer
/// was lost, that says nothing about the first time.
fn turned_away(host: &dyn Host, entry: &Entry, status: u16, fault: &Fault) -> Outcome {
    if status != 429 {
        host.log(Level::Error, &format!("Stripe refuses the API key: status {status}"));
    }
    if entry.state == EntryState::Unknown {
        return Outcome::unknown(format!("status {status} when sent again"));
    }
    let retry = if status == 429 { RetryAdvice::Later } else { RetryAdvice::OtherProvider };
    let (code, message) = declines::said(fault);
    decline(DeclineCode::ProviderUnavailable, retry, code, message).into()
}

/// What the payer has to do. Stripe names it in `type` and describes it in the field of that name.
fn needs_action(found: &Intent) -> Outcome {
    let action = found.next_action.as_ref();
    let kind = action.and_then(|action| action.get("type")?.as_str()).unwrap_or_default();
    let field = |name| action.and_then(|action| action.get(kind)?.get(name)?.as_str());
    let page = ["url", "hosted_instructions_url", "hosted_voucher_url"].into_iter().find_map(field);
    let next = match (page, field("data")) {
        (_, Some(code)) if kind.ends_with("_display_qr_code") => NextAction::Qr(code.to_owned()),
        (Some(page), _) => NextAction::Redirect(page.to_owned()),
        // What is left is for Stripe's own library in the payer's browser or app.
        _ => match &found.client_secret {
            Some(secret) => NextAction::App(secret.clone()),
            None => return Outcome::unknown(format!("next action {kind}")),
        },
    };
    Outcome::needs_action(found.id.as_str(), next)
}

fn moved(id: &str, number: u64, currency: &str) -> Outcome {
    match from_stripe(number, currency) {
        Some(amount) => Outcome::succeeded(id, amount),
        None => Outcome::unknown(format!("{number} {currency} is no whole amount")),
    }
}

fn unexpected(found: &Intent) -> Outcome {
    Outcome::unknown(format!("PaymentIntent status {}", found.status))
}
