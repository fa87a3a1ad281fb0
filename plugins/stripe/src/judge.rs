//! What Stripe's answers mean for the entry they are about.

use sdk::prelude::*;

use crate::declines;
use crate::money::from_stripe;
use crate::wire::{Fault, Intent, List, Refund};

/// What a PaymentIntent says about an authorization, its capture or its cancellation.
pub fn intent(order: &Order, found: &Intent) -> Outcome {
    match order.entry.kind {
        _ if of_another(order, found) => crossed(&found.id),
        OperationKind::Authorize => authorized(found),
        OperationKind::Capture => captured(Some(&order.entry.id), found),
        OperationKind::Cancel => canceled(found),
        _ => unexpected(found),
    }
}

/// Whether it was made for another payment: such an answer came over a crossed line.
fn of_another(order: &Order, found: &Intent) -> bool {
    found.metadata.get("payment").is_some_and(|payment| *payment != order.payment.id)
}

fn crossed(id: &str) -> Outcome {
    Outcome::unknown(format!("{id} is of something else"))
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

/// About the capture of this entry, which left its id with the PaymentIntent; or about any.
pub fn captured(entry: Option<&str>, found: &Intent) -> Outcome {
    let capture = found.metadata.get("capture").map(String::as_str);
    let ours = entry.is_none() || entry == capture;
    match found.status.as_str() {
        "succeeded" if ours => moved(&found.id, found.amount_received, &found.currency),
        "processing" if ours => Outcome::pending(found.id.as_str()),
        // Captured, but not by this entry; or still to be captured.
        "succeeded" | "requires_capture" => Outcome::Absent,
        "canceled" => Outcome::expired(found.id.as_str()),
        _ => unexpected(found),
    }
}

/// About a cancellation.
pub fn canceled(found: &Intent) -> Outcome {
    match found.status.as_str() {
        "canceled" => moved(&found.id, found.amount, &found.currency),
        "succeeded" => {
            let message = "the PaymentIntent is captured";
            decline(DeclineCode::NotPermitted, RetryAdvice::Never, "succeeded", message).into()
        }
        "requires_capture" | "requires_action" | "requires_payment_method" => Outcome::Absent,
        _ => unexpected(found),
    }
}

/// What a refund says about the entry it was asked for by.
pub fn refund_of(order: &Order, found: &Refund) -> Outcome {
    match found.entry() {
        Some(entry) if entry != order.entry.id => crossed(&found.id),
        _ => refund(found),
    }
}

/// What a refund says.
pub fn refund(found: &Refund) -> Outcome {
    let id = found.id.as_str();
    match found.status.as_deref() {
        Some("succeeded") => moved(id, found.amount, &found.currency),
        // `requires_action`: Stripe asks the payer for a bank account by mail.
        Some("pending" | "requires_action") => Outcome::pending(id),
        Some("failed") => declines::of_refund(found.failure_reason.as_deref()).at(id).into(),
        Some("canceled") => Outcome::expired(id),
        other => Outcome::unknown(format!("refund status {}", other.unwrap_or("missing"))),
    }
}

/// The refund of this entry among those of its payment. Only a whole list proves it absent.
pub fn listed(order: &Order, list: &List<Refund>) -> Outcome {
    match list.data.iter().find(|found| found.entry() == Some(&order.entry.id)) {
        Some(found) => refund(found),
        None if list.has_more => Outcome::unknown("more refunds than one page"),
        None => Outcome::Absent,
    }
}

/// What an answer other than 200 to a command says.
pub fn refused(order: &Order, status: u16, fault: Fault) -> Outcome {
    let kind = fault.kind.as_deref().unwrap_or_default();
    if let Some(found) = fault.payment_intent.as_deref().filter(|it| of_another(order, it)) {
        return crossed(&found.id);
    }
    match status {
        // The same key with other parameters: the first request with it may have moved money.
        _ if kind == "idempotency_error" => Outcome::unknown("idempotency key used before"),
        // The first request with this key is still under way.
        409 => Outcome::unknown("another request is in progress"),
        400 | 402 | 404 => already(order, &fault).unwrap_or_else(|| {
            let at = fault.payment_intent.as_ref().map(|found| found.id.as_str().into());
            Decline { references: at, ..declines::of_fault(&fault) }.into()
        }),
        // Turned away at the door. When it was sent again because an answer was lost, that says
        // nothing about the first time.
        401 | 403 | 429 if order.entry.state != EntryState::Unknown => {
            let retry = if status == 429 { RetryAdvice::Later } else { RetryAdvice::OtherProvider };
            let (code, message) = declines::said(&fault);
            decline(DeclineCode::ProviderUnavailable, retry, code, message).into()
        }
        _ => Outcome::unknown(format!("status {status}")),
    }
}

/// "Unexpected state" may mean that this very operation was done before: its answer was lost, and
/// the key forgotten.
fn already(order: &Order, fault: &Fault) -> Option<Outcome> {
    let found = fault.payment_intent.as_deref()?;
    let of_intent = matches!(order.entry.kind, OperationKind::Capture | OperationKind::Cancel);
    let outcome = of_intent.then(|| intent(order, found));
    outcome.filter(|outcome| matches!(outcome, Outcome::Succeeded(_)))
}

/// The request that cannot move money found nobody: nothing was sent that could.
pub fn unavailable(status: u16) -> Outcome {
    let (code, retry) = (DeclineCode::ProviderUnavailable, RetryAdvice::Later);
    decline(code, retry, status.to_string(), "the card could not be handed over").into()
}

/// What the payer has to do. Stripe names it in `type` and describes it in the field of that name.
fn needs_action(found: &Intent) -> Outcome {
    let action = found.next_action.as_ref();
    let field =
        |name| action.and_then(|all| all.get(all.get("type")?.as_str()?)?.get(name)?.as_str());
    let page = field("url").or_else(|| field("hosted_voucher_url"));
    let next = match (page, field("data"), &found.client_secret) {
        (Some(page), ..) => NextAction::Redirect(page.to_owned()),
        (None, Some(code), _) => NextAction::Qr(code.to_owned()),
        // What is left is for Stripe's own library in the payer's browser or app.
        (None, None, Some(secret)) => NextAction::App(secret.clone()),
        _ => return unexpected(found),
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
