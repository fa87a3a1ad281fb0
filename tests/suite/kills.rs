//! The host killed at any moment under load: whatever it acknowledged is there, nothing is charged
//! twice, and its books agree with the provider's.
//!
//! `tests/kills 50` kills fifty times. The seed is printed; `TOLLGATE_SEED` repeats its choices,
//! though not the machine's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use simulators::{Books, Delay, MovementKind, StripeOptions};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::support::{Client, Random, Reply, StripeStage, charge, eventually};

const PAYERS: u64 = 12;

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// An answer that an app was given: what it may rely on for ever.
#[derive(Clone, Debug)]
struct Acknowledged {
    path: String,
    key: String,
    body: Value,
    answer: Value,
}

/// What all payers share.
struct Street {
    /// The host's process of now; none while there is none.
    host: watch::Receiver<Option<Client>>,
    acknowledged: Mutex<Vec<Acknowledged>>,
    /// Requests whose connection broke, and that were repeated.
    broken: AtomicUsize,
    closing: AtomicBool,
}

impl Street {
    /// Asks until it is answered, under one key, as a careful app does.
    async fn ask(&self, path: &str, key: &str, body: &Value) -> Reply {
        let mut host = self.host.clone();
        loop {
            let client = host.wait_for(Option::is_some).await.unwrap().clone().unwrap();
            match client.try_post(path, key, body).await {
                Ok(reply) if reply.status == 409 && says(&reply, "request-in-progress") => {}
                Ok(reply) if reply.status >= 500 => {}
                Ok(reply) => {
                    self.note(path, key, body, &reply);
                    return reply;
                }
                Err(_) => drop(self.broken.fetch_add(1, Ordering::Relaxed)),
            }
            // Not as fast as the machine can: the process may be gone for a while.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn note(&self, path: &str, key: &str, body: &Value, reply: &Reply) {
        if reply.status == 201 {
            let (path, key, body) = (path.to_owned(), key.to_owned(), body.clone());
            let answer = reply.json();
            self.acknowledged.lock().unwrap().push(Acknowledged { path, key, body, answer });
        }
    }

    /// One payer: charges, holds that are captured, cancelled or left, and refunds.
    async fn pay(self: Arc<Self>, number: u64, mut random: Random) {
        let mut asked = 0u64;
        while !self.closing.load(Ordering::Relaxed) {
            asked += 1;
            let name = format!("payer-{number}-{asked}");
            let mut body = charge("pm_card_visa", random.between(100, 9_999));
            body["merchant_reference"] = json!(name);
            let manual = random.between(0, 2) == 0;
            if manual {
                body["capture"] = json!("manual");
            }
            let paid = self.ask("/v1/payments", &name, &body).await.with(201);
            let on = |what: &str| format!("/v1/payments/{}/{what}", paid["id"].as_str().unwrap());
            let part = |minor: u64| json!({ "amount": { "minor": minor, "currency": "EUR" } });
            match (manual, random.between(0, 3)) {
                (true, 0) => {
                    drop(self.ask(&on("cancellation"), &format!("{name}-x"), &json!({})).await)
                }
                (true, 1..) => {
                    drop(self.ask(&on("captures"), &format!("{name}-c"), &part(1)).await)
                }
                (false, 0) => drop(self.ask(&on("refunds"), &format!("{name}-r"), &part(1)).await),
                _ => {}
            }
        }
    }
}

fn says(reply: &Reply, code: &str) -> bool {
    reply.json()["code"] == code
}

/// One line of the table.
struct Kill {
    after_ms: u64,
    acknowledged: usize,
    recovered: u64,
    restart: Duration,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_killed_at_any_moment_loses_nothing_and_charges_nothing_twice() {
    let kills = from_environment("TOLLGATE_KILLS").unwrap_or(5);
    let since = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let seed = from_environment("TOLLGATE_SEED").unwrap_or_else(|| since() as u64 % 1_000_000_007);
    println!("seed {seed}, {kills} kills, {PAYERS} payers");
    let median = Duration::from_millis(15);
    let answer_delay = Delay::LogNormal { median, sigma: 0.8, seed };
    let options = StripeOptions { answer_delay, ..StripeOptions::default() };
    let mut stage = StripeStage::with(options, |account| account).await;
    let mut random = Random::seeded(seed);
    let here = watch::Sender::new(Some(stage.client()));
    let street = Arc::new(Street {
        host: here.subscribe(),
        acknowledged: Mutex::default(),
        broken: AtomicUsize::new(0),
        closing: AtomicBool::new(false),
    });
    let mut payers = JoinSet::new();
    for number in 0..PAYERS {
        payers.spawn(street.clone().pay(number, Random::seeded(random.next())));
    }
    let mut table = Vec::new();
    for _ in 0..kills {
        table.push(kill(&mut stage, &here, &street, &mut random).await);
    }
    street.closing.store(true, Ordering::Relaxed);
    payers.join_all().await;
    print(&table, &street);
    let client = stage.client();
    settle(&client).await;
    check(&stage, &client, &street.acknowledged.lock().unwrap()).await;
    check_store(&mut stage).await;
}

/// Lets the street pay for a while and kills the host in the middle of it.
async fn kill(
    stage: &mut StripeStage,
    here: &watch::Sender<Option<Client>>,
    street: &Street,
    random: &mut Random,
) -> Kill {
    let after_ms = random.between(30, 700);
    // The moment is the test: nothing is waited for.
    tokio::time::sleep(Duration::from_millis(after_ms)).await;
    stage.host.kill().await;
    here.send_replace(None);
    let acknowledged = street.acknowledged.lock().unwrap().len();
    let begun = Instant::now();
    stage.host.run().await;
    let restart = begun.elapsed();
    here.send_replace(Some(stage.client()));
    let recovered = recovered(&stage.host.log_text());
    Kill { after_ms, acknowledged, recovered, restart }
}

/// How many entries were being sent when the process before was killed, as the log says.
fn recovered(log: &str) -> u64 {
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter_map(|line| line["recovered"].as_u64()).sum()
}

fn print(table: &[Kill], street: &Street) {
    println!("kill  after ms  acknowledged  in hand  restart ms");
    for (n, Kill { after_ms, acknowledged, recovered, restart }) in table.iter().enumerate() {
        let ms = restart.as_millis();
        println!("{:>4}  {after_ms:>8}  {acknowledged:>12}  {recovered:>7}  {ms:>10}", n + 1);
    }
    let answers = street.acknowledged.lock().unwrap().len();
    let broken = street.broken.load(Ordering::Relaxed);
    println!("{answers} operations acknowledged, {broken} connections broken and repeated");
}

/// Waits until no entry is open any more; the host may find out by itself or be asked.
async fn settle(client: &Client) {
    eventually("every entry has ended", async || {
        let payments = client.payments().await;
        let open = payments.iter().filter(|payment| entries(payment).any(is_open));
        let open: Vec<_> = open.map(|payment| payment["id"].clone()).collect();
        for id in &open {
            client.sync(id).await;
        }
        open.is_empty().then_some(())
    })
    .await;
}

fn entries(payment: &Value) -> impl Iterator<Item = &Value> {
    payment["entries"].as_array().unwrap().iter()
}

fn is_open(entry: &Value) -> bool {
    let ended = ["succeeded", "declined", "not-sent", "expired"];
    !ended.contains(&entry["state"].as_str().unwrap())
}

async fn check(stage: &StripeStage, client: &Client, acknowledged: &[Acknowledged]) {
    let payments = client.payments().await;
    let books = stage.stripe.books();
    assert_eq!(books.doubled(), vec![], "charged, captured or refunded twice");
    let known: BTreeMap<&str, &Value> =
        payments.iter().map(|payment| (payment["id"].as_str().unwrap(), payment)).collect();
    let mut keys = BTreeSet::new();
    for Acknowledged { path, key, body, answer } in acknowledged {
        assert!(keys.insert(key), "{key} was answered once");
        let id = answer["id"].as_str().unwrap();
        let payment = known.get(id).unwrap_or_else(|| panic!("{id} is lost: {answer:#}"));
        let entry = entries(payment).find(|entry| entry["id"] == answer["entry"]);
        let entry = entry.unwrap_or_else(|| panic!("an entry of {id} is lost: {answer:#}"));
        let then = entries(answer).find(|then| then["id"] == entry["id"]).unwrap();
        if !is_open(then) {
            assert_eq!(then["state"], entry["state"], "what had ended has changed: {payment:#}");
        }
        let again = client.post(path, key, body).await.with(201);
        assert_eq!(again["entry"], answer["entry"], "{key} began something new");
    }
    let references: BTreeSet<&str> =
        payments.iter().map(|payment| payment["merchant_reference"].as_str().unwrap()).collect();
    assert_eq!(references.len(), payments.len(), "one key began two payments");
    check_sums(&payments, &books);
    check_feed(client, &payments).await;
}

/// Every entry against the provider's lines under its key, and the sums of both sides.
fn check_sums(payments: &[Value], books: &Books) {
    let mut ours: BTreeMap<&str, (&Value, &Value)> = BTreeMap::new();
    for payment in payments {
        for entry in entries(payment) {
            ours.insert(entry["id"].as_str().unwrap(), (payment, entry));
        }
    }
    for line in &books.movements {
        let Some((_, entry)) = ours.get(line.key.as_str()) else {
            panic!("the provider moved money for no entry of ours: {line:#?}");
        };
        assert_eq!(entry["state"], "succeeded", "the provider did it: {line:#?} {entry:#}");
    }
    let moved = |kind: MovementKind, entry: &Value| -> i64 {
        let lines = books.of(kind).filter(|line| entry["id"] == line.key);
        lines.map(|line| line.amount).sum()
    };
    for (payment, entry) in ours.values().filter(|(_, entry)| entry["state"] == "succeeded") {
        let amount = entry["amount"]["minor"].as_i64().unwrap();
        let kind = match (entry["kind"].as_str().unwrap(), entry["capture"] == json!(true)) {
            ("authorize", true) | ("capture", _) => MovementKind::Capture,
            ("authorize", false) => MovementKind::Authorization,
            ("cancel", _) => MovementKind::Release,
            ("refund", _) => MovementKind::Refund,
            (other, _) => panic!("{other}"),
        };
        assert_eq!(moved(kind, entry), amount, "{payment:#}");
    }
    let sum = |field: &str| -> i64 {
        payments.iter().map(|payment| payment[field].as_i64().unwrap()).sum()
    };
    assert_eq!(sum("captured_minor"), books.total(MovementKind::Capture, "EUR"));
    assert_eq!(sum("refunded_minor"), books.total(MovementKind::Refund, "EUR"));
    println!(
        "{} payments: both sides captured {} and refunded {} cents",
        payments.len(),
        sum("captured_minor"),
        sum("refunded_minor")
    );
}

/// The feed tells each state of an entry once, and the last it tells is the one that is.
async fn check_feed(client: &Client, payments: &[Value]) {
    let events = client.events().await;
    let (mut told, mut last) = (BTreeSet::new(), BTreeMap::new());
    for event in &events {
        let entry = event["entry"]["id"].as_str().unwrap();
        let name = event["name"].as_str().unwrap();
        assert!(told.insert((entry, name)), "told twice: {entry} {name}");
        last.insert(entry, &event["entry"]["state"]);
    }
    for entry in payments.iter().flat_map(entries) {
        let id = entry["id"].as_str().unwrap();
        assert_eq!(
            last.get(id).copied(),
            Some(&entry["state"]),
            "the feed and the ledger differ: {id}"
        );
    }
}

async fn check_store(stage: &mut StripeStage) {
    let before = stage.client().payments().await;
    stage.host.stop().await;
    let verified = stage.host.command(&["store", "verify"]).await;
    println!("{}", verified.answered());
    stage.host.run().await;
    assert_eq!(stage.client().payments().await, before);
}
