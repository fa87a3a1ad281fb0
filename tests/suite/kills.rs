//! The host killed at any moment under load: whatever it acknowledged is there, nothing is charged
//! twice, and its books agree with the provider's.
//!
//! `tests/kills 50` kills fifty times. The seed is printed; `TOLLGATE_SEED` repeats its choices,
//! though not the machine's.

use std::time::{Duration, Instant};

use simulators::{Delay, StripeOptions};

use crate::support::{
    Campaign, Findings, Ledger, Random, Street, StripeStage, number, replay, seed, settle,
};

const PAYERS: u64 = 12;
/// A store lives through so many kills, and keeps its history.
const KILLS_PER_STORE: u64 = 100;

/// One line of the table.
struct Kill {
    after_ms: u64,
    acknowledged: usize,
    recovered: u64,
    restart: Duration,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_killed_at_any_moment_loses_nothing_and_charges_nothing_twice() {
    let (kills, seed) = (number("TOLLGATE_KILLS").unwrap_or(5), seed());
    println!("seed {seed}, {kills} kills, {PAYERS} payers");
    let mut random = Random::seeded(seed);
    let mut whole = Whole::default();
    let mut left = kills;
    while left > 0 {
        let some = left.min(KILLS_PER_STORE);
        whole.add(campaign(some, &mut random).await);
        left -= some;
    }
    let Whole { found, acknowledged, broken, unknown } = whole;
    let faults = format!("kill:{kills},cut-answer:{broken}");
    found.tell(&Campaign { name: "kills", runs: kills, faults, acknowledged, unknown, seed });
    assert!(found.is_empty(), "{found}");
}

/// What so many kills came to.
#[derive(Default)]
struct Whole {
    found: Findings,
    acknowledged: usize,
    /// Connections that broke under a request.
    broken: usize,
    unknown: usize,
}

impl Whole {
    fn add(&mut self, more: Whole) {
        self.found.extend(more.found);
        self.acknowledged += more.acknowledged;
        self.broken += more.broken;
        self.unknown += more.unknown;
    }
}

/// One store, one provider, one street, and so many kills.
async fn campaign(kills: u64, random: &mut Random) -> Whole {
    let median = Duration::from_millis(15);
    let answer_delay = Delay::LogNormal { median, sigma: 0.8, seed: random.next() };
    let options = StripeOptions { answer_delay, ..StripeOptions::default() };
    let mut stage = StripeStage::with(options, |account| account).await;
    let mut street = Street::open(stage.client(), PAYERS, random);
    let mut table = Vec::new();
    for _ in 0..kills {
        table.push(kill(&mut stage, &street, random).await);
    }
    street.close().await;
    print(&table, &street);
    let found = compare(&stage, &street).await;
    let unknown = Ledger::read(&stage.client()).await.count("unknown");
    check_store(&mut stage).await;
    Whole { found, acknowledged: street.acknowledged().len(), broken: street.broken(), unknown }
}

/// Lets the street pay for a while and kills the host in the middle of it.
async fn kill(stage: &mut StripeStage, street: &Street, random: &mut Random) -> Kill {
    let after_ms = random.between(30, 700);
    // The moment is the test: nothing is waited for.
    tokio::time::sleep(Duration::from_millis(after_ms)).await;
    stage.host.kill().await;
    street.host_is_gone();
    let acknowledged = street.acknowledged().len();
    let begun = Instant::now();
    stage.host.run().await;
    let restart = begun.elapsed();
    street.host_is_back(stage.client());
    Kill { after_ms, acknowledged, recovered: stage.host.recovered(), restart }
}

fn print(table: &[Kill], street: &Street) {
    println!("kill  after ms  acknowledged  in hand  restart ms");
    for (n, Kill { after_ms, acknowledged, recovered, restart }) in table.iter().enumerate() {
        let ms = restart.as_millis();
        println!("{:>4}  {after_ms:>8}  {acknowledged:>12}  {recovered:>7}  {ms:>10}", n + 1);
    }
    let (answers, broken) = (street.acknowledged().len(), street.broken());
    println!("{answers} operations acknowledged, {broken} connections broken and repeated");
}

/// Everything that was answered, asked for again, and both sides' books once every entry has ended.
async fn compare(stage: &StripeStage, street: &Street) -> Findings {
    let (client, acknowledged) = (stage.client(), street.acknowledged());
    let (ledger, open) = settle(&client, || stage.stripe.books(), true).await;
    let books = stage.stripe.books();
    let mut found = ledger.look(&acknowledged, &books);
    found.differing.extend(open);
    found.differing.extend(ledger.compare(&books));
    found.differing.extend(ledger.against_feed(&client).await);
    found.doubled.extend(ledger.unasked(&acknowledged));
    found.lost.extend(replay(&client, &acknowledged).await);
    ledger.print_sums();
    found
}

async fn check_store(stage: &mut StripeStage) {
    let before = Ledger::read(&stage.client()).await.payments;
    stage.host.stop().await;
    let verified = stage.host.command(&["store", "verify"]).await;
    println!("{}", verified.answered());
    stage.host.run().await;
    assert_eq!(Ledger::read(&stage.client()).await.payments, before);
}
