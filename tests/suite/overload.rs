//! More than the host takes: what is beyond is refused at once and leaves no trace, what is in hand
//! ends, memory stays within what is stated, and a stop loses nothing.
//!
//! Providers are slow here because a sluice before them is shut, not because of any clock.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use simulators::{MovementKind, StripeOptions, StripeSimulator};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::support::{
    ACCOUNT, Account, Client, Config, Host, Ledger, Random, Reply, Sluice, Street, charge,
    eventually, replay, settle, soon,
};

/// Places for payments.
const PLACES: usize = 12;
const LIMITS: &str = "\n[limits]\npayments_max = 12\napp_share_percent = 100\n\
                      account_share_percent = 100\n";
/// What a host may need more for a flood ten times as large: its connections, and the bodies.
const FLOOD_BYTES_MAX: u64 = 64 << 20;

/// A provider behind a sluice, and a host.
struct Stage {
    stripe: StripeSimulator,
    sluice: Sluice,
    host: Host,
}

impl Stage {
    async fn set(server: &str, limits: &str) -> Stage {
        let stripe = StripeSimulator::start(StripeOptions::default()).await.unwrap();
        let sluice = Sluice::before(&stripe.base_url()).await;
        let config = Config {
            server: server.to_owned(),
            more: limits.to_owned(),
            ..Config::of([patient(Account::stripe(ACCOUNT, &sluice.url()))])
        };
        let host = Host::start(&config).await;
        Stage { stripe, sluice, host }
    }

    fn client(&self) -> Client {
        self.host.client()
    }

    fn captures(&self) -> usize {
        self.stripe.books().of(MovementKind::Capture).count()
    }
}

/// An account that waits longer for its provider than any test.
fn patient(account: Account) -> Account {
    Account { timeouts_ms: Some((60_000, 80_000, 80_000)), ..account }
}

/// So many payments at once, each by a client of its own, under the keys `{name}-0` and on.
fn flood(client: &Client, name: &str, account: &str, count: usize) -> JoinSet<(String, Reply)> {
    let mut flood = JoinSet::new();
    for n in 0..count {
        let (client, key) = (client.clone(), format!("{name}-{n}"));
        let mut body = charge("pm_card_visa", 100);
        body["account"] = json!(account);
        flood.spawn(async move {
            let reply = client.pay(&key, &body).await;
            (key, reply)
        });
    }
    flood
}

/// The next so many answers, each a refusal of one of these codes that says when to come again.
async fn refused(
    flood: &mut JoinSet<(String, Reply)>,
    count: usize,
    codes: &[(u16, &str)],
) -> Vec<String> {
    let mut keys = Vec::new();
    for _ in 0..count {
        let (key, reply) = flood.join_next().await.unwrap().unwrap();
        let body = reply.json();
        let known = codes.iter().any(|(status, code)| {
            reply.status == *status && body["code"] == *code && body["retry"] == "later"
        });
        assert!(known, "{}: {body:#}", reply.status);
        let wait: u64 = reply.header("retry-after").parse().unwrap();
        assert!((2..=8).contains(&wait), "{wait}");
        keys.push(key);
    }
    keys
}

async fn paid(flood: JoinSet<(String, Reply)>) -> Vec<Value> {
    let replies = flood.join_all().await;
    replies.iter().map(|(_, reply)| reply.with(201)).collect()
}

#[tokio::test]
async fn what_is_beyond_the_places_is_refused_at_once_and_leaves_no_trace() {
    let stage = Stage::set("", LIMITS).await;
    let client = stage.client();
    let mut flood = flood(&client, "k", ACCOUNT, 5 * PLACES);
    stage.sluice.holds(PLACES).await;
    // All the others are answered while the provider answers nobody.
    let keys = refused(&mut flood, 4 * PLACES, &[(503, "overloaded")]).await;

    eventually("what is in hand is recorded", async || {
        (client.payments().await.len() == PLACES).then_some(())
    })
    .await;
    client.get("/v1/platform").await.with(200);
    let open = &client.payments().await[0]["id"];
    client.on(open, "refunds", "r", &json!({})).await.problem(409, "not-captured");
    let webhook = client.nameless(Method::POST, &format!("/webhooks/{ACCOUNT}")).send("{}").await;
    assert_eq!((webhook.status, webhook.body.len()), (503, 0), "the plugin has looked at it");
    assert_eq!(client.nameless(Method::GET, "/ready").send("").await.with(200)["ready"], true);

    stage.sluice.open();
    assert_eq!(paid(flood).await.len(), PLACES);
    assert_eq!((client.payments().await.len(), stage.captures()), (PLACES, PLACES));
    for key in &keys {
        let late = client.pay(key, &charge("pm_card_visa", 200)).await;
        late.with(201);
        assert_eq!(late.header("idempotency-replayed"), "", "the key was free, for any body");
    }
    assert_eq!(stage.captures(), 5 * PLACES);
}

/// A flood of clients with large bodies, of which the host has to hold some; how many were
/// answered.
async fn heavy_flood(stage: &Stage, name: &str, count: usize) -> usize {
    stage.sluice.shut();
    let padding = " ".repeat(100_000);
    let body = Bytes::from(format!("{padding}{}", charge("pm_card_visa", 100)));
    let mut flood = JoinSet::new();
    for n in 0..count {
        let draft = stage.client().request(Method::POST, "/v1/payments");
        let draft = draft.header("idempotency-key", &format!("{name}-{n}"));
        let draft = draft.header("content-type", "application/json");
        flood.spawn(draft.try_send(body.clone()));
    }
    // A place may be given back before its holder's connection is there: fewer may wait, never
    // more. Whoever is refused is answered, or let go where there are too many to be answered.
    let (mut answered, mut let_go) = (0, 0);
    while answered + let_go < count - PLACES {
        match flood.join_next().await.unwrap().unwrap() {
            Ok(reply) => {
                assert_eq!(reply.status, 503, "{}", reply.json());
                assert!(!reply.header("retry-after").is_empty());
                answered += 1;
            }
            Err(_) => let_go += 1,
        }
    }
    stage.sluice.open();
    let mut done = 0;
    for reply in flood.join_all().await {
        done += usize::from(reply.is_ok_and(|reply| reply.status == 201));
    }
    println!("{count} clients: {done} paid, {answered} refused, {let_go} let go");
    answered
}

#[tokio::test]
async fn a_flood_ten_times_as_large_needs_no_more_memory_than_is_stated() {
    let stage = Stage::set("connections_max = 128\nconnections_per_peer_max = 128", LIMITS).await;
    let before = stage.host.memory_peak();
    assert!(heavy_flood(&stage, "a", 150).await > 0);
    let small = stage.host.memory_peak();
    assert!(heavy_flood(&stage, "b", 1_500).await > 0);
    let large = stage.host.memory_peak();
    let mib = |bytes: u64| bytes >> 20;
    println!("peak {} MiB, {} after 150, {} after 1500", mib(before), mib(small), mib(large));
    assert!(large - small <= FLOOD_BYTES_MAX, "{} MiB more", mib(large - small));
    assert!(large - before <= 2 * FLOOD_BYTES_MAX, "{} MiB in all", mib(large - before));
    assert_eq!(stage.client().payments().await.len(), stage.captures());
}

#[tokio::test]
async fn clients_that_send_or_take_nothing_are_let_go() {
    let server = "connections_max = 16\nconnections_per_peer_max = 16\nhead_timeout_ms = 400";
    let limits = format!("{LIMITS}write_timeout_ms = 400\n");
    let stage = Stage::set(server, &limits).await;
    let address = stage.host.address();
    let serves = async || {
        let health = stage.client().nameless(Method::GET, "/health").try_send("").await;
        health.is_ok_and(|reply| reply.status == 200).then_some(())
    };
    let mut halves = Vec::new();
    for _ in 0..16 {
        let mut half = TcpStream::connect(address).await.unwrap();
        half.write_all(b"GET /health HTTP/1.1\r\nhost: a\r\nx: ").await.unwrap();
        halves.push(half);
    }
    eventually("the places of those who send nothing are given back", serves).await;
    for mut half in halves {
        assert_eq!(half.read(&mut [0; 1]).await.unwrap_or(0), 0, "it was let go");
    }
    // More answers than any buffer holds, asked for at once and never read.
    let asked = format!("GET /openapi.json HTTP/1.1\r\nhost: {address}\r\n\r\n").repeat(200);
    let mut deaf = JoinSet::new();
    for _ in 0..12 {
        let asked = asked.clone();
        deaf.spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let until_closed = async { while stream.write_all(asked.as_bytes()).await.is_ok() {} };
            timeout(Duration::from_secs(60), until_closed).await.expect("it is let go");
        });
    }
    deaf.join_all().await;
    eventually("the places of those who take nothing are given back", serves).await;
}

#[tokio::test]
async fn the_dead_provider_of_one_account_takes_no_other_s_places() {
    let stripe = StripeSimulator::start(StripeOptions::default()).await.unwrap();
    let dead = Sluice::before(&stripe.base_url()).await;
    let accounts = [
        patient(Account::stripe("dead", &dead.url())),
        Account::stripe(ACCOUNT, &stripe.base_url()),
    ];
    let more = "\n[limits]\npayments_max = 16\n".to_owned();
    let host = Host::start(&Config { more, ..Config::of(accounts) }).await;
    let client = host.client();
    let mut flood = flood(&client, "d", "dead", 20);
    dead.holds(8).await;
    // While they are looked at they take places of the app; of the account only so many.
    let codes = [(503, "account-overloaded"), (429, "too-much-in-hand"), (503, "overloaded")];
    refused(&mut flood, 12, &codes).await;
    for n in 0..20 {
        let key = format!("q-{n}");
        client.pay(&key, &charge("pm_card_visa", 100)).await.with(201);
    }
    let mut body = charge("pm_card_visa", 100);
    body["account"] = json!("dead");
    client.pay("d-more", &body).await.problem(503, "account-overloaded");
    dead.open();
    assert_eq!(paid(flood).await.len(), 8);
    assert_eq!(stripe.books().of(MovementKind::Capture).count(), 28);
}

#[tokio::test]
async fn a_host_that_is_told_to_stop_finishes_what_is_in_hand_and_takes_nothing_more() {
    let mut stage = Stage::set("", LIMITS).await;
    let client = stage.client();
    let in_hand = flood(&client, "k", ACCOUNT, 5);
    stage.sluice.holds(5).await;
    let mut idle = TcpStream::connect(stage.host.address()).await.unwrap();
    idle.write_all(b"GET /health HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    assert!(idle.read(&mut [0; 4096]).await.unwrap() > 0);

    stage.host.terminate();
    eventually("an idle connection is closed", async || {
        (idle.read(&mut [0; 4096]).await.unwrap_or(0) == 0).then_some(())
    })
    .await;
    eventually("no connection is taken any more", async || {
        TcpStream::connect(stage.host.address()).await.is_err().then_some(())
    })
    .await;
    stage.sluice.open();
    for payment in paid(in_hand).await {
        assert_eq!(payment["status"], "captured");
    }
    let (code, log) = stage.host.ended().await;
    assert_eq!(code, Some(0), "{log}");
    stage.host.run().await;
    assert_eq!(stage.host.recovered(), 0);
    let payments = stage.client().payments().await;
    assert!(payments.iter().all(|payment| payment["status"] == "captured"), "{payments:#?}");
    assert_eq!((payments.len(), stage.captures()), (5, 5));
}

#[tokio::test]
async fn a_second_signal_ends_a_host_at_once_and_what_was_in_hand_is_found_out() {
    let mut stage = Stage::set("", LIMITS).await;
    let mut in_hand = JoinSet::new();
    for n in 0..3 {
        let (client, key) = (stage.client(), format!("k-{n}"));
        let body = charge("pm_card_visa", 100);
        in_hand.spawn(async move { client.try_post("/v1/payments", &key, &body).await });
    }
    stage.sluice.holds(3).await;
    stage.host.terminate();
    stage.host.log_line(0, &["a second signal ends it at once"]).await;
    stage.host.terminate();
    let (code, log) = stage.host.ended().await;
    assert_eq!(code, Some(1), "{log}");
    assert!(in_hand.join_all().await.iter().all(Result::is_err));
    stage.sluice.open();
    stage.host.run().await;
    assert_eq!(stage.host.recovered(), 3);
    let (ledger, open) = settle(&stage.client(), || stage.stripe.books(), true).await;
    assert_eq!(open, Vec::<String>::new());
    assert_eq!(ledger.compare(&stage.stripe.books()), Vec::<String>::new());
    assert_eq!(stage.stripe.books().doubled(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_under_load_loses_nothing_that_was_acknowledged() {
    let options = StripeOptions { retries: soon(), ..StripeOptions::default() };
    let stripe = StripeSimulator::start(options).await.unwrap();
    let account = Account::stripe(ACCOUNT, &stripe.base_url());
    // Fewer places than payers: some are refused all the time, and come again.
    let more = "\n[limits]\npayments_max = 4\napp_share_percent = 100\n".to_owned();
    let mut host = Host::start(&Config { more, ..Config::of([account]) }).await;
    stripe.point_webhook(Some(format!("{}/webhooks/{ACCOUNT}", host.url())));
    let mut street = Street::open(host.client(), 10, &mut Random::seeded(7));
    for stops in 1..=3 {
        let enough = || street.acknowledged().len() >= 25 * stops;
        eventually("the street pays", async || enough().then_some(())).await;
        host.terminate();
        let (code, log) = host.ended().await;
        street.host_is_gone();
        assert_eq!(code, Some(0), "{log}");
        assert!(!log.contains("cut off"), "{log}");
        host.run().await;
        assert_eq!(host.recovered(), 0, "nothing was on its way when it stopped");
        street.host_is_back(host.client());
    }
    street.close().await;
    let (client, acknowledged) = (host.client(), street.acknowledged());
    let (ledger, open) = settle(&client, || stripe.books(), true).await;
    let mut found = ledger.look(&acknowledged, &stripe.books());
    found.differing.extend(open);
    found.differing.extend(ledger.compare(&stripe.books()));
    found.doubled.extend(ledger.unasked(&acknowledged));
    found.lost.extend(replay(&client, &acknowledged).await);
    assert!(found.is_empty(), "{found}");
    assert_eq!(Ledger::read(&client).await.count("unknown"), 0);
    println!("{} operations acknowledged over 3 stops", acknowledged.len());
}
