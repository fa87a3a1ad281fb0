//! Events: signed, sent again until taken, and checked here by another path than they were signed.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;
use simulators::{PayerAnswer, StripeSimulator};

use crate::inbox::{Inbox, Notification};
use crate::stripe_client::{charge_with, done, id, options, post, read, stripe};
use crate::wire;

const INTENTS: &str = "/v1/payment_intents";

async fn stripe_to(inbox: &Inbox) -> StripeSimulator {
    let stripe = stripe().await;
    stripe.point_webhook(Some(inbox.url()));
    stripe
}

/// docs.stripe.com/webhooks#verify-manually
fn verifies(notification: &Notification, secret: &str) -> bool {
    let header = notification.header("stripe-signature");
    let part = |name: &str| {
        let mut parts = header.split(',').filter_map(|part| part.split_once('='));
        parts.find(|(known, _)| *known == name).map(|(_, value)| value).expect("a part")
    };
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
    mac.update(part("t").as_bytes());
    mac.update(b".");
    mac.update(&notification.body);
    let signature = hex::decode(part("v1")).expect("hexadecimal");
    mac.verify_slice(&signature).is_ok()
}

fn of(kind: &'static str) -> impl Fn(&Notification) -> bool {
    move |notification| notification.json()["type"] == kind
}

#[tokio::test]
async fn an_event_is_signed_over_its_very_bytes() {
    let mut inbox = Inbox::open(&[]).await;
    let stripe = stripe_to(&inbox).await;
    let paid = done(&stripe, INTENTS, &charge_with(&[])).await;
    let mut event = inbox.find(of("payment_intent.succeeded")).await;
    assert!(verifies(&event, "whsec_test_simulator"));
    assert!(!verifies(&event, "whsec_another"));
    assert_eq!(event.json()["data"]["object"], paid);
    assert_eq!(event.json()["object"], "event");
    let stored = read(&stripe, &format!("/v1/events/{}", id(&event.json()))).await.json();
    assert_eq!(stored, event.json());
    event.body = event.json().to_string().into_bytes();
    assert!(!verifies(&event, "whsec_test_simulator"), "the body survived being written again");
}

#[tokio::test]
async fn every_change_is_told() {
    let mut inbox = Inbox::open(&[]).await;
    let stripe = stripe_to(&inbox).await;
    let held = done(&stripe, INTENTS, &charge_with(&[("capture_method", "manual")])).await;
    inbox.find(of("payment_intent.amount_capturable_updated")).await;
    done(&stripe, &format!("{INTENTS}/{}/capture", id(&held)), &[]).await;
    inbox.find(of("payment_intent.succeeded")).await;
    done(&stripe, "/v1/refunds", &[("payment_intent", id(&held)), ("amount", "34")]).await;
    let mut told = vec![inbox.next().await.json(), inbox.next().await.json()];
    told.retain(|event| event["type"] == "charge.refunded" || event["type"] == "refund.created");
    while told.len() < 2 {
        told.push(inbox.next().await.json());
    }
    post(&stripe, INTENTS, &charge_with(&[("payment_method", "pm_card_chargeDeclined")])).await;
    inbox.find(of("payment_intent.payment_failed")).await;
    let card = ("payment_method", "pm_card_threeDSecureRequired");
    let waiting = done(&stripe, INTENTS, &charge_with(&[card])).await;
    inbox.find(of("payment_intent.requires_action")).await;
    done(&stripe, &format!("{INTENTS}/{}/cancel", id(&waiting)), &[]).await;
    inbox.find(of("payment_intent.canceled")).await;
}

#[tokio::test]
async fn a_payer_who_authenticates_is_told_by_event() {
    let mut inbox = Inbox::open(&[]).await;
    let stripe = stripe_to(&inbox).await;
    let card = ("payment_method", "pm_card_threeDSecureRequired");
    let waiting = done(&stripe, INTENTS, &charge_with(&[card])).await;
    stripe.pay(id(&waiting), PayerAnswer::Succeeded).expect("a payer");
    let event = inbox.find(of("payment_intent.succeeded")).await.json();
    assert_eq!(event["data"]["object"]["metadata"]["entry"], "E1");
    assert_eq!(event["request"], json!({ "id": null, "idempotency_key": null }));
}

#[tokio::test]
async fn an_event_is_sent_again_until_it_is_taken() {
    let mut inbox = Inbox::open(&[500, 302, 204]).await;
    let stripe = stripe_to(&inbox).await;
    done(&stripe, INTENTS, &charge_with(&[("confirm", "")])).await;
    let first = inbox.next().await;
    for _ in 0..2 {
        let again = inbox.next().await;
        assert_eq!((again.json(), verifies(&again, "whsec_test_simulator")), (first.json(), true));
    }
    assert_eq!(id(&first.json()), stripe.deliveries()[0].id);
    while !stripe.deliveries()[0].accepted {
        tokio::task::yield_now().await;
    }
    let statuses: Vec<_> = stripe.deliveries()[0].attempts.iter().map(|a| a.status).collect();
    assert_eq!(statuses, [Some(500), Some(302), Some(204)]);
}

#[tokio::test]
async fn attempts_end_with_the_schedule() {
    let mut inbox = Inbox::open(&[500; 100]).await;
    let stripe = stripe_to(&inbox).await;
    done(&stripe, INTENTS, &charge_with(&[("confirm", "")])).await;
    for _ in 0..4 {
        inbox.next().await;
    }
    // A later event is still sent, so the first has ended and not merely not begun.
    let other = done(&stripe, INTENTS, &charge_with(&[("confirm", "")])).await;
    for _ in 0..4 {
        let event = inbox.next().await.json();
        assert_eq!(id(&event["data"]["object"]), id(&other));
    }
}

#[tokio::test]
async fn events_can_be_held_copied_and_forged() {
    let mut inbox = Inbox::open(&[]).await;
    let stripe = stripe_to(&inbox).await;
    let address = stripe.address();
    let hold = |held| wire::control(address, "notifications", json!({ "hold": held }));
    assert_eq!(hold(true).await.status, 200);
    wire::control(address, "notifications", json!({ "copies": 2 })).await;
    done(&stripe, INTENTS, &charge_with(&[("confirm", "")])).await;
    assert!(stripe.deliveries().iter().all(|delivery| delivery.attempts.is_empty()));
    assert_eq!(hold(false).await.status, 200);
    let (one, two) = (inbox.next().await, inbox.next().await);
    assert_eq!(one.json(), two.json());
    let forged = json!({ "id": id(&one.json()), "broken": true });
    assert_eq!(wire::control(address, "redeliver", forged).await.status, 200);
    let forged = inbox.next().await;
    assert_eq!((forged.json(), verifies(&forged, "whsec_test_simulator")), (one.json(), false));
    let unknown = wire::control(address, "redeliver", json!({ "id": "evt_none" })).await;
    assert_eq!(unknown.status, 404);
}

#[tokio::test]
async fn without_an_address_events_are_only_listed() {
    let stripe = StripeSimulator::start(options()).await.expect("a simulator");
    done(&stripe, INTENTS, &charge_with(&[])).await;
    assert_eq!(stripe.deliveries(), []);
    let listed = read(&stripe, "/v1/events?type=payment_intent.succeeded").await.json();
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1));
}
