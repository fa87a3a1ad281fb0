//! Time: slow heads, dripping bodies, long operations, clients that take nothing, and the stop.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::money::{order, pay};
use super::wire::{Asked, Host};
use crate::limits::Limits;

const SHORT: Duration = Duration::from_millis(60);

#[tokio::test]
async fn a_head_that_never_ends_is_closed_on_time() {
    let host = Host::with(Limits { head_timeout: SHORT, ..Limits::default() }).await;
    let mut client = host.connect().await;
    client.write(b"GET /health HTTP/1.1\r\nhost: a\r\nx: ").await;
    assert_eq!(client.closed().await, b"");
}

#[tokio::test]
async fn a_dripping_head_does_not_move_its_deadline() {
    let host = Host::with(Limits { head_timeout: SHORT, ..Limits::default() }).await;
    let mut client = host.connect().await;
    let mut ticks = tokio::time::interval(SHORT / 4);
    client.write(b"GET /health HTTP/1.1\r\nhost: a\r\n").await;
    while !client.is_closed() {
        ticks.tick().await;
        client.write(b"x: y\r\n").await;
    }
}

#[tokio::test]
async fn a_connection_that_rests_is_closed_on_time() {
    let host = Host::with(Limits { head_timeout: SHORT, ..Limits::default() }).await;
    let mut client = host.connect().await;
    client.write(&Asked::get("/health").bytes()).await;
    let heard = client.read(false).await;
    assert_eq!((heard.status, heard.header("connection")), (200, None));
    assert_eq!(client.closed().await, b"");
}

#[tokio::test]
async fn a_dripping_body_is_refused_at_the_deadline_of_the_whole() {
    let host = Host::with(Limits { body_timeout: SHORT, ..Limits::default() }).await;
    let asked = pay("k", "tok_visa").with("content-length", "500");
    let mut client = host.connect().await;
    client.write(&asked.bytes()).await;
    let mut ticks = tokio::time::interval(SHORT / 4);
    let dripping = async {
        loop {
            ticks.tick().await;
            client.write(b" ").await;
        }
    };
    let enough = tokio::time::sleep(SHORT * 2);
    tokio::select! { () = dripping => {}, () = enough => {} }
    let heard = client.read(false).await;
    asked.hold(&heard);
    assert_eq!((heard.status, heard.code().as_str()), (408, "body-too-slow"));
    assert_eq!(heard.header("connection"), Some("close"));
    assert!(host.engine.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_operation_goes_on_after_its_deadline_and_its_repetition_is_answered() {
    let host = Host::with(Limits { answer_timeout: SHORT, ..Limits::default() }).await;
    let heard = host.exchange(&pay("k", "tok_slow")).await;
    assert_eq!((heard.status, heard.code().as_str()), (504, "deadline-passed"));
    assert_eq!(heard.json()["retry"], "same-key");
    host.engine.gate.add_permits(2);
    assert_eq!(host.exchange(&pay("k", "tok_slow")).await.status, 201);
    assert_eq!(host.engine.ended.load(Ordering::SeqCst), 2);
}

/// A host with an operation in hand whose client is gone, and knows that it is.
async fn left_alone(limits: Limits) -> Host {
    let host = Host::with(Limits { connections_max: 1, ..limits }).await;
    let mut client = host.connect().await;
    client.write(&pay("k", "tok_slow").bytes()).await;
    host.engine.has_begun().await;
    drop(client);
    loop {
        // The only place is given back when the host has seen its connection end.
        let mut next = host.connect().await;
        next.write(&Asked::get("/health").also("connection", "close").bytes()).await;
        if next.read(false).await.status == 200 {
            return host;
        }
    }
}

#[tokio::test]
async fn an_operation_goes_on_when_its_client_is_gone() {
    let mut host = left_alone(Limits::default()).await;
    let engine = host.engine.clone();
    host.tell_to_stop();
    engine.gate.add_permits(1);
    assert!(host.stopped().await);
    assert_eq!(engine.ended.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_stop_waits_for_an_operation_whose_client_is_gone() {
    let mut host = left_alone(Limits { drain_timeout: SHORT, ..Limits::default() }).await;
    host.tell_to_stop();
    assert!(!host.stopped().await, "the stop overlooked what is in hand");
}

#[tokio::test]
async fn an_operation_that_breaks_is_answered_and_the_host_lives() {
    let host = Host::start().await;
    let heard = host.exchange(&pay("k", "tok_panic")).await;
    assert_eq!((heard.status, heard.code().as_str()), (500, "internal"));
    assert_eq!(host.exchange(&pay("l", "tok_visa")).await.status, 201);
}

#[tokio::test]
async fn a_stop_answers_what_is_in_hand_and_takes_nothing_more() {
    let mut host = Host::start().await;
    let mut busy = host.connect().await;
    busy.write(&pay("k", "tok_slow").bytes()).await;
    let mut idle = host.connect().await;
    idle.write(&Asked::get("/health").bytes()).await;
    assert_eq!(idle.read(false).await.status, 200);
    host.engine.has_begun().await;

    host.tell_to_stop();
    assert_eq!(idle.closed().await, b"", "a resting connection is closed");
    let (address, gate) = (host.address, host.engine.clone());
    gate.gate.add_permits(1);
    let heard = busy.read(false).await;
    assert_eq!((heard.status, heard.header("connection")), (201, Some("close")));
    assert!(host.stopped().await);
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_stop_waits_no_longer_than_its_limit_and_says_so() {
    let mut host = Host::with(Limits { drain_timeout: SHORT, ..Limits::default() }).await;
    let mut client = host.connect().await;
    client.write(&pay("k", "tok_slow").bytes()).await;
    host.engine.has_begun().await;
    host.tell_to_stop();
    assert!(!host.stopped().await);
    client.closed().await;
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_given_up() {
    let limits = Limits { write_timeout: SHORT, ..Limits::default() };
    let host = Host::with(limits).await;
    let body = order("tok_visa", "automatic").to_string();
    for n in 0..100 {
        let asked = Asked::post("/v1/payments", &n.to_string(), body.clone());
        assert_eq!(host.exchange(&asked).await.status, 201);
    }
    let mut client = host.connect().await;
    let page = Asked::get("/v1/payments?limit=100").bytes();
    // More answers than any socket's buffers hold, asked for at once and never read.
    client.write_all_or_fail(&page.repeat(400), Duration::from_secs(20)).await;
}
