//! What goes well: payments and what follows them, the lists, the feed, payouts, repetitions.

use serde_json::{Value, json};

use super::double::OTHER_KEY;
use super::wire::{Asked, Heard, Host};

pub(super) fn order(token: &str, capture: &str) -> Value {
    json!({
        "account": "acme-eu",
        "amount": {"minor": 1999, "currency": "EUR"},
        "merchant_reference": "order-1",
        "instrument": {"type": "token", "token": token},
        "capture": capture,
    })
}

pub(super) fn pay(key: &str, token: &str) -> Asked {
    Asked::post("/v1/payments", key, order(token, "automatic").to_string())
}

async fn begun(host: &Host, key: &str, capture: &str) -> String {
    let asked = Asked::post("/v1/payments", key, order("tok_visa", capture).to_string());
    let heard = host.exchange(&asked).await;
    assert_eq!(heard.status, 201, "{heard:?}");
    heard.json()["id"].as_str().unwrap().to_owned()
}

async fn follow(host: &Host, payment: &str, what: &str, body: &str) -> Heard {
    let key = format!("{what} {body}");
    host.exchange(&Asked::post(&format!("/v1/payments/{payment}/{what}"), &key, body)).await
}

#[tokio::test]
async fn a_payment_is_authorized_captured_in_parts_and_refunded() {
    let host = Host::start().await;
    let id = begun(&host, "1", "manual").await;
    let part = r#"{"amount":{"minor":500,"currency":"EUR"}}"#;

    let captured = follow(&host, &id, "captures", part).await.json();
    assert_eq!(captured["status"], "partially-captured");
    assert_eq!(
        (&captured["captured_minor"], &captured["authorized_minor"]),
        (&json!(500), &json!(1999))
    );
    assert_eq!(captured["entry"], captured["entries"][1]["id"]);
    assert_eq!(captured["entries"][1]["capture"], Value::Null);
    assert_eq!(captured["entries"][0]["capture"], false);

    let rest = follow(&host, &id, "captures", "").await.json();
    assert_eq!((&rest["status"], &rest["captured_minor"]), (&json!("captured"), &json!(1999)));
    let back = follow(&host, &id, "refunds", part).await.json();
    assert_eq!(
        (&back["status"], &back["refunded_minor"]),
        (&json!("partially-refunded"), &json!(500))
    );
    let more = follow(&host, &id, "refunds", r#"{"amount":{"minor":1500,"currency":"EUR"}}"#).await;
    assert_eq!((more.status, more.code().as_str()), (409, "over-refund"));
    let late = follow(&host, &id, "cancellation", "{}").await;
    assert_eq!((late.status, late.code().as_str()), (409, "already-captured"));

    let mut read = host.exchange(&Asked::get(&format!("/v1/payments/{id}"))).await.json();
    read["entry"] = back["entry"].clone();
    assert_eq!(read, back, "the payment reads as the last answer showed it");
}

#[tokio::test]
async fn every_field_of_a_new_payment_reaches_the_engine() {
    let host = Host::start().await;
    let mut order = order("tok_visa", "manual");
    order["description"] = json!("Zwei Bücher");
    order["return_url"] = json!("https://shop.example:8443/done?o=1&p=%C3%BC#end");
    order["customer"] = json!({"ip": "2001:db8::1"});
    order["extra"] = json!({"statement": "BOOKS"});
    let heard = host.exchange(&Asked::post("/v1/payments", "1", order.to_string())).await;
    assert_eq!(heard.status, 201, "{heard:?}");
    let id = heard.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(heard.header("location"), Some(format!("/v1/payments/{id}").as_str()));

    let asked = host.engine.asked.lock().unwrap().pop().unwrap();
    assert_eq!(asked.amount.to_string(), "19.99 EUR");
    assert_eq!(asked.instrument, engine::Instrument::Token("tok_visa".to_owned()));
    assert!(!asked.capture);
    assert_eq!(asked.description, "Zwei Bücher");
    assert_eq!(asked.return_url.unwrap(), "https://shop.example:8443/done?o=1&p=%C3%BC#end");
    assert_eq!(asked.customer_ip.unwrap(), "2001:db8::1");
    assert_eq!(asked.extra["statement"], "BOOKS");
}

#[tokio::test]
async fn a_whole_number_counts_however_it_is_written() {
    let host = Host::start().await;
    for (written, minor) in
        [("1", 1), ("1999.0", 1999), ("1e3", 1000), ("999999999999", 999_999_999_999u64)]
    {
        let body = order("tok_visa", "manual").to_string().replace("1999", written);
        let heard = host.exchange(&Asked::post("/v1/payments", written, body)).await;
        assert_eq!(heard.json()["amount"]["minor"], minor, "{written}");
    }
}

#[tokio::test]
async fn each_outcome_is_a_payment_with_its_status() {
    let host = Host::start().await;
    let outcomes = [
        (json!({"type": "token", "token": "tok_visa"}), "captured", Value::Null),
        (json!({"type": "token", "token": "tok_declined"}), "declined", Value::Null),
        (json!({"type": "token", "token": "tok_lost"}), "unknown", Value::Null),
        (json!({"type": "bank", "bank": "DE89370400440532013000"}), "captured", Value::Null),
        (
            json!({"type": "wallet", "wallet": "ada"}),
            "needs-action",
            json!({"type": "redirect", "url": "https://wallet.example/"}),
        ),
        (json!({"type": "qr"}), "needs-action", json!({"type": "qr", "text": "000201"})),
        (
            json!({"type": "token", "token": "tok_form"}),
            "needs-action",
            json!({"type": "form", "url": "https://acs.example/",
                   "fields": [{"name": "PaReq", "value": "x"}]}),
        ),
    ];
    for (n, (instrument, status, next)) in outcomes.into_iter().enumerate() {
        let mut order = order("", "automatic");
        order["instrument"] = instrument;
        let asked = Asked::post("/v1/payments", &n.to_string(), order.to_string());
        let heard = host.exchange(&asked).await;
        assert_eq!(heard.status, 201, "{heard:?}");
        let payment = heard.json();
        assert_eq!(payment["status"], status);
        assert_eq!(payment["next_action"], next);
        assert_eq!(payment["decline"].is_null(), status != "declined");
    }
}

#[tokio::test]
async fn a_decline_keeps_the_providers_words_to_the_letter() {
    let host = Host::start().await;
    let payment = host.exchange(&pay("1", "tok_declined")).await.json();
    let decline = json!({
        "code": "insufficient-funds", "retry": "other-provider",
        "provider_code": "51", "provider_message": "NO FUNDS\u{1}",
    });
    assert_eq!(payment["decline"], decline);
    assert_eq!(payment["entries"][0]["decline"], decline);
    assert_eq!(payment["created_at"], "2026-01-01T00:00:00.124Z");
}

#[tokio::test]
async fn a_repetition_is_answered_by_the_first_answer_and_another_request_is_not() {
    let host = Host::start().await;
    let first = host.exchange(&pay("k", "tok_visa")).await;
    let again = host.exchange(&pay("k", "tok_visa")).await;
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.header("idempotency-replayed"), None);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(first.body, again.body);

    let other_bytes =
        Asked::post("/v1/payments", "k", format!("{} ", order("tok_visa", "automatic")));
    let other_path = Asked::post("/v1/payouts", "k", {
        let mut order = order("tok_visa", "automatic");
        order.as_object_mut().unwrap().shift_remove("capture");
        order.to_string()
    });
    for other in [other_bytes, other_path] {
        let heard = host.exchange(&other).await;
        assert_eq!((heard.status, heard.code().as_str()), (422, "idempotency-key-reused"));
    }
    let id = first.json()["id"].as_str().unwrap().to_owned();
    let same = |what: &str| Asked::post(&format!("/v1/payments/{id}/{what}"), "same", "{}");
    assert_eq!(host.exchange(&same("refunds")).await.status, 201);
    let heard = host.exchange(&same("captures")).await;
    assert_eq!((heard.status, heard.code().as_str()), (422, "idempotency-key-reused"));

    let rival = pay("k", "tok_visa").with("authorization", format!("bearer {OTHER_KEY}"));
    let theirs = host.exchange(&rival).await;
    assert_eq!(theirs.status, 201, "a key belongs to its app");
    assert_ne!(theirs.json()["id"], first.json()["id"]);
}

#[tokio::test]
async fn an_app_sees_no_payment_of_another() {
    let host = Host::start().await;
    let id = begun(&host, "1", "automatic").await;
    for target in [format!("/v1/payments/{id}"), "/v1/payments".into(), "/v1/events".into()] {
        let asked = Asked::get(&target).with("authorization", format!("Bearer {OTHER_KEY}"));
        let text = String::from_utf8(host.exchange(&asked).await.body).unwrap();
        assert!(!text.contains("order-1"), "{target} shows it: {text}");
    }
}

#[tokio::test]
async fn lists_are_walked_by_cursor_and_the_feed_loses_nothing() {
    let host = Host::start().await;
    let mut ids = Vec::new();
    for key in ["1", "2", "3"] {
        ids.push(begun(&host, key, "automatic").await);
    }
    ids.reverse();
    let first = host.exchange(&Asked::get("/v1/payments?limit=2")).await.json();
    let next = first["cursor"].as_str().unwrap();
    let second =
        host.exchange(&Asked::get(&format!("/v1/payments?limit=2&cursor={next}"))).await.json();
    assert_eq!(second["cursor"], Value::Null);
    let both =
        [&first["payments"], &second["payments"]].map(|page| page.as_array().unwrap().clone());
    let listed: Vec<Value> = both.concat().iter().map(|one| one["id"].clone()).collect();
    assert_eq!(listed, ids);

    let mut names = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = host.exchange(&Asked::get(&format!("/v1/events?limit=4{cursor}"))).await.json();
        cursor = format!("&cursor={}", page["cursor"].as_str().unwrap());
        match page["events"].as_array().unwrap().as_slice() {
            [] => break,
            some => names.extend(some.iter().map(|event| event["name"].clone())),
        }
    }
    assert_eq!(names, ["authorize.sending", "authorize.succeeded"].repeat(3));
}

#[tokio::test]
async fn a_payout_names_its_beneficiary_and_takes_nothing_more() {
    let host = Host::start().await;
    let body = json!({
        "account": "acme-eu", "amount": {"minor": 5000, "currency": "JPY"},
        "merchant_reference": "payout-7", "instrument": {"type": "bank", "bank": "0123"},
        "beneficiary": {"name": "Ada"}, "description": "March", "extra": {"purpose": "SALA"},
    });
    let heard = host.exchange(&Asked::post("/v1/payouts", "1", body.to_string())).await;
    assert_eq!((heard.status, &heard.json()["status"]), (201, &json!("paid-out")));
    let asked = host.engine.paid_out.lock().unwrap().pop().unwrap();
    assert_eq!(asked.beneficiary.as_deref(), Some("Ada"));
    assert_eq!((asked.description.as_str(), asked.extra["purpose"].as_str()), ("March", "SALA"));
    let id = heard.json()["id"].as_str().unwrap().to_owned();
    for what in ["captures", "refunds", "cancellation"] {
        let heard = follow(&host, &id, what, "{}").await;
        assert_eq!((heard.status, heard.code().as_str()), (409, "not-for-payouts"), "{what}");
    }
}

#[tokio::test]
async fn a_sync_needs_no_idempotency_key_and_answers_the_payment() {
    let host = Host::start().await;
    let id = begun(&host, "1", "manual").await;
    let asked = Asked::get(&format!("/v1/payments/{id}/sync")).method("POST");
    let heard = host.exchange(&asked).await;
    assert_eq!((heard.status, &heard.json()["id"]), (200, &json!(id)));
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let host = Host::start().await;
    let get = host.exchange(&Asked::get("/v1/payments")).await;
    let head = host.exchange(&Asked::get("/v1/payments").method("HEAD")).await;
    assert_eq!(head.status, 200);
    assert_eq!(head.header("content-length"), get.header("content-length"));
    assert_eq!(host.exchange(&Asked::get("/nothing").method("HEAD")).await.status, 404);
}
