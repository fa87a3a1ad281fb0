//! The disk is full: nothing is acknowledged that is not durable, what was begun is finished while
//! there is any room, everybody is told why, and the host goes on by itself when space returns.
//!
//! A file system of its own on a loop device; without root there is none, and each test says aloud
//! that it shows nothing.

use http::Method;
use serde_json::{Value, json};
use simulators::{PayerAnswer, StripeOptions, StripeSimulator};

use crate::powercuts::disk::Disk;
use crate::support::{
    ACCOUNT, Account, Client, Config, Host, Ledger, Mailbox, Random, Reply, Sluice, Street, charge,
    eventually, replay, seed, settle, soon,
};

const PAYERS: u64 = 8;
/// A reserve that leaves most of a small disk.
const RESERVE: &str = "reserve_mib = 16";

struct Site {
    stripe: StripeSimulator,
    host: Host,
    /// Dropped last: the host has files on it.
    disk: Disk,
}

fn config(disk: &Disk, account: Account) -> Config {
    let store_lines = RESERVE.to_owned();
    Config { store: disk.store(), store_lines, ..Config::of([account]) }
}

impl Site {
    /// None where there can be no such disk.
    async fn set() -> Option<Site> {
        Site::with("").await
    }

    /// The same, with lines at the end of the configuration.
    async fn with(more: &str) -> Option<Site> {
        let disk = Disk::or_unshown("that a full disk loses nothing and stops nobody")?;
        let options = StripeOptions { retries: soon(), ..StripeOptions::default() };
        let stripe = StripeSimulator::start(options).await.unwrap();
        let account = Account::stripe(ACCOUNT, &stripe.base_url());
        let config = Config { more: more.to_owned(), ..config(&disk, account) };
        let host = Host::start(&config).await;
        stripe.point_webhook(Some(format!("{}/webhooks/{ACCOUNT}", host.url())));
        Some(Site { stripe, host, disk })
    }

    fn client(&self) -> Client {
        self.host.client()
    }

    /// Fills the disk until the host says so, and again what it gave back, until there is nothing
    /// at all.
    async fn fill(&self) {
        self.disk.fill();
        eventually("the host says that the disk is full", async || {
            probe(&self.client()).await;
            let why = ready(&self.client()).await.err()?;
            why.contains("is full").then_some(())
        })
        .await;
        self.disk.fill();
    }

    async fn heals(&self) {
        self.disk.clear();
        eventually("the host is ready again", async || ready(&self.client()).await.ok()).await;
    }
}

/// Asks for a payment, whatever comes of it.
async fn probe(client: &Client) -> Reply {
    client.pay("probe", &charge("pm_card_visa", 100)).await
}

/// Why the host is not ready, if it is not.
async fn ready(client: &Client) -> Result<(), String> {
    let reply = client.nameless(Method::GET, "/ready").send("").await;
    match reply.status {
        200 => Ok(()),
        503 => Err(reply.json()["impediments"].to_string()),
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_whose_disk_fills_up_under_load_goes_on_when_there_is_space_again() {
    let Some(mut site) = Site::set().await else { return };
    let seed = seed();
    println!("seed {seed}");
    let mut street = Street::open(site.client(), PAYERS, &mut Random::seeded(seed));
    let process = site.host.id();
    for round in 1..=3 {
        let before = street.acknowledged().len();
        eventually("the street pays", async || {
            (street.acknowledged().len() >= before + 20).then_some(())
        })
        .await;
        site.fill().await;
        probe(&site.client()).await.problem(503, "storage-full");
        let (acknowledged, books) = (street.acknowledged(), site.stripe.books());
        let found = Ledger::read(&site.client()).await.look(&acknowledged, &books);
        assert!(found.is_empty(), "{found}");
        site.heals().await;
        println!("round {round}: {} acknowledged when it was full", acknowledged.len());
    }
    let before = street.acknowledged().len();
    eventually("the street pays again", async || {
        (street.acknowledged().len() >= before + 20).then_some(())
    })
    .await;
    street.close().await;
    assert_eq!(site.host.id(), process, "it is the same process");
    let (client, acknowledged) = (site.client(), street.acknowledged());
    let (ledger, open) = settle(&client, || site.stripe.books(), true).await;
    let mut found = ledger.look(&acknowledged, &site.stripe.books());
    found.differing.extend(open);
    found.differing.extend(ledger.compare(&site.stripe.books()));
    found.differing.extend(ledger.against_feed(&client).await);
    found.lost.extend(replay(&client, &acknowledged).await);
    assert!(found.is_empty(), "{found}");
    ledger.print_sums();
    site.host.stop().await;
    site.host.command(&["store", "verify"]).await.answered();
    site.host.run().await;
    assert_eq!(Ledger::read(&site.client()).await.payments, ledger.payments);
}

/// A payment that waits for its payer, and the letter that says he has paid, not delivered yet.
async fn waiting(site: &Site, mailbox: &Mailbox) -> (Value, crate::support::Posted) {
    site.stripe.point_webhook(Some(mailbox.url()));
    let mut body = charge("pm_card_threeDSecure2Required", 4200);
    body["return_url"] = json!("https://shop.example/done");
    let waiting = site.client().pay("w", &body).await.with(201);
    let intent = waiting["entries"][0]["reference"]["provider"].as_str().unwrap();
    site.stripe.pay(intent, PayerAnswer::Succeeded).unwrap();
    (waiting["id"].clone(), mailbox.letter("\"payment_intent.succeeded\"").await)
}

#[tokio::test]
async fn while_the_disk_is_full_it_is_read_and_webhooks_are_told_to_come_again() {
    // The host is not to find out by itself what the webhook would tell it.
    let Some(site) = Site::with("\n[recovery]\nsync_after_ms = [3600000]\n").await else { return };
    let (client, mailbox) = (site.client(), Mailbox::open().await);
    let (payment, letter) = waiting(&site, &mailbox).await;
    site.fill().await;
    let problem = probe(&client).await.problem(503, "storage-full");
    assert_eq!((&problem["retry"], problem["errors"].is_null()), (&json!("later"), true));
    assert!(client.get("/problems/storage-full").await.with(200)["remedy"].is_string());
    let told = letter.deliver(&client, ACCOUNT).await;
    told.problem(503, "storage-full");
    assert!(!told.header("retry-after").is_empty());
    assert_eq!(client.payment(&payment).await["status"], "needs-action");
    assert_eq!(client.payments().await.len(), 1, "what was refused left no trace");
    client.get("/v1/events").await.with(200);
    client.get("/v1/platform").await.with(200);
    let why = ready(&client).await.unwrap_err();
    assert!(why.contains("is full") && why.contains("free"), "{why}");

    site.heals().await;
    assert_eq!(letter.deliver(&client, ACCOUNT).await.status, 200);
    assert_eq!(client.payment(&payment).await["status"], "captured");
    probe(&client).await.with(201);
}

#[tokio::test]
async fn what_is_in_hand_when_the_disk_fills_up_is_finished_in_the_reserve() {
    let Some(mut site) = Site::set().await else { return };
    let sluice = Sluice::before(&site.stripe.base_url()).await;
    let account = Account {
        timeouts_ms: Some((60_000, 80_000, 80_000)),
        ..Account::stripe(ACCOUNT, &sluice.url())
    };
    site.host.stop().await;
    site.host.configure(&config(&site.disk, account));
    site.host.run().await;
    let client = site.client();
    let in_hand = tokio::spawn({
        let client = client.clone();
        async move { client.pay("k", &charge("pm_card_visa", 700)).await }
    });
    sluice.holds(1).await;
    eventually("it is recorded", async || (client.payments().await.len() == 1).then_some(())).await;
    site.disk.fill();
    probe(&client).await.problem(503, "storage-full");
    sluice.open();
    let paid = in_hand.await.unwrap().with(201);
    assert_eq!(paid["status"], "captured");
    assert_eq!(client.payment(&paid["id"]).await["status"], "captured");
    // It is there after a restart too, and a start is no reason to take new work.
    site.host.stop().await;
    site.host.run().await;
    let client = site.client();
    assert_eq!(client.payment(&paid["id"]).await["status"], "captured");
    probe(&client).await.problem(503, "storage-full");
    site.heals().await;
    probe(&client).await.with(201);
}

#[tokio::test]
async fn a_host_does_not_start_on_a_disk_without_any_space_and_says_what_to_do() {
    let Some(mut site) = Site::set().await else { return };
    let client = site.client();
    let paid = client.pay("k", &charge("pm_card_visa", 700)).await.with(201);
    site.fill().await;
    site.host.kill().await;
    site.disk.fill();
    let said = site.host.try_run().await.unwrap_err();
    assert!(said.contains("is full") && said.contains("free"), "{said}");
    site.disk.clear();
    site.host.run().await;
    assert_eq!(site.client().payment(&paid["id"]).await["status"], "captured");
    probe(&site.client()).await.with(201);
}
