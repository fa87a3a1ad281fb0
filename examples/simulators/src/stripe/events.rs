//! Events and their signature: <https://docs.stripe.com/webhooks#verify-manually>.
//!
//! `Stripe-Signature: t=<unix seconds>,v1=<hex>,v0=<hex>`; `v1` is the HMAC-SHA256 of `t`, a dot
//! and the body, under the whole secret as text. `v0` is what Stripe adds to test events, and must
//! be ignored. A later attempt carries a later `t`.

use std::sync::Arc;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::clock::Clock;
use crate::courier::{Letter, Seal, Stamp};

use super::state::{Pending, new_id};

/// What an event tells of the request behind it.
pub(crate) struct Origin<'a> {
    pub request: Option<&'a str>,
    pub key: Option<&'a str>,
}

/// The event object.
pub(crate) fn event(pending: Pending, now_s: i64, version: &str, origin: &Origin<'_>) -> Value {
    json!({
        "id": new_id("evt_"),
        "object": "event",
        "api_version": version,
        "created": now_s,
        "data": { "object": pending.object },
        "livemode": false,
        "pending_webhooks": 1,
        "request": { "id": origin.request, "idempotency_key": origin.key },
        "type": pending.kind,
    })
}

/// The event on its way. Stripe writes it over many lines, so a host that reads it and writes it
/// again before it checks the signature is found out.
pub(crate) fn letter(event: &Value, url: String, secret: &str, clock: Clock) -> Letter {
    let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let body = serde_json::to_vec_pretty(event).unwrap_or_default();
    Letter {
        id: text("id"),
        event: text("type"),
        url,
        body: Bytes::from(body),
        stamp: stamp(secret.to_owned(), clock),
    }
}

fn stamp(secret: String, clock: Clock) -> Stamp {
    Arc::new(move |body, seal| {
        let at_s = clock.now_s();
        let signed = match seal {
            Seal::Genuine => signature(&secret, at_s, body),
            Seal::Broken => signature("another secret", at_s, body),
        };
        let decoy = signature("v0", at_s, body);
        vec![
            ("content-type", "application/json; charset=utf-8".to_owned()),
            ("user-agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)".to_owned()),
            ("stripe-signature", format!("t={at_s},v1={signed},v0={decoy}")),
        ]
    })
}

fn signature(secret: &str, at_s: i64, body: &[u8]) -> String {
    // HMAC takes a key of any length, so this does not fail.
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    let mac = mac.chain_update(at_s.to_string()).chain_update(b".").chain_update(body);
    hex::encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_one_openssl_makes() {
        // printf '1492774577.{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec_test_secret
        let signed = signature("whsec_test_secret", 1_492_774_577, br#"{"id":"evt_1"}"#);
        assert_eq!(signed, "799c4ba7bb339f3c8601adfd112f0e477c930a268be1243d341abb8286501c2f");
    }
}
