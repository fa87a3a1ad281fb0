//! Every example of RFC 9421 whose algorithm is taken here: the signature base to the byte, the
//! signature, and, where the algorithm gives the same bytes each time, our own signature too.

use http::{HeaderMap, HeaderName, HeaderValue};
use vault::{Encoding, Key, Secret};

use crate::signature::{
    Algorithm, Authority, Claim, Draft, Error, Message, Request, Response, Signed,
};

const PUBLISHED: &str = include_str!("rfc9421.txt");

/// RFC 9421, B.1.4: published for tests, protects nothing.
const ED25519_TEST_KEY: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF
-----END PRIVATE KEY-----";

struct Case<'a> {
    name: &'a str,
    key: &'a str,
    by: Algorithm,
    label: &'a str,
    holds: bool,
    message: &'a str,
    request: Option<&'a str>,
    base: Option<&'a str>,
}

fn cases() -> Vec<Case<'static>> {
    PUBLISHED.split("=== ").skip(1).map(case).collect()
}

fn case(text: &'static str) -> Case<'static> {
    let mut sections = text.split("--- ");
    let mut head = sections.next().unwrap().lines();
    let name = head.next().unwrap();
    let mut said = |name: &str| head.next().unwrap().strip_prefix(name).unwrap();
    let (key, by) = (said("key: "), Algorithm::named(said("alg: ")).unwrap());
    let (label, holds) = (said("label: "), said("holds: ") == "yes");
    let mut case = Case { name, key, by, label, holds, message: "", request: None, base: None };
    for section in sections {
        let (what, text) = section.split_once('\n').unwrap();
        match what {
            "message" => case.message = text,
            "request" => case.request = Some(text),
            "base" => case.base = Some(text.trim_end()),
            other => panic!("{other}"),
        }
    }
    case
}

fn key(name: &str) -> Key {
    let (_, text) = PUBLISHED.split_once(&format!("*** {name}\n")).unwrap();
    let text = text.split("***").next().unwrap().split("===").next().unwrap();
    let secret = Secret::new(name, text.trim().as_bytes().to_vec());
    match name {
        "test-shared-secret" => Key::from_encoded("test", None, &secret, Encoding::Base64),
        _ => Key::from_pem("test", None, &secret),
    }
    .unwrap()
}

/// The start line and the fields of a message in text.
fn read(message: &str) -> (Vec<String>, HeaderMap) {
    let mut lines = message.lines().take_while(|line| !line.is_empty());
    let start = lines.next().unwrap().split(' ').map(str::to_owned).collect();
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        let name: HeaderName = name.parse().unwrap();
        headers.append(name, HeaderValue::from_str(value).unwrap());
    }
    (start, headers)
}

/// Calls `check` with the message that the case shows.
fn with_message<T>(case: &Case<'_>, check: impl FnOnce(Message<'_>) -> T) -> T {
    let (start, headers) = read(case.message);
    let answer = start[0].starts_with("HTTP");
    let (asked, fields) = match case.request {
        Some(request) => read(request),
        None => (start.clone(), headers.clone()),
    };
    let authority = Authority::new("https", fields["host"].to_str().unwrap());
    let (path, query) = asked[1].split_once('?').unwrap();
    let request = Request {
        method: &asked[0],
        authority: &authority,
        path,
        query: Some(query),
        headers: &fields,
    };
    match answer {
        true => check(Message::Response(Response {
            status: start[1].parse().unwrap(),
            headers: &headers,
            request,
        })),
        false => check(Message::Request(request)),
    }
}

/// The claim under the case's label, whatever other labels there are.
fn claim(case: &Case<'_>, message: &Message<'_>) -> Claim {
    let mut alone = message.headers().clone();
    for name in ["signature-input", "signature"] {
        let lines = alone[name].to_str().unwrap().to_owned();
        let own = lines.split(", ").map(str::trim);
        let own = own.filter(|member| member.starts_with(&format!("{}=", case.label)));
        let own: Vec<&str> = own.collect();
        alone.insert(name, HeaderValue::from_str(own[0]).unwrap());
    }
    Claim::find(&alone, |_| true).unwrap()
}

#[test]
fn every_published_base_and_signature_holds() {
    let cases = cases();
    assert_eq!(cases.len(), 16);
    for case in &cases {
        with_message(case, |message| {
            let claim = claim(case, &message);
            let base = claim.base(&message).unwrap();
            if let Some(published) = case.base {
                assert_eq!(base, published, "{}", case.name);
            }
            let held = claim.verify(&base, &key(case.key), case.by);
            let expected = if case.holds { Ok(()) } else { Err(Error::Wrong) };
            assert_eq!(held, expected, "{}", case.name);
        });
    }
}

#[test]
fn no_published_signature_holds_after_one_bit_was_changed() {
    for case in cases().iter().filter(|case| case.holds) {
        with_message(case, |message| {
            let claim = claim(case, &message);
            let base = claim.base(&message).unwrap();
            for at in [0, base.len() / 2, base.len() - 1] {
                let mut other = base.clone().into_bytes();
                other[at] ^= 1;
                let other = String::from_utf8(other).unwrap();
                let held = claim.verify(&other, &key(case.key), case.by);
                assert_eq!(held, Err(Error::Wrong), "{} at {at}", case.name);
            }
        });
    }
}

#[test]
fn no_published_signature_holds_by_another_algorithm_or_key() {
    for case in cases().iter().filter(|case| case.holds) {
        with_message(case, |message| {
            let claim = claim(case, &message);
            let base = claim.base(&message).unwrap();
            for by in Algorithm::ALL.into_iter().filter(|by| *by != case.by) {
                let held = claim.verify(&base, &key(case.key), by);
                assert_eq!(held, Err(Error::Wrong), "{} by {}", case.name, by.name());
            }
        });
    }
}

fn signed_again(label: &str, key: &Key) -> (Signed, String) {
    let all = cases();
    let case = all.iter().find(|case| case.label == label).unwrap();
    with_message(case, |message| {
        let claim = claim(case, &message);
        let draft = Draft {
            label: label.to_owned(),
            components: claim.components.clone(),
            parameters: claim.parameters.clone(),
        };
        let headers = message.headers();
        let published = format!(
            "{}\n{}",
            headers["signature-input"].to_str().unwrap(),
            headers["signature"].to_str().unwrap(),
        );
        (draft.sign(&message, key, case.by).unwrap(), published)
    })
}

#[test]
fn our_own_signatures_are_the_published_ones_where_they_have_one_form() {
    let ed25519 = Secret::new("test", ED25519_TEST_KEY.as_bytes().to_vec());
    let ed25519 = Key::from_pem("test", None, &ed25519).unwrap();
    for (label, key) in [("sig-b25", key("test-shared-secret")), ("sig-b26", ed25519)] {
        let (signed, published) = signed_again(label, &key);
        assert_eq!(format!("{}\n{}", signed.input, signed.signature), published);
    }
}
