//! Faults: on which side of the effect each strikes, seen from the socket.

use serde_json::json;
use simulators::{Fault, FaultRule, MovementKind, StripeSimulator};

use crate::stripe_client::{CHARGE, form, post_keyed, stripe};
use crate::wire::{self, raw, request};

const INTENTS: &str = "/v1/payment_intents";

fn charge() -> Vec<u8> {
    let headers = [
        ("authorization", "Bearer sk_test_simulator"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("idempotency-key", "K1"),
    ];
    request("POST", INTENTS, &headers, form(CHARGE).as_bytes())
}

fn captures(stripe: &StripeSimulator) -> usize {
    stripe.books().of(MovementKind::Capture).count()
}

async fn struck_by(fault: Fault) -> (StripeSimulator, std::io::Result<Vec<u8>>) {
    let stripe = stripe().await;
    stripe.fault(FaultRule::next(fault, INTENTS));
    let answer = raw(stripe.address(), &charge()).await;
    (stripe, answer)
}

#[tokio::test]
async fn a_reset_comes_after_the_effect_and_the_same_key_finds_it() {
    let (stripe, answer) = struck_by(Fault::Reset).await;
    assert_eq!(answer.map_err(|error| error.kind()), Err(std::io::ErrorKind::ConnectionReset));
    assert_eq!(captures(&stripe), 1);
    let again = post_keyed(&stripe, INTENTS, CHARGE, "K1").await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (200, Some("true")));
    assert_eq!(captures(&stripe), 1);
}

#[tokio::test]
async fn a_drop_comes_before_the_effect() {
    let (stripe, answer) = struck_by(Fault::Drop).await;
    assert!(answer.is_err(), "{answer:?}");
    assert_eq!(captures(&stripe), 0);
    let again = post_keyed(&stripe, INTENTS, CHARGE, "K1").await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (200, None));
}

#[tokio::test]
async fn garbage_is_an_answer_nobody_can_read() {
    let (stripe, answer) = struck_by(Fault::Garbage).await;
    let reply = wire::parse(&answer.expect("an answer")).expect("HTTP");
    assert_eq!(reply.status, 200);
    assert!(serde_json::from_slice::<serde_json::Value>(&reply.body).is_err());
    assert_eq!(captures(&stripe), 1);
}

#[tokio::test]
async fn a_torn_answer_is_shorter_than_it_says() {
    let (stripe, answer) = struck_by(Fault::Torn).await;
    let answer = answer.expect("the beginning of an answer");
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
    assert!(wire::parse(&answer).is_none(), "the answer is whole");
    assert_eq!(captures(&stripe), 1);
}

#[tokio::test]
async fn an_answer_given_twice_is_one_charge() {
    let (stripe, answer) = struck_by(Fault::Twice).await;
    let answer = answer.expect("an answer");
    let (one, other) = answer.split_at(answer.len() / 2);
    assert_eq!(one, other);
    assert_eq!(wire::parse(one).expect("HTTP").json()["status"], "succeeded");
    assert_eq!(captures(&stripe), 1);
}

#[tokio::test]
async fn a_caller_who_hangs_up_is_charged_all_the_same() {
    let stripe = stripe().await;
    stripe.fault(FaultRule::next(Fault::Stall { ms: 100 }, INTENTS));
    let mut stream = tokio::net::TcpStream::connect(stripe.address()).await.expect("connected");
    tokio::io::AsyncWriteExt::write_all(&mut stream, &charge()).await.expect("written");
    // The fault is used up once the request has been read whole.
    let path = "/_simulator/faults";
    let pending = || wire::send(stripe.address(), ("GET", path), &[], b"");
    while pending().await.json() != json!([]) {}
    drop(stream);
    while captures(&stripe) == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn faults_are_put_in_by_http_and_strike_only_what_they_name() {
    let stripe = stripe().await;
    let address = stripe.address();
    let rule = json!({
        "fault": "status", "status": 502, "method": "POST", "path": INTENTS, "times": 2,
    });
    assert_eq!(wire::control(address, "faults", rule).await.status, 200);
    let read = crate::stripe_client::read(&stripe, INTENTS).await;
    assert_eq!(read.status, 200, "a GET was struck");
    for expected in [502, 502, 200] {
        assert_eq!(post_keyed(&stripe, INTENTS, CHARGE, "K1").await.status, expected);
    }
    let wrong = wire::control(address, "faults", json!({ "fault": "earthquake" })).await;
    assert_eq!(wrong.status, 400);
    wire::control(address, "faults", json!({ "fault": "drop" })).await;
    let cleared = wire::send(address, ("DELETE", "/_simulator/faults"), &[], b"").await;
    assert_eq!(cleared.json(), json!([]));
    assert_eq!(crate::stripe_client::read(&stripe, INTENTS).await.status, 200);
}

#[tokio::test]
async fn the_books_are_read_by_http_as_they_are_in_process() {
    let stripe = stripe().await;
    post_keyed(&stripe, INTENTS, CHARGE, "K1").await;
    let books = wire::send(stripe.address(), ("GET", "/_simulator/books"), &[], b"").await.json();
    assert_eq!(books, json!(stripe.books()));
    assert_eq!(books["movements"][1]["kind"], "capture");
    assert_eq!(books["movements"][1]["currency"], "EUR");
}

#[tokio::test]
async fn a_stopped_simulator_answers_nobody() {
    let stripe = stripe().await;
    let address = stripe.address();
    stripe.stop().await;
    assert!(raw(address, &charge()).await.is_err());
}

#[tokio::test]
async fn a_body_without_end_is_cut_off() {
    let stripe = stripe().await;
    let body = vec![b'a'; 2 * 1024 * 1024];
    let answer = raw(stripe.address(), &request("POST", INTENTS, &[], &body)).await;
    assert!(answer.is_err() || answer.is_ok_and(|bytes| bytes.is_empty()));
}
