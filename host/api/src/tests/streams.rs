//! Streams of server-sent events: who gets one, how it beats, and how it ends.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::double::OTHER_KEY;
use super::money::pay;
use super::wire::{Asked, Host};
use crate::limits::Limits;

const SHORT: Duration = Duration::from_millis(60);
/// Long past what anything takes.
const PATIENCE: Duration = Duration::from_secs(20);

fn stream() -> Asked {
    Asked::get("/v1/events").with("accept", "text/event-stream")
}

async fn open(host: &Host, asked: &Asked) -> TcpStream {
    let mut stream = TcpStream::connect(host.address).await.unwrap();
    stream.write_all(&asked.bytes()).await.unwrap();
    stream
}

/// Reads until this stands so often in what came.
async fn until(stream: &mut TcpStream, words: &str, times: usize) -> String {
    let mut text = String::new();
    let reading = async {
        while text.matches(words).count() < times {
            let mut buffer = [0; 4096];
            let count = stream.read(&mut buffer).await.unwrap();
            assert!(count > 0, "it ended: {text}");
            text += &String::from_utf8_lossy(&buffer[..count]);
        }
    };
    timeout(PATIENCE, reading).await.expect(words);
    text
}

#[tokio::test]
async fn accept_decides_whether_the_feed_is_a_page_or_a_stream() {
    let host = Host::start().await;
    for (accept, streams) in [
        ("text/event-stream", true),
        ("Text/Event-Stream", true),
        ("application/json, text/event-stream;q=0.5", true),
        ("text/event-stream; q=1", true),
        ("text/event-stream;q=0", false),
        ("text/event-streams", false),
        ("*/*", false),
        ("text/*", false),
        ("application/json", false),
    ] {
        let mut opened = open(&host, &Asked::get("/v1/events").with("accept", accept)).await;
        let kind = if streams { "text/event-stream" } else { "application/json" };
        until(&mut opened, &format!("content-type: {kind}\r\n"), 1).await;
    }
    // Asked of any other route, it changes nothing.
    let other = Asked::get("/v1/payments").with("accept", "text/event-stream");
    assert_eq!(host.exchange(&other).await.status, 200);
    assert_eq!(host.exchange(&stream().method("HEAD")).await.status, 200);
}

#[tokio::test]
async fn a_stream_tells_what_happens_as_it_happens_and_beats_meanwhile() {
    let limits = Limits { stream_heartbeat: SHORT, ..Limits::default() };
    let host = Host::with(limits).await;
    let mut opened = open(&host, &stream()).await;
    let head = until(&mut opened, "retry: ", 1).await;
    assert!(head.contains("cache-control: no-store\r\n"), "{head}");
    until(&mut opened, "\n:\n\n", 2).await;
    host.exchange(&pay("k", "tok_visa")).await;
    let told = until(&mut opened, "\ndata: ", 2).await;
    assert!(told.contains("id: c1\nevent: authorize.sending\ndata: {\"id\":\"evt_"), "{told}");
    until(&mut opened, "\n:\n\n", 1).await;
}

#[tokio::test]
async fn a_stream_begins_after_the_last_event_and_that_goes_before_the_query() {
    let host = Host::start().await;
    host.exchange(&pay("k", "tok_visa")).await;
    let page = host.exchange(&Asked::get("/v1/events?limit=1")).await.json();
    let first = page["cursor"].as_str().unwrap().to_owned();
    let query = Asked::get(&format!("/v1/events?cursor={first}"));
    for asked in [
        stream().also("last-event-id", first.clone()),
        query.with("accept", "text/event-stream"),
        Asked::get("/v1/events?cursor=c2")
            .with("accept", "text/event-stream")
            .also("last-event-id", first),
    ] {
        let told = until(&mut open(&host, &asked).await, "\ndata: ", 1).await;
        assert!(told.contains("id: c2\n") && !told.contains("id: c1\n"), "{told}");
    }
    for wrong in ["nonsense", "c9", "ÿ"] {
        let heard = host.exchange(&stream().also("last-event-id", wrong)).await;
        assert_eq!((heard.status, heard.code().as_str()), (404, "no-such-cursor"), "{wrong}");
    }
}

#[tokio::test]
async fn an_app_has_so_many_streams_and_another_app_its_own() {
    let host = Host::with(Limits { streams_per_app_max: 2, ..Limits::default() }).await;
    let mut opened = Vec::new();
    for _ in 0..2 {
        opened.push(open(&host, &stream()).await);
        until(opened.last_mut().unwrap(), "retry: ", 1).await;
    }
    let heard = host.exchange(&stream()).await;
    assert_eq!((heard.status, heard.code().as_str()), (429, "too-many-streams"));
    let other = stream().with("authorization", format!("Bearer {OTHER_KEY}"));
    until(&mut open(&host, &other).await, "retry: ", 1).await;
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_stream_is_let_go() {
    let limits = Limits {
        streams_per_app_max: 1,
        stream_patience: SHORT,
        write_timeout: SHORT,
        ..Limits::default()
    };
    let host = Host::with(limits).await;
    host.exchange(&pay("k", "tok_visa")).await;
    host.engine.flood(20_000);
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut lazy = socket.connect(host.address).await.unwrap();
    lazy.write_all(&stream().bytes()).await.unwrap();
    until(&mut lazy, "retry: ", 1).await;
    // Its place is free once it is let go: until then the app has no other.
    let mut ticks = tokio::time::interval(SHORT / 4);
    let freed = async {
        loop {
            ticks.tick().await;
            let mut opened = open(&host, &stream()).await;
            let mut status = [0; 12];
            opened.read_exact(&mut status).await.unwrap();
            if &status == b"HTTP/1.1 200" {
                return;
            }
        }
    };
    timeout(PATIENCE, freed).await.expect("the place of a client that takes nothing");
}

#[tokio::test]
async fn a_host_that_stops_ends_its_streams_and_is_not_kept() {
    let mut host = Host::start().await;
    let mut client = host.connect().await;
    client.write(&stream().bytes()).await;
    let mut other = open(&host, &stream()).await;
    until(&mut other, "retry: ", 1).await;
    host.tell_to_stop();
    let ended = client.closed().await;
    assert!(ended.ends_with(b"0\r\n\r\n") || ended.is_empty(), "whole to the last chunk");
    assert!(host.stopped().await, "nothing was cut off");
}
