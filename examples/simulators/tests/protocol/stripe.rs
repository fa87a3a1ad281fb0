//! Payment intents and refunds: what is allowed, what is not, and what the books say after.

use serde_json::json;
use simulators::{MovementKind, PayerAnswer};

use crate::stripe_client::{charge_with, done, error, id, post, read, stripe};
use crate::wire;

const INTENTS: &str = "/v1/payment_intents";

#[tokio::test]
async fn a_charge_is_captured_at_once_unless_asked_otherwise() {
    let stripe = stripe().await;
    let paid = done(&stripe, INTENTS, &charge_with(&[])).await;
    assert_eq!(paid["object"], "payment_intent");
    assert_eq!(paid["status"], "succeeded");
    assert_eq!(paid["amount_received"], 1234);
    assert_eq!(paid["amount_capturable"], 0);
    assert_eq!(paid["currency"], "eur");
    assert_eq!(paid["metadata"], json!({ "entry": "E1" }));
    let books = stripe.books();
    assert_eq!(books.total(MovementKind::Capture, "EUR"), 1234);
    assert_eq!(books.movements[0].entry.as_deref(), Some("E1"));
    assert_eq!(books.movements[0].payment, id(&paid));
    assert_eq!(read(&stripe, &format!("{INTENTS}/{}", id(&paid))).await.json(), paid);
}

#[tokio::test]
async fn an_intent_may_be_created_first_and_confirmed_later() {
    let stripe = stripe().await;
    let created = done(&stripe, INTENTS, &charge_with(&[("confirm", "")])).await;
    assert_eq!(created["status"], "requires_confirmation");
    assert_eq!(stripe.books().movements, []);
    let confirm = format!("{INTENTS}/{}/confirm", id(&created));
    assert_eq!(done(&stripe, &confirm, &[]).await["status"], "succeeded");
    assert_eq!(error(&post(&stripe, &confirm, &[]).await).1, "payment_intent_unexpected_state");
    assert_eq!(stripe.books().total(MovementKind::Capture, "EUR"), 1234);
}

#[tokio::test]
async fn a_capture_may_be_partial_and_releases_the_rest() {
    let stripe = stripe().await;
    let held = done(&stripe, INTENTS, &charge_with(&[("capture_method", "manual")])).await;
    assert_eq!(
        (&held["status"], &held["amount_capturable"]),
        (&json!("requires_capture"), &json!(1234))
    );
    assert_eq!(stripe.books().total(MovementKind::Capture, "EUR"), 0);
    let capture = format!("{INTENTS}/{}/capture", id(&held));
    let over = post(&stripe, &capture, &[("amount_to_capture", "1235")]).await;
    assert_eq!(error(&over), (400, json!("amount_too_large"), json!("amount_to_capture")));
    let taken = done(&stripe, &capture, &[("amount_to_capture", "1000")]).await;
    assert_eq!((&taken["status"], &taken["amount_received"]), (&json!("succeeded"), &json!(1000)));
    let again = post(&stripe, &capture, &[]).await;
    assert_eq!(error(&again).1, "payment_intent_unexpected_state");
    let books = stripe.books();
    assert_eq!(books.total(MovementKind::Capture, "EUR"), 1000);
    assert_eq!(books.total(MovementKind::Release, "EUR"), 234);
}

#[tokio::test]
async fn a_canceled_authorization_is_released_and_cannot_be_captured() {
    let stripe = stripe().await;
    let held = done(&stripe, INTENTS, &charge_with(&[("capture_method", "manual")])).await;
    let cancel = format!("{INTENTS}/{}/cancel", id(&held));
    let canceled = done(&stripe, &cancel, &[("cancellation_reason", "abandoned")]).await;
    assert_eq!(canceled["status"], "canceled");
    assert_eq!(canceled["cancellation_reason"], "abandoned");
    let capture = post(&stripe, &format!("{INTENTS}/{}/capture", id(&held)), &[]).await;
    assert_eq!(error(&capture).1, "payment_intent_unexpected_state");
    assert_eq!(stripe.books().total(MovementKind::Release, "EUR"), 1234);
    let paid = done(&stripe, INTENTS, &charge_with(&[])).await;
    let refused = post(&stripe, &format!("{INTENTS}/{}/cancel", id(&paid)), &[]).await;
    assert_eq!(error(&refused).1, "payment_intent_unexpected_state");
}

#[tokio::test]
async fn each_card_declines_in_its_own_words() {
    let stripe = stripe().await;
    let cards = [
        ("pm_card_chargeDeclined", "card_declined", json!("generic_decline")),
        ("pm_card_visa_chargeDeclined", "card_declined", json!("generic_decline")),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", json!("insufficient_funds")),
        ("pm_card_visa_chargeDeclinedLostCard", "card_declined", json!("lost_card")),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", json!(null)),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", json!(null)),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", json!(null)),
    ];
    for (card, code, decline_code) in cards.clone() {
        let reply = post(&stripe, INTENTS, &charge_with(&[("payment_method", card)])).await;
        let error = &reply.json()["error"];
        assert_eq!((reply.status, &error["type"]), (402, &json!("card_error")), "{card}");
        assert_eq!((&error["code"], &error["decline_code"]), (&json!(code), &decline_code));
        let intent = &error["payment_intent"];
        assert_eq!(intent["status"], "requires_payment_method");
        assert_eq!(intent["last_payment_error"]["code"], code);
    }
    assert_eq!(stripe.books().of(MovementKind::Decline).count(), cards.len());
    assert_eq!(stripe.books().of(MovementKind::Authorization).count(), 0);
}

#[tokio::test]
async fn a_declined_intent_may_be_paid_with_another_card() {
    let stripe = stripe().await;
    let declined = [("payment_method", "pm_card_chargeDeclined")];
    let reply = post(&stripe, INTENTS, &charge_with(&declined)).await;
    let intent = reply.json()["error"]["payment_intent"].clone();
    let confirm = format!("{INTENTS}/{}/confirm", id(&intent));
    let missing = post(&stripe, &confirm, &[]).await;
    assert_eq!(error(&missing).1, "payment_intent_unexpected_state");
    let paid = done(&stripe, &confirm, &[("payment_method", "pm_card_mastercard")]).await;
    assert_eq!((&paid["status"], &paid["last_payment_error"]), (&json!("succeeded"), &json!(null)));
}

#[tokio::test]
async fn a_card_number_is_known_by_its_test_meaning_and_never_kept() {
    let stripe = stripe().await;
    let card = |number| {
        charge_with(&[
            ("payment_method", ""),
            ("payment_method_data[type]", "card"),
            ("payment_method_data[card][number]", number),
            ("payment_method_data[card][exp_month]", "12"),
            ("payment_method_data[card][exp_year]", "2034"),
            ("payment_method_data[card][cvc]", "123"),
        ])
    };
    let paid = post(&stripe, INTENTS, &card("4242424242424242")).await;
    assert_eq!(paid.json()["status"], "succeeded");
    let broke = post(&stripe, INTENTS, &card("4000000000009995")).await;
    assert_eq!(broke.json()["error"]["decline_code"], "insufficient_funds");
    let wrong = post(&stripe, INTENTS, &card("4242424242424241")).await;
    assert_eq!(error(&wrong), (402, json!("incorrect_number"), json!("number")));
    let listed = read(&stripe, "/v1/events?limit=100").await;
    let shown = [paid.body, broke.body, wrong.body, listed.body].concat();
    let shown = String::from_utf8_lossy(&shown);
    assert!(shown.contains("4242") && !shown.contains("42424242"), "a number was kept");
}

#[tokio::test]
async fn a_challenged_payer_completes_or_fails_on_the_page() {
    let stripe = stripe().await;
    let params = charge_with(&[
        ("payment_method", "pm_card_threeDSecure2Required"),
        ("return_url", "https://shop.example/back?cart=7"),
    ]);
    for (outcome, status) in [("succeeded", "succeeded"), ("failed", "requires_payment_method")] {
        let waiting = done(&stripe, INTENTS, &params).await;
        assert_eq!(waiting["status"], "requires_action");
        assert_eq!(waiting["next_action"]["type"], "redirect_to_url");
        let page = waiting["next_action"]["redirect_to_url"]["url"].as_str().expect("a page");
        let path = page.strip_prefix(&stripe.base_url()).expect("a page of the simulator");
        assert_eq!(wire::send(stripe.address(), ("GET", path), &[], b"").await.status, 200);
        let body = format!("outcome={outcome}");
        let back = wire::send(stripe.address(), ("POST", path), &[], body.as_bytes()).await;
        let location = back.header("location").expect("a way back");
        assert!(location.starts_with("https://shop.example/back?cart=7&payment_intent=pi_"));
        assert!(location.ends_with(&format!("redirect_status={outcome}")), "{location}");
        let after = read(&stripe, &format!("{INTENTS}/{}", id(&waiting))).await.json();
        assert_eq!(after["status"], status);
        let twice = wire::send(stripe.address(), ("POST", path), &[], body.as_bytes()).await;
        assert_eq!(twice.status, 409, "a challenge was answered twice");
    }
    assert_eq!(stripe.books().total(MovementKind::Capture, "EUR"), 1234);
}

#[tokio::test]
async fn a_challenge_off_session_is_a_decline() {
    let stripe = stripe().await;
    let card = ("payment_method", "pm_card_authenticationRequired");
    for flag in ["off_session", "error_on_requires_action"] {
        let reply = post(&stripe, INTENTS, &charge_with(&[card, (flag, "true")])).await;
        assert_eq!((reply.status, error(&reply).1), (402, json!("authentication_required")));
    }
    let waiting = done(&stripe, INTENTS, &charge_with(&[card])).await;
    assert_eq!(waiting["next_action"]["type"], "use_stripe_sdk", "without a return_url");
    stripe.pay(id(&waiting), PayerAnswer::Succeeded).expect("a payer who authenticates");
    assert!(stripe.pay(id(&waiting), PayerAnswer::Succeeded).is_err());
}

#[tokio::test]
async fn refunds_never_exceed_what_was_captured() {
    let stripe = stripe().await;
    let paid = done(&stripe, INTENTS, &charge_with(&[])).await;
    let refund = |amount| [("payment_intent", id(&paid)), ("amount", amount)];
    let first = done(&stripe, "/v1/refunds", &refund("1000")).await;
    assert_eq!((&first["status"], &first["amount"]), (&json!("succeeded"), &json!(1000)));
    let over = post(&stripe, "/v1/refunds", &refund("235")).await;
    assert_eq!(error(&over), (400, json!(null), json!("amount")));
    let rest = done(&stripe, "/v1/refunds", &[("payment_intent", id(&paid))]).await;
    assert_eq!(rest["amount"], 234);
    let none = post(&stripe, "/v1/refunds", &refund("1")).await;
    assert_eq!(error(&none).1, "charge_already_refunded");
    assert_eq!(stripe.books().kept(id(&paid)), 0);
    let listed = read(&stripe, &format!("/v1/refunds?payment_intent={}", id(&paid))).await.json();
    assert_eq!(listed["data"], json!([rest, first]));
    let one = read(&stripe, &format!("/v1/refunds/{}", id(&first))).await.json();
    assert_eq!(one, first);
}

#[tokio::test]
async fn what_was_not_captured_cannot_be_refunded() {
    let stripe = stripe().await;
    let held = done(&stripe, INTENTS, &charge_with(&[("capture_method", "manual")])).await;
    assert_eq!(post(&stripe, "/v1/refunds", &[("payment_intent", id(&held))]).await.status, 400);
    let unknown = post(&stripe, "/v1/refunds", &[("payment_intent", "pi_none")]).await;
    assert_eq!(error(&unknown).1, "resource_missing");
    assert_eq!(post(&stripe, "/v1/refunds", &[]).await.status, 400);
    assert_eq!(stripe.books().of(MovementKind::Refund).count(), 0);
}

#[tokio::test]
async fn some_refunds_are_decided_later() {
    let stripe = stripe().await;
    for (card, first, last, kept) in [
        ("pm_card_pendingRefund", "pending", "succeeded", 0),
        ("pm_card_refundFail", "succeeded", "failed", 1234),
    ] {
        let paid = done(&stripe, INTENTS, &charge_with(&[("payment_method", card)])).await;
        let refund = done(&stripe, "/v1/refunds", &[("payment_intent", id(&paid))]).await;
        assert_eq!(refund["status"], first, "{card}");
        assert_eq!(stripe.settle_refunds(), 1);
        let after = read(&stripe, &format!("/v1/refunds/{}", id(&refund))).await.json();
        assert_eq!(after["status"], last, "{card}");
        assert_eq!(stripe.books().kept(id(&paid)), kept, "{card}");
    }
}

#[tokio::test]
async fn a_wrong_parameter_is_named_and_nothing_happens() {
    let stripe = stripe().await;
    let wrong = [
        (("amount", ""), 400, json!("parameter_missing"), "amount"),
        (("amount", "12.5"), 400, json!("parameter_invalid_integer"), "amount"),
        (("amount", "0"), 400, json!("parameter_invalid_integer"), "amount"),
        (("amount", "-5"), 400, json!("parameter_invalid_integer"), "amount"),
        (("amount", "49"), 400, json!("amount_too_small"), "amount"),
        (("amount", "100000000"), 400, json!("amount_too_large"), "amount"),
        (("currency", "EUR"), 400, json!(null), "currency"),
        (("currency", "zzz"), 400, json!(null), "currency"),
        (("confirm", "yes"), 400, json!(null), "confirm"),
        (("payment_method", "pm_card_nobody"), 400, json!("resource_missing"), "payment_method"),
        (("payment_method_types[]", ""), 400, json!(null), "return_url"),
        (("capture_method", "later"), 400, json!(null), "capture_method"),
        (("reference", "R1"), 400, json!("parameter_unknown"), "reference"),
        (("transfer_group", "T1"), 400, json!("simulator_unsupported"), "transfer_group"),
        (("expand[]", "customer"), 400, json!(null), "expand"),
    ];
    for (change, status, code, param) in wrong {
        let reply = post(&stripe, INTENTS, &charge_with(&[change])).await;
        assert_eq!(error(&reply), (status, code, json!(param)), "{change:?}");
        assert_eq!(reply.json()["error"]["type"], "invalid_request_error");
    }
    assert_eq!(stripe.books().movements, []);
    assert_eq!(read(&stripe, INTENTS).await.json()["data"], json!([]));
}

#[tokio::test]
async fn only_the_secret_key_opens_the_account() {
    let stripe = stripe().await;
    let send = |authorization: &'static str| {
        let headers = [("authorization", authorization)];
        let address = stripe.address();
        async move { wire::send(address, ("GET", INTENTS), &headers, b"").await }
    };
    for wrong in ["", "Bearer", "Bearer sk_test_simulato", "bearer sk_test_simulator", "Basic e30="]
    {
        let reply = send(wrong).await;
        assert_eq!(reply.status, 401, "{wrong}");
        assert_eq!(reply.json()["error"]["type"], "invalid_request_error");
        assert!(!String::from_utf8_lossy(&reply.body).contains("sk_test_simulato"));
    }
    assert_eq!(send("Bearer sk_test_simulator").await.status, 200);
    // sk_test_simulator: with an empty password
    assert_eq!(send("Basic c2tfdGVzdF9zaW11bGF0b3I6").await.status, 200);
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let stripe = stripe().await;
    let missing = read(&stripe, "/v1/payment_intents/pi_none").await;
    assert_eq!(error(&missing), (404, json!("resource_missing"), json!("intent")));
    assert_eq!(read(&stripe, "/v1/refunds/re_none").await.status, 404);
    assert_eq!(read(&stripe, "/v1/nothing").await.status, 404);
    assert_eq!(post(&stripe, "/v1/nothing", &[]).await.status, 404);
}

#[tokio::test]
async fn a_payment_is_found_by_its_metadata() {
    let stripe = stripe().await;
    let wanted = done(&stripe, INTENTS, &charge_with(&[("metadata[entry]", "E 2")])).await;
    done(&stripe, INTENTS, &charge_with(&[])).await;
    let query = "query=metadata%5B%27entry%27%5D%3A%27E%202%27";
    let found = read(&stripe, &format!("{INTENTS}/search?{query}")).await.json();
    assert_eq!(found["data"], json!([wanted]));
    assert_eq!(found["object"], "search_result");
}

#[tokio::test]
async fn a_charge_is_shown_within_its_intent_when_asked() {
    let stripe = stripe().await;
    let paid = done(&stripe, INTENTS, &charge_with(&[("expand[]", "latest_charge")])).await;
    assert_eq!(paid["latest_charge"]["payment_method_details"]["card"]["brand"], "visa");
    let path = format!("/v1/charges/{}", id(&paid["latest_charge"]));
    assert_eq!(read(&stripe, &path).await.json(), paid["latest_charge"]);
}
