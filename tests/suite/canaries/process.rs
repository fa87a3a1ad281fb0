//! What the host leaves behind: its log at its most talkative, the files of its store, its answers.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use simulators::{Fault, FaultRule, StripeOptions, StripeSimulator, WechatpayKeys};
use simulators::{WechatpayOptions, WechatpaySimulator};

use super::left::{Left, random};
use super::{Canary, Scan};
use crate::support::signer::{Outline, opened, to_public};
use crate::support::{ACCOUNT, Account, Client, Config, Host, PlatformStage, charge, hold, soon};

/// Everything there is: of the compiler alone the host lets nothing through below a warning.
pub const TALKATIVE: &str = "trace";
const INTENTS: &str = "/v1/payment_intents";

/// Everything an app can do, and some things it cannot; each answer is kept.
async fn do_everything(client: &Client, left: &mut Left) {
    let part = json!({ "amount": { "minor": 100, "currency": "EUR" } });
    let whole = json!({});
    let mut three_d_secure = charge("pm_card_threeDSecure2Required", 700);
    three_d_secure["return_url"] = json!("https://shop.example/back");
    for (key, body) in [
        ("charge", charge("pm_card_visa", 1999)),
        ("hold", hold(5000)),
        ("kept", hold(900)),
        ("declined", charge("pm_card_chargeDeclined", 700)),
        ("3ds", three_d_secure),
        ("wrong", json!({ "account": ACCOUNT })),
        ("no-such-card", {
            let mut body = charge("x", 1);
            body["instrument"] =
                json!({ "type": "card", "card": "card_01jd8ze5p2m3q4r5s6t7v8w9xa" });
            body
        }),
    ] {
        let reply = client.pay(key, &body).await;
        let paid: Value = reply.json();
        left.add(format!("the answer to {key}"), reply.body.to_vec());
        for (what, more) in match key {
            "charge" => vec![("refunds", &part)],
            "hold" => vec![("captures", &part), ("refunds", &part)],
            "kept" => vec![("cancellation", &whole)],
            _ => vec![],
        } {
            let reply = client.on(&paid["id"], what, &format!("{key}-{what}"), more).await;
            left.add(format!("the answer to {what} of {key}"), reply.body.to_vec());
        }
        if paid["id"].is_string() {
            let path = format!("/v1/payments/{}/sync", paid["id"].as_str().unwrap());
            let reply = client.request(http::Method::POST, &path).send("").await;
            left.add(format!("the answer to sync of {key}"), reply.body.to_vec());
        }
    }
    for path in ["/v1/payments?limit=100", "/v1/events?limit=100", "/ready", "/openapi.json", "/no"]
    {
        left.add(path, client.get(path).await.body.to_vec());
    }
}

/// Each way in which a provider fails.
pub const FAULTS: [Fault; 7] = [
    Fault::Reset,
    Fault::Drop,
    Fault::Garbage,
    Fault::Torn,
    Fault::Status { status: 500, executed: true },
    Fault::Status { status: 401, executed: false },
    Fault::Status { status: 429, executed: false },
];

async fn fail_in_every_way(stripe: &StripeSimulator, client: &Client, left: &mut Left) {
    for (n, fault) in FAULTS.into_iter().enumerate() {
        stripe.fault(FaultRule::next(fault, INTENTS));
        let reply = client.pay(&format!("fault-{n}"), &charge("pm_card_visa", 300)).await;
        left.add(format!("the answer to fault {n}"), reply.body.to_vec());
    }
}

/// Deliveries that are not proven, and one that is broken.
async fn deliver_rubbish(host: &Host, left: &mut Left) {
    for (signature, body) in
        [("t=1,v1=00", "{}"), ("", "{}"), ("t=99999999999999999999,v1=zz", "\u{0}")]
    {
        let client = host.client();
        let draft = client.nameless(http::Method::POST, &format!("/webhooks/{ACCOUNT}"));
        let reply = draft.header("stripe-signature", signature).send(body).await;
        left.add("the answer to a delivery", reply.body.to_vec());
    }
}

#[tokio::test]
async fn a_host_that_dies_leaves_no_dump() {
    let host = Host::start(&Config::of([])).await;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", host.id())).unwrap();
    let dumps = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let words: Vec<&str> = dumps.split_whitespace().collect();
    assert_eq!(words[4..6], ["0", "0"], "{dumps}");
}

#[tokio::test]
async fn nothing_secret_is_left_by_a_host_at_stripe() {
    let (api_key, signing) = (format!("sk_test_{}", random(32)), format!("whsec_{}", random(32)));
    let options = StripeOptions {
        api_key: api_key.clone(),
        webhook_secret: signing.clone(),
        retries: soon(),
        ..StripeOptions::default()
    };
    let stripe = StripeSimulator::start(options).await.unwrap();
    let mut account = Account::stripe(ACCOUNT, &stripe.base_url());
    account.secrets[0].value = Some(api_key.clone());
    account.keys[0].value = signing.clone();
    let mut config = Config::of([account]);
    let master = vault::Master::fresh().unwrap();
    let keys = tempfile::tempdir().unwrap();
    let file = keys.path().join("master");
    std::fs::write(&file, master.as_str()).unwrap();
    config.more = format!("\n[vault]\nmaster = [{{ id = \"1\", file = {file:?} }}]\n");
    let mut host = Host::prepare(&config).await;
    host.log_at(TALKATIVE);
    host.run().await;
    stripe.point_webhook(Some(format!("{}/webhooks/{ACCOUNT}", host.url())));

    let mut left = Left::default();
    do_everything(&host.client(), &mut left).await;
    fail_in_every_way(&stripe, &host.client(), &mut left).await;
    deliver_rubbish(&host, &mut left).await;
    left.add("the log", host.log_text());
    host.kill().await;
    host.run().await;
    left.add("the answer after a kill", host.client().get("/v1/payments").await.body.to_vec());
    left.add("the log after a kill", host.log_text());
    host.stop().await;
    left.add_files(&host.folder().join("store"), &BTreeSet::new());

    let app_key = host.key().rsplit('_').next().unwrap().to_owned();
    let scan = Scan::of(&[
        Canary::new("the API key of Stripe", api_key),
        Canary::new("the signing secret", signing),
        Canary::new("the app's key", app_key),
        Canary::new("the master key", master.as_bytes()),
    ]);
    let found = left.find(&scan);
    assert!(found.is_empty(), "{found:#?}");
    // The same search finds what is known to be in each of these places.
    let planted = Scan::of(&[Canary::new("the account", ACCOUNT), Canary::new("order", "order-1")]);
    let found = left.find(&planted).into_iter().collect::<Vec<_>>().join("\n");
    for place in ["the account (raw) in the log", "order (raw) in the answer to charge", "store/"] {
        assert!(found.contains(place), "nothing found in {place}:\n{found}");
    }
    assert!(left.bytes() > 100_000, "only {} bytes were searched", left.bytes());
    println!("{} bytes in {} places were searched", left.bytes(), left.pieces().len());
}

#[tokio::test]
async fn nothing_secret_is_left_by_a_host_at_wechat_pay() {
    let keys = WechatpayKeys::generate("1900000002").unwrap();
    let options = WechatpayOptions { retries: soon(), ..WechatpayOptions::new(keys.clone()) };
    let wechat = WechatpaySimulator::start(options).await.unwrap();
    let account = Account::wechatpay(ACCOUNT, &wechat.base_url(), &keys);
    let mut host = Host::prepare(&Config::of([account])).await;
    host.log_at(TALKATIVE);
    host.run().await;
    let mut left = Left::default();
    let client = host.client();
    let mut body = charge("", 1000);
    body["amount"]["currency"] = json!("CNY");
    body["description"] = json!("Two books");
    for (key, instrument) in [
        ("qr", json!({ "type": "qr" })),
        ("wallet", json!({ "type": "wallet", "wallet": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o" })),
        ("token", json!({ "type": "token", "token": "x" })),
    ] {
        body["instrument"] = instrument;
        let reply = client.pay(key, &body).await;
        left.add(format!("the answer to {key}"), reply.body.to_vec());
        let paid = reply.json();
        if paid["id"].is_string() {
            left.add("sync", client.sync(&paid["id"]).await.to_string());
            let reply =
                client.on(&paid["id"], "cancellation", &format!("{key}-x"), &json!({})).await;
            left.add("cancellation", reply.body.to_vec());
        }
    }
    left.add("the log", host.log_text());
    host.stop().await;
    left.add_files(&host.folder().join("store"), &BTreeSet::new());
    let mut canaries = Canary::of_pem("the merchant's key", &keys.merchant_key);
    canaries.push(Canary::new("the API v3 key", keys.api_v3_key.as_bytes()));
    let found = left.find(&Scan::of(&canaries));
    assert!(found.is_empty(), "{found:#?}");
    let known = left.find(&Scan::of(&[Canary::new("the account", ACCOUNT)]));
    assert!(known.iter().any(|place| place.contains("the log")), "{known:?}");
    assert!(known.iter().any(|place| place.contains("store/")), "{known:?}");
}

#[tokio::test]
async fn a_card_handed_over_in_a_jwe_pays_and_is_in_nothing_the_host_leaves() {
    let number = "4000056655665556";
    let mut stage = PlatformStage::set().await;
    stage.host.stop().await;
    stage.host.log_at(TALKATIVE);
    stage.host.run().await;
    let card = json!({
        "number": number, "expiry_month": 12, "expiry_year": 2031, "security_code": "739",
        "holder": "Canary Holderson",
    });
    let mut left = Left::default();
    let reply = stage.client().post("/v1/cards", "c", &card).await;
    left.add("the refusal", reply.body.to_vec());
    reply.problem(422, "card-not-encrypted");

    let (kid, public) = stage.decrypts();
    let body = to_public(&kid, &public, card.to_string().as_bytes());
    let host = stage.host.address().to_string();
    let signer = &stage.signers[0];
    let outline = Outline::new(signer, &host, ("POST", "/v1/cards"), body.as_bytes());
    let outline = Outline { media_type: Some("application/jose".to_owned()), ..outline };
    let reply = stage.carry(&outline).await;
    assert_eq!(reply.status, 201, "{}", String::from_utf8_lossy(&reply.body));
    let answer = opened(&reply.body, &stage.aes.1);
    let made: Value = serde_json::from_slice(&answer).unwrap();
    left.add("the token", answer);
    assert_eq!((&made["brand"], &made["last4"]), (&json!("visa"), &json!("5556")), "{made:#}");

    let client = stage.client();
    let mut payment = charge("", 1999);
    payment["instrument"] = json!({ "type": "card", "card": made["id"] });
    let paid = client.pay("k1", &payment).await.with(201);
    assert_eq!(paid["status"], "captured", "{paid:#}");
    let path = format!("/v1/cards/{}", made["id"].as_str().unwrap());
    let read = client.get(&path).await.with(200);
    assert_eq!((&read["state"], &read["security_code"]), (&json!("active"), &json!(false)));
    let erased = client.request(http::Method::DELETE, &path).send("").await.with(200);
    assert_eq!(erased["state"], "erased");
    client.pay("k2", &payment).await.problem(409, "card-gone");
    for path in [&path, "/v1/payments", "/v1/events"] {
        left.add(path, client.get(path).await.body.to_vec());
    }
    left.add("the log", stage.host.log_text());
    stage.host.stop().await;
    let status = stage.host.command(&["vault", "status"]).await;
    assert!(status.answered().contains("under 1"), "{status:?}");
    left.add_files(&stage.host.folder().join("store"), &BTreeSet::new());
    let found = left.find(&Scan::of(&[
        Canary::new("the card number", number),
        Canary::new("all but its last four digits", &number[..12]),
        Canary::new("the holder", "Canary Holderson"),
        Canary::new("number and code", format!("{number}739")),
    ]));
    assert!(found.is_empty(), "{found:#?}");
    let token = left.find(&Scan::of(&[Canary::new("token", made["id"].as_str().unwrap())]));
    assert!(token.iter().any(|place| place.contains("store/")), "{token:?}");
}
