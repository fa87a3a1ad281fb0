//! When a connection is used again, when it must not be, and what happens when it is gone.

use egress::{Egress, Kind, Options, PoolLimits, Request};
use tokio::io::AsyncReadExt;
use tokio::sync::oneshot;

use crate::support::*;
use crate::tls::Authority;

#[tokio::test]
async fn a_connection_is_used_again() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let mut stream = accept(&listener).await;
        for _ in 0..3 {
            read_request(&mut stream).await;
            write(&mut stream, OK).await;
        }
    });
    let (egress, gate) = (egress(), plain(address));
    for _ in 0..3 {
        assert_eq!(http(send(&egress, &gate, &get(address)).await).0, 200);
    }
    soon(server).await.expect("the server ends");
}

#[tokio::test]
async fn a_connection_closed_while_idle_is_replaced_without_a_word() {
    let (listener, address) = listen().await;
    let (gone, is_gone) = oneshot::channel();
    let (close, may_close) = oneshot::channel::<()>();
    let server = tokio::spawn(async move {
        let mut first = accept(&listener).await;
        read_request(&mut first).await;
        write(&mut first, OK).await;
        may_close.await.expect("told to close");
        close_and_wait(first);
        gone.send(()).expect("the test waits");
        let mut second = accept(&listener).await;
        let seen = read_request(&mut second).await;
        write(&mut second, OK).await;
        seen
    });
    let (egress, gate) = (egress(), plain(address));
    assert_eq!(http(send(&egress, &gate, &get(address)).await).0, 200);
    close.send(()).expect("the server waits");
    soon(is_gone).await.expect("closed");
    assert_eq!(http(send(&egress, &gate, &post(address, b"again")).await).0, 200);
    assert!(soon(server).await.expect("the server ends").ends_with("again"));
}

/// The server closes while the intent is being recorded: after the connection was chosen.
async fn closed_during_the_intent(with_reset: bool) {
    let (listener, address) = listen().await;
    let (close, may_close) = oneshot::channel::<()>();
    let (gone, is_gone) = oneshot::channel();
    let server = tokio::spawn(async move {
        let mut first = accept(&listener).await;
        read_request(&mut first).await;
        write(&mut first, OK).await;
        may_close.await.expect("told to close");
        match with_reset {
            true => reset(first),
            false => close_and_wait(first),
        }
        gone.send(()).expect("the intent waits");
        let mut second = accept(&listener).await;
        let seen = read_request(&mut second).await;
        write(&mut second, OK).await;
        seen
    });
    let (egress, gate, values) = (egress(), plain(address), Values::default());
    assert_eq!(http(send(&egress, &gate, &get(address)).await).0, 200);
    let intent = async {
        close.send(()).expect("the server waits");
        is_gone.await.map_err(|_| "the server gave up".to_owned())
    };
    let request = post(address, b"again");
    let reply = soon(egress.send(&gate, &values, &request, intent)).await;
    assert_eq!(http(reply).0, 200);
    assert!(soon(server).await.expect("the server ends").ends_with("again"));
}

#[tokio::test]
async fn a_connection_closed_while_the_intent_is_recorded_is_replaced() {
    closed_during_the_intent(false).await;
    closed_during_the_intent(true).await;
}

#[tokio::test]
async fn when_the_replacement_cannot_be_opened_nothing_was_sent() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let mut stream = accept(&listener).await;
        read_request(&mut stream).await;
        write(&mut stream, OK).await;
        (stream, listener)
    });
    let (egress, gate) = (egress(), plain(address));
    assert_eq!(http(send(&egress, &gate, &get(address)).await).0, 200);
    let (stream, listener) = soon(server).await.expect("the server ends");
    drop(listener);
    close_and_wait(stream);
    let reply = send(&egress, &gate, &post(address, b"again")).await;
    assert_eq!(failure(reply), ("not sent", Some(Kind::Connect)));
}

#[tokio::test]
async fn a_reused_connection_that_breaks_after_bytes_left_is_not_tried_again() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let mut stream = accept(&listener).await;
        read_request(&mut stream).await;
        write(&mut stream, OK).await;
        stream.read_u8().await.expect("the first byte of the second request");
        reset(stream);
        listener
    });
    let (egress, gate) = (egress(), plain(address));
    assert_eq!(http(send(&egress, &gate, &get(address)).await).0, 200);
    let reply = send(&egress, &gate, &post(address, b"once")).await;
    assert_eq!(failure(reply), ("no reply", Some(Kind::Broken)));
    let listener = soon(server).await.expect("the server ends").into_std().expect("a listener");
    let again = listener.accept().expect_err("nobody came again");
    assert_eq!(again.kind(), std::io::ErrorKind::WouldBlock);
}

#[tokio::test]
async fn two_requests_never_share_a_connection() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let (mut one, mut other) = (accept(&listener).await, accept(&listener).await);
        // Answers neither before both have come, and each on a connection of its own.
        read_request(&mut one).await;
        read_request(&mut other).await;
        write(&mut other, OK).await;
        write(&mut one, OK).await;
        read_request(&mut one).await;
        read_request(&mut other).await;
        write(&mut one, OK).await;
        write(&mut other, OK).await;
    });
    let (egress, gate) = (egress(), plain(address));
    for _ in 0..2 {
        let request = get(address);
        let sending = || send(&egress, &gate, &request);
        let (one, other) = tokio::join!(sending(), sending());
        assert_eq!((http(one).0, http(other).0), (200, 200));
    }
    soon(server).await.expect("the server ends");
}

/// A server in a thread of its own, which closes when it is told to, and says when it has: the
/// test waits for it without letting the reactor look at its sockets.
fn thread_that_closes(
    listener: std::net::TcpListener,
) -> (std::sync::mpsc::Sender<()>, std::sync::mpsc::Receiver<()>, std::thread::JoinHandle<()>) {
    let (close, may_close) = std::sync::mpsc::channel();
    let (gone, is_gone) = std::sync::mpsc::channel();
    let server = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            let mut first = accept(&listener).await;
            read_request(&mut first).await;
            write(&mut first, OK).await;
            may_close.recv().expect("told to close");
            close_and_wait(first);
            gone.send(()).expect("the test waits");
            let mut second = accept(&listener).await;
            read_request(&mut second).await;
            write(&mut second, OK).await;
        });
    });
    (close, is_gone, server)
}

#[tokio::test]
async fn a_closed_connection_is_noticed_before_the_reactor_has_looked() {
    for within_intent in [false, true] {
        let (listener, address) = listen().await;
        let (close, is_gone, server) = thread_that_closes(listener.into_std().expect("listener"));
        let (egress, gate, values) = (egress(), plain(address), Values::default());
        assert_eq!(http(send(&egress, &gate, &get(address)).await).0, 200);
        let close_now = move || {
            close.send(()).expect("the server waits");
            is_gone.recv().expect("closed");
        };
        let close_later = match within_intent {
            true => Some(close_now),
            false => {
                close_now();
                None
            }
        };
        let intent = async move {
            if let Some(close_now) = close_later {
                close_now();
            }
            Ok::<(), String>(())
        };
        let request = post(address, b"again");
        assert_eq!(http(soon(egress.send(&gate, &values, &request, intent)).await).0, 200);
        server.join().expect("the server ends");
    }
}

#[tokio::test]
async fn a_connection_of_no_more_use_is_closed_at_once() {
    for answer in [
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nunasked",
    ] {
        let (listener, address) = listen().await;
        let server = tokio::spawn(async move {
            let mut stream = accept(&listener).await;
            read_request(&mut stream).await;
            write(&mut stream, answer.as_bytes()).await;
            read_to_end(&mut stream).await
        });
        let egress = egress();
        assert_eq!(http(send(&egress, &plain(address), &get(address)).await).0, 200);
        assert_eq!(soon(server).await.expect("the server ends"), b"");
        drop(egress);
    }
}

/// Two requests, for each of which the server takes a new connection.
async fn takes_two_connections(egress: &Egress, answer: &'static [u8]) {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let mut kept = Vec::new();
        for _ in 0..2 {
            let mut stream = accept(&listener).await;
            read_request(&mut stream).await;
            write(&mut stream, answer).await;
            kept.push(stream);
        }
    });
    let gate = plain(address);
    for _ in 0..2 {
        assert_eq!(http(send(egress, &gate, &get(address)).await).0, 200);
    }
    soon(server).await.expect("the server ends");
}

#[tokio::test]
async fn the_limits_of_the_pool_are_kept() {
    let usual = PoolLimits::default();
    for pool in [
        PoolLimits { idle_per_host_max: 0, ..usual },
        PoolLimits { idle_max: 0, ..usual },
        PoolLimits { idle_ms_max: 0, ..usual },
        PoolLimits { open_ms_max: 0, ..usual },
    ] {
        let egress = Egress::new(Options { pool, ..Options::default() }).expect("usable options");
        takes_two_connections(&egress, OK).await;
    }
}

#[tokio::test]
async fn a_connection_that_says_close_or_too_much_is_not_used_again() {
    for answer in [
        &b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"[..],
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n",
    ] {
        takes_two_connections(&egress(), answer).await;
    }
}

#[tokio::test]
async fn an_account_does_not_inherit_the_connection_of_one_that_may_reach_private_addresses() {
    let (listener, address) = listen().await;
    let names = Names::loopback();
    let egress = egress_by(&names);
    let host = format!("http://pay.test:{}", address.port());
    let open = gate(std::slice::from_ref(&host));
    let mut private = open.clone();
    private.hosts = open.hosts.iter().cloned().map(|host| host.private()).collect();
    let server = tokio::spawn(async move {
        let mut stream = accept(&listener).await;
        read_request(&mut stream).await;
        write(&mut stream, OK).await;
        stream
    });
    let request = Request::Http(request(egress::Method::Get, format!("{host}/"), b""));
    assert_eq!(http(send(&egress, &private, &request).await).0, 200);
    let _idle = soon(server).await.expect("the server ends");
    let reply = send(&egress, &open, &request).await;
    assert_eq!(failure(reply), ("not sent", Some(Kind::AddressRefused)));
}

#[tokio::test]
async fn a_tls_connection_is_used_again_and_replaced_when_it_is_gone() {
    let authority = Authority::new();
    let (listener, address) = listen().await;
    let (egress, gate) = (authority.egress(), Authority::gate(address));
    let (gone, is_gone) = oneshot::channel();
    let server = tokio::spawn(async move {
        let mut first = authority.accept(&listener).await.expect("a handshake");
        for _ in 0..2 {
            read_request(&mut first).await;
            write(&mut first, OK).await;
        }
        close_and_wait(first.into_inner().0);
        gone.send(()).expect("the test waits");
        let mut second = authority.accept(&listener).await.expect("a handshake");
        read_request(&mut second).await;
        write(&mut second, OK).await;
        second
    });
    let request = Authority::post(address, b"{}");
    assert_eq!(http(send(&egress, &gate, &request).await).0, 200);
    assert_eq!(http(send(&egress, &gate, &request).await).0, 200);
    soon(is_gone).await.expect("closed");
    assert_eq!(http(send(&egress, &gate, &request).await).0, 200);
    soon(server).await.expect("the server ends");
}
