//! Against RFC 7516, appendix A.1 (its content; its key transport is not taken here), RFC 7517 and
//! RFC 8037, and every header that published examples have and this profile refuses. Other people's
//! libraries open and seal in `tests/counterparties`.

use base64::Engine as _;
use engine::SystemEntropy;
use vault::{Key, PairKind, Published, Secret, private_pem};

use super::compact::BASE64URL;
use super::header::{Header, KeyWrap};
use super::{Compact, Error, Recipient, jwk, open, read_set, seal};

const STAND_IN: [u8; 32] = [7; 32];

fn secret_key(bytes: [u8; 32]) -> Key {
    Key::symmetric("test", None, &Secret::new("test", bytes.to_vec())).unwrap()
}

/// A private RSA key, and its public half.
fn pair() -> (Key, Key) {
    let pem = private_pem("test", PairKind::Rsa3072).unwrap();
    let private = Key::from_pem("test", None, &pem).unwrap();
    let public = Key::of_published("test", None, &private.published().unwrap()).unwrap();
    (private, public)
}

fn sealed(wrap: KeyWrap, key: &Key) -> String {
    seal(b"{\"a\":1}", Recipient { kid: "k", wrap, key }, &SystemEntropy).unwrap()
}

fn opened(jwe: &str, key: &Key) -> Result<Vec<u8>, Error> {
    let read = Compact::read(jwe.as_bytes())?;
    open(&read, Some(key), STAND_IN).map(|body| body.expose().to_vec())
}

#[test]
fn the_content_of_the_first_published_example_opens() {
    let key = [
        177, 161, 244, 128, 84, 143, 225, 115, 63, 180, 3, 255, 107, 154, 212, 246, 138, 7, 110,
        91, 112, 46, 34, 105, 47, 130, 203, 46, 122, 234, 64, 252,
    ];
    let decoded = |text: &str| BASE64URL.decode(text).unwrap();
    let ciphertext = "5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFShS8iB7j6jiSdiwkIr3ajw\
                      QzaBtQD_A";
    let example = Compact {
        header: Header { wrap: KeyWrap::Dir, kid: "a1".to_owned() },
        associated: "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ".to_owned(),
        wrapped_key: Vec::new(),
        iv: decoded("48V1_ALb6US04U3b"),
        sealed: [decoded(ciphertext), decoded("XFBoMYUZodetZdvTiFvSkQ")].concat(),
    };
    let text = open(&example, Some(&secret_key(key)), STAND_IN).unwrap();
    let said = "The true sign of intelligence is not knowledge but imagination.";
    assert_eq!(text.expose(), said.as_bytes());
}

#[test]
fn what_was_sealed_opens_by_the_same_key_alone() {
    let (private, public) = pair();
    let (other, _) = pair();
    let jwe = sealed(KeyWrap::RsaOaep256, &public);
    assert_eq!(opened(&jwe, &private).unwrap(), b"{\"a\":1}");
    assert_eq!(opened(&jwe, &other), Err(Error::NotOpened));
    assert_ne!(sealed(KeyWrap::RsaOaep256, &public), jwe);
    let jwe = sealed(KeyWrap::Dir, &secret_key([1; 32]));
    assert_eq!(opened(&jwe, &secret_key([1; 32])).unwrap(), b"{\"a\":1}");
    assert_eq!(opened(&jwe, &secret_key([2; 32])), Err(Error::NotOpened));
    let read = Compact::read(jwe.as_bytes()).unwrap();
    assert_eq!(open(&read, None, STAND_IN).map(drop), Err(Error::NotOpened));
}

#[test]
fn a_content_key_that_anybody_knows_opens_nothing_without_the_private_key() {
    let jwe = sealed(KeyWrap::Dir, &secret_key(STAND_IN));
    let (_, rest) = jwe.split_once("..").unwrap();
    let header = Header { wrap: KeyWrap::RsaOaep256, kid: "k".to_owned() }.write();
    let header = BASE64URL.encode(header);
    let jwe = format!("{header}.{}.{rest}", BASE64URL.encode([0; 384]));
    let (private, _) = pair();
    assert_eq!(opened(&jwe, &private), Err(Error::NotOpened));
}

#[test]
fn no_part_can_be_changed_in_any_character() {
    let key = secret_key([1; 32]);
    let jwe = sealed(KeyWrap::Dir, &key);
    for at in 0..jwe.len() {
        let mut other = jwe.clone().into_bytes();
        other[at] = if other[at] == b'A' { b'B' } else { b'A' };
        let other = String::from_utf8(other).unwrap();
        assert!(opened(&other, &key).is_err(), "at {at} of {jwe}");
    }
}

fn with_header(header: &str) -> Result<Compact, Error> {
    let parts = [header.as_bytes(), b"", &[0; 12], b"x", &[0; 16]];
    Compact::read(parts.map(|part| BASE64URL.encode(part)).join(".").as_bytes())
}

#[test]
fn no_header_is_taken_but_that_of_the_profile() {
    for right in [
        r#"{"alg":"dir","enc":"A256GCM","kid":"k"}"#,
        r#"{"kid":"k","typ":"JOSE","cty":"json","enc":"A256GCM","alg":"dir"}"#,
        r#"{"alg":"dir","enc":"A256GCM","kid":"k","cty":"application/json"}"#,
    ] {
        assert!(with_header(right).is_ok(), "{right}");
    }
    let wrong = [
        r#"{"alg":"none","enc":"A256GCM","kid":"k"}"#,
        r#"{"alg":"RSA1_5","enc":"A256GCM","kid":"k"}"#,
        r#"{"alg":"RSA-OAEP","enc":"A256GCM","kid":"k"}"#,
        r#"{"alg":"A128KW","enc":"A256GCM","kid":"k"}"#,
        r#"{"alg":"A256GCMKW","enc":"A256GCM","kid":"k"}"#,
        r#"{"alg":"PBES2-HS512+A256KW","enc":"A256GCM","kid":"k","p2c":1000000}"#,
        r#"{"alg":"ECDH-ES","enc":"A256GCM","kid":"k","epk":{}}"#,
        r#"{"alg":"dir","enc":"A128GCM","kid":"k"}"#,
        r#"{"alg":"dir","enc":"A256CBC-HS512","kid":"k"}"#,
        r#"{"alg":"dir","enc":"A256GCM","kid":"k","zip":"DEF"}"#,
        r#"{"alg":"dir","enc":"A256GCM","kid":"k","crit":["exp"],"exp":1}"#,
        r#"{"alg":"dir","enc":"A256GCM","kid":"k","cty":"JWT"}"#,
        r#"{"alg":"dir","enc":"A256GCM","kid":"k","jwk":{"kty":"oct","k":"AA"}}"#,
        r#"{"alg":"dir","enc":"A256GCM","kid":"k","jku":"https://evil.example"}"#,
        r#"{"alg":"dir","enc":"A256GCM","kid":"k","x5c":[]}"#,
        r#"{"alg":"dir","enc":"A256GCM","kid":"k","iv":"AA","tag":"AA"}"#,
        r#"{"alg":"dir","alg":"dir","enc":"A256GCM","kid":"k"}"#,
        r#"{"alg":["dir"],"enc":"A256GCM","kid":"k"}"#,
        r#"{"alg":"dir","enc":"A256GCM"}"#,
        r#"{"alg":"dir","kid":"k"}"#,
        r#"{"alg":"dir","enc":"A256GCM","kid":""}"#,
        r#"{"alg":"dir","enc":"A256GCM","kid":7}"#,
        r#"["alg","dir"]"#,
        "not json",
        "",
    ];
    for header in wrong {
        assert!(matches!(with_header(header), Err(Error::Malformed(_))), "{header}");
    }
}

#[test]
fn a_shape_that_is_not_five_parts_of_the_right_sizes_is_refused() {
    let jwe = sealed(KeyWrap::Dir, &secret_key([1; 32]));
    let parts: Vec<&str> = jwe.split('.').collect();
    let with = |at: usize, part: &str| {
        let mut parts = parts.clone();
        parts[at] = part;
        parts.join(".")
    };
    let wrong = [
        String::new(),
        parts[..4].join("."),
        format!("{jwe}."),
        format!("{{\"protected\":\"{}\"}}", parts[0]),
        with(0, &"A".repeat(2000)),
        with(1, "AAAA"),
        with(1, &"A".repeat(2000)),
        with(2, ""),
        with(2, "AAAA"),
        with(2, &"A".repeat(22)),
        with(3, &format!("{}=", parts[3])),
        with(3, &format!("{}+", parts[3])),
        with(4, "AAAA"),
        with(4, &format!("{}\n", parts[4])),
    ];
    for jwe in wrong {
        assert!(matches!(Compact::read(jwe.as_bytes()), Err(Error::Malformed(_))), "{jwe}");
    }
    assert!(matches!(Compact::read(&[0xff]), Err(Error::Malformed(_))));
}

#[test]
fn a_key_comes_back_from_its_published_form() {
    for (kind, usage) in
        [(PairKind::Ed25519, "sig"), (PairKind::P256, "sig"), (PairKind::Rsa3072, "enc")]
    {
        let pem = private_pem("test", kind).unwrap();
        let private = Key::from_pem("test", None, &pem).unwrap();
        let published = jwk(&private, "2026-11", usage, None).unwrap();
        for secret in ["d", "p", "q", "k"] {
            assert!(published.get(secret).is_none(), "{published}");
        }
        let set = serde_json::json!({"keys": [{"kty": "strange"}, published]});
        let read = read_set(&set).unwrap();
        let [(kid, use_, public)] = read.as_slice() else { panic!("{read:?}") };
        assert_eq!((kid.as_str(), use_.as_str()), ("2026-11", usage));
        assert_eq!(public.published(), private.published());
    }
}

#[test]
fn the_published_form_of_an_ed25519_key_is_that_of_rfc_8037() {
    // RFC 8037, appendix A.2; the key of RFC 8032, section 7.1, for tests alone.
    let x = hex(b"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    let key = Key::of_published("test", None, &Published::Ed25519 { x }).unwrap();
    let found = jwk(&key, "k", "sig", Some("EdDSA")).unwrap();
    assert_eq!(found["x"], "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    assert_eq!((&found["kty"], &found["crv"]), (&"OKP".into(), &"Ed25519".into()));
    assert!(jwk(&secret_key([1; 32]), "k", "enc", None).is_none());
}

fn hex(digits: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap() as u8;
    digits.chunks(2).map(|pair| digit(pair[0]) * 16 + digit(pair[1])).collect()
}
