//! Keys as others hand them over: PEM, DER, X.509, JWK.
//!
//! Holds: a key that is read is read as the same key out of the form it is kept in and out of the
//! form it is published in; whatever is refused is refused in a few words that repeat nothing long
//! of the text. The first byte says what is read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use vault::{Key, KeyKind, Secret, Spki};

use crate::given::Given;

/// The longest piece of a text that an error may repeat.
const REPEATED_MAX: usize = 40;

/// See the module.
pub fn keys(bytes: &[u8]) {
    let mut given = Given::new(bytes);
    let labels = ["PUBLIC KEY", "CERTIFICATE", "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];
    let which = usize::from(given.byte()) % (labels.len() + 2);
    if which == labels.len() {
        return set(given.rest());
    }
    let pem = match labels.get(which) {
        // The rest is DER in this block.
        Some(label) => {
            let body = STANDARD.encode(given.rest());
            format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n").into_bytes()
        }
        None => given.rest().to_vec(),
    };
    private(&pem);
    if let Ok(text) = std::str::from_utf8(&pem) {
        public(text);
    }
}

fn public(text: &str) {
    let spki = match Spki::read(text) {
        Ok(spki) => spki,
        Err(why) => return discreet(text.as_bytes(), &why),
    };
    assert_eq!(Spki::read(&spki.pem).as_ref(), Ok(&spki), "what is kept is not what was read");
    assert!(spki.pem.lines().all(|line| line.len() <= 64));
    let key = Key::from_pem("k", None, &Secret::new("k", spki.pem.clone().into_bytes()));
    let key = key.expect("what is kept is a key");
    assert_eq!(key.kind(), KeyKind::Public);
    published(&key);
}

fn private(pem: &[u8]) {
    match Key::from_pem("k", Some("id"), &Secret::new("k", pem.to_vec())) {
        Ok(key) => published(&key),
        Err(error) => discreet(pem, &error.to_string()),
    }
}

/// What is published of a key is a key, with the same public half.
fn published(key: &Key) {
    let Some(published) = key.published() else { return };
    let again = Key::of_published("k", None, &published).expect("what is published is a key");
    assert_eq!(again.published(), Some(published));
    let jwk = api::jose::jwk(key, "kid", "sig", None).expect("a key that is published has a JWK");
    let set = serde_json::json!({"keys": [jwk]});
    let read = api::jose::read_set(&set).unwrap();
    let [(kid, usage, read)] = read.as_slice() else { panic!("{set} is not read") };
    assert_eq!((kid.as_str(), usage.as_str()), ("kid", "sig"));
    assert_eq!(read.published(), key.published());
}

fn set(bytes: &[u8]) {
    let Ok(set) = serde_json::from_slice(bytes) else { return };
    for (_, _, key) in api::jose::read_set(&set).unwrap_or_default() {
        published(&key);
    }
}

fn discreet(text: &[u8], why: &str) {
    assert!(why.len() <= 200, "{} bytes of error", why.len());
    // The error's own words have spaces between them; a key has none.
    let told = why.as_bytes().windows(REPEATED_MAX).filter(|told| !told.contains(&b' '));
    let repeated = told.filter(|told| text.windows(REPEATED_MAX).any(|part| part == *told));
    assert_eq!(repeated.count(), 0, "an error repeats the text: {why}");
}
