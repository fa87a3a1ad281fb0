//! Webhooks: how a delivery is proven (docs.stripe.com/webhooks, "Verify manually"); what it says.

use sdk::prelude::*;
use serde_json::from_value;

use crate::judge;
use crate::wire::{self, Intent, Refund};

/// Two signatures come while a secret is rolled; many more are an attempt to keep the host busy.
const EVIDENCE_MAX: usize = 8;

/// `Stripe-Signature: t=1700000000,v1=5257a8…,v0=…`: the HMAC of time, dot and body. Schemes other
/// than `v1` are ignored, so that nobody can choose a weaker one.
pub fn prove(delivery: &Delivery) -> Result<Proof, Failure> {
    let header = delivery.required("stripe-signature")?;
    let parts = || header.split(',').filter_map(|part| part.trim().split_once('='));
    let time = parts().find(|(name, _)| *name == "t").map_or("", |(_, value)| value);
    let seconds = time.parse().map_err(|_| Failure::malformed("stripe-signature has no time"))?;
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
/// `charge.refunded` is none of them: since API version 2022-11-15 no refund is in it.
pub fn interpret(delivery: &Delivery) -> Result<Vec<Event>, Failure> {
    let wire::Event { id, kind, mut data } = delivery.json()?;
    let object = data.remove("object").unwrap_or_default();
    Ok(match kind.as_str() {
        "payment_intent.succeeded"
        | "payment_intent.amount_capturable_updated"
        | "payment_intent.canceled"
        | "payment_intent.payment_failed"
        | "payment_intent.processing"
        | "payment_intent.requires_action" => vec![payment(id, &kind, &from_value(object)?)],
        "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated" => {
            vec![refund(id, &from_value(object)?)]
        }
        _ => Vec::new(),
    })
}

fn payment(id: String, kind: &str, found: &Intent) -> Event {
    let metadata = |name| found.metadata.get(name).cloned();
    let (operation, outcome, entry) = match kind {
        // A hold has succeeded before: now its capture did, by an entry or at the dashboard.
        "payment_intent.succeeded" if found.manual() => {
            (OperationKind::Capture, judge::captured(None, found), metadata("capture"))
        }
        // A hold was given back. Had nothing been charged, the authorization came to nothing.
        "payment_intent.canceled" if found.manual() && found.latest_charge.is_some() => {
            (OperationKind::Cancel, judge::canceled(found), None)
        }
        _ => (OperationKind::Authorize, judge::authorized(found), metadata("entry")),
    };
    let event = event(id, operation, outcome).entry(entry);
    event.merchant_reference(metadata("reference")).references(found.id.as_str())
}

fn refund(id: String, found: &Refund) -> Event {
    let entry = found.entry().map(str::to_owned);
    event(id, OperationKind::Refund, judge::refund(None, found)).entry(entry).references(&*found.id)
}
