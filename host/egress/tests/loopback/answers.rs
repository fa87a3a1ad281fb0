//! What counts as an answer over HTTP, and what is known when there is none.

use egress::{Kind, Method, Reply, Request};
use tokio::io::AsyncReadExt;

use crate::support::*;

/// How the server goes on after its bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Then {
    Hold,
    Close,
    Reset,
}

/// Sends one request to a server that reads it and answers with these bytes.
async fn answered(bytes: &[u8], then: Then) -> Result<Reply, egress::Failed<String>> {
    let (listener, address) = listen().await;
    let mut gate = plain(address);
    gate.response_bytes_max = 1000;
    let bytes = bytes.to_vec();
    let server = tokio::spawn(async move {
        let mut stream = accept(&listener).await;
        read_request(&mut stream).await;
        write(&mut stream, &bytes).await;
        match then {
            Then::Hold => Some(stream),
            Then::Close => None,
            Then::Reset => {
                reset(stream);
                None
            }
        }
    });
    let reply = send(&egress(), &gate, &post(address, b"{}")).await;
    soon(server).await.expect("the server ends");
    reply
}

#[tokio::test]
async fn a_whole_answer_is_a_reply_whatever_it_says() {
    use Then::{Close, Hold};
    let cases: &[(&str, &str, Then, u16, &str)] = &[
        ("counted", "200 OK\r\ncontent-length: 2\r\n\r\nok", Hold, 200, "ok"),
        ("empty", "200 OK\r\ncontent-length: 0\r\n\r\n", Hold, 200, ""),
        ("no reason", "200 \r\ncontent-length: 2\r\n\r\nok", Hold, 200, "ok"),
        ("no content", "204 No Content\r\n\r\n", Hold, 204, ""),
        ("not modified", "304 Not Modified\r\n\r\n", Hold, 304, ""),
        ("redirect", "302 Found\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n", Hold, 302, ""),
        ("error", "500 Oh\r\ncontent-length: 2\r\n\r\nno", Hold, 500, "no"),
        ("close", "200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok", Close, 200, "ok"),
        ("until closed", "200 OK\r\n\r\nuntil closed", Close, 200, "until closed"),
        (
            "chunked",
            "200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;a=b\r\no\r\n1\r\nk\r\n0\r\nx: y\r\n\r\n",
            Hold,
            200,
            "ok",
        ),
        (
            "interim answers first",
            "100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n\
             HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nok",
            Hold,
            201,
            "ok",
        ),
    ];
    for (name, bytes, then, status, body) in cases {
        let reply = answered(format!("HTTP/1.1 {bytes}").as_bytes(), *then).await;
        assert_eq!(http(reply), (*status, (*body).to_owned()), "{name}");
    }
    let old = answered(b"HTTP/1.0 200 OK\r\n\r\nold", Close).await;
    assert_eq!(http(old), (200, "old".to_owned()));
}

#[tokio::test]
async fn whatever_is_not_a_whole_answer_is_no_reply() {
    use Then::{Close, Hold, Reset};
    let long_head = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(70_000));
    let big_head =
        format!("HTTP/1.1 200 OK\r\nx: {}\r\ncontent-length: 0\r\n\r\n", "x".repeat(999));
    let big_body = format!("HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n{}", "x".repeat(1001));
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let big_chunk = format!("{chunked}3e9\r\n{}\r\n0\r\n\r\n", "x".repeat(1001));
    let cases: &[(&str, &str, Then, Kind)] = &[
        ("nothing, closed", "", Close, Kind::Broken),
        ("nothing, reset", "", Reset, Kind::Broken),
        ("garbage", "\x16\x03\x01 what is this?\r\n\r\n", Hold, Kind::Garbled),
        ("another protocol", "220 mail.example ESMTP\r\n\r\n", Hold, Kind::Garbled),
        ("HTTP/0.9", "<html>paid</html>\r\n", Hold, Kind::Garbled),
        ("half a status line", "HTTP/1.1 20", Close, Kind::Broken),
        ("half a head", "HTTP/1.1 200 OK\r\ncontent-le", Close, Kind::Broken),
        ("half a body", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", Close, Kind::Broken),
        ("reset midway", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", Reset, Kind::Broken),
        ("reset until closed", "HTTP/1.1 200 OK\r\n\r\nhalf", Reset, Kind::Broken),
        (
            "two lengths",
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nokk",
            Hold,
            Kind::Garbled,
        ),
        ("no length", "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", Hold, Kind::Garbled),
        ("no name", "HTTP/1.1 200 OK\r\n: x\r\n\r\n", Hold, Kind::Garbled),
        ("folded", "HTTP/1.1 200 OK\r\na: b\r\n c\r\n\r\n", Hold, Kind::Garbled),
        ("upgrade", "HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n", Hold, Kind::Garbled),
        ("only interim", "HTTP/1.1 100 Continue\r\n\r\n", Close, Kind::Broken),
        ("endless head", &long_head, Hold, Kind::TooLarge),
        ("large head", &big_head, Hold, Kind::TooLarge),
        ("large body", &big_body, Hold, Kind::TooLarge),
        ("large chunk", &big_chunk, Hold, Kind::TooLarge),
        ("bad chunk", &format!("{chunked}zz\r\nok\r\n0\r\n\r\n"), Hold, Kind::Garbled),
        ("huge chunk", &format!("{chunked}fffffffffffffffff\r\n"), Hold, Kind::Garbled),
        ("half a chunk", &format!("{chunked}5\r\nok"), Close, Kind::Broken),
        ("no last chunk", &format!("{chunked}2\r\nok\r\n"), Close, Kind::Broken),
    ];
    for (name, bytes, then, kind) in cases {
        let reply = answered(bytes.as_bytes(), *then).await;
        assert_eq!(failure(reply), ("no reply", Some(*kind)), "{name}");
    }
}

#[tokio::test]
async fn what_travels_is_exactly_what_was_asked_for() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let mut stream = accept(&listener).await;
        let mut seen = Vec::new();
        for _ in 0..3 {
            seen.push(read_request(&mut stream).await);
            write(&mut stream, OK).await;
        }
        seen
    });
    let (egress, gate) = (egress(), plain(address));
    let url = format!("http://{address}/v1/a%20b?c=d&e");
    let mut put = request(Method::Put, url.clone(), "ü\r\n".as_bytes());
    put.headers.push(crate::secrets::header("X-First", "1, 2"));
    put.headers.push(crate::secrets::header("user-agent", "mine"));
    for http in [put, request(Method::Post, url.clone(), b""), request(Method::Get, url, b"")] {
        send(&egress, &gate, &Request::Http(http)).await.expect("an answer");
    }
    let ours = format!("tollgate/{}", env!("CARGO_PKG_VERSION"));
    let seen = soon(server).await.expect("the server ends");
    let first = format!("/v1/a%20b?c=d&e HTTP/1.1\r\nhost: {address}\r\n");
    assert_eq!(
        seen,
        [
            format!(
                "PUT {first}x-first: 1, 2\r\nuser-agent: mine\r\naccept-encoding: identity\r\n\
                 content-length: 4\r\n\r\nü\r\n"
            ),
            format!(
                "POST {first}accept-encoding: identity\r\nuser-agent: {ours}\r\n\
                 content-length: 0\r\n\r\n"
            ),
            format!("GET {first}accept-encoding: identity\r\nuser-agent: {ours}\r\n\r\n"),
        ]
    );
}

#[tokio::test]
async fn headers_come_back_in_lower_case_and_order_and_an_encoded_body_as_it_is() {
    let bytes = b"HTTP/1.1 200 OK\r\nX-B: 1\r\nContent-Encoding: gzip\r\nX-A: caf\xe9\r\n\
        X-B: 2\r\nContent-Length: 2\r\n\r\n\x1f\x8b";
    let Ok(Reply::Http { headers, body, .. }) = answered(bytes, Then::Hold).await else {
        panic!("no answer");
    };
    assert_eq!(body, b"\x1f\x8b");
    let values = |name: &str| -> Vec<&str> {
        headers.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str()).collect()
    };
    assert_eq!(values("x-b"), ["1", "2"]);
    assert_eq!(values("content-encoding"), ["gzip"]);
    assert_eq!(values("x-a"), ["caf\u{fffd}"]);
}

#[tokio::test]
async fn an_answer_that_comes_before_the_request_is_read_is_the_reply() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let mut stream = accept(&listener).await;
        stream.read_exact(&mut [0; 64]).await.expect("some of it");
        write(&mut stream, b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno").await;
        stream
    });
    let body = vec![b'x'; BODY_LARGE];
    let reply = send(&egress(), &plain(address), &post(address, &body)).await;
    assert_eq!(http(reply), (413, "no".to_owned()));
    soon(server).await.expect("the server ends");
}

#[tokio::test]
async fn an_answer_of_a_server_that_then_stops_listening_is_the_reply() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let mut stream = accept(&listener).await;
        stream.read_exact(&mut [0; 64]).await.expect("some of it");
        // Closing with unread bytes resets the connection right behind the answer.
        write(&mut stream, b"HTTP/1.1 401 No\r\ncontent-length: 2\r\n\r\nno").await;
    });
    let body = vec![b'x'; BODY_LARGE];
    let reply = send(&egress(), &plain(address), &post(address, &body)).await;
    assert_eq!(http(reply), (401, "no".to_owned()));
    soon(server).await.expect("the server ends");
}

#[tokio::test]
async fn a_server_that_takes_a_part_of_the_request_and_goes_gives_no_reply() {
    for how in [Then::Close, Then::Reset] {
        let (listener, address) = listen().await;
        let server = tokio::spawn(async move {
            let mut stream = accept(&listener).await;
            stream.read_exact(&mut [0; 64]).await.expect("some of it");
            if how == Then::Reset {
                reset(stream);
            }
        });
        let body = vec![b'x'; BODY_LARGE];
        let reply = send(&egress(), &plain(address), &post(address, &body)).await;
        assert_eq!(failure(reply), ("no reply", Some(Kind::Broken)), "{how:?}");
        soon(server).await.expect("the server ends");
    }
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up_in_time() {
    for partial in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 100 Continue\r\n\r\n"] {
        let (listener, address) = listen().await;
        let server = tokio::spawn(async move {
            let mut stream = accept(&listener).await;
            read_request(&mut stream).await;
            write(&mut stream, partial.as_bytes()).await;
            stream
        });
        let mut gate = plain(address);
        gate.timeouts.first_byte_ms_max = 50;
        let reply = send(&egress(), &gate, &post(address, b"{}")).await;
        assert_eq!(failure(reply), ("no reply", Some(Kind::Timeout)), "{partial:?}");
        soon(server).await.expect("the server ends");
    }
}

#[tokio::test]
async fn an_answer_that_drips_is_given_up_in_time() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let mut stream = accept(&listener).await;
        read_request(&mut stream).await;
        write(&mut stream, b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n").await;
        // Never silent for long, until the other side has gone.
        while tokio::io::AsyncWriteExt::write_all(&mut stream, b".").await.is_ok() {
            tokio::task::yield_now().await;
        }
    });
    let mut gate = plain(address);
    gate.response_bytes_max = usize::MAX;
    gate.timeouts.total_ms_max = 100;
    let reply = send(&egress(), &gate, &get(address)).await;
    assert_eq!(failure(reply), ("no reply", Some(Kind::Timeout)));
    soon(server).await.expect("the server ends");
}
