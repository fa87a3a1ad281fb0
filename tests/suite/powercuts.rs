//! The power cut under load, at any moment: the disk keeps what it was made to keep. That has to be
//! all that was acknowledged, and an entry for every movement at the provider: its bytes had left.
//!
//! `tests/powercuts 20` cuts twenty times, as root. Without root the tests say aloud that they show
//! nothing, and fail where cuts were asked for. The seed is printed; `TOLLGATE_SEED` repeats its
//! choices, though not the machine's. A process killed under a system that lives on is another
//! campaign (`kills`): there everything that was written is kept, synced or not.

pub mod disk;

use std::fmt;
use std::time::{Duration, Instant};

use simulators::{Delay, StripeOptions, StripeSimulator};

use crate::support::{
    ACCOUNT, Account, Acknowledged, Campaign, Client, Config, Findings, Host, Ledger, Random,
    Street, eventually, number, replay, seed, settle, soon,
};
use disk::{Disk, Moment, NOTICED};

const PAYERS: u64 = 12;
/// A store lives through so many cuts, and keeps its history.
const CUTS_PER_STORE: u64 = 5;
/// Of the answers given before the last cut, so many are asked for again.
const OLD_ANSWERS: u64 = 40;

/// A host on such a disk, its provider, and the payers.
struct Site {
    stripe: StripeSimulator,
    host: Host,
    street: Street,
    /// Answers that were asked for again already.
    replayed: usize,
    restart: Duration,
    /// Nothing is left that could be compared.
    gone: bool,
    /// Dropped last: the host has files on it.
    disk: Disk,
}

/// One line of the table.
#[derive(Debug, Default)]
struct Line {
    store: usize,
    cut: u64,
    moment: Option<Moment>,
    /// Whether it was cut a second time while it recovered.
    again: bool,
    after_ms: u64,
    acknowledged: usize,
    sending: u64,
    unknown: usize,
    verify: &'static str,
    found: Findings,
}

impl Site {
    async fn set(disk: Disk, random: &mut Random) -> Site {
        let median = Duration::from_millis(15);
        let answer_delay = Delay::LogNormal { median, sigma: 0.8, seed: random.next() };
        let options = StripeOptions { answer_delay, retries: soon(), ..StripeOptions::default() };
        let stripe = StripeSimulator::start(options).await.unwrap();
        let account = Account::stripe(ACCOUNT, &stripe.base_url());
        let mut host =
            Host::prepare(&Config { store: disk.store(), ..Config::of([account]) }).await;
        stripe.point_webhook(Some(format!("{}/webhooks/{ACCOUNT}", host.url())));
        let begun = Instant::now();
        host.run().await;
        let street = Street::open(host.client(), PAYERS, random);
        Site { stripe, host, street, replayed: 0, restart: begun.elapsed(), gone: false, disk }
    }

    /// The power goes, comes back, and everything is compared.
    async fn cut(&mut self, random: &mut Random) -> Line {
        let after_ms = random.between(300, 1_500);
        let (moment, again) = (a_moment(random), random.between(0, 2) == 0);
        // The moment is the test: nothing is waited for.
        tokio::time::sleep(Duration::from_millis(after_ms)).await;
        let cut = self.disk.cut(self.host.id(), moment).await;
        self.street.host_is_gone();
        self.host.kill().await;
        cut.restore();
        if again {
            self.cut_while_it_starts(random).await;
        }
        let verified = self.verified().await;
        let mut line = match self.comes_back().await {
            Ok(()) => self.look(random).await,
            Err(why) => self.is_gone(&why),
        };
        line.verify = if verified.is_none() { "sound" } else { "DAMAGED" };
        line.found.differing.extend(verified);
        Line { after_ms, moment: Some(moment), again, ..line }
    }

    /// What is wrong with the store, as a process finds that does not write to it.
    async fn verified(&self) -> Option<String> {
        let verified = self.host.command(&["store", "verify"]).await;
        (verified.code != Some(0)).then(|| format!("not sound: {verified:#?}"))
    }

    /// Starts the host on what is left; why it takes no payments if it does not.
    async fn comes_back(&mut self) -> Result<(), String> {
        let begun = Instant::now();
        self.host.try_run().await?;
        self.restart = begun.elapsed();
        let knows_the_app = self.host.client().get("/v1/payments?limit=1").await;
        if knows_the_app.status == 200 { Ok(()) } else { Err("the app is not known".to_owned()) }
    }

    fn is_gone(&mut self, why: &str) -> Line {
        let all = self.street.acknowledged();
        self.gone = true;
        let mut line = Line { acknowledged: all.len(), ..Line::default() };
        line.found.lost = all.iter().map(|one| format!("lost: {}: {why}", one.key)).collect();
        line
    }

    /// A second cut while the host recovers from the first, or has just begun to take payments.
    async fn cut_while_it_starts(&mut self, random: &mut Random) {
        let most = self.restart.as_millis() as u64 * 3 / 2;
        let mut starting = self.host.launch();
        tokio::time::sleep(Duration::from_millis(random.between(0, most))).await;
        let process = starting.id().expect("it runs");
        let cut = self.disk.cut(process, a_moment(random)).await;
        starting.kill().await.unwrap();
        cut.restore();
    }

    /// Compares what is there with what was acknowledged and with what the provider did.
    async fn look(&mut self, random: &mut Random) -> Line {
        let client = self.host.client();
        let acknowledged = self.street.acknowledged();
        let before = self.stripe.books();
        let ledger = Ledger::read(&client).await;
        let mut line = Line {
            acknowledged: acknowledged.len(),
            sending: self.host.recovered(),
            unknown: ledger.count("unknown"),
            found: ledger.look(&acknowledged, &before),
            ..Line::default()
        };
        let asked = self.sample(&acknowledged, random);
        // A payment that is lost would be begun anew, and hide what else is lost.
        if line.found.lost.is_empty() {
            line.found.lost.extend(replay(&client, &asked).await);
        }
        line.found.extend(self.settled(&client, &acknowledged, false).await);
        self.street.host_is_back(client);
        line
    }

    /// Every answer since the last cut, and some of the older ones.
    fn sample(&mut self, all: &[Acknowledged], random: &mut Random) -> Vec<Acknowledged> {
        let (old, new) = all.split_at(self.replayed);
        self.replayed = all.len();
        let some = if old.is_empty() { 0 } else { OLD_ANSWERS };
        let mut pick = || old[random.between(0, old.len() as u64 - 1) as usize].clone();
        let mut asked: Vec<_> = (0..some).map(|_| pick()).collect();
        asked.extend_from_slice(new);
        asked
    }

    async fn settled(
        &self,
        client: &Client,
        acknowledged: &[Acknowledged],
        patient: bool,
    ) -> Findings {
        let (ledger, open) = settle(client, || self.stripe.books(), patient).await;
        let books = self.stripe.books();
        let mut found = ledger.look(acknowledged, &books);
        found.differing.extend(open);
        found.differing.extend(ledger.compare(&books));
        found
    }

    /// Everything answered, everything ended if there is patience for it, a checkpoint made, and
    /// nothing different after that.
    async fn close(&mut self, patient: bool) -> Findings {
        self.street.close().await;
        let client = self.host.client();
        let acknowledged = self.street.acknowledged();
        let mut found = self.settled(&client, &acknowledged, patient).await;
        let ledger = Ledger::read(&client).await;
        found.doubled.extend(ledger.unasked(&acknowledged));
        found.differing.extend(ledger.against_feed(&client).await);
        self.host.stop().await;
        found.differing.extend(self.verified().await);
        self.host.run().await;
        if Ledger::read(&self.host.client()).await.payments != ledger.payments {
            found.lost.push("lost: a clean stop changed the ledger".to_owned());
        }
        let (answers, broken) = (acknowledged.len(), self.street.broken());
        println!("{answers} operations acknowledged, {broken} connections broken and repeated");
        ledger.print_sums();
        found
    }
}

fn a_moment(random: &mut Random) -> Moment {
    if random.between(0, 1) == 0 { Moment::BetweenWrites } else { Moment::InAWrite }
}

const HEAD: &str = "store  cut  power goes            after ms  acknowledged  sending  unknown  \
                    lost  doubled  unexplained  differing  verify";

fn print(line: &Line) {
    let Line { store, cut, after_ms, acknowledged, sending, unknown, verify, .. } = line;
    let Findings { lost, doubled, unexplained, differing } = &line.found;
    let goes = match (line.moment, line.again) {
        (Some(Moment::InAWrite), false) => "in a write",
        (Some(Moment::InAWrite), true) => "in a write, twice",
        (_, false) => "between writes",
        (_, true) => "between writes, twice",
    };
    println!(
        "{store:>5}  {cut:>3}  {goes:<21}  {after_ms:>8}  {acknowledged:>12}  {sending:>7}  \
         {unknown:>7}  {:>4}  {:>7}  {:>11}  {:>9}  {verify}",
        lost.len(),
        doubled.len(),
        unexplained.len(),
        differing.len(),
    );
}

/// Cuts so often, and gives what was found. With patience everything has to end: a minute, for
/// what only time can end. Stores are closed after the last cut, so that they share that minute.
async fn campaign(first: Disk, cuts: u64, patient: bool, mut random: Random) -> Whole {
    let (mut sites, mut found) = (Vec::new(), Findings::default());
    let mut faults = Faults::default();
    let (mut next, mut cut) = (Some(first), 0);
    println!("{HEAD}");
    while cut < cuts {
        let disk = next.take().unwrap_or_else(|| Disk::new().expect("as before"));
        let mut site = Site::set(disk, &mut random).await;
        for _ in 0..CUTS_PER_STORE.min(cuts - cut) {
            cut += 1;
            let line = Line { store: sites.len() + 1, cut, ..site.cut(&mut random).await };
            print(&line);
            faults.count(&line);
            found.extend(line.found);
            if site.gone {
                break;
            }
        }
        site.street.close().await;
        sites.push(site);
    }
    for site in sites.iter_mut().filter(|site| !site.gone) {
        found.extend(site.close(patient).await);
    }
    let (mut acknowledged, mut unknown) = (0, 0);
    for site in &sites {
        acknowledged += site.street.acknowledged().len();
        if !site.gone {
            unknown += Ledger::read(&site.host.client()).await.count("unknown");
        }
    }
    Whole { found, faults, acknowledged, unknown }
}

/// What a campaign came to.
struct Whole {
    found: Findings,
    faults: Faults,
    acknowledged: usize,
    unknown: usize,
}

/// Cuts, by their moment.
#[derive(Default)]
struct Faults {
    between: u64,
    within: u64,
    again: u64,
}

impl Faults {
    fn count(&mut self, line: &Line) {
        match line.moment {
            Some(Moment::InAWrite) => self.within += 1,
            _ => self.between += 1,
        }
        self.again += u64::from(line.again);
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Faults { between, within, again } = self;
        write!(f, "between-writes:{between},in-a-write:{within},in-recovery:{again}")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_at_any_moment_loses_nothing_that_was_acknowledged() {
    let Some(disk) = Disk::or_unshown("that a power cut loses nothing") else { return };
    let (asked, seed) = (number("TOLLGATE_CUTS"), seed());
    let cuts = asked.unwrap_or(2);
    println!("seed {seed}, {cuts} cuts, {PAYERS} payers");
    let whole = campaign(disk, cuts, asked.is_some(), Random::seeded(seed)).await;
    let Whole { found, faults, acknowledged, unknown } = whole;
    let faults = faults.to_string();
    found.tell(&Campaign { name: "powercuts", runs: cuts, faults, acknowledged, unknown, seed });
    assert!(found.is_empty(), "{found}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_whose_disk_fails_stops_and_keeps_what_it_had_acknowledged() {
    let Some(disk) = Disk::or_unshown("that a failed disk stops the host") else { return };
    let mut random = Random::seeded(seed());
    let mut site = Site::set(disk, &mut random).await;
    let paid = || site.street.acknowledged().len() >= 30;
    eventually("the host is at work", async || paid().then_some(())).await;
    // Of what was under way when the file system failed, it may have said yes to what it lost.
    let (acknowledged, books) = (site.street.acknowledged(), site.stripe.books());
    site.disk.fail();
    assert!(site.host.ends_within(NOTICED).await, "a host without a disk lives on");
    site.street.host_is_gone();
    site.disk.without().await.restore();
    assert_eq!(site.verified().await, None);
    site.host.run().await;
    let found = Ledger::read(&site.host.client()).await.look(&acknowledged, &books);
    assert!(found.is_empty(), "{found}");
}
