//! The signature of Standard Webhooks 1.0.0: HMAC-SHA256 over id, time and body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ledger::TimestampMs;
use vault::at_rest::AtRest;
use vault::{Key, Legacy, MacAlgorithm};

use super::endpoint::{Registered, place};

/// The headers of one sending: `webhook-id`, `webhook-timestamp` and `webhook-signature`, which has
/// a signature for every secret that has not ended, newest first.
pub(super) fn headers(
    at_rest: &AtRest,
    endpoint: &Registered,
    id: &str,
    now: TimestampMs,
    body: &[u8],
) -> Result<[(&'static str, String); 3], String> {
    let time = (now / 1000).to_string();
    let message = [id.as_bytes(), b".", time.as_bytes(), b".", body].concat();
    let mut signatures = Vec::new();
    let signing = |until: Option<TimestampMs>| until.is_none_or(|until| until > now);
    for secret in endpoint.secrets.iter().rev().filter(|secret| signing(secret.not_after_ms)) {
        let opened = at_rest.open(&place(&endpoint.id, secret.number), &secret.value);
        let opened = opened.map_err(|error| error.to_string())?;
        let key = Key::symmetric("webhook", None, &opened).map_err(|error| error.to_string())?;
        let tag = key.mac(MacAlgorithm::HmacSha256, &message, &Legacy::none());
        let tag = tag.map_err(|error| error.to_string())?;
        signatures.push(format!("v1,{}", BASE64.encode(tag)));
    }
    Ok([
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", time),
        ("webhook-signature", signatures.join(" ")),
    ])
}
