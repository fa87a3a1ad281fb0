//! No byte leaves before the intent is durable, and the intent is never left half-way.

use std::sync::atomic::{AtomicBool, Ordering};

use egress::{Failed, Framing, Gate, Kind, Request};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;

use crate::support::*;
use crate::tls::Authority;

/// Often enough for the reactor to look at every socket in between.
async fn yield_for_a_while() {
    for _ in 0..300 {
        tokio::task::yield_now().await;
    }
}

/// Whether anything arrives while everyone else has had many turns.
async fn stays_silent(stream: &TcpStream) -> bool {
    yield_for_a_while().await;
    let read = stream.try_read(&mut [0; 1]);
    matches!(read, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
}

/// The intent ends only after the server has watched the open connection for a while.
async fn hold_back(listener: TcpListener, gate: &Gate, request: &Request, answer: &[u8]) {
    let (watched, may_end) = oneshot::channel();
    let server = async {
        let mut stream = accept(&listener).await;
        assert!(stays_silent(&stream).await, "bytes before the intent");
        watched.send(()).expect("the intent waits");
        stream.readable().await.expect("bytes after the intent");
        write(&mut stream, answer).await;
        stream
    };
    let intent = async { may_end.await.map_err(|_| "the server gave up".to_owned()) };
    let (egress, values) = (egress(), Values::default());
    let (reply, _stream) =
        soon(async { tokio::join!(egress.send(gate, &values, request, intent), server) }).await;
    reply.expect("an answer");
}

#[tokio::test]
async fn no_byte_of_an_http_request_leaves_before_the_intent_is_durable() {
    let (listener, address) = listen().await;
    hold_back(listener, &plain(address), &post(address, b"{}"), OK).await;
}

#[tokio::test]
async fn no_byte_of_a_frame_leaves_before_the_intent_is_durable() {
    let (listener, address) = listen().await;
    let request = frame(address, Framing::LengthPrefix(2), b"0800");
    hold_back(listener, &plain(address), &request, b"\x00\x020!").await;
}

#[tokio::test]
async fn only_the_handshake_of_tls_runs_before_the_intent_is_durable() {
    let authority = Authority::new();
    let (listener, address) = listen().await;
    let (egress, gate) = (authority.egress(), Authority::gate(address));
    let (shaken, may_end) = oneshot::channel();
    let server = async {
        let mut stream = authority.accept(&listener).await.expect("a handshake");
        assert!(stays_silent(stream.get_ref().0).await, "bytes before the intent");
        shaken.send(()).expect("the intent waits");
        read_request(&mut stream).await;
        write(&mut stream, OK).await;
        stream
    };
    let intent = async { may_end.await.map_err(|_| "the server gave up".to_owned()) };
    let (request, values) = (Authority::post(address, b"{}"), Values::default());
    let (reply, _stream) =
        soon(async { tokio::join!(egress.send(&gate, &values, &request, intent), server) }).await;
    assert_eq!(http(reply).0, 200);
}

#[tokio::test]
async fn a_failed_intent_sends_nothing() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move { read_to_end(&mut accept(&listener).await).await });
    let (egress, gate, values) = (egress(), plain(address), Values::default());
    // Ends only once the connection is open, so that there is something to send on.
    let intent = async {
        yield_for_a_while().await;
        Err("disk full".to_owned())
    };
    let request = post(address, b"{}");
    let reply = soon(egress.send(&gate, &values, &request, intent)).await;
    assert!(matches!(reply, Err(Failed::Intent(why)) if why == "disk full"));
    assert_eq!(soon(server).await.expect("the server ends"), b"");
}

#[tokio::test]
async fn an_intent_is_driven_to_its_end_when_connecting_fails() {
    // Bound and not listening: connecting is refused, and nobody else gets the port.
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let address = socket.local_addr().expect("its address");
    let ended = AtomicBool::new(false);
    let intent = async {
        yield_for_a_while().await;
        ended.store(true, Ordering::SeqCst);
        Ok::<(), String>(())
    };
    let (egress, gate, values) = (egress(), plain(address), Values::default());
    let reply = soon(egress.send(&gate, &values, &post(address, b"{}"), intent)).await;
    assert_eq!(failure(reply), ("not sent", Some(Kind::Connect)));
    assert!(ended.load(Ordering::SeqCst), "dropped half-way");
}

#[tokio::test]
async fn when_both_fail_the_intent_is_what_is_told() {
    let (egress, gate) = (egress_by(&Names::of(&[])), gate(&["pay.test".to_owned()]));
    let request = request(egress::Method::Get, "https://pay.test/".to_owned(), b"");
    let intent = async {
        yield_for_a_while().await;
        Err("disk full".to_owned())
    };
    let values = Values::default();
    let reply = soon(egress.send(&gate, &values, &Request::Http(request), intent)).await;
    assert_eq!(failure(reply), ("intent", None));
}

#[tokio::test]
async fn a_refused_request_never_begins_its_intent() {
    let (_listener, address) = listen().await;
    let (egress, values) = (egress(), Values::default());
    let begun = AtomicBool::new(false);
    let intent = || async {
        begun.store(true, Ordering::SeqCst);
        Ok::<(), String>(())
    };
    let mut injected = request(egress::Method::Get, format!("http://{address}/"), b"");
    injected.headers.push(crate::secrets::header("x", "a\r\nb: c"));
    for (gate, request, kind) in [
        (Gate::default(), get(address), Kind::HostNotAllowed),
        (Gate::default(), frame(address, Framing::LengthPrefix(2), b""), Kind::HostNotAllowed),
        (plain(address), frame(address, Framing::LengthPrefix(3), b""), Kind::Body),
        (plain(address), Request::Http(injected), Kind::Header),
    ] {
        let reply = soon(egress.send(&gate, &values, &request, intent())).await;
        assert_eq!(failure(reply), ("refused", Some(kind)));
    }
    assert!(!begun.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_connection_to_a_server_that_never_shakes_hands_is_given_up_in_time() {
    let (listener, address) = listen().await;
    let mut gate = Authority::gate(address);
    gate.timeouts.connect_ms_max = 50;
    let reply = send(&Authority::new().egress(), &gate, &Authority::post(address, b"")).await;
    assert_eq!(failure(reply), ("not sent", Some(Kind::Timeout)));
    drop(listener);
}

#[tokio::test]
async fn a_sending_can_be_a_task_of_its_own() {
    let (listener, address) = listen().await;
    let client = tokio::spawn(async move { send(&egress(), &plain(address), &get(address)).await });
    let mut stream = accept(&listener).await;
    read_request(&mut stream).await;
    write(&mut stream, OK).await;
    assert_eq!(http(soon(client).await.expect("the task")), (200, "ok".to_owned()));
}
