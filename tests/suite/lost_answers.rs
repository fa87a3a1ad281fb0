//! Answers that never come: an outcome is never guessed, and finding out never charges twice.

use serde_json::{Value, json};
use simulators::{Fault, FaultRule, MovementKind, StripeOptions};

use crate::support::{StripeStage, charge, eventually};

const INTENTS: &str = "/v1/payment_intents";
const REFUNDS: &str = "/v1/refunds";

/// Answers are waited for half a second; webhooks tell nothing.
async fn impatient() -> StripeStage {
    let stage = StripeStage::with(StripeOptions::default(), |mut account| {
        account.timeouts_ms = Some((2_000, 500, 800));
        account
    })
    .await;
    stage.stripe.point_webhook(None);
    stage
}

/// What was charged under the entry's key.
fn charged(stage: &StripeStage, entry: &Value) -> i64 {
    let books = stage.stripe.books();
    books.of(MovementKind::Capture).filter(|line| line.key == *entry).map(|line| line.amount).sum()
}

fn faults() -> Vec<(&'static str, Fault, i64)> {
    vec![
        ("a server error before the charge", Fault::Status { status: 503, executed: false }, 0),
        ("a reset after the charge", Fault::Reset, 900),
        ("a reset before it", Fault::Drop, 0),
        ("an answer that comes too late", Fault::Delay { ms: 1_500 }, 900),
        ("a request that is done too late", Fault::Stall { ms: 1_500 }, 0),
        ("an answer nobody can read", Fault::Garbage, 900),
        ("an answer that breaks off", Fault::Torn, 900),
    ]
}

#[tokio::test]
async fn a_lost_answer_is_unknown_until_it_is_found_out() {
    let stage = impatient().await;
    let client = stage.client();
    for (n, (what, fault, taken)) in faults().into_iter().enumerate() {
        stage.stripe.fault(FaultRule::next(fault, INTENTS));
        let key = format!("k{n}");
        let lost = client.pay(&key, &charge("pm_card_visa", 900)).await.with(201);
        assert_eq!(lost["status"], "unknown", "{what}: {lost:#}");
        let entry = &lost["entry"];
        assert_eq!(lost["entries"][0]["state"], "unknown", "{what}");
        assert!(lost["entries"][0]["why"].is_string(), "{what}: {lost:#}");
        assert_eq!(charged(&stage, entry), taken, "{what}: the simulator's own side");
        let again = client.pay(&key, &charge("pm_card_visa", 900)).await.with(201);
        assert_eq!(again["entry"], *entry, "{what}: repeating begins nothing new");
        let found = eventually(what, async || {
            let found = client.sync(&lost["id"]).await;
            (found["status"] != "unknown").then_some(found)
        })
        .await;
        assert_eq!(found["status"], "captured", "{what}: {found:#}");
        assert_eq!(found["entries"].as_array().unwrap().len(), 1, "{what}");
        assert_eq!(charged(&stage, entry), 900, "{what}: charged once");
    }
    assert_eq!(stage.stripe.books().doubled(), vec![]);
    assert_eq!(stage.stripe.books().total(MovementKind::Capture, "EUR"), 7 * 900);
}

#[tokio::test]
async fn an_error_that_the_provider_repeats_for_ever_is_resolved_by_its_webhook() {
    let stage = impatient().await;
    let client = stage.client();
    stage.stripe.point_webhook(Some(format!("{}/webhooks/shop-eu", stage.host.url())));
    stage.stripe.hold_notifications(true);
    // Stripe keeps the first answer of a key, and a 500 is an answer: the charge is done, and
    // asking again under its key will never say so.
    stage.stripe.fault(FaultRule::next(Fault::Status { status: 500, executed: true }, INTENTS));
    let lost = client.pay("k", &charge("pm_card_visa", 900)).await.with(201);
    assert_eq!(lost["status"], "unknown", "{lost:#}");
    assert_eq!(charged(&stage, &lost["entry"]), 900);
    for _ in 0..3 {
        assert_eq!(client.sync(&lost["id"]).await["status"], "unknown", "never a guess");
    }
    stage.stripe.hold_notifications(false);
    eventually("the webhook tells", async || {
        let found = client.payment(&lost["id"]).await;
        (found["status"] == "captured").then_some(())
    })
    .await;
    assert_eq!(charged(&stage, &lost["entry"]), 900);
}

#[tokio::test]
async fn a_host_that_is_let_alone_finds_out_by_itself() {
    let stage = impatient().await;
    let client = stage.client();
    stage.stripe.fault(FaultRule::next(Fault::Reset, INTENTS));
    let lost = client.pay("k", &charge("pm_card_visa", 900)).await.with(201);
    assert_eq!(lost["status"], "unknown", "{lost:#}");
    eventually("the host asks by itself", async || {
        let found = client.payment(&lost["id"]).await;
        (found["status"] == "captured").then_some(())
    })
    .await;
    let events = client.events().await;
    let names: Vec<_> = events.iter().map(|event| event["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["authorize.unknown", "authorize.succeeded"]);
    assert_eq!(stage.stripe.books().doubled(), vec![]);
}

#[tokio::test]
async fn a_refund_whose_answer_is_lost_is_given_once() {
    let stage = impatient().await;
    let client = stage.client();
    let paid = client.pay("k0", &charge("pm_card_visa", 10_000)).await.with(201);
    for (n, (what, fault, _)) in faults().into_iter().enumerate() {
        stage.stripe.fault(FaultRule::next(fault, REFUNDS));
        let part = json!({ "amount": { "minor": 100, "currency": "EUR" } });
        let lost = client.on(&paid["id"], "refunds", &format!("r{n}"), &part).await.with(201);
        let state = |payment: &Value| payment["entries"][n + 1]["state"].clone();
        assert_eq!(state(&lost), "unknown", "{what}: {lost:#}");
        let found = eventually(what, async || {
            let found = client.sync(&paid["id"]).await;
            (state(&found) == "succeeded").then_some(found)
        })
        .await;
        assert_eq!(found["refunded_minor"], json!(100 * (n + 1)), "{what}");
    }
    let books = stage.stripe.books();
    assert_eq!(books.doubled(), vec![]);
    assert_eq!(books.total(MovementKind::Refund, "EUR"), 700);
}

#[tokio::test]
async fn an_unknown_refund_counts_as_given_until_it_is_known() {
    let stage = impatient().await;
    let client = stage.client();
    let paid = client.pay("k0", &charge("pm_card_visa", 1_000)).await.with(201);
    let mut always = FaultRule::next(Fault::Drop, "/v1/");
    always.times = 1_000;
    stage.stripe.fault(always);
    let all = json!({ "amount": { "minor": 600, "currency": "EUR" } });
    let lost = client.on(&paid["id"], "refunds", "r1", &all).await.with(201);
    assert_eq!(lost["entries"][1]["state"], "unknown", "{lost:#}");
    client.on(&paid["id"], "refunds", "r2", &all).await.problem(409, "over-refund");
    assert_eq!(client.sync(&paid["id"]).await["entries"][1]["state"], "unknown", "no guess");
    assert_eq!(stage.stripe.books().total(MovementKind::Refund, "EUR"), 0);
}

#[tokio::test]
async fn a_provider_that_is_not_there_gets_nothing_and_the_host_says_so() {
    let stage = impatient().await;
    let client = stage.client();
    let StripeStage { stripe, host: _running } = stage;
    stripe.stop().await;
    let refused = client.pay("k", &charge("pm_card_visa", 900)).await.with(201);
    assert_eq!(refused["status"], "not-sent", "{refused:#}");
    let why = refused["entries"][0]["why"].as_str().unwrap();
    assert!(why.contains("Connection refused"), "{why}");
    let path = format!("/v1/payments/{}/refunds", refused["id"].as_str().unwrap());
    client.post(&path, "r", &json!({})).await.problem(409, "not-captured");
    let again = client.pay("k", &charge("pm_card_visa", 900)).await;
    assert_eq!(again.with(201)["status"], "not-sent", "the answer under a key never changes");
}

#[tokio::test]
async fn a_second_answer_on_the_same_connection_is_never_taken_for_another_payments() {
    let stage = impatient().await;
    let client = stage.client();
    stage.stripe.fault(FaultRule::next(Fault::Twice, INTENTS));
    // The same amount, so that it is not the amount which tells them apart.
    let first = client.pay("k1", &charge("pm_card_visa", 901)).await.with(201);
    let second = client.pay("k2", &charge("pm_card_visa", 901)).await.with(201);
    let minor = 901;
    for payment in [&first, &second] {
        let found = eventually("both are known", async || {
            let found = client.sync(&payment["id"]).await;
            (found["status"] == "captured").then_some(found)
        })
        .await;
        assert_eq!(found["captured_minor"], minor);
        assert_eq!(charged(&stage, &payment["entry"]), minor);
    }
    assert_eq!(stage.stripe.books().doubled(), vec![]);
}
