//! Card payments through Stripe, from an app's request to the provider's books and back.

use serde_json::{Value, json};
use simulators::{Fault, FaultRule, MovementKind, PayerAnswer};

use crate::support::{StripeStage, charge, eventually, hold};

const INTENTS: &str = "/v1/payment_intents";

fn names(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_card_is_charged_at_once() {
    let stage = StripeStage::set().await;
    let client = stage.client();
    let reply = client.pay("k1", &charge("pm_card_visa", 1999)).await;
    let paid = reply.with(201);
    assert_eq!(paid["status"], "captured", "{paid:#}");
    assert_eq!((&paid["captured_minor"], &paid["refunded_minor"]), (&json!(1999), &json!(0)));
    assert_eq!(paid["entries"].as_array().unwrap().len(), 1);
    assert_eq!(reply.header("location"), format!("/v1/payments/{}", paid["id"].as_str().unwrap()));
    let entry = &paid["entries"][0];
    assert_eq!((&entry["id"], &entry["kind"]), (&paid["entry"], &json!("authorize")));
    let intent = entry["reference"]["provider"].as_str().unwrap();
    assert_eq!(stage.stripe.books().kept(intent), 1999);
    let books = stage.stripe.books();
    let line = books.of(MovementKind::Capture).next().unwrap();
    assert_eq!(line.key, paid["entry"], "the entry is Stripe's idempotency key");
    let mut read = client.payment(&paid["id"]).await;
    read["entry"] = paid["entry"].clone();
    assert_eq!(read, paid, "what is read later is what was answered");
}

#[tokio::test]
async fn a_held_amount_is_captured_in_part_and_refunded_in_parts() {
    let stage = StripeStage::set().await;
    let client = stage.client();
    let held = client.pay("k1", &hold(5000)).await.with(201);
    assert_eq!((&held["status"], &held["captured_minor"]), (&json!("authorized"), &json!(0)));
    let id = &held["id"];
    let part = |minor: u64| json!({ "amount": { "minor": minor, "currency": "EUR" } });
    let captured = client.on(id, "captures", "k2", &part(3000)).await.with(201);
    assert_eq!(captured["status"], "partially-captured", "{captured:#}");
    let refunded = client.on(id, "refunds", "k3", &part(1000)).await.with(201);
    assert_eq!(refunded["status"], "partially-refunded", "{refunded:#}");
    let over = client.on(id, "refunds", "k4", &part(2001)).await;
    over.problem(409, "over-refund");
    let rest = client.on(id, "refunds", "k5", &json!({})).await.with(201);
    assert_eq!((&rest["status"], &rest["refunded_minor"]), (&json!("refunded"), &json!(3000)));
    client.on(id, "refunds", "k6", &part(1)).await.problem(409, "over-refund");
    let books = stage.stripe.books();
    assert_eq!(books.total(MovementKind::Capture, "EUR"), 3000);
    assert_eq!(books.total(MovementKind::Refund, "EUR"), 3000);
    assert_eq!(books.doubled(), vec![]);
}

#[tokio::test]
async fn what_the_state_forbids_is_refused_and_never_sent() {
    let stage = StripeStage::set().await;
    let client = stage.client();
    let held = client.pay("k1", &hold(1000)).await.with(201);
    let id = &held["id"];
    let part = |minor: u64| json!({ "amount": { "minor": minor, "currency": "EUR" } });
    client.on(id, "refunds", "r", &part(1)).await.problem(409, "not-captured");
    client.on(id, "captures", "c", &part(1001)).await.problem(409, "over-capture");
    let francs = json!({ "amount": { "minor": 1, "currency": "CHF" } });
    client.on(id, "captures", "f", &francs).await.problem(409, "other-currency");
    let before = stage.stripe.books();
    let cancelled = client.on(id, "cancellation", "x", &json!({})).await.with(201);
    assert_eq!(cancelled["status"], "cancelled", "{cancelled:#}");
    client.on(id, "captures", "c2", &part(1)).await.problem(409, "already-cancelled");
    client.on(id, "cancellation", "x2", &json!({})).await.problem(409, "already-cancelled");
    let after = stage.stripe.books();
    let new = &after.movements[before.movements.len()..];
    assert_eq!(new.len(), 1, "{new:#?}");
    assert_eq!((new[0].kind, new[0].amount), (MovementKind::Release, 1000));
}

#[tokio::test]
async fn a_captured_payment_cannot_be_cancelled() {
    let stage = StripeStage::set().await;
    let client = stage.client();
    let paid = client.pay("k1", &charge("pm_card_visa", 1000)).await.with(201);
    let cancelled = client.on(&paid["id"], "cancellation", "k2", &json!({})).await;
    cancelled.problem(409, "already-captured");
    assert_eq!(stage.stripe.books().total(MovementKind::Capture, "EUR"), 1000);
}

#[tokio::test]
async fn a_decline_is_recorded_with_the_issuers_own_code() {
    let stage = StripeStage::set().await;
    let client = stage.client();
    for (n, (token, code, provider_code)) in [
        ("pm_card_chargeDeclined", "generic", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient-funds", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired", "expired_card"),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect-details", "incorrect_cvc"),
        ("pm_card_chargeDeclinedFraudulent", "suspected-fraud", "fraudulent"),
        ("pm_card_chargeDeclinedProcessingError", "provider-unavailable", "processing_error"),
    ]
    .into_iter()
    .enumerate()
    {
        let declined = client.pay(&format!("k{n}"), &charge(token, 700)).await.with(201);
        assert_eq!(declined["status"], "declined", "{declined:#}");
        assert_eq!(declined["captured_minor"], 0);
        let decline = &declined["decline"];
        assert_eq!(decline["code"], code, "{decline:#}");
        assert_eq!(decline["provider_code"], provider_code, "{decline:#}");
    }
    assert_eq!(stage.stripe.books().total(MovementKind::Capture, "EUR"), 0);
}

#[tokio::test]
async fn a_payer_who_authenticates_completes_the_payment_by_webhook() {
    let stage = StripeStage::set().await;
    let client = stage.client();
    let mut body = charge("pm_card_threeDSecure2Required", 4200);
    body["return_url"] = json!("https://shop.example/done");
    let waiting = client.pay("k1", &body).await.with(201);
    assert_eq!(waiting["status"], "needs-action", "{waiting:#}");
    let next = &waiting["next_action"];
    assert_eq!(next["type"], "redirect", "{next:#}");
    assert!(next["url"].as_str().unwrap().starts_with(&stage.stripe.base_url()));
    let intent = waiting["entries"][0]["reference"]["provider"].as_str().unwrap();
    stage.stripe.pay(intent, PayerAnswer::Succeeded).unwrap();
    let paid = eventually("the webhook completes the payment", async || {
        let payment = client.payment(&waiting["id"]).await;
        (payment["status"] == "captured").then_some(payment)
    })
    .await;
    assert_eq!(paid["next_action"], Value::Null, "nothing is left to do: {paid:#}");
    assert_eq!(names(&client.events().await), ["authorize.needs-action", "authorize.succeeded"]);
    eventually("every event is accepted", async || {
        stage.stripe.deliveries().iter().all(|delivery| delivery.accepted).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_payer_who_fails_to_authenticate_has_paid_nothing() {
    let stage = StripeStage::set().await;
    let client = stage.client();
    let mut body = charge("pm_card_threeDSecure2Required", 4200);
    body["return_url"] = json!("https://shop.example/done");
    let waiting = client.pay("k1", &body).await.with(201);
    let intent = waiting["entries"][0]["reference"]["provider"].as_str().unwrap();
    stage.stripe.pay(intent, PayerAnswer::Failed).unwrap();
    let failed = eventually("the webhook ends the payment", async || {
        let payment = client.payment(&waiting["id"]).await;
        (payment["status"] == "declined").then_some(payment)
    })
    .await;
    assert_eq!(failed["decline"]["code"], "authentication-required", "{failed:#}");
    assert_eq!(stage.stripe.books().total(MovementKind::Capture, "EUR"), 0);
}

#[tokio::test]
async fn a_sync_finds_out_what_no_webhook_told() {
    let stage = StripeStage::set().await;
    let client = stage.client();
    let mut body = charge("pm_card_threeDSecure2Required", 4200);
    body["return_url"] = json!("https://shop.example/done");
    let waiting = client.pay("k1", &body).await.with(201);
    assert_eq!(client.sync(&waiting["id"]).await["status"], "needs-action");
    stage.stripe.point_webhook(None);
    let intent = waiting["entries"][0]["reference"]["provider"].as_str().unwrap();
    stage.stripe.pay(intent, PayerAnswer::Succeeded).unwrap();
    let synced = client.sync(&waiting["id"]).await;
    assert_eq!(synced["status"], "captured", "{synced:#}");
    assert_eq!(names(&client.events().await), ["authorize.needs-action", "authorize.succeeded"]);
}

#[tokio::test]
async fn a_refund_that_the_bank_takes_its_time_over_succeeds_later() {
    let stage = StripeStage::set().await;
    let client = stage.client();
    let paid = client.pay("k1", &charge("pm_card_pendingRefund", 900)).await.with(201);
    let refunding = client.on(&paid["id"], "refunds", "k2", &json!({})).await.with(201);
    let entry = &refunding["entries"][1];
    assert_eq!(entry["state"], "pending", "{refunding:#}");
    assert_eq!(refunding["refunded_minor"], 0, "not yet");
    let more = client.on(&paid["id"], "refunds", "k3", &json!({})).await;
    more.problem(409, "over-refund");
    assert_eq!(stage.stripe.settle_refunds(), 1);
    eventually("the refund is told", async || {
        let payment = client.payment(&paid["id"]).await;
        (payment["status"] == "refunded").then_some(())
    })
    .await;
    assert_eq!(stage.stripe.books().total(MovementKind::Refund, "EUR"), 900);
}

#[tokio::test]
async fn the_feed_tells_every_change_in_order_and_a_cursor_continues_it() {
    let stage = StripeStage::set().await;
    let client = stage.client();
    let held = client.pay("k1", &hold(500)).await.with(201);
    client.on(&held["id"], "captures", "k2", &json!({})).await.with(201);
    client.on(&held["id"], "refunds", "k3", &json!({})).await.with(201);
    client.pay("k4", &charge("pm_card_chargeDeclined", 600)).await.with(201);
    let all = client.events().await;
    let told =
        ["authorize.succeeded", "capture.succeeded", "refund.succeeded", "authorize.declined"];
    assert_eq!(names(&all), told);
    let (mut one_by_one, mut cursor) = (Vec::new(), String::new());
    for _ in &all {
        let after = if cursor.is_empty() { cursor } else { format!("&cursor={cursor}") };
        let page = client.get(&format!("/v1/events?limit=1{after}")).await.with(200);
        one_by_one.extend(page["events"].as_array().unwrap().iter().cloned());
        cursor = page["cursor"].as_str().unwrap().to_owned();
    }
    assert_eq!(one_by_one, all);
    let end = client.get(&format!("/v1/events?cursor={cursor}")).await.with(200);
    assert_eq!((&end["events"], &end["cursor"]), (&json!([]), &json!(cursor)));
    let later = client.pay("k5", &charge("pm_card_visa", 700)).await.with(201);
    let more = client.get(&format!("/v1/events?cursor={cursor}")).await.with(200);
    assert_eq!(more["events"].as_array().unwrap().len(), 1);
    assert_eq!(more["events"][0]["payment"]["id"], later["id"]);
}

#[tokio::test]
async fn payments_are_listed_newest_first_page_by_page() {
    let stage = StripeStage::set().await;
    let client = stage.client();
    let mut made = Vec::new();
    for n in 0..5u64 {
        let paid = client.pay(&format!("k{n}"), &charge("pm_card_visa", 100 + n)).await.with(201);
        made.insert(0, paid["amount"]["minor"].clone());
    }
    let amounts = |page: &Value| -> Vec<Value> {
        let payments = page["payments"].as_array().unwrap().iter();
        payments.map(|payment| payment["amount"]["minor"].clone()).collect()
    };
    let (mut listed, mut after, mut sizes) = (Vec::new(), String::new(), Vec::new());
    loop {
        let page = client.get(&format!("/v1/payments?limit=2{after}")).await.with(200);
        sizes.push(amounts(&page).len());
        listed.extend(amounts(&page));
        let Some(cursor) = page["cursor"].as_str() else { break };
        after = format!("&cursor={cursor}");
    }
    assert_eq!((listed, sizes), (made, vec![2, 2, 1]));
    client.get("/v1/payments?cursor=nonsense").await.problem(404, "no-such-cursor");
}

#[tokio::test]
async fn the_same_key_has_the_same_answer_and_moves_money_once() {
    let stage = StripeStage::set().await;
    let client = stage.client();
    let first = client.pay("k1", &charge("pm_card_visa", 1500)).await;
    let again = client.pay("k1", &charge("pm_card_visa", 1500)).await;
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!(
        (first.header("idempotency-replayed"), again.header("idempotency-replayed")),
        ("", "true")
    );
    client.pay("k1", &charge("pm_card_visa", 1501)).await.problem(422, "idempotency-key-reused");
    let refund = client.on(&first.json()["id"], "refunds", "k1", &json!({})).await;
    refund.problem(422, "idempotency-key-reused");
    client.on(&first.json()["id"], "refunds", "k2", &json!({})).await.with(201);
    let late = client.pay("k1", &charge("pm_card_visa", 1500)).await;
    assert_eq!(late.body, first.body, "the answer is that of then, not of now");
    assert_eq!(stage.stripe.books().total(MovementKind::Capture, "EUR"), 1500);
}

#[tokio::test]
async fn a_request_that_is_in_hand_is_not_begun_again() {
    let stage = StripeStage::set().await;
    let client = stage.client();
    stage.stripe.fault(FaultRule::next(Fault::Delay { ms: 2_000 }, INTENTS));
    let first = tokio::spawn({
        let client = client.clone();
        async move { client.pay("k1", &charge("pm_card_visa", 1500)).await }
    });
    eventually("the provider has the request", async || {
        stage.stripe.books().of(MovementKind::Capture).next().map(drop)
    })
    .await;
    let second = client.pay("k1", &charge("pm_card_visa", 1500)).await;
    second.problem(409, "request-in-progress");
    assert_eq!(second.header("retry-after"), "1");
    let first = first.await.unwrap();
    assert_eq!(first.with(201)["status"], "captured");
    assert_eq!(client.pay("k1", &charge("pm_card_visa", 1500)).await.body, first.body);
    assert_eq!(stage.stripe.books().of(MovementKind::Capture).count(), 1);
}

#[tokio::test]
async fn an_app_sees_its_own_payments_only() {
    let mut stage = StripeStage::set().await;
    let paid = stage.client().pay("k1", &charge("pm_card_visa", 1500)).await.with(201);
    stage.host.stop().await;
    let added = stage.host.command(&["app", "add", "another"]).await;
    let key = added.answered().to_owned();
    stage.host.run().await;
    let client = stage.client();
    let another = client.with_key(&key);
    let path = format!("/v1/payments/{}", paid["id"].as_str().unwrap());
    another.get(&path).await.problem(404, "no-such-payment");
    another.on(&paid["id"], "refunds", "k", &json!({})).await.problem(404, "no-such-payment");
    assert_eq!(another.payments().await, Vec::<Value>::new());
    assert_eq!(another.events().await, Vec::<Value>::new());
    another.pay("k1", &charge("pm_card_visa", 1)).await.with(201);
    assert_eq!(client.payments().await.len(), 1);
    assert_eq!(stage.stripe.books().total(MovementKind::Refund, "EUR"), 0);
}
