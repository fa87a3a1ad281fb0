//! Apps: what each may do, how it is changed while the host runs and while it is stopped, and that
//! a change holds from the next request on.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use serde_json::{Value, json};
use simulators::MovementKind;

use crate::support::{ACCOUNT, Client, Office, StripeStage, charge, hold};

#[tokio::test]
async fn a_rotated_key_and_its_successor_are_good_together_and_a_revoked_one_is_not() {
    let office = Office::open().await;
    let (app, old) = office.add_named("shop").await;
    let key = office.admin().get(&format!("/admin/v1/apps/{app}")).await.with(200)["keys"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let rotation = format!("keys/{key}/rotation");
    let rotated = office.on(&app, &rotation, &json!({ "overlap_s": 3600 })).await.with(201);
    let new = old.with_key(rotated["key"]["secret"].as_str().unwrap());
    for client in [&old, &new] {
        client.get("/v1/payments").await.with(200);
    }
    office.on(&app, &format!("keys/{key}/revocation"), &json!({})).await.with(200);
    old.get("/v1/payments").await.problem(401, "api-key-wrong");
    new.get("/v1/payments").await.with(200);
    office.on(&app, &rotation, &json!({})).await.problem(409, "key-ended");
    // A key that is rotated without an overlap has ended at once.
    let key = rotated["key"]["id"].as_str().unwrap();
    let last = office.on(&app, &format!("keys/{key}/rotation"), &json!({ "overlap_s": 0 })).await;
    new.get("/v1/payments").await.problem(401, "api-key-wrong");
    let last = old.with_key(last.with(201)["key"]["secret"].as_str().unwrap());
    last.get("/v1/payments").await.with(200);
}

#[tokio::test]
async fn a_revoked_app_is_told_apart_from_an_unknown_one_by_nobody() {
    let office = Office::open().await;
    let (app, client) = office.add_named("shop").await;
    client.pay("k1", &charge("pm_card_visa", 100)).await.with(201);
    let revoked = office.on(&app, "revocation", &json!({})).await.with(200);
    assert_eq!(revoked["state"], "revoked");
    let again = office.on(&app, "revocation", &json!({})).await.with(200);
    assert_eq!(again, revoked, "again is no error, and changes nothing");
    let gone = client.pay("k2", &charge("pm_card_visa", 100)).await;
    let never = client.with_key(&format!("tgk_{}_{}", "0".repeat(26), "0".repeat(64)));
    let never = never.pay("k2", &charge("pm_card_visa", 100)).await;
    assert_eq!(gone.problem(401, "api-key-wrong"), never.problem(401, "api-key-wrong"));
    assert_eq!(gone.header("www-authenticate"), never.header("www-authenticate"));
    office.change(&app, &json!({ "name": "x" })).await.problem(409, "app-revoked");
    assert_eq!(office.stripe.books().total(MovementKind::Capture, "EUR"), 100);
}

/// Which scope opens an operation of apps.
const SCOPES: &[(&str, &str)] = &[
    ("createPayment", "pay"),
    ("capturePayment", "pay"),
    ("cancelPayment", "pay"),
    ("refundPayment", "refund"),
    ("createPayout", "payout"),
    ("listPayments", "read"),
    ("readPayment", "read"),
    ("syncPayment", "read"),
    ("listEvents", "read"),
    ("readPlatform", "read"),
    ("createCard", "pay"),
    ("eraseCard", "pay"),
    ("readCard", "read"),
    ("createEndpoint", "pay"),
    ("rotateEndpointSecret", "pay"),
    ("enableEndpoint", "pay"),
    ("replayNotifications", "pay"),
    ("deleteEndpoint", "pay"),
    ("listEndpoints", "read"),
    ("readEndpoint", "read"),
    ("listNotifications", "read"),
];

/// What stands for each parameter of a path.
const NAMED: &[(&str, &str)] = &[
    ("{payment}", "pay_01jd8ze5p2m3q4r5s6t7v8w9xa"),
    ("{card}", "card_01jd8ze5p2m3q4r5s6t7v8w9xa"),
    ("{endpoint}", "end_01jd8ze5p2m3q4r5s6t7v8w9xa"),
];

/// The operations that an app may call: name, the scope that opens it as the document says, method,
/// path with its parameters filled in.
fn operations(document: &Value) -> Vec<(String, Value, Method, String)> {
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let scope = operation["security"][0]["apiKey"].clone();
            if scope.is_null() {
                continue;
            }
            let method: Method = method.to_uppercase().parse().unwrap();
            let filled = |path: String, (name, value): &(&str, &str)| path.replace(name, value);
            let path = NAMED.iter().fold(path.clone(), filled);
            assert!(!path.contains('{'), "say in NAMED what stands for it: {path}");
            let name = operation["operationId"].as_str().unwrap().to_owned();
            found.push((name, scope, method, path));
        }
    }
    found
}

#[tokio::test]
async fn each_scope_opens_its_operations_and_no_other() {
    let office = Office::open().await;
    let document = office.client().get("/openapi.json").await.json();
    let operations = operations(&document);
    let known: BTreeMap<&str, &str> = SCOPES.iter().copied().collect();
    let named: BTreeSet<&str> = operations.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(named, known.keys().copied().collect(), "say in SCOPES which scope opens each");
    for scope in ["pay", "refund", "payout", "read"] {
        let (_, client) = office.add(&json!({ "name": scope, "scopes": [scope] })).await;
        for (name, said, method, path) in &operations {
            assert_eq!(*said, json!([known[name.as_str()]]), "{name}");
            // Not JSON: whoever is let in is told so, and nothing is done.
            let draft = client.request(method.clone(), path).header("idempotency-key", name);
            let reply = draft.header("content-type", "application/json").send("-").await;
            let open = known[name.as_str()] == scope;
            let refused = reply.status == 403 && reply.json()["code"] == "scope-missing";
            assert_eq!(refused, !open, "{scope}, {name}: {} {:?}", reply.status, reply.body);
        }
    }
}

#[tokio::test]
async fn an_app_is_asked_from_its_networks_alone() {
    let office = Office::open().await;
    let (app, client) = office.add_named("shop").await;
    office.set(&app, &json!({ "networks": ["192.0.2.0/24", "2001:db8::/32"] })).await;
    client.get("/v1/payments").await.problem(403, "network-refused");
    // Nobody who is no proxy of ours is believed about where he comes from.
    let forwarded = client.request(Method::GET, "/v1/payments");
    let forwarded = forwarded.header("x-forwarded-for", "192.0.2.7").send("").await;
    forwarded.problem(403, "network-refused");
    let set = office.set(&app, &json!({ "networks": ["127.0.0.9/8"] })).await;
    assert_eq!(set["networks"], json!(["127.0.0.0/8"]), "without the bits of a host");
    client.get("/v1/payments").await.with(200);
    let bad = office.change(&app, &json!({ "networks": ["10.0.0.0/8", "10.0.0.0/33"] })).await;
    assert_eq!(bad.problem(422, "fields-invalid")["errors"][0]["field"], "/networks/1");
}

#[tokio::test]
async fn an_account_that_is_not_open_to_an_app_is_as_none() {
    let office = Office::open().await;
    let (app, client) = office.add_named("shop").await;
    let held = client.pay("k1", &hold(700)).await.with(201);
    office.set(&app, &json!({ "accounts": ["another"] })).await;
    let closed = client.pay("k2", &charge("pm_card_visa", 100)).await;
    let closed = closed.problem(404, "no-such-account");
    let mut body = charge("pm_card_visa", 100);
    body["account"] = json!("nowhere");
    let none = client.pay("k2", &body).await.problem(404, "no-such-account");
    let detail = closed["detail"].as_str().unwrap().replace(ACCOUNT, "nowhere");
    assert_eq!((json!(detail), &closed["errors"]), (none["detail"].clone(), &none["errors"]));
    let capture = client.on(&held["id"], "captures", "k3", &json!({})).await;
    capture.problem(404, "no-such-account");
    client.payment(&held["id"]).await;
    office.set(&app, &json!({ "accounts": null })).await;
    client.on(&held["id"], "captures", "k3", &json!({})).await.with(201);
    assert_eq!(office.stripe.books().total(MovementKind::Capture, "EUR"), 700);
}

#[tokio::test]
async fn an_app_that_must_sign_is_not_admitted_by_its_api_key() {
    let office = Office::open().await;
    let (app, client) = office.add_named("shop").await;
    for protection in ["signature", "encryption"] {
        office.set(&app, &json!({ "protection": protection })).await;
        client.get("/v1/payments").await.problem(403, "protection-required");
        let pay = client.pay("k", &charge("pm_card_visa", 100)).await;
        pay.problem(403, "protection-required");
    }
    office.set(&app, &json!({ "protection": "bearer" })).await;
    client.get("/v1/payments").await.with(200);
}

#[tokio::test]
async fn an_app_that_asks_too_often_is_told_when_to_ask_again_and_another_is_not() {
    let office = Office::open().await;
    let (app, client) = office.add_named("eager").await;
    office.set(&app, &json!({ "rate": { "per_second": 1, "burst": 3 } })).await;
    let mut refused = 0;
    for _ in 0..200 {
        let reply = client.get("/v1/payments?limit=1").await;
        if reply.status == 429 {
            refused += 1;
            assert_eq!(reply.problem(429, "rate-limited")["retry"], "later");
            let wait: u64 = reply.header("retry-after").parse().unwrap();
            assert!((1..=3).contains(&wait), "{wait} s");
        }
    }
    assert!(refused > 0, "200 requests took less than one token a second");
    office.client().get("/v1/payments").await.with(200);
    office.set(&app, &json!({ "rate": null })).await;
    client.get("/v1/payments").await.with(200);
}

#[tokio::test]
async fn who_tries_many_keys_is_slowed_down_and_shuts_no_app_out() {
    let office = Office::open().await;
    let client = office.client();
    let began = tokio::time::Instant::now();
    let wrong = |n: u32| {
        let client = client.with_key(&format!("tgk_{}_{n:064}", "0".repeat(26)));
        tokio::spawn(async move { client.get("/v1/payments").await })
    };
    let tries: Vec<_> = (0..60).map(wrong).collect();
    for n in 0..10 {
        client.get("/v1/payments").await.with(200);
        client.pay(&format!("k{n}"), &charge("pm_card_visa", 1)).await.with(201);
    }
    for one in tries {
        one.await.unwrap().problem(401, "api-key-wrong");
    }
    // Twenty failures are answered at once and one more a second; the others wait a second each.
    assert!(began.elapsed() >= std::time::Duration::from_secs(1), "{:?}", began.elapsed());
}

/// Lets so many pay at once: the keys of those let through; the limit refuses the others.
async fn paying(client: &Client, payers: u64, minor: u64) -> Vec<String> {
    let pay = |n| {
        let (client, key) = (client.clone(), format!("{minor}-{n}"));
        tokio::spawn(async move {
            let reply = client.pay(&key, &charge("pm_card_visa", minor)).await;
            (key, reply)
        })
    };
    let all: Vec<_> = (0..payers).map(pay).collect();
    let mut taken = Vec::new();
    for one in all {
        let (key, reply) = one.await.unwrap();
        match reply.status {
            201 => taken.push(key),
            _ => drop(reply.problem(409, "spending-limit")),
        }
    }
    taken
}

#[tokio::test]
async fn what_an_app_spends_in_a_day_never_exceeds_its_limit() {
    let mut office = Office::open().await;
    let spending = json!([{ "currency": "EUR", "amount_minor_max": 10_000 }]);
    let (app, client) = office.add(&json!({ "name": "shop", "spending": spending })).await;
    let taken = paying(&client, 32, 1_000).await;
    assert_eq!(taken.len(), 10);
    let books = office.stripe.books();
    assert_eq!(books.total(MovementKind::Capture, "EUR"), 10_000, "none was half done");
    let over = client.pay("over", &charge("pm_card_visa", 1)).await;
    let over = over.problem(409, "spending-limit");
    assert_eq!(
        (&over["limit"]["currency"], &over["limit"]["left_minor"]),
        (&json!("EUR"), &json!(0))
    );
    assert!(over["limit"]["renews_at"].as_str().unwrap().ends_with("T00:00:00.000Z"), "{over:#}");
    // Repeating what was done spends nothing, and a refund gives nothing back.
    let paid = client.payments().await;
    client.on(&paid[0]["id"], "refunds", "r", &json!({})).await.with(201);
    let again = client.pay(&taken[0], &charge("pm_card_visa", 1_000)).await;
    again.with(201);
    assert_eq!(again.header("idempotency-replayed"), "true");
    client.pay("over", &charge("pm_card_visa", 1)).await.problem(409, "spending-limit");
    office.host.kill().await;
    office.host.run().await;
    let key = client.key().to_owned();
    let client = office.client().with_key(&key);
    client.pay("over", &charge("pm_card_visa", 1)).await.problem(409, "spending-limit");
    // Raised while it runs: what is spent already counts.
    let spending = json!([{ "currency": "EUR", "amount_minor_max": 10_600 }]);
    office.set(&app, &json!({ "spending": spending })).await;
    // A decline is given back, each time.
    for n in 0..3 {
        let declined = client.pay(&format!("d{n}"), &charge("pm_card_chargeDeclined", 600)).await;
        assert_eq!(declined.with(201)["status"], "declined");
    }
    assert_eq!(paying(&client, 8, 200).await.len(), 3);
    // The same key that was refused is free for what fits.
    office.set(&app, &json!({ "spending": [] })).await;
    client.pay("over", &charge("pm_card_visa", 1)).await.with(201);
    assert_eq!(office.stripe.books().doubled(), vec![]);
}

#[tokio::test]
async fn without_a_configuration_there_is_no_admin_interface() {
    let stage = StripeStage::set().await;
    for path in ["/admin/v1/apps", "/admin/v1/apps/app_01jd8ze5p2m3q4r5s6t7v8w9xa"] {
        stage.client().get(path).await.problem(404, "nothing-here");
    }
}

#[tokio::test]
async fn the_admin_interface_takes_its_token_alone_and_from_its_networks() {
    let mut office = Office::open().await;
    let path = "/admin/v1/apps";
    let admin = office.admin();
    admin.get(path).await.with(200);
    for reply in [
        office.client().get(path).await,
        admin.with_key("admin-token-of-the-suite-012345678").get(path).await,
        admin.with_key("").get(path).await,
        admin.nameless(Method::GET, path).send("").await,
        admin.nameless(Method::GET, path).header("authorization", "Basic YTpi").send("").await,
    ] {
        reply.problem(401, "admin-token-wrong");
    }
    admin.get("/v1/payments").await.problem(401, "api-key-wrong");
    for name in ["x-forwarded-for", "forwarded", "via"] {
        let behind = admin.request(Method::GET, path).header(name, "127.0.0.1").send("").await;
        behind.problem(403, "network-refused");
    }
    office.host.stop().await;
    let file = office.host.folder().join("tollgate.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let networks = "networks = [\"192.0.2.0/24\"]\n";
    let text = text.replace("[admin]\n", &format!("[admin]\n{networks}"));
    std::fs::write(&file, text).unwrap();
    office.host.run().await;
    office.admin().get(path).await.problem(403, "network-refused");
}

#[tokio::test]
async fn an_app_is_kept_as_it_was_set_and_shows_no_secret_twice() {
    let office = Office::open().await;
    let settings = json!({
        "name": "Buchladen \u{e4}",
        "scopes": ["pay", "read"],
        "networks": ["127.0.0.0/8", "::1/128"],
        "protection": "bearer",
        "accounts": [ACCOUNT],
        "rate": { "per_second": 50, "burst": 100 },
        "spending": [{ "currency": "EUR", "amount_minor_max": 500 }],
    });
    let (app, _) = office.add(&settings).await;
    let path = format!("/admin/v1/apps/{app}");
    let shown = office.admin().get(&path).await.with(200);
    for (name, value) in settings.as_object().unwrap() {
        assert_eq!(&shown[name], value, "{name}");
    }
    let mut secrets = Vec::new();
    for kind in ["bearer", "hmac", "aes"] {
        let made = office.on(&app, "keys", &json!({ "type": kind, "id": kind })).await.with(201);
        secrets.push(made["key"]["secret"].as_str().unwrap().to_owned());
        let twice = office.on(&app, "keys", &json!({ "type": kind, "id": kind })).await;
        twice.problem(409, "key-exists");
    }
    let shown = office.admin().get(&path).await.with(200).to_string();
    assert!(secrets.iter().all(|secret| !shown.contains(secret)), "{shown}");
    let log = office.host.log_text();
    assert!(secrets.iter().all(|secret| !log.contains(secret)), "a secret was logged");
    office
        .admin()
        .get("/admin/v1/apps/app_01jd8ze5p2m3q4r5s6t7v8w9xa")
        .await
        .problem(404, "no-such-app");
    let missing = office.on(&app, "keys/none/revocation", &json!({})).await;
    missing.problem(404, "no-such-key");
}

#[tokio::test]
async fn a_weak_or_private_key_is_refused_and_a_public_one_is_kept() {
    let office = Office::open().await;
    let app = office.first_app().await;
    let folder = office.host.folder();
    let made = |name: &str, arguments: &[&str]| {
        let file = folder.join(name);
        let openssl = |arguments: &[&str]| {
            let made = std::process::Command::new("openssl").args(arguments).output().unwrap();
            assert!(made.status.success(), "{arguments:?}");
            String::from_utf8(made.stdout).unwrap()
        };
        let path = file.to_str().unwrap();
        openssl(&[&arguments[..1], &["-out", path], &arguments[1..]].concat());
        let public = openssl(&["pkey", "-pubout", "-in", path]);
        let private = std::fs::read_to_string(&file).unwrap();
        (private, public)
    };
    let (_, weak) = made("weak", &["genrsa", "1024"]);
    let (private, ed25519) = made("ed25519", &["genpkey", "-algorithm", "ed25519"]);
    for (kind, pem, word) in [
        ("verify", &weak, "1024 bits"),
        ("encrypt", &weak, "1024 bits"),
        ("verify", &private, "private key"),
        ("encrypt", &ed25519, "RSA"),
    ] {
        let refused = office.on(&app, "keys", &json!({ "type": kind, "public_key": pem })).await;
        let fault = &refused.problem(422, "fields-invalid")["errors"][0];
        assert_eq!(fault["field"], "/public_key");
        assert!(fault["detail"].as_str().unwrap().contains(word), "{fault:#}");
    }
    let kept = office.on(&app, "keys", &json!({ "type": "verify", "public_key": ed25519 })).await;
    let kept = kept.with(201);
    assert_eq!(kept["key"]["secret"], Value::Null);
    let key = kept["app"]["keys"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&key["use"], &key["public_key"]), (&json!("sign"), &json!(ed25519)));
}

#[tokio::test]
async fn the_command_line_does_the_same_while_the_host_is_stopped() {
    let mut office = Office::closed().await;
    let host = &office.host;
    let spend = ["--spend", "EUR:1000", "--scope", "pay", "--scope", "read", "--rate", "9/9"];
    let added = host.command(&[&["app", "add", "second"], &spend[..]].concat()).await;
    let second = added.answered().to_owned();
    let list = host.command(&["app", "list"]).await;
    let line = list.answered().lines().last().unwrap().to_owned();
    assert!(line.ends_with("second") && line.contains(" active "), "{line}");
    let id = line.split(' ').next().unwrap().to_owned();
    let shown = host.command(&["app", "show", &id]).await;
    for words in ["scopes      pay, read", "spending    EUR 1000", "rate        9 a second"] {
        assert!(shown.answered().contains(words), "{shown:?}");
    }
    assert!(!shown.out.contains(&second), "{shown:?}");
    let key = shown.out.lines().find_map(|line| line.strip_prefix("key         ")).unwrap();
    let key = key.split(' ').next().unwrap();
    let hmac = host.command(&["app", "key", "add", &id, "--key", "hmac", "--id", "mac"]).await;
    assert_eq!(hmac.answered().len(), 44, "32 bytes in base64: {hmac:?}");
    let rotated = host.command(&["app", "key", "rotate", &id, key, "--overlap-hours", "1"]).await;
    let third = rotated.answered().to_owned();
    let set = ["app", "set", &id, "--spend", "any", "--name", "renamed", "--network", "127.0.0.1"];
    let set = host.command(&set).await;
    assert!(set.answered().contains("spending    any\n"), "{set:?}");
    assert!(set.out.contains("networks    127.0.0.1/32"), "{set:?}");
    let bad = ["app", "set", &id, "--account", "any", "--account", "cards"];
    host.command(&bad).await.refused(&["`any` stands alone"]);
    host.command(&["app", "show", "app_none"]).await.refused(&["there is no app app_none"]);
    office.host.run().await;
    for (n, key) in [&second, &third].into_iter().enumerate() {
        let client = office.client().with_key(key);
        client.pay(&format!("k{n}"), &charge("pm_card_visa", 2_000)).await.with(201);
        client.post("/v1/payouts", "p", &json!({})).await.problem(403, "scope-missing");
    }
    let first = office.first_app().await;
    office.host.stop().await;
    let revoked = office.host.command(&["app", "key", "revoke", &id, key]).await;
    assert!(revoked.answered().contains(", revoked "), "{revoked:?}");
    office.host.command(&["app", "revoke", &first]).await.answered();
    office.host.run().await;
    for (key, status) in [(second.as_str(), 401), (&third, 200), (office.host.key(), 401)] {
        assert_eq!(office.client().with_key(key).get("/v1/payments").await.status, status);
    }
}

#[tokio::test]
async fn a_key_that_has_to_be_sealed_is_refused_without_a_master_key_with_the_remedy() {
    let mut stage = StripeStage::set().await;
    stage.host.stop().await;
    let list = stage.host.command(&["app", "list"]).await;
    let id = list.answered().split(' ').next().unwrap().to_owned();
    let refused = stage.host.command(&["app", "key", "add", &id, "--key", "hmac"]).await;
    refused.refused(&["tollgate vault key"]);
}
