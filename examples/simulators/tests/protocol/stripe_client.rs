//! A Stripe account and a client of it.

use serde_json::Value;
use simulators::{Retries, StripeOptions, StripeSimulator};
use url::form_urlencoded::Serializer;

use crate::wire::{self, Reply};

pub const CHARGE: &[(&str, &str)] = &[
    ("amount", "1234"),
    ("currency", "eur"),
    ("confirm", "true"),
    ("payment_method", "pm_card_visa"),
    ("payment_method_types[]", "card"),
    ("metadata[entry]", "E1"),
];

pub fn options() -> StripeOptions {
    let at_once = Retries::after([std::time::Duration::ZERO; 3]);
    StripeOptions { retries: at_once, ..StripeOptions::default() }
}

pub async fn stripe() -> StripeSimulator {
    StripeSimulator::start(options()).await.expect("a simulator")
}

/// `CHARGE` with some of its parameters replaced, added, or (when empty) left out.
pub fn charge_with<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = CHARGE.iter().filter(|(name, _)| !changes.iter().any(|(new, _)| new == name));
    kept.chain(changes.iter().filter(|(_, value)| !value.is_empty())).copied().collect()
}

pub fn form(params: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(params).finish()
}

pub async fn post(simulator: &StripeSimulator, path: &str, params: &[(&str, &str)]) -> Reply {
    post_with(simulator, path, params, &[]).await
}

pub async fn post_keyed(
    simulator: &StripeSimulator,
    path: &str,
    params: &[(&str, &str)],
    key: &str,
) -> Reply {
    post_with(simulator, path, params, &[("idempotency-key", key)]).await
}

async fn post_with(
    simulator: &StripeSimulator,
    path: &str,
    params: &[(&str, &str)],
    more: &[(&str, &str)],
) -> Reply {
    let mut headers = vec![
        ("authorization", "Bearer sk_test_simulator"),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    headers.extend(more);
    wire::send(simulator.address(), ("POST", path), &headers, form(params).as_bytes()).await
}

pub async fn read(simulator: &StripeSimulator, path: &str) -> Reply {
    let headers = [("authorization", "Bearer sk_test_simulator")];
    wire::send(simulator.address(), ("GET", path), &headers, b"").await
}

/// Posts what must succeed.
pub async fn done(simulator: &StripeSimulator, path: &str, params: &[(&str, &str)]) -> Value {
    let reply = post(simulator, path, params).await;
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    assert_eq!(reply.status, 200, "{path}: {text}");
    reply.json()
}

pub fn id(object: &Value) -> &str {
    object["id"].as_str().expect("an id")
}

/// Status, `error.code` and `error.param` of an answer.
pub fn error(reply: &Reply) -> (u16, Value, Value) {
    let error = reply.json()["error"].clone();
    (reply.status, error["code"].clone(), error["param"].clone())
}
