//! Everything an app, a provider, a payer and an operator can do at a host, and much that they
//! should not; then whatever the host left is searched for whatever is secret.

use http::Method;
use serde_json::{Value, json};
use simulators::FaultRule;

use super::furnished::{FROM_ENVIRONMENT, Furnished, TEST};
use super::left::random;
use super::process::FAULTS;
use super::{Canary, Scan};
use crate::support::signer::{direct, now};
use crate::support::{ACCOUNT, Host, Reply, charge};

/// A number of this beginning and end whose check digit is right (or wrong by one).
pub fn number(beginning: &str, end: &str, wrong: bool) -> String {
    let digits: String = random(40).chars().filter(char::is_ascii_digit).collect();
    let digits = format!("{digits}739518264039");
    let middle = &digits[..16 - beginning.len() - end.len() - 1];
    let of = |digit: char| format!("{beginning}{middle}{digit}{end}");
    let right = ('0'..='9').map(of).find(|number| checks(number)).unwrap();
    if !wrong {
        return right;
    }
    ('0'..='9').map(of).find(|number| !checks(number)).unwrap()
}

fn checks(number: &str) -> bool {
    let weighted = number.bytes().rev().enumerate().map(|(place, byte)| {
        let digit = u32::from(byte - b'0') << (place % 2);
        digit / 10 + digit % 10
    });
    weighted.sum::<u32>() % 10 == 0
}

/// A card's number, and all but its last digits where that is rare enough to be looked for.
fn card_canaries(number: &str, holder: &str) -> Vec<Canary> {
    let beginning = &number[..number.len() - 4];
    let mut all = vec![
        Canary::new(format!("the number …{}", &number[12..]), number),
        Canary::new("a holder", holder),
    ];
    if beginning.matches('0').count() < 6 {
        all.push(Canary::new(format!("all but the last of …{}", &number[12..]), beginning));
    }
    all
}

fn paid_by(account: &str, card: &Value, minor: u64, capture: &str) -> Value {
    let mut body = charge("", minor);
    body["account"] = json!(account);
    body["instrument"] = json!({ "type": "card", "card": card });
    body["capture"] = json!(capture);
    body["return_url"] = json!("https://shop.example/back");
    body
}

impl Furnished {
    /// A card that is new to the host, with its canaries.
    async fn known_card(&mut self, number: &str, code: Option<&str>) -> Value {
        let holder = format!("Canary Holderson {}", random(12));
        self.canaries.extend(card_canaries(number, &holder));
        if let Some(code) = code {
            let canaries = [
                ("number and code", format!("{number}{code}")),
                ("a code in a form", format!("[cvc]={code}")),
                ("a code in JSON", format!("\"security_code\":\"{code}\"")),
            ];
            self.canaries.extend(canaries.map(|(name, value)| Canary::new(name, value)));
        }
        self.card(number, code, &holder).await
    }

    async fn on(&mut self, payment: &Value, what: &str, key: &str, body: &Value) -> Reply {
        let path = format!("/v1/payments/{}/{what}", payment["id"].as_str().unwrap());
        self.post(&path, key, body).await
    }

    /// Pays and does everything to what was paid; the states that were seen.
    async fn pay_by_card(&mut self, account: &str, card: &Value, name: &str) -> Vec<String> {
        let part = json!({ "amount": { "minor": 100, "currency": "EUR" } });
        let key = |what: &str| format!("{account}-{name}-{what}");
        let mut seen = Vec::new();
        let body = paid_by(account, card, 1999, "automatic");
        let paid = self.post("/v1/payments", &key("charge"), &body).await.json();
        seen.push(paid["status"].as_str().unwrap_or("refused").to_owned());
        // The same again is the same answer.
        self.post("/v1/payments", &key("charge"), &body).await;
        self.on(&paid, "refunds", &key("refund"), &part).await;
        self.on(&paid, "sync", &key("sync"), &json!({})).await;
        let held = paid_by(account, card, 900, "manual");
        let held = self.post("/v1/payments", &key("hold"), &held).await.json();
        self.on(&held, "captures", &key("capture"), &part).await;
        let more = json!({ "amount": { "minor": 90_000, "currency": "EUR" } });
        self.on(&held, "captures", &key("too much"), &more).await;
        let kept = paid_by(account, card, 800, "manual");
        let kept = self.post("/v1/payments", &key("keep"), &kept).await.json();
        let over = self.on(&kept, "cancellation", &key("cancel"), &json!({})).await.json();
        seen.push(over["status"].as_str().unwrap_or("refused").to_owned());
        seen
    }

    /// At the test provider: every fate that a card can have there.
    async fn test_cards(&mut self) {
        for (end, expected) in [
            ("4242", "captured"),
            ("0002", "declined"),
            ("9995", "declined"),
            ("3220", "needs-action"),
            ("7726", "captured"),
            ("5126", "captured"),
        ] {
            let number = number("4", end, false);
            let card = self.known_card(&number, Some("397")).await;
            let seen = self.pay_by_card(TEST, &card, end).await;
            assert_eq!(seen[0], expected, "{end}");
            let path = format!("/v1/cards/{}", card.as_str().unwrap());
            self.get(&path).await.with(200);
            let erased = self.client().request(Method::DELETE, &path).send("").await;
            assert_eq!(self.heard("erasing", erased).with(200)["state"], "erased");
            let body = paid_by(TEST, &card, 1, "automatic");
            self.post("/v1/payments", &format!("gone-{end}"), &body)
                .await
                .problem(409, "card-gone");
        }
        let payout = json!({
            "account": TEST, "amount": { "minor": 700, "currency": "EUR" },
            "merchant_reference": "payout-1",
            "instrument": { "type": "bank", "bank": "test-succeed" },
        });
        self.post("/v1/payouts", "payout", &payout).await.with(201);
        let asked = json!({ "type": "token", "token": "test-redirect" });
        let mut body = charge("", 500);
        (body["account"], body["instrument"]) = (json!(TEST), asked);
        let waiting = self.post("/v1/payments", "payer", &body).await.with(201);
        for decision in ["refused", "paid"] {
            let form = decided(&waiting, decision);
            let draft = self.client().nameless(Method::POST, &format!("/webhooks/{TEST}"));
            let reply = draft.send(form).await;
            self.heard("a payer's decision", reply);
        }
        body["account"] = json!(FROM_ENVIRONMENT);
        self.post("/v1/payments", "environment", &body).await.with(201);
    }

    /// At Stripe: what its test cards do, and a provider that fails in every way.
    async fn stripe_cards(&mut self) {
        for (number, code, expected) in [
            ("4000056655665556", Some("739"), "captured"),
            ("378282246310005", Some("8462"), "captured"),
            ("5200828282828210", None, "captured"),
            ("4000000000009987", Some("184"), "declined"),
            ("4000002760003184", Some("562"), "needs-action"),
        ] {
            let card = self.known_card(number, code).await;
            let seen = self.pay_by_card(ACCOUNT, &card, number.get(12..).unwrap()).await;
            assert_eq!(seen[0], expected, "{number}");
        }
        let card = self.known_card("6011111111111117", Some("951")).await;
        for (n, fault) in FAULTS.into_iter().enumerate() {
            self.stripe.fault(FaultRule::next(fault, "/v1/payment_intents"));
            let body = paid_by(ACCOUNT, &card, 300, "automatic");
            self.post("/v1/payments", &format!("fault-{n}"), &body).await;
        }
        for (signature, body) in
            [("t=1,v1=00", "{}"), ("", "{}"), ("t=99999999999999999999,v1=zz", "\u{0}")]
        {
            let draft = self.client().nameless(Method::POST, &format!("/webhooks/{ACCOUNT}"));
            let reply = draft.header("stripe-signature", signature).send(body).await;
            self.heard("a delivery", reply);
        }
    }

    /// Cards that are refused where cards are taken; none of them is kept.
    async fn refused_cards(&mut self) {
        let good = number("4", "7788", false);
        let wrong = number("4", "7788", true);
        let long = format!("{}{}", number("4", "1234", false), "739518");
        let mac = format!("Canary Holderson {}", random(12));
        for number in [&good, &wrong] {
            self.canaries.extend(card_canaries(number, &mac));
        }
        self.canaries.push(Canary::new("a number that is too long", long.clone()));
        let card = |number: &str| {
            json!({
                "number": number, "expiry_month": 12, "expiry_year": 2031, "holder": mac,
            })
        };
        let with = |field: &str, value: Value| {
            let mut card = card(&good);
            card[field] = value;
            card.to_string()
        };
        let bare = card(&good).to_string();
        for text in [
            card(&wrong).to_string(),
            card(&long).to_string(),
            with("expiry_year", json!(2020)),
            with("expiry_year", json!(2090)),
            with("expiry_month", json!(13)),
            with("security_code", json!("39a7")),
            with("security_code", json!(good)),
            with("pan", json!(good)),
            with(&good, json!(1)),
            with("expiry_month", json!(good)),
            with("number", json!(good.parse::<u64>().unwrap())),
            with("number", json!([good])),
            with("number", json!({ &good: good })),
            with("number", json!(format!("{good}\u{0}"))),
            bare.replace('}', ""),
            bare.replace("\"holder\"", "\"number\""),
            bare.replace(':', " "),
            bare.replace(&format!("\"{good}\""), &good),
            bare.replace(&format!("\"{good}\""), &format!("{good}x")),
            bare.replace(&format!("\"{good}\""), &format!("{good}e400")),
            good.clone(),
            format!("\"{good}\""),
            format!("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[{good}"),
        ] {
            let (reply, answer) = self.seal_and_send(&text).await;
            assert!((400..500).contains(&reply.status), "{answer:#}");
        }
        self.spoilt_bodies(&bare).await;
    }

    /// Bodies with a card that do not open, or are in the clear.
    async fn spoilt_bodies(&mut self, bare: &str) {
        let sealed = direct(&self.aes.0, &self.aes.1, bare.as_bytes());
        let mut other = sealed.clone();
        other.truncate(sealed.len() - 9);
        for (media_type, body) in [
            ("application/json", bare.to_owned()),
            ("application/jose", bare.to_owned()),
            ("application/jose", other),
            ("application/jose", format!("{sealed}.{bare}")),
            ("application/jose", format!("{bare}.{sealed}")),
            ("application/jose", sealed.replacen("ey", bare, 1)),
            ("text/plain", bare.to_owned()),
            ("application/x-www-form-urlencoded", bare.to_owned()),
            ("", bare.to_owned()),
            (bare, bare.to_owned()),
        ] {
            let draft = self.client().request(Method::POST, "/v1/cards");
            let media_type = media_type.replace('\u{0}', "");
            let reply = draft.header("content-type", &media_type).send(body).await;
            let reply = self.heard("a spoilt card", reply);
            assert!((400..500).contains(&reply.status), "{}", reply.status);
        }
    }

    /// A secret in every place of a request that is not its own; what is kept of it is nothing.
    async fn misplaced(&mut self, name: &str, secret: &str) {
        for (n, (field, value)) in [
            ("merchant_reference", json!(secret)),
            ("description", json!(format!("card {secret}, valid"))),
            ("account", json!(secret)),
            ("instrument", json!({ "type": "token", "token": secret })),
            ("instrument", json!({ "type": "wallet", "wallet": secret })),
            ("instrument", json!({ "type": "bank", "bank": secret })),
            ("instrument", json!({ "type": "card", "card": secret })),
            ("instrument", json!({ "type": secret })),
            ("return_url", json!(format!("https://shop.example/?pan={secret}"))),
            ("customer", json!({ "ip": secret })),
            ("extra", json!({ "outcome": secret })),
            ("extra", json!({ secret: "outcome" })),
            ("capture", json!(secret)),
            (secret, json!("x")),
        ]
        .into_iter()
        .enumerate()
        {
            let mut body = charge("pm_card_visa", 700);
            body[field] = value;
            let key = format!("misplaced-{name}-{n}");
            let reply = self.post("/v1/payments", &key, &body).await;
            reply.problem(422, "secret-misplaced");
        }
        let body = charge("pm_card_visa", 700);
        self.post("/v1/payments", secret, &body).await.problem(422, "secret-misplaced");
        self.post(&format!("/v1/payments?card={secret}"), "q", &body)
            .await
            .problem(422, "secret-misplaced");
        self.post(&format!("/v1/payments?{secret}"), "q", &body)
            .await
            .problem(422, "secret-misplaced");
        for path in [
            format!("/v1/payments/{secret}"),
            format!("/v1/cards/{secret}"),
            format!("/v1/payments?limit={secret}"),
            format!("/v1/events?cursor={secret}"),
        ] {
            self.get(&path).await.problem(422, "secret-misplaced");
        }
        for path in ["captures", "refunds", "cancellation"] {
            let path = format!("/v1/payments/{secret}/{path}");
            self.post(&path, "p", &json!({})).await.problem(422, "secret-misplaced");
        }
        let draft = self.client().request(Method::DELETE, &format!("/v1/cards/{secret}"));
        let reply = draft.send("").await;
        self.heard("erasing by the number", reply).problem(422, "secret-misplaced");
        self.get(&format!("/{secret}")).await.problem(404, "nothing-here");
        self.in_headers(secret).await;
    }

    async fn in_headers(&mut self, secret: &str) {
        let input = format!(
            "sig1=(\"@method\" \"@target-uri\");created={};keyid=\"{}/x\";nonce=\"{secret}\"",
            now(),
            self.app
        );
        for (header, value) in [
            ("x-api-key", secret.to_owned()),
            ("x-card", secret.to_owned()),
            ("cookie", format!("card={secret}")),
            ("user-agent", secret.to_owned()),
            ("referer", format!("https://shop.example/?{secret}")),
            ("x-forwarded-for", secret.to_owned()),
            ("accept", secret.to_owned()),
            ("last-event-id", secret.to_owned()),
            ("content-digest", format!("sha-256=:{secret}:")),
            ("content-type", secret.to_owned()),
            ("signature-input", input),
            ("signature-input", secret.to_owned()),
            ("signature", format!("sig1=:{secret}:")),
            ("transfer-encoding", secret.to_owned()),
            ("expect", secret.to_owned()),
            (secret, secret.to_owned()),
        ] {
            for path in ["/v1/payments", "/health"] {
                let draft = self.client().request(Method::GET, path).header(header, &value);
                if let Ok(reply) = draft.try_send("").await {
                    self.heard(&format!("a header {header}"), reply);
                }
            }
        }
    }

    /// Right secrets where others are wanted, and passwords that are nobody's.
    async fn wrong_passwords(&mut self) {
        let known: Vec<String> = self
            .canaries
            .iter()
            .filter_map(|canary| String::from_utf8(canary.value.clone()).ok())
            .filter(|text| text.bytes().all(|byte| (b'!'..=b'~').contains(&byte)))
            .collect();
        let whole = self.host.key().to_owned();
        let others = known.into_iter().chain([whole.clone(), format!("{whole}0")]);
        let others: Vec<String> = others.collect();
        let mut asked = Vec::new();
        for secret in &others {
            for value in [format!("Bearer {secret}"), format!("Basic {secret}"), secret.clone()] {
                if value == format!("Bearer {whole}") || value.contains(&self.admin_token) {
                    continue;
                }
                asked.extend(["/v1/payments", "/admin/v1/apps"].map(|path| (path, value.clone())));
            }
        }
        // Many at once: who fails often is held up, each for a second.
        for some in asked.chunks(48) {
            let mut asking = tokio::task::JoinSet::new();
            for (path, value) in some {
                let draft = self.client().nameless(Method::GET, path);
                asking.spawn(draft.header("authorization", value).send(""));
            }
            for reply in asking.join_all().await {
                let reply = self.heard("a wrong password", reply);
                assert!([401, 429].contains(&reply.status), "{}", reply.status);
            }
        }
        let token = format!("Bearer {}", self.admin_token);
        let draft = self.client().nameless(Method::GET, "/v1/payments");
        let reply = draft.header("authorization", &token).send("").await;
        self.heard("the operator as an app", reply).problem(401, "api-key-wrong");
    }

    /// Endpoints and their secrets, and what the operator does. What is shown once is a canary from
    /// then on; the answer that shows it is the one place where it belongs.
    async fn secrets_shown_once(&mut self) {
        let body = json!({ "url": self.ear.url(), "events": ["*"] });
        let added = self.client().post("/v1/endpoints", "e", &body).await.with(201);
        let path = format!("/v1/endpoints/{}", added["id"].as_str().unwrap());
        let rotated = self.client().post(&format!("{path}/rotation"), "r", &json!({})).await;
        let mut shown = vec![("an endpoint's secret", added["secret"].clone())];
        shown.push(("an endpoint's next secret", rotated.json()["secret"].clone()));
        let operator = self.operator();
        let app = json!({ "name": "second" });
        let second = operator.post("/admin/v1/apps", "-", &app).await.with(201);
        shown.push(("a second app's key", second["key"]["secret"].clone()));
        let id = second["app"]["id"].as_str().unwrap().to_owned();
        for kind in ["hmac", "aes", "bearer"] {
            let keys = format!("/admin/v1/apps/{id}/keys");
            let body = json!({ "id": kind, "type": kind });
            let made = operator.post(&keys, "-", &body).await.json();
            shown.push(("a key that was added", made["key"]["secret"].clone()));
            let path = format!("{keys}/{kind}/rotation");
            let made = operator.post(&path, "-", &json!({})).await.json();
            shown.push(("a key that was rotated", made["key"]["secret"].clone()));
        }
        for (name, secret) in shown {
            let Some(secret) = secret.as_str() else { continue };
            let bare = secret.strip_prefix("whsec_").unwrap_or(secret);
            let bare = bare.rsplit('_').next().unwrap();
            self.canaries.push(Canary::new(name, bare));
            let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, bare);
            let bytes = bytes.unwrap_or_default();
            if bytes.len() >= 24 {
                self.canaries.push(Canary::new(format!("{name}, its bytes"), bytes));
            }
        }
        for path in [&path, "/v1/endpoints"] {
            self.get(path).await.with(200);
        }
        for path in ["/admin/v1/apps", &format!("/admin/v1/apps/{id}"), "/admin/v1/audit"] {
            let reply = operator.get(path).await;
            self.heard(path, reply).with(200);
        }
    }

    /// Everything that can be read.
    async fn pages(&mut self) {
        for path in [
            "/v1/payments?limit=100",
            "/v1/events?limit=100",
            "/v1/platform",
            "/health",
            "/ready",
            "/metrics",
            "/openapi.json",
            "/problems",
            "/problems/secret-misplaced",
            "/.well-known/jwks.json",
            "/docs/",
            "/docs/testing",
            "/docs/errors",
            "/test-payment",
            "/no",
        ] {
            self.get(path).await;
        }
        let operator = self.operator();
        for path in ["/admin/v1/apps?limit=100", "/admin/v1/audit?limit=100"] {
            let reply = operator.get(path).await;
            self.heard(path, reply).with(200);
        }
        let told = self.ear.hears(20).await;
        for told in told {
            self.left.add("a notification", told.body.to_vec());
            self.left.add("a notification's signature", told.signature);
        }
    }
}

/// The fields of the page's form, out of the URL that the payer is sent to.
fn decided(payment: &Value, decision: &str) -> String {
    let url = payment["next_action"]["url"].as_str().unwrap();
    let of = |name: &str| {
        let mut pairs = url.split(['?', '&']).filter_map(|pair| pair.split_once('='));
        pairs.find(|(known, _)| *known == name).unwrap().1.to_owned()
    };
    let fields = ["entry", "word", "minor", "currency"].map(|name| format!("{name}={}", of(name)));
    format!("decision={decision}&{}&tag={}", fields.join("&"), of(decision))
}

#[tokio::test]
async fn whatever_is_done_at_a_host_no_secret_is_in_anything_it_leaves() {
    let mut all = Furnished::set().await;
    all.secrets_shown_once().await;
    all.test_cards().await;
    all.stripe_cards().await;
    all.refused_cards().await;
    let stray = number("4", "6688", false);
    all.canaries.extend(card_canaries(&stray, "Canary Holderson of a stray card"));
    all.misplaced("card", &stray).await;
    let key = all.host.key().to_owned();
    all.misplaced("key", &key).await;
    all.wrong_passwords().await;
    all.pages().await;
    all.gather_process();
    all.host.kill().await;
    all.host.run().await;
    all.get("/v1/payments").await.with(200);
    all.gather_process();
    all.gather_files().await;

    let found = all.found();
    assert!(found.is_empty(), "{found:#?}");
    // The same search finds what is known to be in each of these places.
    let known = [Canary::new("the account", ACCOUNT), Canary::new("the app", all.app.as_str())];
    let known = all.left.find(&Scan::of(&known)).into_iter().collect::<Vec<_>>().join("\n");
    for place in ["the log", "/store/", "answer to /v1/payments", "audit.jsonl", "beside.export"] {
        let there = known.lines().any(|line| line.contains("(raw)") && line.contains(place));
        assert!(there, "nothing was found in {place}:\n{known}");
    }
    let log = all.host_log_targets();
    for target in ["sled", "wasmtime", "api", "egress", "engine"] {
        assert!(log.iter().any(|known| known.starts_with(target)), "{target} of {log:?}");
    }
    println!(
        "{} bytes in {} places were searched for {} canaries in {} forms",
        all.left.bytes(),
        all.left.pieces().len(),
        all.canaries.len(),
        Scan::of(&all.canaries).patterns(),
    );
}

impl Furnished {
    /// Who spoke in the log.
    fn host_log_targets(&self) -> std::collections::BTreeSet<String> {
        let logs = self.left.pieces().iter().filter(|(place, _)| place == "the log");
        let text: String = logs.map(|(_, bytes)| String::from_utf8_lossy(bytes)).collect();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter_map(|line| line["target"].as_str().map(str::to_owned)).collect()
    }
}

#[tokio::test]
async fn the_compiler_of_plugins_is_not_heard_at_the_most_talkative_level() {
    let host = Host::prepare(&crate::support::Config::of([])).await;
    let component = crate::support::component("sandbox").path.display().to_string();
    let said = host.command(&["--log", "trace", "plugin", "inspect", &component]).await;
    said.answered();
    for compiler in ["cranelift", "regalloc"] {
        assert!(!said.err.contains(&format!("\"target\":\"{compiler}")), "{compiler}");
    }
    assert!(said.err.contains("\"level\":\"TRACE\""), "it was not talkative:\n{}", said.err);
}
