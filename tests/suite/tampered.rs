//! Signed requests over the real binary: each kind of key is taken, and whatever is forged, stale,
//! replayed, stripped, downgraded or confused is refused with its own code, and moves nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::support::signer::{Outline, Signer, Wire, hex, now, public_pem, sha256, sha512, shared};
use crate::support::{PlatformStage, Random, Reply, charge, tollgate};

/// One attempt: what is made otherwise before signing, and after.
struct Attempt {
    name: &'static str,
    answered: (u16, &'static str),
    before: fn(&mut Outline, &PlatformStage),
    after: fn(&mut Wire, &PlatformStage),
}

fn nothing(_: &mut Wire, _: &PlatformStage) {}

fn right(_: &mut Outline, _: &PlatformStage) {}

/// Signed well, but not as it should be.
const fn signed(
    name: &'static str,
    answered: (u16, &'static str),
    before: fn(&mut Outline, &PlatformStage),
) -> Attempt {
    Attempt { name, answered, before, after: nothing }
}

/// Changed after it was signed well.
const fn changed(
    name: &'static str,
    answered: (u16, &'static str),
    after: fn(&mut Wire, &PlatformStage),
) -> Attempt {
    Attempt { name, answered, before: right, after }
}

const WRONG: (u16, &str) = (401, "signature-wrong");
const STALE: (u16, &str) = (401, "signature-stale");
const MISSING: (u16, &str) = (401, "signature-missing");
const UNCOVERED: (u16, &str) = (401, "signature-components-missing");
const MALFORMED: (u16, &str) = (400, "signature-malformed");
const TWICE: (u16, &str) = (400, "header-invalid");
const OTHER_BODY: (u16, &str) = (400, "content-digest-mismatch");

fn cover(outline: &mut Outline, all: &[&str]) {
    outline.covered = all.iter().map(|name| format!("\"{name}\"")).collect();
}

fn uncover(outline: &mut Outline, name: &str) {
    outline.covered.retain(|covered| covered.trim_matches('"') != name);
}

fn by(outline: &mut Outline, signer: &Signer) {
    let from = outline.signer.keyid.clone();
    outline.parameter(&from, &signer.keyid);
    outline.signer = signer.clone();
}

const ATTEMPTS: &[Attempt] = &[
    // What travels is not what was signed.
    changed("another method", WRONG, |wire, _| wire.method = "GET".to_owned()),
    changed("another path", WRONG, |wire, _| wire.target = "/v1/payouts".to_owned()),
    changed("a query put on", WRONG, |wire, _| wire.target.push_str("?x=1")),
    changed("a query mark put on", WRONG, |wire, _| wire.target.push('?')),
    changed("another idempotency key", WRONG, |wire, _| {
        wire.edit("idempotency-key", |key| format!("{key}x"));
    }),
    changed("another media type", WRONG, |wire, _| {
        wire.edit("content-type", |_| "application/json; charset=utf-8".to_owned());
    }),
    changed("another digest", WRONG, |wire, _| wire.edit("content-digest", |_| sha256(b"{}"))),
    changed("another digest of the same body", WRONG, |wire, _| {
        let other = sha512(&wire.body);
        wire.edit("content-digest", |_| other);
    }),
    changed("another body", OTHER_BODY, |wire, _| {
        wire.body = charge("pm_card_visa", 999_999).to_string().into_bytes();
    }),
    changed("one byte of the body", OTHER_BODY, |wire, _| wire.body[20] ^= 1),
    changed("a body cut short", OTHER_BODY, |wire, _| wire.body.truncate(30)),
    changed("a space after the body", OTHER_BODY, |wire, _| wire.body.push(b' ')),
    changed("another body and its digest", WRONG, |wire, _| {
        wire.body = charge("pm_card_visa", 1).to_string().into_bytes();
        let digest = sha256(&wire.body);
        wire.edit("content-digest", |_| digest);
    }),
    changed("another loopback name", WRONG, |wire, _| {
        wire.edit("host", |host| host.replace("127.0.0.1", "localhost"));
    }),
    changed("another host", (421, "misdirected"), |wire, _| {
        wire.edit("host", |_| "pay.example.com".to_owned());
    }),
    changed("another port", (421, "misdirected"), |wire, _| {
        wire.edit("host", |_| "127.0.0.1:1".to_owned());
    }),
    signed("signed for another host", (421, "misdirected"), |outline, _| {
        outline.host = "bank.example".to_owned();
    }),
    // What was signed is shown otherwise.
    changed("a later time", WRONG, |wire, _| {
        let (then, later) = (format!("created={}", now()), format!("created={}", now() + 5));
        wire.edit("signature-input", |text| {
            let at = text.find("created=").unwrap();
            let end = text[at..].find(';').unwrap() + at;
            assert!(text[at..end].len() == then.len());
            format!("{}{later}{}", &text[..at], &text[end..])
        });
    }),
    changed("another nonce", WRONG, |wire, _| {
        wire.edit("signature-input", |text| text.replace("nonce=\"", "nonce=\"0"));
    }),
    changed("a label of its own", MALFORMED, |wire, _| {
        wire.edit("signature-input", |text| text.replace("sig1=", "sig2="));
    }),
    changed("components in another order", WRONG, |wire, _| {
        wire.edit("signature-input", |text| {
            text.replace("\"@method\" \"@target-uri\"", "\"@target-uri\" \"@method\"")
        });
    }),
    changed("a component left out of the list", UNCOVERED, |wire, _| {
        wire.edit("signature-input", |text| text.replace(" \"content-digest\"", ""));
    }),
    changed("a component more in the list", WRONG, |wire, _| {
        wire.edit("signature-input", |text| text.replace("\"@method\"", "\"@method\" \"host\""));
    }),
    changed("a tag put on", WRONG, |wire, _| {
        wire.edit("signature-input", |text| format!("{text};tag=\"tollgate\""));
    }),
    changed("an end put on", WRONG, |wire, _| {
        wire.edit("signature-input", |text| format!("{text};expires={}", now() + 60));
    }),
    changed("one bit of the signature", WRONG, |wire, _| {
        wire.edit("signature", |text| match text.as_bytes()[8] {
            b'A' => text.replacen("A", "B", 1),
            _ => format!("{}A{}", &text[..8], &text[9..]),
        });
    }),
    changed("a signature cut short", WRONG, |wire, _| {
        wire.edit("signature", |text| format!("{}:", &text[..text.len() - 9]));
    }),
    changed("an empty signature", WRONG, |wire, _| {
        wire.edit("signature", |_| "sig1=::".to_owned());
    }),
    // Something is stripped.
    changed("no signature", MISSING, |wire, _| wire.strip("signature")),
    changed("no list", MISSING, |wire, _| wire.strip("signature-input")),
    changed("neither", (401, "api-key-missing"), |wire, _| {
        wire.strip("signature");
        wire.strip("signature-input");
    }),
    changed("no digest", MALFORMED, |wire, _| wire.strip("content-digest")),
    changed("no idempotency key", MALFORMED, |wire, _| wire.strip("idempotency-key")),
    changed("no media type", MALFORMED, |wire, _| wire.strip("content-type")),
    // It covers too little, although signed well.
    signed("nothing covered", UNCOVERED, |outline, _| outline.covered.clear()),
    signed("no method", UNCOVERED, |outline, _| uncover(outline, "@method")),
    signed("no target", UNCOVERED, |outline, _| uncover(outline, "@target-uri")),
    signed("a path without its authority", UNCOVERED, |outline, _| {
        uncover(outline, "@target-uri");
        outline.covered.push("\"@path\"".to_owned());
    }),
    signed("an authority without a path", UNCOVERED, |outline, _| {
        uncover(outline, "@target-uri");
        outline.covered.push("\"@authority\"".to_owned());
    }),
    signed("a query that is not covered", UNCOVERED, |outline, _| {
        outline.target.push_str("?a=1");
        let rest = ["content-digest", "content-type", "idempotency-key"];
        cover(outline, &[&["@method", "@authority", "@path"][..], &rest].concat());
    }),
    signed("no digest covered", UNCOVERED, |outline, _| uncover(outline, "content-digest")),
    signed("no media type covered", UNCOVERED, |outline, _| uncover(outline, "content-type")),
    signed("no idempotency key covered", UNCOVERED, |outline, _| {
        uncover(outline, "idempotency-key");
    }),
    signed("a method of another message", MALFORMED, |outline, _| {
        outline.covered.push("\"@method\";req".to_owned());
    }),
    signed("a digest by its parameters", UNCOVERED, |outline, _| {
        uncover(outline, "content-digest");
        outline.covered.push("\"content-digest\";sf".to_owned());
    }),
    signed("a component twice", MALFORMED, |outline, _| {
        outline.covered.push("\"@method\"".to_owned());
    }),
    signed("a component that is not there", MALFORMED, |outline, _| {
        outline.covered.push("\"x-absent\"".to_owned());
    }),
    signed("the status of an answer", MALFORMED, |outline, _| {
        outline.covered.push("\"@status\"".to_owned());
    }),
    signed("a trailer", MALFORMED, |outline, _| {
        outline.covered.push("\"expires\";tr".to_owned());
    }),
    signed("itself", MALFORMED, |outline, _| {
        outline.covered.push("\"@signature-params\"".to_owned());
    }),
    // It is not of this time.
    signed("made too long ago", STALE, |outline, _| outline.created -= 400),
    signed("made in the future", STALE, |outline, _| outline.created += 200),
    signed("made at the beginning of time", STALE, |outline, _| outline.created = 0),
    signed("over", STALE, |outline, _| {
        outline.created -= 20;
        let end = format!(";expires={}", now() - 10);
        outline.parameters.push_str(&end);
    }),
    signed("over before it began", STALE, |outline, _| {
        let end = format!(";expires={}", outline.created - 1);
        outline.parameters.push_str(&end);
    }),
    // Parameters are missing, twice, or no such thing.
    signed("no nonce", MALFORMED, |outline, _| {
        let all = outline.parameters.clone();
        let keyid = all.find(";keyid").unwrap();
        outline.parameters = all[keyid..].to_owned();
    }),
    signed("a nonce that could be guessed", MALFORMED, |outline, _| {
        let all = outline.parameters.clone();
        let keyid = all.find(";keyid").unwrap();
        outline.parameters = format!(";nonce=\"1234\"{}", &all[keyid..]);
    }),
    signed("an endless nonce", MALFORMED, |outline, _| {
        outline.parameter(";nonce=\"", &format!(";nonce=\"{}", "n".repeat(128)));
    }),
    signed("a nonce of bytes", MALFORMED, |outline, _| {
        let all = outline.parameters.clone();
        let keyid = all.find(";keyid").unwrap();
        outline.parameters = format!(";nonce=:AAAAAAAAAAAAAAAAAAAAAAAA:{}", &all[keyid..]);
    }),
    signed("no key named", MALFORMED, |outline, _| {
        let all = outline.parameters.clone();
        outline.parameters = all[..all.find(";keyid").unwrap()].to_owned();
    }),
    signed("two nonces", MALFORMED, |outline, _| {
        outline.parameters.push_str(";nonce=\"another-nonce-of-this-app\"");
    }),
    signed("two keys named", MALFORMED, |outline, stage| {
        let other = format!(";keyid=\"{}\"", stage.rival.keyid);
        outline.parameters.push_str(&other);
    }),
    signed("a parameter nobody knows", MALFORMED, |outline, _| {
        outline.parameters.push_str(";delegate=\"me\"");
    }),
    signed("the tag of an answer", MISSING, |outline, _| {
        outline.parameters.push_str(";tag=\"tollgate-response\"");
    }),
    signed("the tag of somebody else", MISSING, |outline, _| {
        outline.parameters.push_str(";tag=\"web-bot-auth\"");
    }),
    // Headers that two readers could read differently.
    changed("two lists", TWICE, |wire, _| {
        let again = wire.header("signature-input").to_owned();
        wire.add("signature-input", &again);
    }),
    changed("two signatures", TWICE, |wire, _| wire.add("signature", "sig1=:AAAA:")),
    changed("two digests", TWICE, |wire, _| wire.add("content-digest", &sha256(b"{}"))),
    changed("two idempotency keys", TWICE, |wire, _| wire.add("idempotency-key", "another")),
    changed("two media types", TWICE, |wire, _| wire.add("content-type", "application/json")),
    changed("two hosts", TWICE, |wire, _| wire.add("host", "pay.example.com")),
    changed("one label twice", MALFORMED, |wire, _| {
        wire.edit("signature-input", |text| format!("{text}, {text}"));
        wire.edit("signature", |text| format!("{text}, {text}"));
    }),
    changed("two labels", MALFORMED, |wire, _| {
        wire.edit("signature-input", |text| format!("{text}, {}", text.replace("sig1", "sig2")));
        wire.edit("signature", |text| format!("{text}, {}", text.replace("sig1", "sig2")));
    }),
    changed("no structured field", MALFORMED, |wire, _| {
        wire.edit("signature-input", |_| "sig1=(\"@method\"".to_owned());
    }),
    changed("a signature as a text", MALFORMED, |wire, _| {
        wire.edit("signature", |text| text.replace(':', "\""));
    }),
    changed("an API key beside it", (400, "proof-twice"), |wire, stage| {
        wire.add("authorization", &format!("Bearer {}", stage.host.key()));
    }),
    changed("a wrong API key beside it", (400, "proof-twice"), |wire, _| {
        wire.add("authorization", "Bearer tgk_none_none");
    }),
    // A key that is not the right one.
    signed("the key of another app under this one's name", WRONG, |outline, stage| {
        outline.signer.key = stage.rival.key.clone();
    }),
    signed("this app's key under the name of another", WRONG, |outline, stage| {
        outline.parameter(&stage.signers[0].keyid, &stage.rival.keyid);
    }),
    signed("a key that was revoked", WRONG, |outline, stage| by(outline, &stage.revoked)),
    signed("a key that nobody knows", WRONG, |outline, stage| {
        outline.parameter(&stage.signers[0].keyid, &format!("{}/unknown", stage.app));
    }),
    signed("an app that nobody knows", WRONG, |outline, stage| {
        let unknown = "app_01jd8ze5p2m3q4r5s6t7v8w9xa/mac";
        outline.parameter(&stage.signers[0].keyid, unknown);
    }),
    signed("an app's name alone", WRONG, |outline, stage| {
        outline.parameter(&stage.signers[0].keyid, &stage.app);
    }),
    signed("a name that leads elsewhere", WRONG, |outline, stage| {
        outline.parameter(&stage.signers[0].keyid, "../app/x");
    }),
    signed("a key that encrypts", WRONG, |outline, stage| {
        let (keyid, key) = stage.aes.clone();
        by(outline, &Signer { keyid, alg: "hmac-sha256", key });
    }),
    signed("an API key", WRONG, |outline, stage| {
        let keyid = outline.signer.keyid.clone();
        outline.parameter(&keyid, &format!("{}/key-1", stage.app));
    }),
    // An algorithm that is not the key's.
    signed("HMAC under the text of a public key", WRONG, |outline, stage| {
        let key = shared(&STANDARD.encode(public_pem(&stage.signers[3].key)));
        let keyid = stage.signers[3].keyid.clone();
        by(outline, &Signer { keyid, alg: "hmac-sha256", key });
        outline.parameters.push_str(";alg=\"hmac-sha256\"");
    }),
    signed("another algorithm named", WRONG, |outline, _| {
        outline.parameters.push_str(";alg=\"ed25519\"");
    }),
    signed("no algorithm named `none`", WRONG, |outline, _| {
        outline.parameters.push_str(";alg=\"none\"");
    }),
    signed("an algorithm that is not taken", WRONG, |outline, _| {
        outline.parameters.push_str(";alg=\"hmac-sha1\"");
    }),
    signed("PKCS#1 v1.5 where PSS is named", WRONG, |outline, stage| {
        by(outline, &stage.signers[4]);
        outline.parameters.push_str(";alg=\"rsa-pss-sha512\"");
    }),
    signed("PKCS#1 v1.5 without saying so", WRONG, |outline, stage| {
        by(outline, &stage.signers[4]);
    }),
    signed("P-256 under the name of an Ed25519 key", WRONG, |outline, stage| {
        let keyid = stage.signers[1].keyid.clone();
        by(outline, &Signer { keyid, ..stage.signers[2].clone() });
    }),
    // Digests that prove nothing.
    signed("a digest by MD5 alone", (400, "content-digest-malformed"), |outline, _| {
        outline.digest = Some("md5=:1B2M2Y8AsgTpgAmY7PhCfg==:".to_owned());
    }),
    signed("a digest that is a text", (400, "content-digest-malformed"), |outline, _| {
        outline.digest = Some("sha-256=\"abc\"".to_owned());
    }),
    signed("one right digest and one wrong", OTHER_BODY, |outline, _| {
        outline.digest = Some(format!("{}, {}", sha256(&outline.body), sha512(b"{}")));
    }),
    signed("the digest of another body", OTHER_BODY, |outline, _| {
        outline.digest = Some(sha256(b"{}"));
    }),
];

#[tokio::test]
async fn whatever_is_forged_stale_stripped_or_confused_is_refused_and_moves_nothing() {
    assert!(ATTEMPTS.len() >= 60, "{}", ATTEMPTS.len());
    let stage = PlatformStage::set().await;
    let signer = stage.signers[0].clone();
    stage.carry(&stage.payment(&signer)).await.with(201);
    let before = stage.everything().await;
    let mut asked = JoinSet::new();
    for Attempt { name, answered, before, after } in ATTEMPTS {
        let mut outline = stage.payment(&signer);
        before(&mut outline, &stage);
        let mut wire = outline.sign();
        after(&mut wire, &stage);
        let client = stage.client();
        asked.spawn(async move { (name, answered, client.carry(&wire).await) });
    }
    let mut wrong = Vec::new();
    while let Some(done) = asked.join_next().await {
        let (name, (status, code), reply) = done.unwrap();
        let found = reply.json();
        let refused = (reply.status, found["code"].as_str().unwrap_or_default());
        if refused != (*status, *code) {
            wrong.push(format!("{name}: {refused:?}, not {:?}", (status, code)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(stage.everything().await, before);
    stage.carry(&stage.payment(&signer)).await.with(201);
}

/// Whether the answer's digest and signature hold, for this request.
fn attested(stage: &PlatformStage, outline: &Outline, wire: &Wire, reply: &Reply) {
    assert_eq!(reply.header("content-digest"), sha256(&reply.body));
    let input = reply.header("signature-input").strip_prefix("tollgate=").unwrap();
    let signature = reply.header("signature").strip_prefix("tollgate=:").unwrap();
    let signature = STANDARD.decode(signature.strip_suffix(':').unwrap()).unwrap();
    let own = wire.header("signature").strip_prefix("sig1=").unwrap();
    let mut base = format!(
        "\"@status\": {}\n\"content-digest\": {}\n\"content-type\": {}\n\"@method\";req: {}\n\
         \"@target-uri\";req: http://{}{}\n\"signature\";req;key=\"sig1\": {own}\n",
        reply.status,
        reply.header("content-digest"),
        reply.header("content-type"),
        wire.method,
        outline.host,
        wire.target,
    );
    if wire.headers.iter().any(|(name, _)| name == "content-digest") {
        base.push_str(&format!("\"content-digest\";req: {}\n", wire.header("content-digest")));
    }
    base.push_str(&format!("\"@signature-params\": {input}"));
    let by = vault::SignatureAlgorithm::Ed25519;
    let none = vault::Legacy::none();
    stage.signs().verify(by, base.as_bytes(), &signature, &none).unwrap();
    assert!(input.contains("tag=\"tollgate-response\""), "{input}");
    let other = base.replacen("\"@status\": 2", "\"@status\": 4", 1);
    assert!(stage.signs().verify(by, other.as_bytes(), &signature, &none).is_err());
}

#[tokio::test]
async fn each_kind_of_key_signs_and_each_answer_proves_itself() {
    let stage = PlatformStage::set().await;
    for signer in &stage.signers {
        let mut outline = stage.payment(signer);
        if signer.alg == "rsa-v1_5-sha256" {
            outline.parameters.push_str(";alg=\"rsa-v1_5-sha256\"");
        }
        let wire = outline.sign();
        let reply = stage.client().carry(&wire).await;
        reply.with(201);
        attested(&stage, &outline, &wire, &reply);
        let outline = stage.question(signer, "/v1/payments?limit=1");
        let outline = match signer.alg {
            "rsa-v1_5-sha256" => Outline {
                parameters: outline.parameters.clone() + ";alg=\"rsa-v1_5-sha256\"",
                ..outline
            },
            _ => outline,
        };
        let wire = outline.sign();
        let reply = stage.client().carry(&wire).await;
        reply.with(200);
        attested(&stage, &outline, &wire, &reply);
    }
    let told = stage.carry(&stage.question(&stage.signers[1], "/v1/platform")).await.with(200);
    assert_eq!(told["app"]["key"], "ed");
    assert_eq!(told["keys"]["sign"], "s1");
    assert_eq!(told["accounts"][0]["provider"], "stripe");
    assert_eq!(told["accounts"][0]["grade"], "A");
}

#[tokio::test]
async fn what_needs_no_change_of_meaning_is_taken_in_every_form() {
    let stage = PlatformStage::set().await;
    let signer = &stage.signers[0];
    let forms: [fn(&mut Outline); 6] = [
        |outline| outline.label = "any-label_1".to_owned(),
        |outline| outline.parameters.push_str(";tag=\"tollgate\""),
        |outline| outline.parameters.push_str(";alg=\"hmac-sha256\""),
        |outline| outline.covered.reverse(),
        |outline| {
            uncover(outline, "@target-uri");
            outline.covered.extend(["\"@authority\"", "\"@path\""].map(str::to_owned));
        },
        |outline| outline.digest = Some(sha512(&outline.body)),
    ];
    for form in forms {
        let mut outline = stage.payment(signer);
        form(&mut outline);
        stage.carry(&outline).await.with(201);
    }
}

#[tokio::test]
async fn a_request_is_taken_once_and_not_again_after_a_restart() {
    let mut stage = PlatformStage::set().await;
    let signer = stage.signers[1].clone();
    let outline = stage.payment(&signer);
    let wire = outline.sign();
    let first = stage.client().carry(&wire).await.with(201);
    let before = stage.everything().await;
    stage.client().carry(&wire).await.problem(401, "signature-replayed");
    let mut again = outline.clone();
    again.body = charge("pm_card_visa", 5).to_string().into_bytes();
    stage.carry(&again).await.problem(401, "signature-replayed");
    let question = stage.question(&signer, "/v1/payments");
    stage.carry(&question).await.with(200);
    stage.carry(&question).await.problem(401, "signature-replayed");
    let answered = stage.carry(&stage.question(&signer, "/v1/events")).await;
    stage.host.kill().await;
    stage.host.run().await;
    // The port is another one: the authority is signed, so the same bytes are told to be misled.
    stage.client().carry(&wire).await.problem(421, "misdirected");
    let moved = Outline { host: stage.host.address().to_string(), ..outline.clone() };
    stage.carry(&moved).await.problem(401, "signature-replayed");
    // The same operation, signed anew, has its first answer.
    let other = format!("nonce=\"{}", hex(&Random::drawn::<4>()));
    let parameters = outline.parameters.replacen("nonce=\"", &other, 1);
    let anew = Outline { parameters, ..moved };
    let repeated = stage.carry(&anew).await.with(201);
    assert_eq!(repeated["id"], first["id"]);
    // An answer's signature is no request's.
    let mut reflected = stage.question(&signer, "/v1/payments").sign();
    reflected.edit("signature-input", |_| answered.header("signature-input").to_owned());
    reflected.edit("signature", |_| answered.header("signature").to_owned());
    stage.client().carry(&reflected).await.problem(401, "signature-missing");
    assert_eq!(stage.everything().await, before);
}

#[tokio::test]
async fn a_replay_at_the_same_moment_is_taken_once() {
    let stage = PlatformStage::set().await;
    let wire = stage.payment(&stage.signers[0]).sign();
    let mut asked = JoinSet::new();
    for _ in 0..8 {
        let (client, wire) = (stage.client(), wire.clone());
        asked.spawn(async move { client.carry(&wire).await.status });
    }
    let mut answers = asked.join_all().await;
    answers.sort_unstable();
    assert_eq!(answers[0], 201);
    assert!(answers[1..].iter().all(|status| *status == 401), "{answers:?}");
    assert_eq!(stage.everything().await.0.len(), 1);
}

#[tokio::test]
async fn an_app_that_has_to_sign_is_refused_without() {
    let stage = PlatformStage::set().await;
    let (signer, _) = &stage.secretive;
    let plain = stage.carry(&stage.payment(signer)).await;
    plain.problem(403, "protection-required");
    let digest = stage.client().request(Method::GET, "/v1/payments");
    let digest = digest.header("content-digest", &sha256(b"x")).send("").await;
    digest.problem(400, "content-digest-mismatch");
}

#[tokio::test]
async fn the_command_line_signs_sends_and_checks_what_comes_back() {
    let stage = PlatformStage::set().await;
    let folder = stage.host.folder();
    let key = folder.join("app.pem");
    let made = ["platform", "key", "--use", "sign", "--out", "app.pem"];
    let published: Value = serde_json::from_str(tollgate(&made, folder).await.answered()).unwrap();
    assert!(published.get("d").is_none(), "{published}");
    tollgate(&made, folder).await.refused(&["app.pem"]);
    let url = format!("http://{}/v1/platform", stage.host.address());
    let keyid = format!("{}/unknown", stage.app);
    let sign = ["sign", "GET", &url, "--key", key.to_str().unwrap(), "--keyid", &keyid];
    let shown = tollgate(&sign, folder).await;
    assert!(shown.answered().contains("signature-input: sig1=(\"@method\" \"@target-uri\")"));
    let curl = tollgate(&[&sign[..], &["--curl"]].concat(), folder).await;
    assert!(curl.answered().starts_with("curl -X GET 'http://127.0.0.1:"));
    let sent = tollgate(&[&sign[..], &["--send"]].concat(), folder).await;
    assert!(sent.answered().contains("401 Unauthorized"), "{sent:?}");
    assert!(sent.answered().contains("signed by the platform's key `s1`"), "{sent:?}");
    assert!(sent.answered().contains("signature-wrong"), "{sent:?}");
}
