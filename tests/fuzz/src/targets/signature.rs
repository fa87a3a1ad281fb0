//! Signatures of requests (RFC 9421): what a message claims, and the base that is signed.
//!
//! Holds: a base has one line for each covered component, none twice, and its parameters last, so
//! that nothing in a message makes a line of it; a claim does not hold by a key that did not sign;
//! what is signed over the same components holds, and over any other base it does not. The input
//! is a request: its target in the first line, then its headers.

use std::collections::HashSet;
use std::sync::LazyLock;

use api::signature::{
    Algorithm, Authority, Claim, Draft, Error, Message, Parameters, Policy, Request,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use vault::Key;

use crate::fixed;
use crate::given::Given;

static KEY: LazyLock<Key> = LazyLock::new(|| fixed::symmetric("k", 0x11));
static OTHER: LazyLock<Key> = LazyLock::new(|| fixed::symmetric("k", 0x12));
const BY: Algorithm = Algorithm::HmacSha256;

/// See the module.
pub fn signature(bytes: &[u8]) {
    let mut given = Given::new(bytes);
    let target = String::from_utf8_lossy(given.line()).into_owned();
    let headers = given.headers();
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target.as_str(), None),
    };
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    if !plain(path) || !query.is_none_or(plain) {
        return;
    }
    let authority = Authority::new("https", "pay.example.com");
    let path = if path.is_empty() { "/" } else { path };
    let request = Request { method: "POST", authority: &authority, path, query, headers: &headers };
    let claim = match Claim::find(&headers, |_| true) {
        Ok(claim) => claim,
        Err(error) => return bounded(&error, bytes),
    };
    let _ = Policy::default().check_time(&claim.parameters, fixed::NOW_S as i64);
    match claim.base(&Message::Request(request)) {
        Ok(base) => {
            one_line_each(&claim, &base);
            assert!(claim.verify(&base, &KEY, BY).is_err(), "a signature nobody made holds");
            signed(&claim, request);
        }
        Err(error) => bounded(&error, bytes),
    }
}

fn bounded(error: &Error, bytes: &[u8]) {
    let text = error.to_string();
    assert!(text.len() <= 256 + 4 * bytes.len(), "{} bytes of error", text.len());
    assert!(!text.chars().any(char::is_control), "{text:?}");
}

fn one_line_each(claim: &Claim, base: &str) {
    let lines: Vec<&str> = base.split('\n').collect();
    let (last, covered) = lines.split_last().unwrap();
    assert_eq!(covered.len(), claim.components.len(), "{base:?}");
    assert!(last.starts_with("\"@signature-params\": ("), "{base:?}");
    let mut seen = HashSet::new();
    for (line, component) in covered.iter().zip(&claim.components) {
        let identifier = component.identifier();
        assert!(line.starts_with(&format!("{identifier}: ")), "{line:?}");
        assert!(seen.insert(identifier), "covered twice: {line:?}");
    }
    assert!(!base.contains('\r'), "{base:?}");
}

/// The same components and parameters, signed by us.
fn signed(claim: &Claim, request: Request<'_>) {
    let own = |name: &str| name == "signature" || name == "signature-input";
    if claim.components.iter().any(|component| own(component.name())) {
        return;
    }
    let draft = Draft {
        label: claim.label.clone(),
        components: claim.components.clone(),
        parameters: Parameters { tag: None, ..claim.parameters.clone() },
    };
    let made = draft.sign(&Message::Request(request), &KEY, BY).expect("what was read is signed");
    let mut headers = request.headers.clone();
    let fields = [("signature-input", &made.input), ("signature", &made.signature)];
    for (name, value) in fields {
        let value = HeaderValue::from_str(value).expect("a field that can be sent");
        headers.insert(HeaderName::from_static(name), value);
    }
    let read = Claim::find(&headers, |tag| tag.is_none()).expect("what we sign is read");
    let base = base(&read, request, &headers).expect("what we sign has a base");
    assert_eq!(read.verify(&base, &KEY, BY), Ok(()), "what we sign does not hold");
    assert_eq!(read.verify(&base, &OTHER, BY), Err(Error::Wrong), "it holds by another key");
    let changed = format!("{base} ");
    assert_eq!(read.verify(&changed, &KEY, BY), Err(Error::Wrong), "it holds of another base");
}

fn base(claim: &Claim, request: Request<'_>, headers: &HeaderMap) -> Result<String, Error> {
    claim.base(&Message::Request(Request { headers, ..request }))
}
