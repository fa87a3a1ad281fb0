//! Secrets in the wrong place of a request: found before anything of it is recorded, audited or
//! answered with.
//!
//! Here is where is looked; what is looked for is the engine's to know. A header that is neither
//! kept nor answered with may hold anything, and so may what a provider delivers.

use engine::holds_secret;
use http::request::Parts;
use serde_json::Value;

use crate::cards;
use crate::catalogue::SECRET_MISPLACED;
use crate::problem::{Problem, cut};
use crate::query::decode;
use crate::route::Route;

/// Headers of which something is kept: the key in the ledger, a signature's nonce and key name.
const KEPT: [&str; 2] = ["idempotency-key", "signature-input"];

/// Refuses a secret in the path, the query or a header that is kept.
pub(crate) fn check_head(route: &Route, parts: &Parts, path: &[String]) -> Result<(), Problem> {
    if route.is_open() {
        return Ok(());
    }
    if path.iter().any(|segment| holds_secret(segment)) {
        return Err(misplaced("the path"));
    }
    let query = parts.uri.query().unwrap_or_default();
    if holds_secret(query) || decode(query, true).is_ok_and(|text| holds_secret(&text)) {
        return Err(misplaced("the query"));
    }
    let held = |name: &&&str| {
        let values = parts.headers.get_all(**name).iter();
        values.into_iter().any(|value| holds_secret(&String::from_utf8_lossy(value.as_bytes())))
    };
    match KEPT.iter().find(held) {
        Some(name) => Err(misplaced(&format!("the header `{name}`"))),
        None => Ok(()),
    }
}

/// Refuses a secret in a body whose fields are kept; that of a card has places for it.
pub(crate) fn check_body(route: &Route, json: &Value) -> Result<(), Problem> {
    match found(json, "") {
        Some(at) if !cards::holds_card(route) => Err(misplaced(&format!("the body, at {at}"))),
        _ => Ok(()),
    }
}

fn misplaced(place: &str) -> Problem {
    let what = "what looks like a card number, an API key or an endpoint's secret";
    Problem::new(&SECRET_MISPLACED, format!("{place} holds {what}"))
}

/// The pointer to the first text that holds a secret, or to the first field with such a name.
fn found(value: &Value, at: &str) -> Option<String> {
    match value {
        Value::String(text) => holds_secret(text).then(|| at.to_owned()),
        Value::Number(number) => holds_secret(&number.to_string()).then(|| at.to_owned()),
        Value::Array(list) => {
            let mut items = list.iter().enumerate();
            items.find_map(|(n, item)| found(item, &format!("{at}/{n}")))
        }
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            let here = format!("{at}/{}", cut(name));
            if holds_secret(name) { Some(here) } else { found(value, &here) }
        }),
        Value::Null | Value::Bool(_) => None,
    }
}
