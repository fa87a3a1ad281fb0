//! Payments, entries and events as they are answered. Their shapes stand in
//! [`vocabulary`](crate::vocabulary); the tests hold every answer to them.

use engine::{Card, Event};
use ledger::{Decline, Entry, Kind, NextAction, Payment, Resolution, State};
use serde_json::{Value, json};

use crate::time::rfc3339;

/// A payment.
pub(crate) fn payment(payment: &Payment) -> Value {
    let next = payment.entries.iter().rev().find_map(|entry| entry.next.as_ref());
    json!({
        "id": payment.id,
        "status": payment.status(),
        "account": payment.account,
        "merchant_reference": payment.merchant_reference,
        "amount": payment.amount,
        "authorized_minor": payment.authorized_minor(),
        "captured_minor": payment.captured_minor(),
        "refunded_minor": payment.refunded_minor(),
        "next_action": next.map(next_action),
        "decline": root_decline(payment).map(decline),
        "entries": payment.entries.iter().map(entry).collect::<Vec<_>>(),
        "created_at": rfc3339(payment.created_at_ms),
    })
}

/// Why the newest attempt was refused; none when it was not.
fn root_decline(payment: &Payment) -> Option<&Decline> {
    let root = |entry: &&Entry| matches!(entry.kind, Kind::Authorize | Kind::Payout);
    let newest = payment.entries.iter().rev().find(root)?;
    newest.decline.as_ref().filter(|_| newest.state == State::Declined)
}

/// One entry of a payment.
pub(crate) fn entry(entry: &Entry) -> Value {
    let reference = entry.references.as_ref().map(
        |references| json!({"provider": references.provider, "secondary": references.secondary}),
    );
    json!({
        "id": entry.id,
        "kind": entry.kind,
        "amount": entry.amount,
        "capture": (entry.kind == Kind::Authorize).then_some(entry.capture),
        "state": entry.state,
        "reference": reference,
        "next_action": entry.next.as_ref().map(next_action),
        "decline": entry.decline.as_ref().map(decline),
        "why": entry.why,
        "resolution": entry.resolution.as_ref().map(resolution),
        "created_at": rfc3339(entry.created_at_ms),
        "changed_at": rfc3339(entry.changed_at_ms),
    })
}

fn resolution(resolution: &Resolution) -> Value {
    let Resolution { means, by, reason, at_ms } = resolution;
    json!({ "means": means, "by": by, "reason": reason, "at": rfc3339(*at_ms) })
}

fn next_action(next: &NextAction) -> Value {
    match next {
        NextAction::Redirect { url } => json!({"type": "redirect", "url": url}),
        NextAction::Form { url, fields } => {
            let pair = |(name, value): &(String, String)| json!({"name": name, "value": value});
            let fields: Vec<Value> = fields.iter().map(pair).collect();
            json!({"type": "form", "url": url, "fields": fields})
        }
        NextAction::Qr { text } => json!({"type": "qr", "text": text}),
        NextAction::App { link } => json!({"type": "app", "link": link}),
        NextAction::Show { text } => json!({"type": "show", "text": text}),
    }
}

fn decline(decline: &Decline) -> Value {
    json!({
        "code": decline.code,
        "retry": decline.retry,
        "provider_code": decline.provider_code,
        "provider_message": decline.provider_message,
    })
}

/// A card, as far as it may be shown.
pub(crate) fn card(card: &Card) -> Value {
    json!({
        "id": card.id,
        "state": card.state.name(),
        "brand": card.brand,
        "last4": card.last4,
        "expiry_month": card.expiry_month,
        "expiry_year": card.expiry_year,
        "fingerprint": card.fingerprint,
        "holder": card.holder,
        "security_code": card.security_code,
        "created_at": rfc3339(card.created_at_ms),
        "kept_until": rfc3339(card.keep_until_ms),
    })
}

/// One event of the feed.
pub(crate) fn event(event: &Event) -> Value {
    json!({
        "id": event.id,
        "name": event.name,
        "at": rfc3339(event.at_ms),
        "payment": payment(&event.payment),
        "entry": entry(&event.entry),
    })
}
