//! A line in the audit trail for each request that may change something, before anything is begun.

use std::sync::atomic::Ordering;

use engine::audit::Actor;

use super::double::READING_KEY;
use super::money::order;
use super::wire::{Asked, Host};

fn pay(key: &str) -> Asked {
    Asked::post("/v1/payments", key, order("tok_visa", "automatic").to_string())
}

#[tokio::test]
async fn what_is_admitted_is_told_before_it_is_begun_and_what_is_refused_is_not() {
    let host = Host::start().await;
    let acts = || host.engine.acts.lock().unwrap().clone();
    for refused in [
        pay("k").without("authorization"),
        pay("k").without("idempotency-key"),
        pay("k").with("authorization", format!("Bearer {READING_KEY}")),
        pay("k").with("content-type", "text/plain"),
        Asked::post("/v1/payments", "k", "{}"),
        Asked::get("/v1/payments"),
        Asked::get("/health"),
    ] {
        host.exchange(&refused).await;
        assert!(acts().is_empty(), "{} {}", refused.method, refused.target);
    }
    let heard = host.exchange(&pay("order-7")).await;
    let payment = heard.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/payments/{payment}/refunds");
    host.exchange(&Asked::post(&path, "r", "{}")).await;
    let told: Vec<_> = acts().into_iter().map(|act| (act.action, act.object)).collect();
    let told: Vec<_> =
        told.iter().map(|(action, object)| (action.as_str(), object.as_str())).collect();
    assert_eq!(told, [("createPayment", "order-7"), ("refundPayment", payment.as_str())]);
    let first = &acts()[0];
    assert_eq!(first.request.as_deref(), heard.header("request-id"));
    assert_eq!(first.key.as_deref(), Some("key-1"));
    assert!(matches!(&first.actor, Actor::App(app) if app.starts_with("app_")));
}

#[tokio::test]
async fn where_no_line_can_be_written_nothing_is_begun() {
    let host = Host::start().await;
    host.engine.unwritable.store(true, Ordering::SeqCst);
    let heard = host.exchange(&pay("k")).await;
    assert_eq!((heard.status, heard.code().as_str()), (503, "store-unavailable"));
    assert!(host.engine.asked.lock().unwrap().is_empty(), "it was begun all the same");
    assert_eq!(host.exchange(&Asked::get("/v1/payments")).await.status, 200, "reading goes on");
}
