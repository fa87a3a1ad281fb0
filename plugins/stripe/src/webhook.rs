//! Webhooks: how a delivery is proven (docs.stripe.com/webhooks, "Verify manually") and what it says.

use sdk::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::judge;
use crate::wire::{self, Charge, Intent, Refund};

/// Two signatures come while a secret is rolled; many more are an attempt to keep the host busy.
const EVIDENCE_MAX: usize = 8;

/// `Stripe-Signature: t=1700000000,v1=5257a8…,v0=…`: the HMAC of time, dot and body. Schemes other
/// than `v1` are ignored, so that nobody can choose a weaker one.
pub fn prove(delivery: &Delivery) -> Result<Proof, Failure> {
    let header = delivery.required("stripe-signature")?;
    let parts = || header.split(',').filter_map(|part| part.trim().split_once('='));
    let time = parts().find(|(name, _)| *name == "t").map(|(_, value)| value);
    let time = time.ok_or_else(|| Failure::malformed("stripe-signature has no time"))?;
    let seconds = time.parse().map_err(|_| Failure::malformed("stripe-signature: time"))?;
    let message = [time.as_bytes(), b".", &delivery.body].concat();
    let tags = parts().filter(|(scheme, _)| *scheme == "v1");
    let tags: Vec<Vec<u8>> =
        tags.filter_map(|(_, tag)| unhex(tag).ok()).take(EVIDENCE_MAX).collect();
    if tags.is_empty() {
        return Err(Failure::malformed("stripe-signature has no v1 signature"));
    }
    let recipe = proof("webhook", MacAlgorithm::HmacSha256, message).signed_at(seconds);
    Ok(tags.into_iter().fold(recipe, Proof::evidence))
}

/// The events about entries. Those of no concern give none, so that Stripe is not asked to repeat.
pub fn interpret(delivery: &Delivery) -> Result<Vec<Event>, Failure> {
    let wire::Event { id, kind, data } = delivery.json()?;
    Ok(match kind.as_str() {
        "payment_intent.succeeded" => vec![succeeded(id, &read(data.object)?)],
        "payment_intent.amount_capturable_updated"
        | "payment_intent.payment_failed"
        | "payment_intent.processing"
        | "payment_intent.requires_action" => vec![authorization(id, &read(data.object)?)],
        "payment_intent.canceled" => vec![canceled(id, &read(data.object)?)],
        "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated" => {
            vec![refund(id, &read(data.object)?)]
        }
        "charge.refunded" => charge(&id, read(data.object)?),
        _ => Vec::new(),
    })
}

fn read<T: DeserializeOwned>(object: Value) -> Result<T, Failure> {
    Ok(serde_json::from_value(object)?)
}

/// A hold has succeeded before: now it is its capture that did.
fn succeeded(id: String, found: &Intent) -> Event {
    if !found.manual() {
        return authorization(id, found);
    }
    let entry = found.metadata.get("capture");
    let outcome = judge::captured(entry.map_or("", String::as_str), found);
    let outcome = match outcome {
        // Captured from Stripe's dashboard: no entry of ours, but the money moved all the same.
        Outcome::Absent => judge::received(found),
        outcome => outcome,
    };
    about(event(id, OperationKind::Capture, outcome), found).entry(entry.cloned())
}

fn authorization(id: String, found: &Intent) -> Event {
    about(event(id, OperationKind::Authorize, judge::authorized(found)), found)
        .entry(found.metadata.get("entry").cloned())
}

/// Of a hold, when something was charged before, the cancellation gave the money back; else the
/// authorization itself came to nothing.
fn canceled(id: String, found: &Intent) -> Event {
    match &found.latest_charge {
        Some(_) if found.manual() => {
            about(event(id, OperationKind::Cancel, judge::canceled(found)), found)
        }
        _ => authorization(id, found),
    }
}

fn about(event: Event, found: &Intent) -> Event {
    event.merchant_reference(found.metadata.get("reference").cloned()).references(found.id.as_str())
}

fn refund(id: String, found: &Refund) -> Event {
    let entry = found.metadata.as_ref().and_then(|metadata| metadata.get("entry"));
    event(id, OperationKind::Refund, judge::refund(found))
        .entry(entry.cloned())
        .references(found.id.as_str())
}

/// One event may tell of several refunds: each gets an id of its own.
fn charge(id: &str, found: Charge) -> Vec<Event> {
    let refunds = found.refunds.map(|list| list.data).unwrap_or_default();
    refunds.iter().map(|found| refund(format!("{id}:{}", found.id), found)).collect()
}
