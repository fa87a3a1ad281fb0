//! The objects as Stripe shows them, with the fields of PyPI `stripe` 16.1.0 that matter here.

use serde_json::{Value, json};

use super::cards::Card;
use super::state::{Charge, Intent, Methods, Refund, State};

/// A payment intent; `expanded` shows the latest charge instead of its identifier.
pub(crate) fn intent(state: &State, intent: &Intent, expanded: bool) -> Value {
    let charge_id = intent.latest_charge.as_deref();
    let latest_charge = match charge_id.and_then(|id| state.charges.get(id)) {
        Some(found) if expanded => charge(found),
        _ => json!(charge_id),
    };
    let (canceled_at, reason) = match &intent.canceled {
        Some((at, reason)) => (Some(at), reason.as_deref()),
        None => (None, None),
    };
    let mut object = json!({
        "id": intent.id,
        "object": "payment_intent",
        "amount": intent.amount,
        "amount_capturable": intent.capturable,
        "amount_details": { "tip": {} },
        "amount_received": intent.received,
        "application": null,
        "application_fee_amount": null,
        "automatic_payment_methods": methods(intent.methods),
        "canceled_at": canceled_at,
        "cancellation_reason": reason,
        "capture_method": if intent.captured_by_hand { "manual" } else { "automatic" },
        "client_secret": intent.secret,
        "confirmation_method": "automatic",
        "created": intent.created_s,
        "currency": intent.currency,
        "customer": null,
        "description": null,
        "last_payment_error": intent.last_error,
        "latest_charge": latest_charge,
        "livemode": false,
        "metadata": intent.metadata,
        "next_action": intent.next_action,
        "on_behalf_of": null,
        "payment_method": intent.card.as_ref().map(|card| &card.id),
        "payment_method_options": { "card": { "request_three_d_secure": "automatic" } },
        "payment_method_types": ["card"],
        "processing": null,
        "receipt_email": null,
        "review": null,
        "setup_future_usage": null,
        "shipping": null,
        "source": null,
        "statement_descriptor": null,
        "statement_descriptor_suffix": null,
        "status": intent.status.word(),
        "transfer_data": null,
        "transfer_group": null,
    });
    if let Some(fields) = object.as_object_mut() {
        fields.extend(intent.shown.clone());
    }
    object
}

fn methods(methods: Methods) -> Value {
    match methods {
        Methods::Card => Value::Null,
        Methods::Automatic { redirects } => json!({
            "allow_redirects": if redirects { "always" } else { "never" },
            "enabled": true,
        }),
    }
}

pub(crate) fn charge(charge: &Charge) -> Value {
    let paid = charge.failure.is_none();
    json!({
        "id": charge.id,
        "object": "charge",
        "amount": charge.amount,
        "amount_captured": charge.amount_captured,
        "amount_refunded": charge.amount_refunded,
        "captured": charge.captured,
        "created": charge.created_s,
        "currency": charge.currency,
        "disputed": false,
        "failure_code": charge.failure.map(|decline| decline.code),
        "failure_message": charge.failure.map(|decline| decline.message),
        "livemode": false,
        "metadata": charge.metadata,
        "outcome": outcome(charge),
        "paid": paid,
        "payment_intent": charge.intent,
        "payment_method": charge.card.id,
        "payment_method_details": { "card": details(&charge.card), "type": "card" },
        "refunded": charge.amount_refunded >= charge.amount,
        "status": if paid { "succeeded" } else { "failed" },
    })
}

fn outcome(charge: &Charge) -> Value {
    match charge.failure {
        None => json!({
            "network_status": "approved_by_network",
            "reason": null,
            "risk_level": "normal",
            "seller_message": "Payment complete.",
            "type": "authorized",
        }),
        Some(decline) => json!({
            "network_status": "declined_by_network",
            "reason": decline.decline_code.unwrap_or(decline.code),
            "risk_level": "normal",
            "seller_message": "The bank did not return any further details with this decline.",
            "type": "issuer_declined",
        }),
    }
}

fn details(card: &Card) -> Value {
    json!({
        "brand": card.brand,
        "country": "US",
        "exp_month": 12,
        "exp_year": 2034,
        "funding": "credit",
        "last4": card.last4,
        "network": card.brand,
    })
}

pub(crate) fn payment_method(card: &Card) -> Value {
    json!({
        "id": card.id,
        "object": "payment_method",
        "card": details(card),
        "livemode": false,
        "type": "card",
    })
}

pub(crate) fn refund(refund: &Refund) -> Value {
    let mut object = json!({
        "id": refund.id,
        "object": "refund",
        "amount": refund.amount,
        "balance_transaction": null,
        "charge": refund.charge,
        "created": refund.created_s,
        "currency": refund.currency,
        "destination_details": { "card": { "type": "refund" }, "type": "card" },
        "metadata": refund.metadata,
        "payment_intent": refund.intent,
        "reason": refund.reason,
        "receipt_number": null,
        "source_transfer_reversal": null,
        "status": refund.status,
        "transfer_reversal": null,
    });
    if let (Some(fields), Some(reason)) = (object.as_object_mut(), refund.failure) {
        fields.insert("failure_reason".into(), json!(reason));
    }
    object
}

/// A page of a list.
pub(crate) fn list(url: &str, data: Vec<Value>, has_more: bool) -> Value {
    json!({ "object": "list", "data": data, "has_more": has_more, "url": url })
}
