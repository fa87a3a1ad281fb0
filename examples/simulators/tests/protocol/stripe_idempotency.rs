//! The same key: what is given again, what is refused, what is forgotten.

use serde_json::json;
use simulators::{Clock, Fault, FaultRule, MovementKind, StripeOptions, StripeSimulator};

use crate::stripe_client::{CHARGE, charge_with, error, options, post_keyed, stripe};

const INTENTS: &str = "/v1/payment_intents";

#[tokio::test]
async fn the_same_request_again_gives_the_same_answer_and_no_second_charge() {
    let stripe = stripe().await;
    let first = post_keyed(&stripe, INTENTS, CHARGE, "K1").await;
    let mut reordered = CHARGE.to_vec();
    reordered.reverse();
    let again = post_keyed(&stripe, INTENTS, &reordered, "K1").await;
    assert_eq!((again.status, &again.body), (200, &first.body));
    assert_eq!(first.header("idempotent-replayed"), None);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.header("original-request"), first.header("request-id"));
    assert_ne!(again.header("request-id"), first.header("request-id"));
    assert_eq!(stripe.books().of(MovementKind::Capture).count(), 1);
    assert_eq!(stripe.books().movements[0].key, "K1");
}

#[tokio::test]
async fn another_key_is_another_charge_which_the_books_tell() {
    let stripe = stripe().await;
    post_keyed(&stripe, INTENTS, CHARGE, "K1").await;
    post_keyed(&stripe, INTENTS, CHARGE, "K2").await;
    let doubled = stripe.books().doubled();
    assert!(doubled.contains(&(MovementKind::Capture, "E1".to_owned())), "{doubled:?}");
}

#[tokio::test]
async fn a_key_is_for_one_endpoint_and_one_set_of_parameters() {
    let stripe = stripe().await;
    post_keyed(&stripe, INTENTS, CHARGE, "K1").await;
    let others = [
        (INTENTS, charge_with(&[("amount", "1235")])),
        (INTENTS, charge_with(&[("description", "one more parameter")])),
        ("/v1/refunds", charge_with(&[])),
    ];
    for (path, params) in others {
        let reply = post_keyed(&stripe, path, &params, "K1").await;
        assert_eq!(reply.status, 400);
        assert_eq!(reply.json()["error"]["type"], "idempotency_error", "{path}");
    }
    assert_eq!(stripe.books().of(MovementKind::Capture).count(), 1);
}

#[tokio::test]
async fn a_decline_is_kept_with_its_key() {
    let stripe = stripe().await;
    let params = charge_with(&[("payment_method", "pm_card_chargeDeclined")]);
    let first = post_keyed(&stripe, INTENTS, &params, "K1").await;
    let again = post_keyed(&stripe, INTENTS, &params, "K1").await;
    assert_eq!((first.status, again.status), (402, 402));
    assert_eq!(first.body, again.body);
    assert_eq!(stripe.books().of(MovementKind::Decline).count(), 1);
}

#[tokio::test]
async fn a_request_refused_for_its_form_leaves_its_key_free() {
    let stripe = stripe().await;
    let wrong = post_keyed(&stripe, INTENTS, &charge_with(&[("amount", "x")]), "K1").await;
    assert_eq!(wrong.status, 400);
    let right = post_keyed(&stripe, INTENTS, CHARGE, "K1").await;
    assert_eq!((right.status, right.header("idempotent-replayed")), (200, None));
}

#[tokio::test]
async fn a_failure_after_execution_is_kept_though_the_money_moved() {
    let stripe = stripe().await;
    stripe.fault(FaultRule::next(Fault::Status { status: 500, executed: true }, INTENTS));
    for _ in 0..2 {
        let reply = post_keyed(&stripe, INTENTS, CHARGE, "K1").await;
        assert_eq!(reply.status, 500);
        assert_eq!(reply.json()["error"]["type"], "api_error");
    }
    assert_eq!(stripe.books().of(MovementKind::Capture).count(), 1);
}

#[tokio::test]
async fn a_failure_before_execution_leaves_the_key_free() {
    let stripe = stripe().await;
    stripe.fault(FaultRule::next(Fault::Status { status: 503, executed: false }, INTENTS));
    assert_eq!(post_keyed(&stripe, INTENTS, CHARGE, "K1").await.status, 503);
    assert_eq!(stripe.books().movements, []);
    assert_eq!(post_keyed(&stripe, INTENTS, CHARGE, "K1").await.status, 200);
}

#[tokio::test]
async fn two_requests_at_once_with_one_key_meet_a_conflict() {
    let stripe = stripe().await;
    // The first takes effect and is not answered within this test.
    stripe.fault(FaultRule::next(Fault::Delay { ms: 600_000 }, INTENTS));
    let second = async {
        while stripe.books().movements.is_empty() {
            tokio::task::yield_now().await;
        }
        post_keyed(&stripe, INTENTS, CHARGE, "K1").await
    };
    let conflict = tokio::select! {
        first = post_keyed(&stripe, INTENTS, CHARGE, "K1") => panic!("answered: {first:?}"),
        second = second => second,
    };
    assert_eq!(error(&conflict), (409, json!("idempotency_key_in_use"), json!(null)));
    assert_eq!(stripe.books().of(MovementKind::Capture).count(), 1);
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_day() {
    let clock = Clock::still(1_800_000_000);
    let options = StripeOptions { clock: clock.clone(), ..options() };
    let stripe = StripeSimulator::start(options).await.expect("a simulator");
    post_keyed(&stripe, INTENTS, CHARGE, "K1").await;
    clock.advance(24 * 3600 - 1);
    post_keyed(&stripe, INTENTS, CHARGE, "K1").await;
    assert_eq!(stripe.books().of(MovementKind::Capture).count(), 1);
    clock.advance(1);
    post_keyed(&stripe, INTENTS, CHARGE, "K1").await;
    assert_eq!(stripe.books().of(MovementKind::Capture).count(), 2);
}

#[tokio::test]
async fn a_capture_and_a_refund_are_repeated_like_a_charge() {
    let stripe = stripe().await;
    let params = charge_with(&[("capture_method", "manual")]);
    let held = post_keyed(&stripe, INTENTS, &params, "K1").await.json();
    let intent = held["id"].as_str().expect("an id");
    for _ in 0..2 {
        let path = format!("{INTENTS}/{intent}/capture");
        assert_eq!(post_keyed(&stripe, &path, &[], "K2").await.status, 200);
    }
    for _ in 0..2 {
        let params = [("payment_intent", intent), ("amount", "200")];
        assert_eq!(post_keyed(&stripe, "/v1/refunds", &params, "K3").await.status, 200);
    }
    assert_eq!(stripe.books().kept(intent), 1034);
}
