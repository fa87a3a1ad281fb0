//! The journal's form of requests and replies, and what a log may show of them.

use serde_json::json;

use super::*;
use crate::reply::Reply;

fn request() -> Request {
    Request::Http(HttpRequest {
        method: Method::Post,
        url: "https://api.example/v1".to_owned(),
        headers: vec![Header {
            name: "authorization".to_owned(),
            value: vec![
                Part::Text("Bearer ".to_owned()),
                Part::Sensitive {
                    source: Source::Secret("key".to_owned()),
                    encoding: Encoding::Raw,
                },
            ],
        }],
        body: vec![
            Part::Bytes(b"text".to_vec()),
            Part::Bytes(vec![0xff, 0x00]),
            Part::Sensitive {
                source: Source::Card(CardField::ExpiryYymm),
                encoding: Encoding::Base64url,
            },
            Part::Sensitive { source: Source::Derived(3), encoding: Encoding::Hex },
        ],
    })
}

#[test]
fn the_journal_keeps_a_request_as_a_person_can_read_it() {
    let expected = json!({"http": {
        "method": "post",
        "url": "https://api.example/v1",
        "headers": [{"name": "authorization", "value": [
            {"text": "Bearer "},
            {"sensitive": {"source": {"secret": "key"}, "encoding": "raw"}},
        ]}],
        "body": [
            {"bytes": "text"},
            {"bytes": {"base64": "/wA="}},
            {"sensitive": {"source": {"card": "expiry-yymm"}, "encoding": "base64url"}},
            {"sensitive": {"source": {"derived": 3}, "encoding": "hex"}},
        ],
    }});
    assert_eq!(serde_json::to_value(request()).expect("serialises"), expected);
    assert_eq!(serde_json::from_value::<Request>(expected).expect("reads"), request());
}

#[test]
fn frames_and_replies_come_back_as_they_were() {
    let frame = Request::Frame(FrameRequest {
        endpoint: "acquirer.example:5000".to_owned(),
        framing: Framing::StxEtxLrc(0x7f),
        body: vec![Part::Text("0800".to_owned())],
    });
    let text = serde_json::to_string(&frame).expect("serialises");
    assert!(text.contains(r#""framing":{"stx-etx-lrc":127}"#), "{text}");
    assert_eq!(serde_json::from_str::<Request>(&text).expect("reads"), frame);
    let headers = vec![("content-type".to_owned(), "text/plain".to_owned())];
    for body in [b"".to_vec(), b"{\"base64\":\"x\"}".to_vec(), vec![0, 159, 146, 150]] {
        let http = Reply::Http { status: 402, headers: headers.clone(), body: body.clone() };
        for reply in [http, Reply::Frame(body)] {
            let text = serde_json::to_string(&reply).expect("serialises");
            assert_eq!(serde_json::from_str::<Reply>(&text).expect("reads"), reply, "{text}");
        }
    }
}

#[test]
fn bytes_that_are_neither_text_nor_base64_are_not_read() {
    let bad = [
        json!({}),
        json!({"base64": "?"}),
        json!({"hex": "00"}),
        json!({"base64": "", "more": ""}),
        json!(7),
    ];
    for bytes in bad {
        let part: Result<Part, _> = serde_json::from_value(json!({"bytes": bytes}));
        assert!(part.is_err(), "{bytes}");
    }
}

#[test]
fn a_log_shows_names_and_sizes_and_no_contents() {
    let reply = Reply::Http {
        status: 200,
        headers: vec![("set-cookie".to_owned(), "canary".to_owned())],
        body: b"canary".to_vec(),
    };
    assert_eq!(format!("{reply:?}"), r#"Http(200, ["set-cookie"], 6 bytes)"#);
    let parts = [Part::Text("canary".to_owned()), Part::Bytes(b"canary".to_vec())];
    assert_eq!(format!("{parts:?}"), "[Text(6 bytes), Bytes(6 bytes)]");
    let shown = format!("{:?}", request());
    assert!(shown.contains("Sensitive(secret `key`, Raw)"), "{shown}");
    assert!(!shown.contains("Bearer"), "{shown}");
}
