//! More than there are places for: refused at once, each kind by itself, and nothing done.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::double::{ACCOUNT, OTHER_KEY};
use super::money::pay;
use super::wire::{Asked, Client, Heard, Host};
use crate::limits::Limits;

const SHORT: Duration = Duration::from_millis(60);

fn few() -> Limits {
    Limits { payments_max: 2, app_share_percent: 50, ..Limits::default() }
}

fn other(key: &str, token: &str) -> Asked {
    pay(key, token).with("authorization", format!("Bearer {OTHER_KEY}"))
}

fn refused(heard: &Heard, status: u16, code: &str) {
    assert_eq!((heard.status, heard.code().as_str()), (status, code), "{heard:?}");
    let wait: u64 = heard.header("retry-after").unwrap().parse().unwrap();
    assert!((2..=8).contains(&wait), "{wait}");
}

/// A payment that stays in hand until the engine's gate opens.
async fn held(host: &Host, asked: &Asked) -> Client {
    let mut client = host.connect().await;
    client.write(&asked.bytes()).await;
    host.engine.has_begun().await;
    client
}

#[tokio::test]
async fn payments_beyond_their_places_are_refused_and_everything_else_is_served() {
    let host = Host::with(few()).await;
    let mut one = held(&host, &pay("a", "tok_slow")).await;
    refused(&host.exchange(&pay("b", "tok_visa")).await, 429, "too-much-in-hand");
    let mut two = held(&host, &other("c", "tok_slow")).await;
    refused(&host.exchange(&pay("d", "tok_visa")).await, 503, "overloaded");
    refused(&host.exchange(&other("e", "tok_visa")).await, 503, "overloaded");
    assert!(host.engine.asked.lock().unwrap().is_empty(), "what was refused left no trace");

    assert_eq!(host.exchange(&Asked::get("/v1/payments")).await.status, 200);
    let delivery = Asked { method: "POST", ..Asked::get(&format!("/webhooks/{ACCOUNT}")) };
    assert_eq!(host.exchange(&delivery.without("authorization")).await.status, 200);
    assert_eq!(host.exchange(&Asked::get("/health").without("authorization")).await.status, 200);
    let unknown = "/v1/payments/pay_01jd8ze5p2m3q4r5s6t7v8w9xa/refunds";
    let heard = host.exchange(&Asked::post(unknown, "r", "{}")).await;
    assert_eq!((heard.status, heard.code().as_str()), (404, "no-such-payment"));

    host.engine.gate.add_permits(2);
    assert_eq!((one.read(false).await.status, two.read(false).await.status), (201, 201));
    assert_eq!(host.exchange(&pay("b", "tok_visa")).await.status, 201, "there is a place again");
}

#[tokio::test]
async fn a_place_is_held_until_the_operation_has_ended_whoever_still_listens() {
    let limits = Limits { answer_timeout: SHORT, app_share_percent: 100, ..few() };
    let host = Host::with(Limits { payments_max: 1, ..limits }).await;
    let heard = host.exchange(&pay("a", "tok_slow")).await;
    assert_eq!(heard.status, 504);
    refused(&host.exchange(&pay("b", "tok_visa")).await, 503, "overloaded");
    host.engine.gate.add_permits(1);
    loop {
        let heard = host.exchange(&pay("b", "tok_visa")).await;
        if heard.status == 201 {
            break;
        }
        refused(&heard, 503, "overloaded");
    }
    assert_eq!(host.engine.ended.load(Ordering::SeqCst), 2, "that of the first, and of its heir");
}

#[tokio::test]
async fn bodies_beyond_the_room_for_them_are_refused_before_a_byte_is_read() {
    let limits = Limits { body_bytes_max: 1000, bodies_bytes_max: 1000, payments_max: 8, ..few() };
    let host = Host::with(limits).await;
    let mut dripping = host.connect().await;
    dripping.write(&pay("a", "tok_visa").with("content-length", "900").head()).await;
    dripping.write(b"\r\n{").await;
    // Until its head has come through there is room.
    loop {
        let heard = host.exchange(&pay("b", "tok_visa")).await;
        if heard.status == 503 {
            break refused(&heard, 503, "overloaded");
        }
        assert_eq!(heard.status, 201);
    }
    assert_eq!(host.exchange(&Asked::get("/v1/payments")).await.status, 200);
    drop(dripping);
    while host.exchange(&pay("b", "tok_visa")).await.status != 201 {}
}

#[tokio::test]
async fn a_host_that_is_about_to_stop_says_so_and_serves_until_it_does() {
    let limits = Limits { lame_duck: Duration::from_secs(600), ..Limits::default() };
    let mut host = Host::with(limits).await;
    let ready = Asked::get("/ready").without("authorization");
    assert_eq!(host.exchange(&ready).await.status, 200);
    host.tell_to_stop();
    let heard = loop {
        let heard = host.exchange(&ready).await;
        if heard.status == 503 {
            break heard;
        }
    };
    assert_eq!(heard.json()["impediments"], serde_json::json!(["the host is stopping"]));
    assert_eq!(host.exchange(&pay("a", "tok_visa")).await.status, 201);
}

#[tokio::test]
async fn a_head_that_never_ends_does_not_keep_a_host_that_stops() {
    let mut host = Host::with(Limits { write_timeout: SHORT, ..Limits::default() }).await;
    let mut half = host.connect().await;
    half.write(b"GET /health HTTP/1.1\r\nhost: a\r\nx: ").await;
    assert_eq!(host.exchange(&Asked::get("/health").without("authorization")).await.status, 200);
    host.tell_to_stop();
    assert!(host.stopped().await, "nothing was in hand");
    assert_eq!(half.closed().await, b"");
}
