//! What is filled in on the way out, what can never be injected, and which addresses are reached.

use std::net::IpAddr;
use std::sync::atomic::Ordering;

use egress::{
    CardField, Encoding, Failed, FrameRequest, Framing, Grant, Granted, Header, Kind, Method, Part,
    Place, Request, Source,
};
use tokio::io::AsyncReadExt;
use vault::Secret;

use crate::support::*;

pub fn header(name: &str, value: &str) -> Header {
    Header { name: name.to_owned(), value: vec![Part::Text(value.to_owned())] }
}

fn sensitive(source: Source, encoding: Encoding) -> Part {
    Part::Sensitive { source, encoding }
}

fn secret(name: &str, encoding: Encoding) -> Part {
    sensitive(Source::Secret(name.to_owned()), encoding)
}

fn values() -> Values {
    let mut values = Values::default();
    for (name, value) in [("key", "canary\"key"), ("broken", "canary\r\nx-injected: 1")] {
        values.secrets.insert(name.to_owned(), Secret::new(name, value.as_bytes().to_vec()));
    }
    let number = Secret::new("number", b"378282246310005".to_vec());
    values.card.insert(CardField::Number, number);
    values
}

fn grants() -> Vec<Grant> {
    let authorization = Place::Header("authorization".to_owned());
    let grant = |value, places| Grant { value, places, hosts: None };
    vec![
        grant(Granted::Secret("key".to_owned()), vec![authorization.clone(), Place::Body]),
        grant(Granted::Secret("broken".to_owned()), vec![authorization]),
        grant(Granted::Card, vec![Place::Body]),
    ]
}

#[tokio::test]
async fn secrets_and_card_numbers_are_filled_in_as_they_leave() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let mut stream = accept(&listener).await;
        let seen = read_request(&mut stream).await;
        write(&mut stream, OK).await;
        seen
    });
    let mut http = request(Method::Post, format!("http://{address}/"), b"");
    http.headers.push(Header {
        name: "Authorization".to_owned(),
        value: vec![Part::Text("Basic ".to_owned()), secret("key", Encoding::Base64)],
    });
    http.body = vec![
        Part::Text("{\"key\":\"".to_owned()),
        secret("key", Encoding::Json),
        Part::Text("\",\"pan\":\"".to_owned()),
        sensitive(Source::Card(CardField::Number), Encoding::Raw),
        Part::Text("\"}".to_owned()),
    ];
    let mut gate = plain(address);
    gate.grants = grants();
    let (egress, values) = (egress(), values());
    let request = Request::Http(http);
    soon(egress.send(&gate, &values, &request, durable())).await.expect("an answer");
    let seen = soon(server).await.expect("the server ends");
    assert!(seen.contains("\r\nauthorization: Basic Y2FuYXJ5ImtleQ==\r\n"), "{seen}");
    assert!(seen.ends_with("\r\n\r\n{\"key\":\"canary\\\"key\",\"pan\":\"378282246310005\"}"));
    assert!(!format!("{request:?}").contains("canary"));
}

#[tokio::test]
async fn a_card_number_is_packed_into_a_frame_as_it_leaves() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let mut stream = accept(&listener).await;
        let mut seen = [0; 11];
        stream.read_exact(&mut seen).await.expect("the frame");
        write(&mut stream, b"\0\0").await;
        seen
    });
    let mut gate = plain(address);
    gate.grants = grants();
    let number = sensitive(Source::Card(CardField::Number), Encoding::Bcd);
    let request = Request::Frame(FrameRequest {
        endpoint: address.to_string(),
        framing: Framing::LengthPrefix(2),
        body: vec![Part::Bytes(vec![15]), number],
    });
    let (egress, values) = (egress(), values());
    soon(egress.send(&gate, &values, &request, durable())).await.expect("an answer");
    let seen = soon(server).await.expect("the server ends");
    assert_eq!(&seen, b"\0\x09\x0f\x37\x82\x82\x24\x63\x10\x00\x5f");
}

#[tokio::test]
async fn headers_that_could_inject_or_are_the_hosts_own_are_refused() {
    let (listener, address) = listen().await;
    let raw = |name: &str, value: Part| Header { name: name.to_owned(), value: vec![value] };
    let cases: Vec<Vec<Header>> = vec![
        vec![header("x", "a\r\nb: c")],
        vec![header("x", "a\nb")],
        vec![header("x", "a\rb")],
        vec![header("x", "a\0b")],
        vec![header("x", "a\u{1}b")],
        vec![header("x", "a\u{7f}b")],
        vec![raw("x", Part::Bytes(b"a\r\n".to_vec()))],
        vec![raw("authorization", secret("broken", Encoding::Raw))],
        vec![header("", "a")],
        vec![header("x y", "a")],
        vec![header("x:", "a")],
        vec![header("x\r\ny", "a")],
        vec![header("ü", "a")],
        vec![header(&"x".repeat(70_000), "a")],
        vec![header("Host", "evil.example")],
        vec![header("Content-Length", "0")],
        vec![header("transfer-encoding", "chunked")],
        vec![header("Connection", "upgrade")],
        vec![header("keep-alive", "a")],
        vec![header("proxy-connection", "a")],
        vec![header("Expect", "100-continue")],
        vec![header("upgrade", "h2c")],
        vec![header("te", "trailers")],
        vec![header("trailer", "x")],
        vec![header("accept-encoding", "gzip")],
        vec![header("proxy-authorization", "a")],
        vec![header("x", "a"), header("X", "b")],
        (0..101).map(|index| header(&format!("x-{index}"), "a")).collect(),
    ];
    let mut gate = plain(address);
    gate.grants = grants();
    let (egress, values) = (egress(), values());
    for headers in cases {
        let what = format!("{:.80}", format!("{headers:?}"));
        let http = request(Method::Post, format!("http://{address}/"), b"{}");
        let request = Request::Http(egress::HttpRequest { headers, ..http });
        let reply = soon(egress.send(&gate, &values, &request, durable())).await;
        let Err(Failed::Refused(error)) = reply else { panic!("{what}: {reply:?}") };
        assert_eq!(error.kind, Kind::Header, "{what}");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("canary") && !shown.contains('\r'), "{shown}");
    }
    assert!(listener.into_std().expect("a listener").accept().is_err(), "somebody connected");
}

#[tokio::test]
async fn a_value_that_is_not_granted_is_refused_before_a_connection_is_opened() {
    let (listener, address) = listen().await;
    let mut gate = plain(address);
    gate.grants = grants();
    let (egress, values) = (egress(), values());
    let number = Source::Card(CardField::Number);
    for (name, value, kind) in [
        ("x-other", secret("key", Encoding::Raw), Kind::NotGranted),
        ("authorization", secret("unknown", Encoding::Raw), Kind::NotGranted),
        ("authorization", sensitive(number, Encoding::Raw), Kind::NotGranted),
        ("authorization", sensitive(Source::Derived(1), Encoding::Raw), Kind::NotGranted),
        ("authorization", secret("key", Encoding::Bcd), Kind::Encoding),
    ] {
        let mut http = request(Method::Get, format!("http://{address}/"), b"");
        http.headers.push(Header { name: name.to_owned(), value: vec![value] });
        let reply = soon(egress.send(&gate, &values, &Request::Http(http), durable())).await;
        let Err(Failed::Refused(error)) = reply else { panic!("{reply:?}") };
        assert_eq!(error.kind, kind);
        assert!(error.what.contains(&address.to_string()), "{error}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
    assert!(listener.into_std().expect("a listener").accept().is_err(), "somebody connected");
}

#[tokio::test]
async fn a_name_that_resolves_off_the_public_internet_is_not_connected_to() {
    let addresses = ["127.0.0.1", "169.254.169.254", "fd00:ec2::254", "::ffff:127.0.0.1"];
    for address in addresses {
        let public: IpAddr = "203.0.114.1".parse().expect("an address");
        let bad: IpAddr = address.parse().expect("an address");
        // One such address among public ones is enough.
        for addresses in [vec![bad], vec![public, bad]] {
            let names = Names::of(&addresses);
            let egress = egress_by(&names);
            for scheme in ["https", "http"] {
                let gate = gate(&["pay.test".to_owned(), "http://pay.test".to_owned()]);
                let http = request(Method::Get, format!("{scheme}://pay.test/"), b"");
                let reply = send(&egress, &gate, &Request::Http(http)).await;
                assert_eq!(failure(reply), ("not sent", Some(Kind::AddressRefused)), "{address}");
            }
            assert_eq!(names.asked.load(Ordering::SeqCst), 2);
        }
    }
}

#[tokio::test]
async fn the_address_that_was_checked_is_the_one_connected_to() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let mut stream = accept(&listener).await;
        let seen = read_request(&mut stream).await;
        write(&mut stream, OK).await;
        seen
    });
    let names = Names::loopback();
    let host = format!("http://pay.test:{}", address.port());
    let mut gate = gate(std::slice::from_ref(&host));
    gate.hosts = gate.hosts.into_iter().map(|host| host.private()).collect();
    let http = request(Method::Get, format!("{host}/"), b"");
    let reply = send(&egress_by(&names), &gate, &Request::Http(http)).await;
    assert_eq!(crate::support::http(reply).0, 200);
    assert_eq!(names.asked.load(Ordering::SeqCst), 1, "resolved more than once");
    let seen = soon(server).await.expect("the server ends");
    assert!(seen.contains(&format!("\r\nhost: pay.test:{}\r\n", address.port())), "{seen}");
}

#[tokio::test]
async fn a_name_without_addresses_is_not_sent_to() {
    for (names, host) in [(Names::of(&[]), "pay.test"), (Names::loopback(), "pay.unknown")] {
        let gate = gate(&[host.to_owned()]);
        let http = request(Method::Get, format!("https://{host}/"), b"");
        let reply = send(&egress_by(&names), &gate, &Request::Http(http)).await;
        assert_eq!(failure(reply), ("not sent", Some(Kind::Resolve)));
    }
}

#[tokio::test]
async fn the_next_address_is_tried_when_the_first_refuses() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let mut stream = accept(&listener).await;
        read_request(&mut stream).await;
        write(&mut stream, OK).await;
    });
    // Nobody listens at 127.0.0.2 on this port.
    let names = Names::of(&["127.0.0.2", "127.0.0.1"].map(|text| text.parse().expect(text)));
    let host = format!("http://pay.test:{}", address.port());
    let mut gate = gate(std::slice::from_ref(&host));
    gate.hosts = gate.hosts.into_iter().map(|host| host.private()).collect();
    let http = request(Method::Get, format!("{host}/"), b"");
    let reply = send(&egress_by(&names), &gate, &Request::Http(http)).await;
    assert_eq!(crate::support::http(reply).0, 200);
    soon(server).await.expect("the server ends");
}

#[tokio::test]
async fn what_a_provider_sends_back_of_a_sensitive_value_is_struck_out() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let mut stream = accept(&listener).await;
        let seen = read_request(&mut stream).await;
        let written = r#"canary\"key canary%22key Y2FuYXJ5ImtleQ== 63616e617279226b6579"#;
        let body = format!("{written} card 378282246310005 ending in 0005");
        let length = body.len();
        let head =
            format!("HTTP/1.1 402 No\r\nx-echo: canary\"key\r\ncontent-length: {length}\r\n\r\n");
        write(&mut stream, format!("{head}{body}").as_bytes()).await;
        seen
    });
    let mut http = request(Method::Post, format!("http://{address}/"), b"");
    let value = vec![secret("key", Encoding::Form)];
    http.headers.push(Header { name: "authorization".to_owned(), value });
    let number = sensitive(Source::Card(CardField::Number), Encoding::Raw);
    http.body = vec![Part::Text("n=".to_owned()), number, secret("key", Encoding::Json)];
    let mut gate = plain(address);
    gate.grants = grants();
    let (egress, values, request) = (egress(), values(), Request::Http(http));
    let sent = soon(egress.send(&gate, &values, &request, durable())).await.expect("an answer");
    soon(server).await.expect("the server ends");
    let egress::Reply::Http { status, headers, body } = sent else { panic!("no HTTP") };
    let text = String::from_utf8(body).unwrap();
    assert_eq!(status, 402);
    let echo = headers.iter().find(|(name, _)| name == "x-echo").map(|(_, value)| value.as_str());
    assert_eq!(echo, Some("**********"));
    let stars = |count: usize| "*".repeat(count);
    let written = [11, 12, 16, 20].map(stars).join(" ");
    assert_eq!(text, format!("{written} card {} ending in 0005", stars(15)));
}
