//! Bytes on the wire: sizes, framings, pipelines.

use super::money::{order, pay};
use super::wire::{Asked, Host};
use crate::limits::Limits;

const SMUGGLED: &str = "GET /health HTTP/1.1\r\nhost: a\r\n\r\n";

async fn refused(host: &Host, asked: &Asked, status: u16, code: &str) {
    let heard = host.exchange(asked).await;
    assert_eq!((heard.status, heard.code().as_str()), (status, code), "{heard:?}");
}

#[tokio::test]
async fn ten_megabytes_are_refused_and_the_client_gets_to_read_it() {
    let host = Host::start().await;
    let body = vec![b' '; 10 * 1024 * 1024];
    for target in ["/v1/payments", "/webhooks/acme-eu"] {
        refused(&host, &Asked::post(target, "k", body.clone()), 413, "body-too-large").await;
        let chunked = Asked::post(target, "k", chunks(&body)).also("transfer-encoding", "chunked");
        refused(&host, &chunked, 413, "body-too-large").await;
    }
}

#[tokio::test]
async fn a_client_may_finish_sending_what_was_refused() {
    let linger_timeout = std::time::Duration::from_secs(20);
    let host = Host::with(Limits { linger_timeout, ..Limits::default() }).await;
    let asked = Asked::post("/v1/payments", "k", vec![b' '; 48 * 1024 * 1024]);
    let mut client = host.connect().await;
    assert!(client.try_write(&asked.bytes()).await, "the connection was reset while it was sent");
    assert_eq!(client.read(false).await.status, 413);
}

fn chunks(body: &[u8]) -> Vec<u8> {
    let chunk =
        |chunk: &[u8]| [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat();
    let mut bytes: Vec<u8> = body.chunks(64 * 1024).flat_map(chunk).collect();
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}

#[tokio::test]
async fn a_body_of_the_limit_is_read_and_one_byte_more_is_not() {
    let host = Host::with(Limits { body_bytes_max: 1000, ..Limits::default() }).await;
    let padded = |length: usize| format!("{:length$}", order("tok_visa", "automatic").to_string());
    let sent = |length| Asked::post("/v1/payments", "k", padded(length));
    assert_eq!(host.exchange(&sent(1000)).await.status, 201);
    refused(&host, &sent(1001), 413, "body-too-large").await;
}

#[tokio::test]
async fn a_chunked_body_is_read_and_ends_its_connection() {
    let host = Host::start().await;
    let body = chunks(order("tok_visa", "automatic").to_string().as_bytes());
    let asked = Asked::post("/v1/payments", "k", body).also("transfer-encoding", "chunked");
    let mut client = host.connect().await;
    client.write(&asked.bytes()).await;
    client.write(SMUGGLED.as_bytes()).await;
    let heard = client.read(false).await;
    assert_eq!((heard.status, heard.header("connection")), (201, Some("close")));
    assert_eq!(client.closed().await, b"", "what came after was answered");
}

#[tokio::test]
async fn a_request_framed_twice_smuggles_nothing() {
    let host = Host::start().await;
    for headers in [
        ["content-length: 4", "transfer-encoding: chunked"],
        ["transfer-encoding: chunked", "content-length: 4"],
    ] {
        let mut client = host.connect().await;
        let head = headers.join("\r\n");
        let request =
            format!("POST /webhooks/acme-eu HTTP/1.1\r\nhost: a\r\n{head}\r\n\r\n0\r\n\r\n");
        client.write(request.as_bytes()).await;
        client.write(SMUGGLED.as_bytes()).await;
        let heard = client.read(false).await;
        assert_eq!((heard.status, heard.header("connection")), (200, Some("close")));
        assert_eq!(client.closed().await, b"", "the smuggled request was answered");
    }
    for delivery in host.engine.deliveries.lock().unwrap().iter() {
        assert_eq!(delivery.body, b"", "the chunks decide, not the length");
    }
}

#[tokio::test]
async fn framing_that_cannot_be_trusted_is_refused_and_closed() {
    let host = Host::start().await;
    for headers in [
        "content-length: 3\r\ncontent-length: 4",
        "content-length: 3, 4",
        "content-length: -1",
        "content-length: +3",
        "content-length: 99999999999999999999",
        "transfer-encoding: gzip",
        "transfer-encoding: chunked, gzip",
        "transfer-encoding : chunked",
        " folded: header",
        "a b: c",
        "x: a\0b",
    ] {
        let mut client = host.connect().await;
        let request = format!("POST /webhooks/acme-eu HTTP/1.1\r\nhost: a\r\n{headers}\r\n\r\nabc");
        client.write(request.as_bytes()).await;
        assert_eq!(client.read(false).await.status, 400, "{headers:?}");
        client.closed().await;
    }
    assert!(host.engine.deliveries.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_body_that_is_not_chunked_as_it_says_is_malformed() {
    let host = Host::start().await;
    let body = "zz\r\nabc\r\n0\r\n\r\n";
    let asked = Asked::post("/v1/payments", "k", body).also("transfer-encoding", "chunked");
    refused(&host, &asked, 400, "malformed-request").await;
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let host = Host::start().await;
    let mut client = host.connect().await;
    let requests = [pay("1", "tok_visa"), Asked::get("/v1/payments"), pay("1", "tok_visa")];
    let bytes: Vec<u8> = requests.iter().flat_map(Asked::bytes).collect();
    client.write(&bytes).await;
    for (asked, status) in requests.iter().zip([201, 200, 201]) {
        let heard = client.read(false).await;
        asked.hold(&heard);
        assert_eq!(heard.status, status);
    }
}

#[tokio::test]
async fn a_connection_is_not_used_again_after_a_body_that_was_not_read() {
    let host = Host::start().await;
    let mut client = host.connect().await;
    client.write(&Asked::post("/nothing", "k", SMUGGLED).bytes()).await;
    client.write(SMUGGLED.as_bytes()).await;
    let heard = client.read(false).await;
    assert_eq!((heard.status, heard.header("connection")), (404, Some("close")));
    assert_eq!(client.closed().await, b"", "what came after was answered");
}

#[tokio::test]
async fn heads_beyond_the_limits_are_refused() {
    let host = Host::start().await;
    let get = |target: &str| Asked::get(target);
    let target = format!("/v1/payments?cursor={}", "x".repeat(8000));
    refused(&host, &get(&target), 414, "target-too-long").await;
    let large = get("/v1/payments").also("cookie", vec![b'x'; 17 * 1024]);
    refused(&host, &large, 431, "headers-too-large").await;
    let many = (0..70).fold(get("/v1/payments"), |asked, _| asked.also("x", "y"));
    refused(&host, &many, 431, "headers-too-large").await;

    // Far beyond, the connection is given a bare status and closed.
    for (asked, status) in [
        (get("/health").also("cookie", vec![b'x'; 200_000]), 431),
        ((0..400).fold(get("/health"), |asked, _| asked.also("x", "y")), 431),
        (get(&format!("/{}", "x".repeat(70_000))), 431),
    ] {
        let mut client = host.connect().await;
        client.write(&asked.bytes()).await;
        assert_eq!(client.read(false).await.status, status);
        client.closed().await;
    }
}

#[tokio::test]
async fn what_is_no_http_is_refused_and_closed() {
    let host = Host::start().await;
    for bytes in
        [&b"\x16\x03\x01\x02\x00\x01\x00"[..], b"GET /\r\n\r\n", b"GET  / HTTP/9.9\r\n\r\n"]
    {
        let mut client = host.connect().await;
        client.write(bytes).await;
        let answer = String::from_utf8(client.closed().await).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer:?}");
    }
}

#[tokio::test]
async fn a_client_that_asks_before_it_sends_is_told_to_go_on() {
    let host = Host::start().await;
    let asked = pay("1", "tok_visa").also("expect", "100-continue");
    let mut client = host.connect().await;
    let mut head = asked.head();
    head.extend_from_slice(format!("content-length: {}\r\n\r\n", asked.body.len()).as_bytes());
    client.write(&head).await;
    assert_eq!(client.informed().await, 100);
    client.write(&asked.body).await;
    assert_eq!(client.read(false).await.status, 201);
}
