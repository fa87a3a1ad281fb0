//! Framed exchanges, to the byte.

use egress::{Failed, Framing, Gate, Kind, Reply};
use tokio::io::AsyncReadExt;

use crate::support::*;
use crate::tls::Authority;

/// Sends one frame to a server that answers with these bytes and holds or closes the connection;
/// gives the answer and what the server saw.
async fn exchanged(
    framing: Framing,
    body: &[u8],
    wire_bytes: usize,
    answer: &[u8],
    hold: bool,
) -> (Result<Reply, Failed<String>>, Vec<u8>) {
    let (listener, address) = listen().await;
    let answer = answer.to_vec();
    let server = tokio::spawn(async move {
        let mut stream = accept(&listener).await;
        let mut seen = vec![0; wire_bytes];
        stream.read_exact(&mut seen).await.expect("the frame");
        write(&mut stream, &answer).await;
        if hold {
            seen.extend(read_to_end(&mut stream).await);
        }
        seen
    });
    let mut gate = plain(address);
    gate.response_bytes_max = 300;
    let reply = send(&egress(), &gate, &frame(address, framing, body)).await;
    (reply, soon(server).await.expect("the server ends"))
}

/// A framing, a body and how it is written; an answer as it is written and its body.
type Written<'a> = (Framing, &'a [u8], &'a [u8], Vec<u8>, &'a [u8]);

#[tokio::test]
async fn each_framing_is_written_and_read_to_the_byte() {
    let long = [b'y'; 300];
    let cases: [Written<'_>; 9] = [
        (Framing::LengthPrefix(1), b"ping", b"\x04ping", b"\x04pong".to_vec(), b"pong"),
        (Framing::LengthPrefix(2), b"ping", b"\0\x04ping", b"\0\x04pong".to_vec(), b"pong"),
        (Framing::LengthPrefix(4), b"ping", b"\0\0\0\x04ping", b"\0\0\0\x04pong".to_vec(), b"pong"),
        (Framing::LengthPrefix(2), b"", b"\0\0", b"\0\0".to_vec(), b""),
        (
            Framing::LengthPrefix(2),
            b"ping",
            b"\0\x04ping",
            [&b"\x01\x2c"[..], &long].concat(),
            &long,
        ),
        // The exclusive-or of 'A', 'B' and ETX is 0x00; from 0x7F it is 0x7F.
        (Framing::StxEtxLrc(0), b"AB", b"\x02AB\x03\x00", b"\x02AC\x03\x01".to_vec(), b"AC"),
        (Framing::StxEtxLrc(0x7f), b"AB", b"\x02AB\x03\x7f", b"\x02AC\x03\x7e".to_vec(), b"AC"),
        (Framing::StxEtxLrc(0), b"", b"\x02\x03\x03", b"\x02\x03\x03".to_vec(), b""),
        // An LRC that looks like ETX, and bytes after the frame, which are nobody's.
        (Framing::StxEtxLrc(0), b"A", b"\x02A\x03\x42", b"\x02AA\x03\x03more".to_vec(), b"AA"),
    ];
    for (framing, body, wire, answer, reply) in cases {
        let (got, seen) = exchanged(framing, body, wire.len(), &answer, true).await;
        assert_eq!(seen, wire, "{framing:?}");
        assert_eq!(got.expect("an answer"), Reply::Frame(reply.to_vec()), "{framing:?}");
    }
}

#[tokio::test]
async fn whatever_is_not_a_whole_frame_is_no_reply() {
    let (two, lrc) = (Framing::LengthPrefix(2), Framing::StxEtxLrc(0));
    let endless = [&b"\x02"[..], &[b'x'; 301]].concat();
    let cases: [(&str, Framing, &[u8], bool, Kind); 11] = [
        ("nothing", two, b"", false, Kind::Broken),
        ("half a length", two, b"\0", false, Kind::Broken),
        ("half a body", two, b"\0\x04po", false, Kind::Broken),
        ("too long", two, b"\x01\x2d", true, Kind::TooLarge),
        ("much too long", Framing::LengthPrefix(4), b"\xff\xff\xff\xff", true, Kind::TooLarge),
        ("garbage", lrc, b"HTTP/1.1", true, Kind::Garbled),
        ("an acknowledgement alone", lrc, b"\x06\x03\x7a", true, Kind::Garbled),
        ("no end", lrc, b"\x02AB", false, Kind::Broken),
        ("no LRC", lrc, b"\x02AB\x03", false, Kind::Broken),
        ("a wrong LRC", lrc, b"\x02AB\x03\x01", true, Kind::Garbled),
        ("endless", lrc, &endless, true, Kind::TooLarge),
    ];
    for (what, framing, answer, hold, kind) in cases {
        let (reply, _) = exchanged(framing, b"", 2, answer, hold).await;
        assert_eq!(failure(reply), ("no reply", Some(kind)), "{what}");
    }
}

#[tokio::test]
async fn a_body_that_its_framing_cannot_carry_is_refused() {
    let (listener, address) = listen().await;
    let cases: [(Framing, Vec<u8>); 7] = [
        (Framing::LengthPrefix(1), vec![0; 256]),
        (Framing::LengthPrefix(2), vec![0; 65_536]),
        (Framing::LengthPrefix(0), vec![]),
        (Framing::LengthPrefix(3), vec![]),
        (Framing::LengthPrefix(8), vec![]),
        (Framing::StxEtxLrc(0), b"a\x03b".to_vec()),
        (Framing::StxEtxLrc(0), b"\x02".to_vec()),
    ];
    for (framing, body) in cases {
        let reply = send(&egress(), &plain(address), &frame(address, framing, &body)).await;
        assert_eq!(failure(reply), ("refused", Some(Kind::Body)), "{framing:?}");
    }
    let listener = listener.into_std().expect("a listener");
    assert!(listener.accept().is_err(), "somebody connected");
}

#[tokio::test]
async fn every_frame_has_a_connection_of_its_own() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        for _ in 0..2 {
            let mut stream = accept(&listener).await;
            stream.read_exact(&mut [0; 3]).await.expect("the frame");
            write(&mut stream, b"\0\x01!").await;
            assert_eq!(read_to_end(&mut stream).await, b"");
        }
    });
    let (egress, gate) = (egress(), plain(address));
    for _ in 0..2 {
        let reply = send(&egress, &gate, &frame(address, Framing::LengthPrefix(2), b"?")).await;
        assert_eq!(reply.expect("an answer"), Reply::Frame(b"!".to_vec()));
    }
    soon(server).await.expect("the server ends");
}

#[tokio::test]
async fn a_frame_that_was_taken_in_part_gives_no_reply() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let mut stream = accept(&listener).await;
        stream.read_exact(&mut [0; 64]).await.expect("some of it");
        reset(stream);
    });
    let request = frame(address, Framing::LengthPrefix(4), &vec![0; BODY_LARGE]);
    let reply = send(&egress(), &plain(address), &request).await;
    assert_eq!(failure(reply), ("no reply", Some(Kind::Broken)));
    soon(server).await.expect("the server ends");
}

#[tokio::test]
async fn a_frame_that_is_late_or_drips_is_given_up_in_time() {
    for begun in [false, true] {
        let (listener, address) = listen().await;
        let server = tokio::spawn(async move {
            let mut stream = accept(&listener).await;
            stream.read_exact(&mut [0; 3]).await.expect("the frame");
            if begun {
                write(&mut stream, b"\xff").await;
            }
            read_to_end(&mut stream).await
        });
        let mut gate: Gate = plain(address);
        gate.response_bytes_max = usize::MAX;
        match begun {
            false => gate.timeouts.first_byte_ms_max = 50,
            true => gate.timeouts.total_ms_max = 50,
        }
        let reply = send(&egress(), &gate, &frame(address, Framing::LengthPrefix(2), b"?")).await;
        assert_eq!(failure(reply), ("no reply", Some(Kind::Timeout)));
        soon(server).await.expect("the server ends");
    }
}

#[tokio::test]
async fn a_frame_goes_by_tls_unless_its_host_was_named_with_tcp() {
    let authority = Authority::new();
    let (listener, address) = listen().await;
    let (egress, gate) = (authority.egress(), Authority::gate(address));
    let server = tokio::spawn(async move {
        let mut stream = authority.accept(&listener).await.expect("a handshake");
        assert_eq!(stream.get_ref().1.alpn_protocol(), None);
        let mut seen = [0; 6];
        stream.read_exact(&mut seen).await.expect("the frame");
        write(&mut stream, b"\0\x04pong").await;
        seen
    });
    let request = egress::Request::Frame(egress::FrameRequest {
        endpoint: format!("pay.test:{}", address.port()),
        framing: Framing::LengthPrefix(2),
        body: vec![egress::Part::Text("ping".to_owned())],
    });
    let reply = send(&egress, &gate, &request).await;
    assert_eq!(reply.expect("an answer"), Reply::Frame(b"pong".to_vec()));
    assert_eq!(&soon(server).await.expect("the server ends"), b"\0\x04ping");
}
