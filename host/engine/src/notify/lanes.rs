//! The order of one endpoint's notifications: a lane for each payment, of which only the oldest may
//! be sent, and only when no other of that payment is on its way. Pure: the time is handed in.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ledger::{Id, TimestampMs};

/// A row of the outbox, as far as its order is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// Its key in the outbox: the order of events.
    pub key: Vec<u8>,
    /// Its version, for the commit that ends it.
    pub version: u64,
    pub payment: Id,
    /// Not to be sent before.
    pub due_at_ms: TimestampMs,
    /// Since when it waits.
    pub queued_at_ms: TimestampMs,
}

/// Every lane of one endpoint.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    lanes: BTreeMap<Id, BTreeMap<Vec<u8>, Waiting>>,
    /// The first of each lane that is not busy, by when it is due.
    heads: BTreeSet<(TimestampMs, Vec<u8>, Id)>,
    /// The payments of which a notification is on its way, and since when.
    busy: HashMap<Id, TimestampMs>,
    length: usize,
}

impl Lanes {
    /// How many wait, those on their way included.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// How many are on their way.
    pub(crate) fn on_their_way(&self) -> usize {
        self.busy.len()
    }

    /// Since when the one is on its way that has been so longest.
    pub(crate) fn on_their_way_since(&self) -> Option<TimestampMs> {
        self.busy.values().min().copied()
    }

    /// Puts one in its place, or replaces what is known of it.
    pub(crate) fn insert(&mut self, waiting: Waiting) {
        let payment = waiting.payment.clone();
        self.change(&payment, |lane| drop(lane.insert(waiting.key.clone(), waiting)));
    }

    /// The one that has been due longest, if one is due; its payment is busy until [`Lanes::ended`]
    /// or [`Lanes::put_off`].
    pub(crate) fn take(&mut self, now: TimestampMs) -> Option<Waiting> {
        let head = self.heads.first().filter(|(due, ..)| *due <= now)?.clone();
        self.heads.remove(&head);
        let (_, key, payment) = head;
        let waiting = self.lanes.get(&payment)?.get(&key)?.clone();
        self.busy.insert(payment, now);
        Some(waiting)
    }

    /// When the next is due; none when nothing waits that is not on its way.
    pub(crate) fn next_due_ms(&self) -> Option<TimestampMs> {
        self.heads.first().map(|(due, ..)| *due)
    }

    /// One that was taken, or given up, has left the outbox.
    pub(crate) fn ended(&mut self, payment: &Id, key: &[u8]) {
        self.busy.remove(payment);
        self.change(payment, |lane| drop(lane.remove(key)));
    }

    /// One that was sent in vain waits; so does what is behind it.
    pub(crate) fn put_off(&mut self, waiting: Waiting) {
        self.busy.remove(&waiting.payment);
        self.insert(waiting);
    }

    /// Those that have waited since `since` or longer, but for those on their way.
    pub(crate) fn waiting_since(&self, since: TimestampMs) -> Vec<Waiting> {
        let lanes = self.lanes.iter().filter(|(payment, _)| !self.busy.contains_key(*payment));
        let all = lanes.flat_map(|(_, lane)| lane.values());
        all.filter(|waiting| waiting.queued_at_ms <= since).cloned().collect()
    }

    /// Forgets everything but what is on its way, so that all can be read again.
    pub(crate) fn clear(&mut self) {
        self.lanes.clear();
        self.heads.clear();
        self.length = 0;
    }

    /// Changes a lane, and finds its first anew.
    fn change(&mut self, payment: &Id, change: impl FnOnce(&mut BTreeMap<Vec<u8>, Waiting>)) {
        let lane = self.lanes.entry(payment.clone()).or_default();
        if let Some(head) = head(lane) {
            self.heads.remove(&head);
        }
        self.length -= lane.len();
        change(lane);
        self.length += lane.len();
        match head(lane) {
            Some(head) if !self.busy.contains_key(payment) => drop(self.heads.insert(head)),
            Some(_) => {}
            None => drop(self.lanes.remove(payment)),
        }
    }
}

fn head(lane: &BTreeMap<Vec<u8>, Waiting>) -> Option<(TimestampMs, Vec<u8>, Id)> {
    let first = lane.values().next()?;
    Some((first.due_at_ms, first.key.clone(), first.payment.clone()))
}
