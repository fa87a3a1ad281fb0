//! Encrypted bodies over the real binary: what is encrypted as it should be is taken and answered
//! in kind; whatever is changed, confused or weak is refused, and moves nothing.

use serde_json::{Value, json};
use tokio::task::JoinSet;
use vault::{Key, Secret};

use crate::support::signer::{Outline, direct, jwe, opened, to_public, url64};
use crate::support::{PlatformStage, charge};

/// One attempt: the body that is signed, and what is answered.
struct Attempt {
    name: &'static str,
    answered: (u16, &'static str),
    body: fn(&PlatformStage, &[u8]) -> String,
}

const fn body(
    name: &'static str,
    answered: (u16, &'static str),
    body: fn(&PlatformStage, &[u8]) -> String,
) -> Attempt {
    Attempt { name, answered, body }
}

const CLOSED: (u16, &str) = (400, "jwe-not-opened");
const MALFORMED: (u16, &str) = (400, "jwe-malformed");

/// A right JWE with one of its parts made otherwise.
fn part(stage: &PlatformStage, text: &[u8], at: usize, change: fn(&str) -> String) -> String {
    let (kid, key) = &stage.aes;
    let whole = direct(kid, key, text);
    let mut parts: Vec<String> = whole.split('.').map(str::to_owned).collect();
    parts[at] = change(&parts[at]);
    parts.join(".")
}

/// The first character made another.
fn first(text: &str) -> String {
    let other = if text.starts_with('A') { 'B' } else { 'A' };
    format!("{other}{}", &text[1..])
}

/// A JWE whose header is this one, with the app's own key's name put in for `KID`.
fn headed(stage: &PlatformStage, text: &[u8], header: &str) -> String {
    let (kid, key) = &stage.aes;
    jwe(&header.replace("KID", kid), &[], key, text)
}

/// The same to the platform's public key, by an encrypted key of these many zeros.
fn wrapped(stage: &PlatformStage, text: &[u8], header: &str, bytes: usize) -> String {
    let (kid, _) = stage.decrypts();
    jwe(&header.replace("KID", &kid), &vec![0; bytes], &stage.aes.1, text)
}

fn symmetric(bytes: [u8; 32]) -> Key {
    Key::symmetric("test", None, &Secret::new("test", bytes.to_vec())).unwrap()
}

const ATTEMPTS: &[Attempt] = &[
    // Bytes that were changed.
    body("another tag", CLOSED, |stage, text| part(stage, text, 4, first)),
    body("another iv", CLOSED, |stage, text| part(stage, text, 2, first)),
    body("another ciphertext", CLOSED, |stage, text| part(stage, text, 3, first)),
    body("no ciphertext", CLOSED, |stage, text| part(stage, text, 3, |_| String::new())),
    body("a ciphertext cut short", CLOSED, |stage, text| {
        part(stage, text, 3, |part| part[4..].to_owned())
    }),
    body("another header of the same meaning", CLOSED, |stage, text| {
        let (kid, _) = &stage.aes;
        let whole = direct(kid, &stage.aes.1, text);
        let (_, rest) = whole.split_once('.').unwrap();
        let header = format!(r#"{{"enc":"A256GCM","alg":"dir","kid":"{kid}"}}"#);
        format!("{}.{rest}", url64(header.as_bytes()))
    }),
    body("parts of two", CLOSED, |stage, text| {
        let (kid, key) = &stage.aes;
        let (one, other) = (direct(kid, key, text), direct(kid, key, text));
        let (head, _) = one.rsplit_once('.').unwrap();
        format!("{head}.{}", other.rsplit_once('.').unwrap().1)
    }),
    // Another key.
    body("the other app's key under this one's name", CLOSED, |stage, text| {
        direct(&stage.aes.0, &stage.rival_aes.1, text)
    }),
    body("the other app's key under its own name", CLOSED, |stage, text| {
        direct(&stage.rival_aes.0, &stage.rival_aes.1, text)
    }),
    body("an unknown key", CLOSED, |stage, text| {
        direct(&format!("{}/unknown", stage.app), &stage.aes.1, text)
    }),
    body("no app named", CLOSED, |stage, text| direct("aes", &stage.aes.1, text)),
    body("the key that signs", CLOSED, |stage, text| {
        direct(&stage.signers[0].keyid, &stage.signers[0].key, text)
    }),
    body("a key of zeros", CLOSED, |stage, text| direct(&stage.aes.0, &symmetric([0; 32]), text)),
    body("an unknown key of the platform", CLOSED, |stage, text| {
        to_public("d0", &stage.decrypts().1, text)
    }),
    body("the platform's key that signs", CLOSED, |stage, text| {
        to_public("s1", &stage.decrypts().1, text)
    }),
    body("encrypted to somebody else", CLOSED, |stage, text| {
        let (_, reads) = &stage.secretive;
        let public = Key::of_published("test", None, &reads.published().unwrap()).unwrap();
        to_public(&stage.decrypts().0, &public, text)
    }),
    body("an encrypted key of zeros", CLOSED, |stage, text| {
        wrapped(stage, text, r#"{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"KID"}"#, 384)
    }),
    body("an encrypted key of another size", CLOSED, |stage, text| {
        wrapped(stage, text, r#"{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"KID"}"#, 256)
    }),
    body("the app's key named for RSA", CLOSED, |stage, text| {
        let header = r#"{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"KID"}"#;
        let header = header.replace("KID", &stage.aes.0);
        jwe(&header, &[0; 384], &stage.aes.1, text)
    }),
    // Algorithms that are not taken.
    body("no encryption", MALFORMED, |stage, text| {
        headed(stage, text, r#"{"alg":"none","enc":"A256GCM","kid":"KID"}"#)
    }),
    body("no encryption of the content", MALFORMED, |stage, text| {
        headed(stage, text, r#"{"alg":"dir","enc":"none","kid":"KID"}"#)
    }),
    body("RSA1_5", MALFORMED, |stage, text| {
        wrapped(stage, text, r#"{"alg":"RSA1_5","enc":"A256GCM","kid":"KID"}"#, 384)
    }),
    body("RSA-OAEP with SHA-1", MALFORMED, |stage, text| {
        wrapped(stage, text, r#"{"alg":"RSA-OAEP","enc":"A256GCM","kid":"KID"}"#, 384)
    }),
    body("A128KW", MALFORMED, |stage, text| {
        wrapped(stage, text, r#"{"alg":"A128KW","enc":"A256GCM","kid":"KID"}"#, 40)
    }),
    body("a password", MALFORMED, |stage, text| {
        let header = r#"{"alg":"PBES2-HS256+A128KW","p2c":2147483647,"p2s":"AA","enc":"A256GCM",
            "kid":"KID"}"#;
        wrapped(stage, text, header, 40)
    }),
    body("A128GCM", MALFORMED, |stage, text| {
        headed(stage, text, r#"{"alg":"dir","enc":"A128GCM","kid":"KID"}"#)
    }),
    body("A256CBC-HS512", MALFORMED, |stage, text| {
        headed(stage, text, r#"{"alg":"dir","enc":"A256CBC-HS512","kid":"KID"}"#)
    }),
    body("dir with an encrypted key", MALFORMED, |stage, text| {
        wrapped(stage, text, r#"{"alg":"dir","enc":"A256GCM","kid":"KID"}"#, 384)
    }),
    body("RSA without an encrypted key", MALFORMED, |stage, text| {
        wrapped(stage, text, r#"{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"KID"}"#, 0)
    }),
    // Headers that say more.
    body("compressed", MALFORMED, |stage, text| {
        headed(stage, text, r#"{"alg":"dir","enc":"A256GCM","kid":"KID","zip":"DEF"}"#)
    }),
    body("critical extensions", MALFORMED, |stage, text| {
        headed(
            stage,
            text,
            r#"{"alg":"dir","enc":"A256GCM","kid":"KID","crit":["b64"],"b64":false}"#,
        )
    }),
    body("a key of its own", MALFORMED, |stage, text| {
        headed(stage, text, r#"{"alg":"dir","enc":"A256GCM","kid":"KID","jwk":{"kty":"oct"}}"#)
    }),
    body("keys from elsewhere", MALFORMED, |stage, text| {
        headed(
            stage,
            text,
            r#"{"alg":"dir","enc":"A256GCM","kid":"KID","jku":"http://127.0.0.1/"}"#,
        )
    }),
    body("a header nobody knows", MALFORMED, |stage, text| {
        headed(stage, text, r#"{"alg":"dir","enc":"A256GCM","kid":"KID","x":1}"#)
    }),
    body("a name twice", MALFORMED, |stage, text| {
        headed(stage, text, r#"{"alg":"none","alg":"dir","enc":"A256GCM","kid":"KID"}"#)
    }),
    body("no key named", MALFORMED, |stage, text| {
        headed(stage, text, r#"{"alg":"dir","enc":"A256GCM"}"#)
    }),
    body("no content of JSON", MALFORMED, |stage, text| {
        headed(stage, text, r#"{"alg":"dir","enc":"A256GCM","kid":"KID","cty":"JWT"}"#)
    }),
    body("a header that is no object", MALFORMED, |stage, text| headed(stage, text, "[]")),
    body("an endless header", MALFORMED, |stage, text| {
        let long = "x".repeat(4000);
        headed(stage, text, &format!(r#"{{"alg":"dir","enc":"A256GCM","kid":"{long}"}}"#))
    }),
    // Values that headers may not have.
    body("A192GCM", MALFORMED, |stage, text| {
        headed(stage, text, r#"{"alg":"dir","enc":"A192GCM","kid":"KID"}"#)
    }),
    body("ECDH-ES", MALFORMED, |stage, text| {
        headed(stage, text, r#"{"alg":"ECDH-ES","enc":"A256GCM","kid":"KID"}"#)
    }),
    body("A256GCMKW", MALFORMED, |stage, text| {
        wrapped(stage, text, r#"{"alg":"A256GCMKW","enc":"A256GCM","kid":"KID"}"#, 32)
    }),
    body("an algorithm in capitals", MALFORMED, |stage, text| {
        headed(stage, text, r#"{"alg":"DIR","enc":"A256GCM","kid":"KID"}"#)
    }),
    body("no algorithm", MALFORMED, |stage, text| {
        headed(stage, text, r#"{"alg":null,"enc":"A256GCM","kid":"KID"}"#)
    }),
    body("a key by number", MALFORMED, |stage, text| {
        headed(stage, text, r#"{"alg":"dir","enc":"A256GCM","kid":7}"#)
    }),
    body("a key without a name", MALFORMED, |stage, text| {
        headed(stage, text, r#"{"alg":"dir","enc":"A256GCM","kid":""}"#)
    }),
    body("certificates", MALFORMED, |stage, text| {
        headed(stage, text, r#"{"alg":"dir","enc":"A256GCM","kid":"KID","x5c":["AA=="]}"#)
    }),
    body("an ephemeral key", MALFORMED, |stage, text| {
        headed(stage, text, r#"{"alg":"dir","enc":"A256GCM","kid":"KID","epk":{}}"#)
    }),
    body("a header cut short", MALFORMED, |stage, text| headed(stage, text, r#"{"alg":"dir""#)),
    body("a long iv", MALFORMED, |stage, text| part(stage, text, 2, |part| format!("{part}AAAA"))),
    body("a long tag", MALFORMED, |stage, text| part(stage, text, 4, |part| format!("{part}AAAA"))),
    body("no tag", MALFORMED, |stage, text| part(stage, text, 4, |_| String::new())),
    body("the other base64", MALFORMED, |stage, text| {
        part(stage, text, 3, |part| format!("+{}", &part[1..]))
    }),
    body("parts in another order", MALFORMED, |stage, text| {
        let whole = direct(&stage.aes.0, &stage.aes.1, text);
        let parts: Vec<&str> = whole.split('.').collect();
        [parts[0], parts[1], parts[3], parts[2], parts[4]].join(".")
    }),
    // Shapes.
    body("four parts", MALFORMED, |stage, text| {
        let whole = direct(&stage.aes.0, &stage.aes.1, text);
        whole.rsplit_once('.').unwrap().0.to_owned()
    }),
    body("six parts", MALFORMED, |stage, text| direct(&stage.aes.0, &stage.aes.1, text) + "."),
    body("the other serialisation", MALFORMED, |stage, text| {
        let whole = direct(&stage.aes.0, &stage.aes.1, text);
        json!({"protected": whole.split('.').next(), "ciphertext": "AA"}).to_string()
    }),
    body("padding", MALFORMED, |stage, text| part(stage, text, 4, |part| format!("{part}=="))),
    body("a short tag", MALFORMED, |stage, text| {
        part(stage, text, 4, |part| part[..16].to_owned())
    }),
    body("a short iv", MALFORMED, |stage, text| part(stage, text, 2, |part| part[..12].to_owned())),
    body("a line end", MALFORMED, |stage, text| direct(&stage.aes.0, &stage.aes.1, text) + "\n"),
    body("nothing", MALFORMED, |_, _| ".".to_owned()),
    body("a signed token", MALFORMED, |_, _| "eyJhbGciOiJub25lIn0.e30.".to_owned()),
    body("plain JSON declared as encrypted", MALFORMED, |_, text| {
        String::from_utf8(text.to_vec()).unwrap()
    }),
    // What is within.
    body("a JWE within", (400, "not-json"), |stage, text| {
        let (kid, key) = &stage.aes;
        direct(kid, key, direct(kid, key, text).as_bytes())
    }),
    body("no JSON within", (400, "not-json"), |stage, _| {
        direct(&stage.aes.0, &stage.aes.1, b"<a/>")
    }),
    body("another field within", (422, "fields-invalid"), |stage, _| {
        direct(&stage.aes.0, &stage.aes.1, br#"{"a":1}"#)
    }),
    body("too much", (413, "body-too-large"), |stage, _| {
        direct(&stage.aes.0, &stage.aes.1, &vec![b' '; 200_000])
    }),
];

/// A payment whose body is this, declared as encrypted, and signed.
fn sealed(stage: &PlatformStage, body: String) -> Outline {
    let outline = stage.payment(&stage.signers[0]);
    Outline { body: body.into_bytes(), media_type: Some("application/jose".to_owned()), ..outline }
}

fn text() -> Vec<u8> {
    charge("pm_card_visa", 1999).to_string().into_bytes()
}

#[tokio::test]
async fn whatever_does_not_open_as_it_should_is_refused_and_moves_nothing() {
    assert!(ATTEMPTS.len() >= 60, "{}", ATTEMPTS.len());
    let stage = PlatformStage::set().await;
    let right = direct(&stage.aes.0, &stage.aes.1, &text());
    let reply = stage.carry(&sealed(&stage, right.clone())).await;
    assert_eq!((reply.status, reply.header("content-type")), (201, "application/jose"));
    let before = stage.everything().await;
    let mut asked = JoinSet::new();
    for Attempt { name, answered, body } in ATTEMPTS {
        let wire = sealed(&stage, body(&stage, &text())).sign();
        let (client, key) = (stage.client(), stage.aes.1.clone());
        asked.spawn(async move {
            let reply = client.carry(&wire).await;
            let found: Value = match reply.header("content-type") {
                "application/jose" => serde_json::from_slice(&opened(&reply.body, &key)).unwrap(),
                _ => reply.json(),
            };
            (name, answered, reply.status, found)
        });
    }
    let (mut wrong, mut shapes) = (Vec::new(), Vec::new());
    while let Some(done) = asked.join_next().await {
        let (name, (status, code), found_status, found) = done.unwrap();
        if (found_status, found["code"].as_str()) != (*status, Some(*code)) {
            wrong.push(format!("{name}: {found_status} {found}, not {:?}", (status, code)));
        }
        if *code == CLOSED.1 {
            shapes.push(found);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Of all that does not open, nobody learns why.
    shapes.dedup();
    assert_eq!(shapes.len(), 1, "{shapes:#?}");
    // A body that was changed after it was signed is refused before it is opened.
    let mut wire = sealed(&stage, right).sign();
    wire.body[30] ^= 1;
    stage.client().carry(&wire).await.problem(400, "content-digest-mismatch");
    assert_eq!(stage.everything().await, before);
}

#[tokio::test]
async fn a_body_encrypted_by_either_key_is_taken_and_answered_in_kind() {
    let stage = PlatformStage::set().await;
    let (kid, public) = stage.decrypts();
    for body in [direct(&stage.aes.0, &stage.aes.1, &text()), to_public(&kid, &public, &text())] {
        let outline = sealed(&stage, body);
        let reply = stage.carry(&outline).await;
        assert_eq!((reply.status, reply.header("content-type")), (201, "application/jose"));
        let answer: Value = serde_json::from_slice(&opened(&reply.body, &stage.aes.1)).unwrap();
        assert_eq!(answer["amount"]["minor"], 1999, "{answer}");
    }
    assert_eq!(stage.everything().await.0.len(), 2);
}

#[tokio::test]
async fn the_same_operation_encrypted_anew_has_its_first_answer() {
    let stage = PlatformStage::set().await;
    let (kid, key) = &stage.aes;
    let ids = [(); 2].map(|()| sealed(&stage, direct(kid, key, &text())));
    let mut found = Vec::new();
    for outline in ids {
        let outline = Outline { idempotency_key: Some("order-1".to_owned()), ..outline };
        let reply = stage.carry(&outline).await;
        assert_eq!(reply.status, 201);
        found.push(serde_json::from_slice::<Value>(&opened(&reply.body, key)).unwrap());
    }
    assert_eq!(found[0], found[1]);
    assert_eq!(stage.everything().await.0.len(), 1);
}

#[tokio::test]
async fn an_app_that_has_to_encrypt_is_answered_encrypted_to_itself_alone() {
    let stage = PlatformStage::set().await;
    let (signer, reads) = &stage.secretive;
    let reply = stage.carry(&stage.question(signer, "/v1/platform")).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, "application/jose"));
    let told: Value = serde_json::from_slice(&opened(&reply.body, reads)).unwrap();
    assert_eq!(told["app"]["protection"], "encryption");
    let plain = stage.carry(&stage.payment(signer)).await;
    plain.problem(403, "protection-required");
    let (kid, public) = stage.decrypts();
    let outline = sealed(&stage, to_public(&kid, &public, &text()));
    let parameters = outline.parameters.replace(&stage.signers[0].keyid, &signer.keyid);
    let outline = Outline { parameters, signer: signer.clone(), ..outline };
    let reply = stage.carry(&outline).await;
    assert_eq!((reply.status, reply.header("content-type")), (201, "application/jose"));
    let paid: Value = serde_json::from_slice(&opened(&reply.body, reads)).unwrap();
    assert_eq!(paid["status"], "captured", "{paid}");
}

#[tokio::test]
async fn plaintext_declared_as_something_else_is_not_taken_for_encrypted() {
    let stage = PlatformStage::set().await;
    for media_type in ["application/jose; x=1", "application/jose+json", "text/plain"] {
        let outline = stage.payment(&stage.signers[0]);
        let outline = Outline { media_type: Some(media_type.to_owned()), ..outline };
        stage.carry(&outline).await.problem(415, "media-type-unsupported");
    }
}
