//! The books of both sides at the end of a day, when everything has settled: the host's, as it
//! tells them itself and as its store has them, and the provider's.

use std::collections::BTreeSet;
use std::sync::Arc;

use engine::{Engine, Event};
use ledger::{Anomaly, AnomalyKind, Entry, Id, Kind, Payment, State as Stand, Verdict};

use crate::clients::Command;
use crate::provider::{ACCOUNTS, Object};
use crate::tally::{CHANGED, CHARGED_TWICE, LOST};
use crate::world::{State, World};

/// Compares everything with everything.
pub async fn check(world: &Arc<World>, engine: &Engine) {
    let apps = world.state().apps.clone();
    for (number, app) in apps.iter().enumerate() {
        let events = feed(world, engine, app).await;
        let payments = listed(world, engine, app).await;
        let mut state = world.state();
        state.check_feed(number, &events);
        state.check_payments(app, &payments);
    }
    let mut state = world.state();
    let entries: Vec<(Payment, Entry)> =
        state.monitor.entries().map(|(payment, entry)| (payment.clone(), entry.clone())).collect();
    for (payment, entry) in &entries {
        state.check_entry(payment, entry);
    }
    state.check_provider(&entries);
    for command in state.clients.commands.clone() {
        state.check_command(&command);
    }
}

/// The whole feed of an app.
async fn feed(world: &Arc<World>, engine: &Engine, app: &Id) -> Vec<Event> {
    let (mut all, mut cursor) = (Vec::new(), None::<String>);
    loop {
        match engine.events(app, cursor.as_deref(), 100).await {
            Ok(page) if page.events.is_empty() => return all,
            Ok(page) => {
                all.extend(page.events);
                cursor = Some(page.cursor);
            }
            Err(error) => {
                world.state().wrong(format!("the feed cannot be read: {error}"));
                return all;
            }
        }
    }
}

/// Every payment of an app.
async fn listed(world: &Arc<World>, engine: &Engine, app: &Id) -> Vec<Payment> {
    let (mut all, mut cursor) = (Vec::new(), None::<String>);
    loop {
        match engine.payments(app, cursor.as_deref(), 100).await {
            Ok(page) => {
                all.extend(page.payments);
                cursor = page.cursor;
            }
            Err(error) => world.state().wrong(format!("payments cannot be read: {error}")),
        }
        if cursor.is_none() {
            return all;
        }
    }
}

impl State {
    /// Every event of the feed was told, those of a payment in their order, and none by anybody
    /// else.
    fn check_feed(&mut self, number: usize, events: &[Event]) {
        let app = self.apps[number].to_string();
        let committed: Vec<&Id> =
            self.monitor.events.get(&app).into_iter().flatten().map(|event| &event.id).collect();
        let mut wrong = Vec::new();
        if committed != events.iter().map(|event| &event.id).collect::<Vec<_>>() {
            wrong.push(format!(
                "the feed has {} events, {} are due",
                events.len(),
                committed.len()
            ));
        }
        let endpoint = &self.inbox.endpoints[number];
        let place = |event: &Event| endpoint.told.iter().position(|id| id == event.id.as_str());
        let mut seen = std::collections::BTreeMap::new();
        for event in events {
            let Some(place) = place(event) else {
                wrong.push(format!("{} ({}) was never told", event.id, event.name));
                continue;
            };
            if seen.insert(&event.payment.id, place).is_some_and(|before| before > place) {
                wrong.push(format!("{} ({}) was told too early", event.id, event.name));
            }
        }
        let unsigned = endpoint.unsigned;
        if unsigned > 0 {
            wrong.push(format!("{unsigned} notifications were not signed"));
        }
        let repeated = endpoint.repeated;
        self.tally.add("events", events.len() as u64);
        self.tally.add("notifications repeated", repeated);
        wrong.into_iter().for_each(|what| self.wrong(format!("app {number}: {what}")));
    }

    /// What the host tells of its payments is what it committed.
    fn check_payments(&mut self, app: &Id, told: &[Payment]) {
        let mut told: Vec<Payment> = told.to_vec();
        told.sort_by(|one, other| one.id.cmp(&other.id));
        let of_app = self.monitor.payments.values().filter(|payment| payment.app == *app);
        let committed: Vec<Payment> = of_app.cloned().collect();
        if told != committed {
            let (told, committed) = (told.len(), committed.len());
            self.wrong(format!("{told} payments are told of, {committed} were committed"));
        }
    }

    fn anomalous(&self, payment: &Payment, entry: &Entry) -> bool {
        self.monitor.anomalies.iter().any(|anomaly| match &anomaly.kind {
            AnomalyKind::Orphan { told } => told.contains(entry.id.as_str()),
            _ => {
                anomaly.entry.as_ref() == Some(&entry.id)
                    && anomaly.payment.as_ref() == Some(&payment.id)
            }
        })
    }

    /// Closed by a cancellation of which the provider said something else afterwards.
    fn closed_by_a_lie(&self, payment: &Payment, entry: &Entry) -> bool {
        let lie = |other: &Entry| other.kind == Kind::Cancel && self.anomalous(payment, other);
        entry.state == Stand::Expired && payment.entries.iter().any(lie)
    }

    /// Money that was moved for an entry is what the ledger says of it, or stands as unknown, or as
    /// an anomaly.
    fn check_entry(&mut self, payment: &Payment, entry: &Entry) {
        let done: Vec<Object> =
            self.provider.done_for(entry.id.as_str()).into_iter().cloned().collect();
        let agrees = match (entry.state, done.as_slice()) {
            (Stand::Succeeded, [one]) => {
                one.minor == entry.amount.minor() && one.kind == entry.kind.name()
            }
            (Stand::Succeeded, _) => false,
            // Cancelled before it was known that it had succeeded.
            (Stand::Expired, done) => done.iter().all(|one| one.released),
            (state, done) if state.is_terminal() => done.is_empty(),
            _ => true,
        };
        let anomalous = self.anomalous(payment, entry) || self.closed_by_a_lie(payment, entry);
        let (id, state, account) = (&entry.id, entry.state, payment.account.clone());
        let name = entry.kind.name();
        if !agrees && !anomalous {
            let done: Vec<String> =
                done.iter().map(|one| format!("{} {}", one.reference(), one.minor)).collect();
            self.wrong(format!("{account}: {name} {id} is {state:?}, the provider has {done:?}"));
        }
        if !agrees {
            self.tally.add("differences that stand as anomalies", 1);
        }
        let offers = ACCOUNTS.iter().find(|account| account.name == payment.account);
        let asked = offers.is_some_and(|offers| offers.query);
        if entry.state.is_open() && asked && !anomalous {
            self.wrong(format!(
                "{account}: {name} {id} is still {state:?}, and can be asked about"
            ));
        }
        if matches!(entry.state, Stand::Created | Stand::Sending) {
            self.wrong(format!("{account}: {name} {id} is still {state:?}"));
        }
        self.tally.add("entries", 1);
        let figure = match entry.state {
            Stand::Unknown => "entries left unknown",
            state if state.is_open() => "entries left pending",
            _ => "entries settled",
        };
        self.tally.add(figure, 1);
    }

    /// The sums of a payment at the provider, where one is above what it is taken from. An entry
    /// that stands as an anomaly explains what was done for itself, and nothing else.
    fn overdone(&self, payment: &Payment) -> Option<String> {
        let moved = |kind: Kind, counts: &dyn Fn(&Entry, &Object) -> bool| -> u64 {
            let of = payment.entries.iter().filter(|entry| entry.kind == kind);
            let done = of.flat_map(|entry| {
                let done = self.provider.done_for(entry.id.as_str());
                done.into_iter().filter(move |object| counts(entry, object))
            });
            done.map(|object| object.minor).sum()
        };
        let at_once = |_: &Entry, object: &Object| object.capture;
        let explained = |entry: &Entry| self.anomalous(payment, entry);
        let authorized = moved(Kind::Authorize, &|_, _| true);
        let taken = moved(Kind::Capture, &|_, _| true) + moved(Kind::Authorize, &at_once);
        let given = moved(Kind::Refund, &|_, _| true);
        let captured = moved(Kind::Capture, &|entry, _| !explained(entry));
        let refunded = moved(Kind::Refund, &|entry, _| !explained(entry));
        let over = captured + moved(Kind::Authorize, &at_once) > authorized || refunded > taken;
        let id = &payment.id;
        over.then(|| format!("{id}: authorised {authorized}, taken {taken}, given {given}"))
    }

    /// The provider did nothing that the ledger has no entry for, and its own sums hold.
    fn check_provider(&mut self, entries: &[(Payment, Entry)]) {
        let known: BTreeSet<&str> = entries.iter().map(|(_, entry)| entry.id.as_str()).collect();
        let objects = &self.provider.objects;
        let strange = objects.iter().filter(|object| !known.contains(object.entry.as_str()));
        let mut wrong: Vec<String> =
            strange.map(|object| format!("the provider knows of {}", object.entry)).collect();
        let mut payments: Vec<&Payment> = entries.iter().map(|(payment, _)| payment).collect();
        payments.dedup_by_key(|payment| payment.id.clone());
        wrong.extend(payments.into_iter().filter_map(|payment| self.overdone(payment)));
        // Where nobody says what is not so, the ledger is contradicted only if it has guessed.
        if !self.shape.faults {
            let anomalies = self.monitor.anomalies.iter().filter(|anomaly| !self.is_late(anomaly));
            wrong.extend(anomalies.map(|anomaly| format!("without a fault: {anomaly:?}")));
        }
        wrong.into_iter().for_each(|what| self.wrong(what));
        self.tally.add("anomalies", self.monitor.anomalies.len() as u64);
        self.tally.add("commits", self.monitor.commits);
    }

    /// Whether it is the news that a hold was made, come after its answer was lost and the hold was
    /// cancelled and released. A host that may not ask cannot know that there is none any more.
    fn is_late(&self, anomaly: &Anomaly) -> bool {
        let AnomalyKind::Contradiction { state: Stand::Expired, told } = &anomaly.kind else {
            return false;
        };
        let Some(entry) = &anomaly.entry else { return false };
        let mut held = self.provider.done_for(entry.as_str()).into_iter().peekable();
        matches!(told.as_ref(), Verdict::Succeeded(_))
            && held.peek().is_some()
            && held.all(|object| !object.capture && object.released)
    }

    /// What an app was told is so still.
    fn check_command(&mut self, command: &Command) {
        self.tally.add("commands", 1);
        let app = &self.apps[command.app];
        let begun = self.monitor.begun.get(&format!("{app}/{}", command.key)).cloned();
        if let (Some(why), Some(entry)) = (&command.refused, &begun) {
            let key = &command.key;
            self.wrong(format!("{key} was refused ({why}), and {entry} was begun"));
        }
        let Some(done) = &command.done else { return };
        self.tally.add("commands acknowledged", 1);
        let key = &command.key;
        let payment = self.monitor.payments.get(&done.payment.id);
        let now = payment.and_then(|payment| payment.entry(&done.entry)).cloned();
        let told = done.payment.entry(&done.entry).cloned();
        match (now, told) {
            (None, _) => {
                self.tally.add(LOST, 1);
                self.wrong(format!("{key} was acknowledged, and {} is gone", done.entry));
            }
            (Some(now), Some(told)) if told.state.is_terminal() && told != now => {
                self.tally.add(CHANGED, 1);
                self.wrong(format!("{key} was told {told:?}, and it is {now:?}"));
            }
            _ if begun.as_ref() != Some(&done.entry) => {
                self.wrong(format!("{key} was answered with {}, not {begun:?}", done.entry));
            }
            _ => {}
        }
        if let Some(replayed) = &command.replayed
            && !done.replayed
            && replayed.payment != done.payment
        {
            self.wrong(format!(
                "{key}: first answered with {:?}, then with {:?}",
                done.payment.entry(&done.entry).map(|entry| entry.state),
                replayed.payment.entry(&replayed.entry).map(|entry| entry.state)
            ));
        }
    }

    /// Figures of the whole day.
    pub fn sum_up(&mut self) {
        let (lives, points) = (self.lives, self.points());
        self.tally.add("days", 1);
        [LOST, CHARGED_TWICE, CHANGED].into_iter().for_each(|what| self.tally.add(what, 0));
        self.tally.add("processes", lives);
        self.tally.add("calls through seams", points);
        let wrong = u64::from(!self.wrong.is_empty());
        self.tally.add("days that went wrong", wrong);
    }
}
