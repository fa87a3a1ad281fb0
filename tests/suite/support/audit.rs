//! The host's ledger against what was acknowledged, and against the provider's books: what a
//! campaign finds is listed rather than asserted, so that it can count. Not here: the load
//! (`street`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Value, json};
use simulators::{Books, Movement, MovementKind};
use tokio::time::Instant;

use super::client::Client;
use super::patience::{LONG, eventually_within};
use super::street::Acknowledged;

/// So many of the things that are wrong are told; the rest is counted.
const TOLD: usize = 20;
/// How a finding about a terminal entry is told.
const ENDED_HAS_CHANGED: &str = "an entry that had ended has changed";

/// The payments of an app as the host tells them.
pub struct Ledger {
    /// Newest first.
    pub payments: Vec<Value>,
}

/// What a campaign did, for its line.
pub struct Campaign {
    /// Its name.
    pub name: &'static str,
    /// How often.
    pub runs: u64,
    /// What was put in, each kind with its number: `kill:50,reset:7`.
    pub faults: String,
    /// Operations whose answer an app has.
    pub acknowledged: usize,
    /// Entries still `unknown` when it was over.
    pub unknown: usize,
    /// What its choices were drawn from.
    pub seed: u64,
}

/// What is wrong, each in words.
#[derive(Debug, Default)]
pub struct Findings {
    /// What was acknowledged and is not there, or is less than it was.
    pub lost: Vec<String>,
    /// What was done more than once.
    pub doubled: Vec<String>,
    /// What the provider did for no entry of ours: its bytes left before the intent was durable.
    pub unexplained: Vec<String>,
    /// Where the two sides, or the ledger and its feed, say different things.
    pub differing: Vec<String>,
}

impl Findings {
    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }

    fn all(&self) -> impl Iterator<Item = &String> {
        let [a, b, c, d] = [&self.lost, &self.doubled, &self.unexplained, &self.differing];
        a.iter().chain(b).chain(c).chain(d)
    }

    /// The line that `tests/campaign` makes its table of.
    pub fn tell(&self, campaign: &Campaign) {
        let Campaign { name, runs, faults, acknowledged, unknown, seed } = campaign;
        let changed = |what: &&String| what.contains(ENDED_HAS_CHANGED);
        let terminal = self.lost.iter().filter(changed).count();
        let lost = self.lost.len() - terminal;
        let (twice, other) = (self.doubled.len(), self.unexplained.len() + self.differing.len());
        println!(
            "campaign name={name} runs={runs} faults={faults} acknowledged={acknowledged} \
             lost={lost} twice={twice} terminal={terminal} other={other} unknown={unknown} \
             seed={seed}"
        );
    }

    /// Adds those of another look.
    pub fn extend(&mut self, more: Findings) {
        self.lost.extend(more.lost);
        self.doubled.extend(more.doubled);
        self.unexplained.extend(more.unexplained);
        self.differing.extend(more.differing);
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.all().take(TOLD).try_for_each(|what| write!(f, "\n{what}"))?;
        match self.all().count().saturating_sub(TOLD) {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

/// The entries of a payment.
pub fn entries(payment: &Value) -> impl Iterator<Item = &Value> {
    payment["entries"].as_array().unwrap().iter()
}

/// Whether money may still move, or have moved, without the host's knowing.
pub fn is_open(entry: &Value) -> bool {
    let ended = ["succeeded", "declined", "not-sent", "expired"];
    !ended.contains(&entry["state"].as_str().unwrap())
}

impl Ledger {
    /// As the host tells it now.
    pub async fn read(client: &Client) -> Ledger {
        Ledger { payments: client.payments().await }
    }

    /// All entries, with their payments.
    pub fn entries(&self) -> impl Iterator<Item = (&Value, &Value)> {
        self.payments.iter().flat_map(|payment| entries(payment).map(move |entry| (payment, entry)))
    }

    /// How many entries are in this state.
    pub fn count(&self, state: &str) -> usize {
        self.entries().filter(|(_, entry)| entry["state"] == state).count()
    }

    /// What holds at every moment, also while entries are open. The books are those of before the
    /// ledger was read: an entry may be there before its movement, never after it.
    pub fn look(&self, acknowledged: &[Acknowledged], before: &Books) -> Findings {
        Findings {
            lost: self.lost(acknowledged),
            doubled: self.doubled(before),
            unexplained: self.unexplained(before),
            differing: Vec::new(),
        }
    }

    fn lost(&self, acknowledged: &[Acknowledged]) -> Vec<String> {
        let known: BTreeMap<&str, &Value> =
            self.payments.iter().map(|one| (one["id"].as_str().unwrap(), one)).collect();
        let less = |one: &Acknowledged| {
            let answer = &one.answer;
            let lost = match known.get(answer["id"].as_str().unwrap()) {
                Some(payment) => less(answer, payment)?,
                None => "the payment is not there".to_owned(),
            };
            Some(format!("lost: {}: {lost}\n  acknowledged {answer}", one.key))
        };
        acknowledged.iter().filter_map(less).collect()
    }

    fn doubled(&self, books: &Books) -> Vec<String> {
        let twice = books.doubled().into_iter();
        let mut all: Vec<_> =
            twice.map(|(kind, entry)| format!("doubled: {kind:?} of {entry}")).collect();
        let mut references = BTreeSet::new();
        let begun = self.payments.iter().map(|payment| &payment["merchant_reference"]);
        let again = begun.filter(|reference| !references.insert(reference.as_str().unwrap()));
        all.extend(again.map(|key| format!("doubled: the key {key} began two payments")));
        all
    }

    fn unexplained(&self, books: &Books) -> Vec<String> {
        let ours: BTreeSet<&str> =
            self.entries().map(|(_, entry)| entry["id"].as_str().unwrap()).collect();
        let strange = books.movements.iter().filter(|line| !ours.contains(line.key.as_str()));
        strange.map(|line| format!("unexplained: no entry for {line:?}")).collect()
    }

    /// What holds once nothing is open but what the provider has never heard of: every entry says
    /// what the provider's lines under its key say, and both sides have the same sums.
    pub fn compare(&self, books: &Books) -> Vec<String> {
        let mut lines: BTreeMap<&str, Vec<&Movement>> = BTreeMap::new();
        for line in &books.movements {
            lines.entry(line.key.as_str()).or_default().push(line);
        }
        let none = Vec::new();
        let entry_differs = |(payment, entry): (&Value, &Value)| {
            let done = lines.get(entry["id"].as_str().unwrap()).unwrap_or(&none);
            let agree = moved(entry) == total(entry, done);
            (!agree).then(|| format!("differing: {done:?}, ours {entry} of {payment}"))
        };
        let mut all: Vec<String> = self.entries().filter_map(entry_differs).collect();
        for (field, kind) in
            [("captured_minor", MovementKind::Capture), ("refunded_minor", MovementKind::Refund)]
        {
            let (ours, theirs) = (self.sum(field), books.total(kind, "EUR"));
            if ours != theirs {
                all.push(format!("differing: {field} {ours}, at the provider {theirs}"));
            }
        }
        all
    }

    /// Says how much money it is about.
    pub fn print_sums(&self) {
        let (payments, captured) = (self.payments.len(), self.sum("captured_minor"));
        let refunded = self.sum("refunded_minor");
        println!("{payments} payments, {captured} cents captured and {refunded} refunded");
    }

    /// The sum of a field over all payments.
    fn sum(&self, field: &str) -> i64 {
        self.payments.iter().map(|payment| payment[field].as_i64().unwrap()).sum()
    }

    /// Entries that no acknowledged request began, once every request was answered.
    pub fn unasked(&self, acknowledged: &[Acknowledged]) -> Vec<String> {
        let mut asked: BTreeSet<&str> = BTreeSet::new();
        let mut all = Vec::new();
        for one in acknowledged {
            if !asked.insert(one.answer["entry"].as_str().unwrap()) {
                all.push(format!("differing: {} was answered with another key's entry", one.key));
            }
        }
        let strange =
            |(_, entry): &(&Value, &Value)| !asked.contains(entry["id"].as_str().unwrap());
        let strange = self.entries().filter(strange);
        all.extend(strange.map(|(_, entry)| format!("doubled: nobody asked for {entry}")));
        all
    }

    /// The feed tells each state of an entry once, and the last it tells is the one that is.
    pub async fn against_feed(&self, client: &Client) -> Vec<String> {
        let events = client.events().await;
        let (mut told, mut last, mut all) = (BTreeSet::new(), BTreeMap::new(), Vec::new());
        for event in &events {
            let entry = event["entry"]["id"].as_str().unwrap();
            let name = event["name"].as_str().unwrap();
            if !told.insert((entry, name)) {
                all.push(format!("differing: the feed tells twice {name} of {entry}"));
            }
            last.insert(entry, &event["entry"]["state"]);
        }
        for (_, entry) in self.entries() {
            if last.get(entry["id"].as_str().unwrap()) != Some(&&entry["state"]) {
                all.push(format!("differing: the feed does not end with {entry}"));
            }
        }
        all
    }
}

/// What a payment is short of, compared with an answer about it.
fn less(answer: &Value, payment: &Value) -> Option<String> {
    for then in entries(answer) {
        let Some(now) = entries(payment).find(|now| now["id"] == then["id"]) else {
            return Some(format!("its entry {} is not there", then["id"]));
        };
        if !is_open(then) && now != then {
            return Some(format!("{ENDED_HAS_CHANGED}: {now}"));
        }
        let fixed = ["kind", "amount", "capture", "created_at"];
        if let Some(name) = fixed.iter().find(|name| now[**name] != then[**name]) {
            return Some(format!("`{name}` of an entry has changed: {now}"));
        }
        if !then["reference"].is_null() && now["reference"] != then["reference"] {
            return Some(format!("the reference of an entry has changed: {now}"));
        }
    }
    let sums = ["authorized_minor", "captured_minor", "refunded_minor"];
    let short = sums.iter().find(|sum| payment[**sum].as_i64() < answer[**sum].as_i64());
    short.map(|sum| format!("`{sum}` is less now: {payment}"))
}

/// What an entry says the provider did: nothing unless it succeeded.
fn moved(entry: &Value) -> i64 {
    let amount = entry["amount"]["minor"].as_i64().unwrap();
    if entry["state"] == "succeeded" { amount } else { 0 }
}

/// What the provider did under an entry's key, of the kind the entry is about.
fn total(entry: &Value, lines: &[&Movement]) -> i64 {
    let kind = match (entry["kind"].as_str().unwrap(), entry["capture"] == json!(true)) {
        ("authorize", true) | ("capture", _) => MovementKind::Capture,
        ("authorize", false) => MovementKind::Authorization,
        ("cancel", _) => MovementKind::Release,
        ("refund", _) => MovementKind::Refund,
        (other, _) => panic!("{other}"),
    };
    lines.iter().filter(|line| line.kind == kind).map(|line| line.amount).sum()
}

/// Asks again under the keys of these answers: each has to give its first answer, byte for byte.
pub async fn replay(client: &Client, acknowledged: &[Acknowledged]) -> Vec<String> {
    let mut all = Vec::new();
    for Acknowledged { path, key, body, answer } in acknowledged {
        let again = client.post(path, key, body).await;
        let replayed = again.header("idempotency-replayed") == "true";
        if again.status != 201 || !replayed || again.json() != *answer {
            let (status, now) = (again.status, again.json());
            all.push(format!("lost: {key} answers {status} {now}\n  acknowledged {answer}"));
        }
    }
    all
}

/// Asks the provider about open entries until none is left but those it has never heard of, which
/// only time ends; with `patient` none at all. Gives the ledger then, and what is open against all
/// patience.
pub async fn settle(
    client: &Client,
    books: impl Fn() -> Books,
    patient: bool,
) -> (Ledger, Vec<String>) {
    let until = Instant::now() + if patient { 2 * LONG } else { LONG };
    eventually_within(3 * LONG, "the host tells its ledger", async || {
        let heard: BTreeSet<String> = books().movements.into_iter().map(|line| line.key).collect();
        let ledger = Ledger::read(client).await;
        let waits = |entry: &&Value| is_open(entry) && (patient || !unheard_of(entry, &heard));
        let mut open = Vec::new();
        for payment in &ledger.payments {
            let of_payment = entries(payment).filter(waits);
            let open_before = open.len();
            open.extend(of_payment.map(|entry| format!("differing: still open: {entry}")));
            if open.len() > open_before {
                client.sync(&payment["id"]).await;
            }
        }
        (open.is_empty() || Instant::now() > until).then_some((ledger, open))
    })
    .await
}

/// Whether the host has been told that the provider does not know the entry, and that is true.
fn unheard_of(entry: &Value, heard: &BTreeSet<String>) -> bool {
    let why = entry["why"].as_str().unwrap_or_default();
    why.contains("has not heard of it yet") && !heard.contains(entry["id"].as_str().unwrap())
}
