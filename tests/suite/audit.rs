//! The audit trail: a line for whatever may have changed something, durable before it begins, and
//! every falsification found.

use std::path::PathBuf;

use http::Method;
use serde_json::{Map, Value, json};
use simulators::{Fault, FaultRule, MovementKind};
use vault::{DigestAlgorithm, Legacy};

use crate::support::{Host, Office, PlatformStage, Reply, charge, eventually, hold};

fn sha256(bytes: &[u8]) -> String {
    let digest = vault::digest(DigestAlgorithm::Sha256, bytes, &Legacy::none()).unwrap();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The hash of a line as its description says: of its canonical JSON without its hash.
fn hash(line: &Value) -> String {
    let mut members: Vec<_> = line.as_object().unwrap().clone().into_iter().collect();
    members.retain(|(name, _)| name != "hash");
    members.sort_by(|one, other| one.0.cmp(&other.0));
    sha256(Value::Object(Map::from_iter(members)).to_string().as_bytes())
}

/// The lines of the trail, held to be a chain from its beginning on.
async fn trail(host: &Host) -> Vec<Value> {
    let exported = host.command(&["audit", "export"]).await;
    let mut lines: Vec<Value> =
        exported.answered().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let closing = lines.pop().unwrap();
    let mut prev = "0".repeat(64);
    for (n, line) in lines.iter().enumerate() {
        assert_eq!((&line["seq"], &line["prev"]), (&json!(n + 1), &json!(prev)), "{line:#}");
        prev = hash(line);
        assert_eq!(line["hash"], prev, "{line:#}");
    }
    assert_eq!(closing, json!({ "count": lines.len(), "head": prev }));
    lines
}

/// What a line is about: actor, action, object.
fn about(line: &Value) -> (String, String, String) {
    let text = |name: &str| line[name].as_str().unwrap().to_owned();
    (text("actor"), text("action"), text("object"))
}

fn of(actor: &str, action: &str, object: &str) -> (String, String, String) {
    (actor.to_owned(), action.to_owned(), object.to_owned())
}

#[tokio::test]
async fn whatever_may_change_something_leaves_one_line_and_nothing_else_does() {
    let mut office = Office::open().await;
    let app = office.first_app().await;
    let client = office.client();
    let body = hold(900);
    let held = client.pay("order-1", &body).await;
    let payment = held.with(201)["id"].clone();
    let id = payment.as_str().unwrap();
    client.pay("order-1", &body).await.with(201);
    client.sync(&payment).await;
    client.on(&payment, "refunds", "early", &json!({})).await.problem(409, "not-captured");
    // What only reads, and what is refused at the door, changes nothing.
    client.payment(&payment).await;
    client.events().await;
    client.pay("order-2", &json!({})).await.problem(422, "fields-invalid");
    client.with_key("tgk_x_y").pay("order-3", &body).await.problem(401, "api-key-wrong");
    client.get("/openapi.json").await.with(200);
    let (second, _) = office.add_named("second").await;
    office.set(&second, &json!({ "scopes": ["read"] })).await;
    let bad = office.change(&second, &json!({ "networks": ["nonsense"] })).await;
    bad.problem(422, "fields-invalid");
    let key = office.on(&second, "keys", &json!({ "type": "bearer", "id": "k" })).await;
    key.with(201);
    office.on(&second, "keys/k/revocation", &json!({})).await.with(200);
    office.admin().with_key("wrong").get("/admin/v1/apps").await;
    office.host.stop().await;
    office.host.command(&["app", "revoke", &second]).await.answered();
    office.host.command(&["app", "list"]).await.answered();
    let lines = trail(&office.host).await;
    let told: Vec<_> = lines.iter().map(about).collect();
    let expected = [
        of("operator", "addApp", "shop"),
        of(&app, "createPayment", "order-1"),
        of(&app, "createPayment", "order-1"),
        of(&app, "syncPayment", id),
        of(&app, "refundPayment", id),
        of("admin", "addApp", "second"),
        of("admin", "changeApp", &second),
        of("admin", "changeApp", &second),
        of("admin", "addAppKey", &second),
        of("admin", "revokeAppKey", &format!("{second}/k")),
        of("operator", "revokeApp", &second),
    ];
    assert_eq!(told, expected);
    let first = &lines[1];
    assert_eq!(first["request"], held.header("request-id"));
    assert_eq!(first["digest"], sha256(format!("POST\n/v1/payments\n{body}").as_bytes()));
    assert!(first["key"].as_str().unwrap().starts_with("key-"), "{first:#}");
    let at = first["at_ms"].as_u64().unwrap();
    assert!(at <= lines[10]["at_ms"].as_u64().unwrap());
    let verified = office.host.command(&["audit", "verify"]).await;
    assert!(verified.answered().starts_with("sound: 11 lines from number 1 on"), "{verified:?}");
}

#[tokio::test]
async fn the_trail_is_read_while_the_host_runs_as_it_is_exported_after() {
    let mut office = Office::open().await;
    for n in 0..5 {
        office.client().pay(&format!("k{n}"), &charge("pm_card_visa", 1)).await.with(201);
    }
    let (mut read, mut cursor) = (Vec::new(), String::from("0"));
    loop {
        let path = format!("/admin/v1/audit?limit=2&cursor={cursor}");
        let page = office.admin().get(&path).await.with(200);
        let lines = page["lines"].as_array().unwrap().clone();
        if lines.is_empty() {
            assert_eq!(page["cursor"], cursor);
            break;
        }
        read.extend(lines);
        cursor = page["cursor"].as_str().unwrap().to_owned();
    }
    let nonsense = office.admin().get("/admin/v1/audit?cursor=x").await;
    nonsense.problem(404, "no-such-cursor");
    office.client().get("/admin/v1/audit").await.problem(401, "admin-token-wrong");
    office.host.stop().await;
    assert_eq!(trail(&office.host).await, read);
}

#[tokio::test]
async fn a_line_is_there_though_the_host_is_killed_before_the_provider_answers() {
    let mut office = Office::open().await;
    office.stripe.fault(FaultRule::next(Fault::Delay { ms: 60_000 }, "/v1/payment_intents"));
    let client = office.client();
    let waiting = tokio::spawn(async move {
        let _ = client.try_post("/v1/payments", "lost", &charge("pm_card_visa", 100)).await;
    });
    eventually("the provider has the request", async || {
        office.stripe.books().of(MovementKind::Capture).next().map(drop)
    })
    .await;
    office.host.kill().await;
    waiting.await.unwrap();
    let lines = trail(&office.host).await;
    assert_eq!(about(lines.last().unwrap()).2, "lost");
}

/// Something somebody does to an export, and what `audit verify` then says.
type Falsified = (&'static str, fn(&mut Vec<String>), &'static str);

const FALSIFIED: &[Falsified] = &[
    ("changed", |l| l[1] = l[1].replace("createPayment", "cancelPayment"), "line 2, which says"),
    ("removed", |l| drop(l.remove(2)), "line 3, which says it is number 4: it was moved"),
    ("reordered", |l| l.swap(1, 2), "line 2, which says it is number 3: it was moved"),
    ("doubled", |l| l.insert(2, l[1].clone()), "line 3, which says it is number 2: it stands"),
    ("cut off", |l| l.truncate(3), "line 4: lines were cut off at the end"),
    ("the last removed", |l| drop(l.remove(3)), "line 4: lines were cut off at the end"),
    ("rehashed", |l| l[1] = rehashed(&l[1]), "line 3, which says it is number 3: it does not"),
];

fn rehashed(line: &str) -> String {
    let mut line: Value = serde_json::from_str(line).unwrap();
    line["object"] = json!("another");
    line["hash"] = json!(hash(&line));
    line.to_string()
}

#[tokio::test]
async fn an_export_that_was_falsified_is_refused_with_its_first_bad_line() {
    let mut office = Office::open().await;
    for n in 0..3 {
        let paid: Reply = office.client().pay(&format!("k{n}"), &charge("pm_card_visa", 1)).await;
        paid.with(201);
    }
    office.host.stop().await;
    let host = &office.host;
    let file = |name: &str| -> PathBuf { host.folder().join(name) };
    host.command(&["audit", "export", "--out", "trail.jsonl"]).await.answered();
    let verified = host.command(&["audit", "verify", "trail.jsonl"]).await;
    let head = verified.answered().rsplit(' ').next().unwrap().to_owned();
    host.command(&["audit", "verify", "trail.jsonl", "--head", &head]).await.answered();
    let text = std::fs::read_to_string(file("trail.jsonl")).unwrap();
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 5);
    for (what, falsify, says) in FALSIFIED {
        let mut lines = lines.clone();
        falsify(&mut lines);
        std::fs::write(file("bad.jsonl"), lines.join("\n") + "\n").unwrap();
        let refused = host.command(&["audit", "verify", "bad.jsonl"]).await;
        assert_eq!(refused.code, Some(1), "{what}: {refused:?}");
        refused.refused(&[says]);
    }
    // Against a chain that is sound but was written anew stands the hash kept elsewhere.
    let refused = host.command(&["audit", "verify", "trail.jsonl", "--head", "00"]).await;
    refused.refused(&["should have the hash 00"]);
}

#[tokio::test]
async fn a_part_of_the_trail_is_exported_by_time_and_checked_by_itself() {
    let mut office = Office::open().await;
    office.client().pay("k1", &charge("pm_card_visa", 1)).await.with(201);
    office.host.stop().await;
    let host = &office.host;
    let none = host.command(&["audit", "export", "--to", "2020-01-01T00:00:00Z"]).await;
    assert_eq!(none.answered().lines().count(), 1, "the closing line alone: {none:?}");
    let all = host.command(&["audit", "export", "--from", "2020-01-01T00:00:00Z"]).await;
    assert_eq!(all.answered().lines().count(), 3, "{all:?}");
    let refused = host.command(&["audit", "export", "--from", "yesterday"]).await;
    assert_eq!(refused.code, Some(2), "{refused:?}");
}

#[tokio::test]
async fn no_secret_and_no_body_stands_in_the_trail() {
    let mut office = Office::open().await;
    let app = office.first_app().await;
    let made = office.on(&app, "keys", &json!({ "type": "hmac" })).await.with(201);
    let secret = made["key"]["secret"].as_str().unwrap().to_owned();
    let mut body = charge("pm_card_visa", 1);
    body["description"] = json!("canary-of-a-body");
    office.client().pay("k1", &body).await.with(201);
    let draft = office.admin().request(Method::GET, "/admin/v1/apps");
    draft.send("").await.with(200);
    office.host.stop().await;
    let text = office.host.command(&["audit", "export"]).await.answered().to_owned();
    let token = std::fs::read_to_string(office.host.folder().join("admin-token")).unwrap();
    for canary in [secret.as_str(), "canary-of-a-body", office.host.key(), &token, "pm_card_visa"] {
        assert!(!text.contains(canary), "{canary} stands in the trail");
    }
}

#[tokio::test]
async fn an_export_is_signed_by_the_platform_and_held_to_its_key() {
    let mut stage = PlatformStage::set().await;
    stage.carry(&stage.payment(&stage.signers[0])).await.with(201);
    stage.host.stop().await;
    let host = &stage.host;
    host.command(&["audit", "export", "--out", "trail.jsonl"]).await.answered();
    let other = ["platform", "key", "--use", "sign", "--out", "other.pem"];
    host.command(&other).await.answered();
    let verify =
        async |file: &str, key: &str| host.command(&["audit", "verify", file, "--key", key]).await;
    assert!(verify("trail.jsonl", "sign.pem").await.answered().starts_with("sound"));
    verify("trail.jsonl", "other.pem").await.refused(&["signed as by `s1`", "by this key"]);
    let text = std::fs::read_to_string(host.folder().join("trail.jsonl")).unwrap();
    let (signed, _) = text.split_once(",\"signature\"").unwrap();
    std::fs::write(host.folder().join("bare.jsonl"), format!("{signed}}}\n")).unwrap();
    verify("bare.jsonl", "sign.pem").await.refused(&["the closing line is not signed"]);
    host.command(&["audit", "verify", "bare.jsonl"]).await.answered();
}
