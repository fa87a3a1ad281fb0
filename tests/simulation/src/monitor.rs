//! What must hold after every single commit: checked as the commit is made, against what was
//! committed before. Not here: what must hold at the end of the day (`books`).

use std::collections::{BTreeMap, BTreeSet};

use engine::Event;
use ledger::{Anomaly, Entry, Id, Kind, Payment, State as Stand};
use store::{APPEND_BYTES, Batch, Change, Row, Space};

use crate::day::SPENDING_MAX;
use crate::tally::{CHANGED, LOST};
use crate::world::State;

/// What was committed, as far as it is watched.
#[derive(Default)]
pub struct Monitor {
    pub payments: BTreeMap<Id, Payment>,
    /// Entries on the schedule.
    due: BTreeSet<String>,
    /// The entry that each idempotency key began.
    pub begun: BTreeMap<String, Id>,
    pub anomalies: Vec<Anomaly>,
    /// Events of each app, oldest first.
    pub events: BTreeMap<String, Vec<Event>>,
    pub commits: u64,
}

impl Monitor {
    /// Why a request about this entry must not leave: it is in no commit.
    pub fn unrecorded(&self, entry: &str) -> Option<String> {
        let mut entries = self.payments.values().flat_map(|payment| &payment.entries);
        match entries.any(|known| known.id.as_str() == entry) {
            true => None,
            false => Some(format!("a request left for {entry}, which is not recorded")),
        }
    }

    /// Every entry, with its payment.
    pub fn entries(&self) -> impl Iterator<Item = (&Payment, &Entry)> {
        let all = self.payments.values();
        all.flat_map(|payment| payment.entries.iter().map(move |entry| (payment, entry)))
    }

    fn put(&mut self, space: Space, key: &[u8], value: &[u8]) {
        match space.name() {
            "due" => drop(self.due.insert(due_entry(key))),
            "anomaly" => {
                self.anomalies.extend(serde_json::from_slice::<Anomaly>(value));
            }
            "idempotency" => {
                let known: serde_json::Value = serde_json::from_slice(value).unwrap_or_default();
                if let Some(Ok(entry)) = known["entry"].as_str().map(str::parse) {
                    self.begun.insert(String::from_utf8_lossy(key).into_owned(), entry);
                }
            }
            _ => {}
        }
    }
}

/// A row of the schedule ends in the identifier of its entry, which has 30 characters.
fn due_entry(key: &[u8]) -> String {
    String::from_utf8_lossy(&key[key.len().saturating_sub(30)..]).into_owned()
}

impl State {
    /// A batch has become durable.
    pub fn committed(&mut self, batch: &Batch) {
        self.monitor.commits += 1;
        let (mut changed, mut events) = (Vec::new(), Vec::new());
        // A change of the schedule takes the old place away before it gives a new one.
        for change in &batch.changes {
            match change {
                Change::Remove { space, key } => {
                    if space.name() == "due" {
                        self.monitor.due.remove(&due_entry(key));
                    }
                }
                Change::Put { space, key, value } => {
                    if space.name() == "payment"
                        && let Ok(payment) = serde_json::from_slice::<Payment>(value)
                    {
                        changed.push(payment);
                    }
                    self.monitor.put(*space, key, value);
                }
                Change::Append { space, prefix, value } => {
                    if space.name() == "event"
                        && let Ok(event) = serde_json::from_slice::<Event>(value)
                    {
                        events.push((String::from_utf8_lossy(prefix).into_owned(), event));
                    }
                }
            }
        }
        for payment in changed {
            self.changed(payment, &events);
        }
        for (app, event) in events {
            self.monitor.events.entry(app).or_default().push(event);
        }
    }

    /// What a store holds that was opened again: a commit that nobody was told of may be there, and
    /// none that somebody was told of may be missing.
    pub fn reopened(&mut self, sequence: u64, rows: Vec<(Space, Vec<Row>)>) {
        if sequence < self.monitor.commits {
            let acknowledged = self.monitor.commits;
            self.tally.add(LOST, acknowledged - sequence);
            self.wrong(format!("{acknowledged} commits were acknowledged, {sequence} are there"));
        }
        let before = std::mem::take(&mut self.monitor);
        self.monitor.commits = sequence;
        for (space, rows) in rows {
            for Row { key, value, .. } in rows {
                self.monitor.put(space, &key, &value);
                match space.name() {
                    "payment" => {
                        let payment: Option<Payment> = serde_json::from_slice(&value).ok();
                        let known =
                            payment.into_iter().map(|payment| (payment.id.clone(), payment));
                        self.monitor.payments.extend(known);
                    }
                    "event" => {
                        let app = key.get(..key.len() - APPEND_BYTES).unwrap_or_default();
                        let app = String::from_utf8_lossy(app).into_owned();
                        let events = self.monitor.events.entry(app).or_default();
                        events.extend(serde_json::from_slice::<Event>(&value));
                    }
                    _ => {}
                }
            }
        }
        for (id, old) in before.payments {
            let now = self.monitor.payments.get(&id).map(|now| now.entries.clone());
            let now = now.unwrap_or_default();
            if now.len() < old.entries.len() {
                self.wrong(format!("{id}: an entry is gone"));
            }
            let steps = old.entries.iter().zip(&now);
            let wrong: Vec<_> = steps.filter_map(|(old, now)| moved(Some(old), now)).collect();
            wrong.into_iter().for_each(|what| self.wrong(format!("{id}: {what}")));
        }
    }

    fn changed(&mut self, now: Payment, events: &[(String, Event)]) {
        let mut wrong = sums(&now);
        let before = self.monitor.payments.get(&now.id);
        let old: &[Entry] = before.map(|before| before.entries.as_slice()).unwrap_or_default();
        if before.is_some_and(|before| before.amount != now.amount || before.app != now.app) {
            wrong.push("another amount or app".to_owned());
        }
        if now.entries.len() < old.len() {
            wrong.push("an entry is gone".to_owned());
        }
        let ended = |old: &Entry, now: &Entry| old.state.is_terminal() && old != now;
        let changed = old.iter().zip(&now.entries).filter(|(old, now)| ended(old, now)).count();
        self.tally.add(CHANGED, changed as u64);
        for (n, entry) in now.entries.iter().enumerate() {
            wrong.extend(moved(old.get(n), entry));
            let news = match old.get(n) {
                Some(old) => old.state != entry.state,
                None => true,
            };
            let told = events
                .iter()
                .any(|(_, event)| event.entry.id == entry.id && event.entry.state == entry.state);
            if news && entry.state != Stand::Sending && !told {
                wrong.push(format!("{} became {:?} without an event", entry.id, entry.state));
            }
            let scheduled = self.monitor.due.contains(entry.id.as_str());
            if entry.state.is_open() && !scheduled {
                wrong.push(format!("{} is open, and nobody will ask about it", entry.id));
            }
        }
        wrong.extend(self.spent(&now));
        let id = now.id.clone();
        self.monitor.payments.insert(id.clone(), now);
        wrong.into_iter().for_each(|what| self.wrong(format!("{id}: {what}")));
    }
}

impl State {
    /// What is wrong with what the limited app has spent; all of a simulated day is one day.
    fn spent(&self, now: &Payment) -> Option<String> {
        if self.apps.get(1) != Some(&now.app) {
            return None;
        }
        let others = self.monitor.payments.values();
        let others = others.filter(|payment| payment.app == now.app && payment.id != now.id);
        let spends = |entry: &&Entry| {
            let spends = matches!(entry.kind, Kind::Authorize | Kind::Payout);
            spends && (entry.state.is_open() || entry.state == Stand::Succeeded)
        };
        let all = others.chain([now]).flat_map(|payment| &payment.entries).filter(spends);
        let sum: u64 = all.map(|entry| entry.amount.minor()).sum();
        (sum > SPENDING_MAX).then(|| format!("{sum} spent, where {SPENDING_MAX} is the limit"))
    }
}

/// What is wrong with the step from one state of an entry to another.
fn moved(old: Option<&Entry>, now: &Entry) -> Option<String> {
    let Some(old) = old else {
        let first = matches!(now.state, Stand::Sending);
        return (!first).then(|| format!("{} begins as {:?}", now.id, now.state));
    };
    let (id, state) = (&now.id, old.state);
    if old.id != now.id || old.kind != now.kind || old.amount != now.amount {
        return Some(format!("{id} has become another entry"));
    }
    if old.state.is_terminal() && old != now {
        return Some(format!("{id} was {state:?}, for good, and is {:?}", now.state));
    }
    None
}

/// The sums of a payment, reckoned here from its entries alone.
fn sums(payment: &Payment) -> Vec<String> {
    let sum = |kind: Kind, counts: &dyn Fn(&Entry) -> bool| -> u64 {
        let of = payment.entries.iter().filter(|entry| entry.kind == kind && counts(entry));
        of.map(|entry| entry.amount.minor()).sum()
    };
    let done = |entry: &Entry| entry.state == Stand::Succeeded;
    let may_be = |entry: &Entry| entry.state.is_open() || entry.state == Stand::Succeeded;
    let at_once = sum(Kind::Authorize, &|entry| entry.capture && done(entry));
    let authorized = sum(Kind::Authorize, &done);
    let taken = sum(Kind::Capture, &done) + at_once;
    let mut wrong = Vec::new();
    if sum(Kind::Capture, &may_be) + at_once > authorized {
        wrong.push("more captured than authorised".to_owned());
    }
    if sum(Kind::Refund, &may_be) > taken {
        wrong.push("more refunded than captured".to_owned());
    }
    wrong
}
