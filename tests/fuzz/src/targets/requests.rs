//! Requests that a plugin may ask for, up to the head and body that would leave.
//!
//! Holds: what leaves goes to a host that the account names; a value that is filled in stands where
//! it was granted and nowhere else, and one that is not granted nowhere at all; no plugin writes a
//! header that is the host's own, or ends a line; a refusal is short, and the same whatever the
//! secrets are. The input is taken apart field by field into a request of the contract.

use std::sync::LazyLock;

use egress::{CardField, Fill, Gate, Grant, Granted, Place, fuzzing};
use sandbox::contract as wit;
use vault::Secret;

use crate::fixed::{self, API_KEY, CARD_NUMBER, UNGRANTED};
use crate::given::Given;

/// The account's values.
pub struct Values {
    api_key: Secret,
    ungranted: Secret,
    number: Secret,
    derived: Secret,
}

impl Default for Values {
    fn default() -> Values {
        Values::of(str::to_owned)
    }
}

impl Values {
    /// Others of the same lengths.
    fn others() -> Values {
        Values::of(|text| text.chars().rev().collect())
    }

    fn of(turned: impl Fn(&str) -> String) -> Values {
        let secret = |name: &str, text: &str| Secret::new(name, turned(text).into_bytes());
        Values {
            api_key: secret("api-key", API_KEY),
            ungranted: secret("ungranted", UNGRANTED),
            number: secret("card number", CARD_NUMBER),
            derived: secret("derived", "derived_canary_77d1"),
        }
    }
}

impl Fill for Values {
    fn secret(&self, name: &str) -> Option<&Secret> {
        match name {
            "api-key" => Some(&self.api_key),
            "ungranted" => Some(&self.ungranted),
            _ => None,
        }
    }

    fn card(&self, field: CardField) -> Option<&Secret> {
        matches!(field, CardField::Number).then_some(&self.number)
    }

    fn derived(&self, number: u32) -> Option<&Secret> {
        (number == 0).then_some(&self.derived)
    }
}

const NAMED: [&str; 3] = ["api.example.com", "http://127.0.0.1:8081", "[2001:db8::1]:8443"];
/// Headers that are the host's own, among others.
const OURS: [&str; 6] =
    ["host", "content-length", "transfer-encoding", "connection", "te", "expect"];

static GATE: LazyLock<Gate> = LazyLock::new(|| {
    let to_first = Some(vec![NAMED[0].parse().unwrap()]);
    let header = vec![Place::Header("authorization".to_owned())];
    let card = Granted::CardField(CardField::Number);
    Gate {
        hosts: NAMED.iter().map(|host| host.parse().unwrap()).collect(),
        grants: vec![
            Grant { value: Granted::Secret("api-key".to_owned()), places: header, hosts: None },
            Grant { value: card, places: vec![Place::Body], hosts: to_first },
        ],
        ..Gate::default()
    }
});

/// See the module.
pub fn requests(bytes: &[u8]) {
    let values = Values::default();
    let request = engine::fuzzing::request(request(&mut Given::new(bytes)));
    let journaled = serde_json::to_vec(&request).expect("a request is kept");
    assert!(
        serde_json::from_slice::<egress::Request>(&journaled).is_ok_and(|kept| kept == request)
    );
    let egress::Request::Http(http) = &request else { return };
    match fuzzing::prepared(&GATE, &values, http) {
        Ok((target, sent)) => left(http, &target, &sent),
        Err(error) => {
            let (shown, bug) = (error.to_string(), format!("{error:?}"));
            assert!(shown.len() <= 4096, "{} bytes of error", shown.len());
            assert!(!shown.chars().any(char::is_control), "{shown:?}");
            let other = fuzzing::prepared(&GATE, &Values::others(), http);
            let other = other.expect_err("what is refused does not hang on a secret");
            assert_eq!((other.to_string(), format!("{other:?}")), (shown, bug));
        }
    }
}

fn left(asked: &egress::HttpRequest, target: &str, sent: &http::Request<bytes::Bytes>) {
    assert!(NAMED.contains(&target), "{target} is not named");
    let named = target.strip_prefix("http://").unwrap_or(target);
    assert_eq!(sent.headers()["host"], named);
    assert_eq!(sent.headers().get_all("host").iter().count(), 1);
    let length = sent.headers().get("content-length").map(|value| value.to_str().unwrap());
    assert!(length.is_none_or(|length| length == sent.body().len().to_string()));
    for header in &asked.headers {
        let name = header.name.to_ascii_lowercase();
        assert!(!OURS.contains(&name.as_str()), "a plugin has set `{name}`");
    }
    for (name, value) in sent.headers() {
        let bytes = value.as_bytes();
        assert!(!bytes.iter().any(|byte| b"\r\n\0".contains(byte)), "{name} ends a line");
        let literal = |secret: &str| written(asked, secret);
        for secret in [CARD_NUMBER, UNGRANTED, API_KEY] {
            let granted = secret == API_KEY && name == "authorization";
            let found = fixed::holds(bytes, secret.as_bytes());
            assert!(granted || literal(secret) || !found, "{secret} stands in {name}");
        }
    }
    for secret in [API_KEY, UNGRANTED, CARD_NUMBER] {
        let granted = secret == CARD_NUMBER && target == NAMED[0];
        let found = fixed::holds(sent.body(), secret.as_bytes());
        assert!(granted || written(asked, secret) || !found, "{secret} stands in the body");
    }
    let path = sent.uri().path_and_query().unwrap().as_str();
    assert!(asked.url.ends_with(path) || path == "/" && !asked.url.ends_with('/'), "{path}");
}

/// Whether the plugin could have written it itself, out of its own texts.
fn written(asked: &egress::HttpRequest, secret: &str) -> bool {
    let parts = asked.headers.iter().flat_map(|header| &header.value).chain(&asked.body);
    let texts: Vec<u8> = parts
        .flat_map(|part| match part {
            egress::Part::Text(text) => text.as_bytes().to_vec(),
            egress::Part::Bytes(bytes) => bytes.clone(),
            egress::Part::Sensitive { .. } => Vec::new(),
        })
        .collect();
    // Pieces of it may be put together around a value that was filled in.
    texts.windows(4).any(|part| secret.as_bytes().windows(4).any(|piece| piece == part))
}

fn request(given: &mut Given<'_>) -> wit::Request {
    if given.byte() % 8 == 7 {
        let framing = match given.byte() {
            odd if odd & 1 == 1 => wit::Framing::LengthPrefix(odd >> 1),
            even => wit::Framing::StxEtxLrc(even >> 1),
        };
        let (endpoint, body) = (given.text(), parts(given));
        return wit::Request::Frame(wit::FrameRequest { endpoint, framing, body });
    }
    use wit::Method::{Delete, Get, Patch, Post, Put};
    let method = given.one_of(&[Post, Get, Put, Patch, Delete]);
    let bases =
        ["https://api.example.com/", "http://127.0.0.1:8081/", "https://[2001:db8::1]:8443"];
    let base = given.one_of(&["", bases[0], bases[1], bases[2], "https://api.example.com"]);
    let url = format!("{base}{}", given.text());
    let count = given.byte() % 5;
    let headers = (0..count).map(|_| header(given)).collect();
    wit::Request::Http(wit::HttpRequest { method, url, headers, body: parts(given) })
}

fn header(given: &mut Given<'_>) -> wit::Header {
    let name = match given.byte() % 4 {
        0 => "Authorization".to_owned(),
        1 => given.one_of(&OURS).to_owned(),
        _ => given.text(),
    };
    wit::Header { name, value: parts(given) }
}

fn parts(given: &mut Given<'_>) -> Vec<wit::Part> {
    let count = given.byte() % 5;
    (0..count).map(|_| part(given)).collect()
}

fn part(given: &mut Given<'_>) -> wit::Part {
    use wit::Encoding::{Base64, Base64url, Bcd, Form, Hex, Json, Raw, Xml};
    let source = match given.byte() % 8 {
        0 | 1 => return wit::Part::Text(given.text()),
        2 => return wit::Part::Bytes(given.counted().to_vec()),
        3 => wit::Source::Card(wit::CardField::Number),
        4 => wit::Source::Secret("ungranted".to_owned()),
        5 => wit::Source::Derived(given.byte().into()),
        6 => wit::Source::Secret(given.text()),
        _ => wit::Source::Secret("api-key".to_owned()),
    };
    let encoding = given.one_of(&[Raw, Json, Form, Xml, Base64, Base64url, Hex, Bcd]);
    wit::Part::Sensitive(wit::Sensitive { source, encoding })
}
