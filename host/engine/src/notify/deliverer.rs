//! The loop that sends notifications: rung when a commit has written some, else when one is due.
//!
//! Nothing that takes money waits for it. It shares with payments the store and nothing else: its
//! connections are its own, and so is the number of them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ledger::TimestampMs;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::attempt::{Ended, Errand};
use super::pace::Pace;
use super::queue::Queue;
use crate::{Engine, Error, record};

/// The longest sleep: a clock that is set does not keep a notification for longer.
const SLEEP_MAX: Duration = Duration::from_secs(1);
/// How long to wait when the store does not answer.
const PAUSE: Duration = Duration::from_secs(1);

/// Where those who write notifications ring.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    /// Endpoints by their keys, and whether to read everything of them anew.
    rings: Mutex<BTreeMap<Vec<u8>, bool>>,
    bell: Notify,
}

impl Desk {
    /// Notifications were added for these endpoints.
    pub(crate) fn ring(&self, endpoints: impl IntoIterator<Item = Vec<u8>>) {
        self.note(endpoints, false);
    }

    /// Notifications of these endpoints were changed, moved or removed.
    pub(crate) fn ring_anew(&self, endpoints: impl IntoIterator<Item = Vec<u8>>) {
        self.note(endpoints, true);
    }

    fn note(&self, endpoints: impl IntoIterator<Item = Vec<u8>>, anew: bool) {
        let mut any = false;
        let mut rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
        for key in endpoints {
            *rings.entry(key).or_default() |= anew;
            any = true;
        }
        drop(rings);
        if any {
            self.bell.notify_one();
        }
    }

    fn take(&self) -> BTreeMap<Vec<u8>, bool> {
        std::mem::take(&mut *self.rings.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Engine {
    /// The next endpoint with rows in this space, by its key; the first after none.
    pub(crate) async fn next_endpoint(
        &self,
        space: store::Space,
        after: Option<Vec<u8>>,
    ) -> Result<Option<Vec<u8>>, Error> {
        let range = store::Range::all(space).limit(1);
        let range = match after {
            // The next endpoint is beyond every row of this one.
            Some(key) => range.from([key, vec![b'/' + 1]].concat()),
            None => range,
        };
        let rows = self.0.store.scan(range).await?;
        Ok(rows.first().and_then(|row| record::outbox_endpoint(&row.key)))
    }

    /// Sends notifications, for ever. Drop the future to stop: what is on its way then is sent
    /// again by the next process, under the same `webhook-id`.
    pub(crate) async fn notify(&self) {
        loop {
            let mut deliverer = Deliverer::new(self.clone());
            if let Err(error) = deliverer.run().await {
                tracing::error!(%error, "notifications rest: the outbox cannot be read");
            }
            drop(deliverer);
            tokio::time::sleep(PAUSE).await;
        }
    }
}

struct Deliverer {
    engine: Engine,
    queues: BTreeMap<Vec<u8>, Queue>,
    /// Dropped with the deliverer: nothing is sent behind its back.
    errands: JoinSet<(Errand, Ended)>,
    /// The endpoint of each pace that was served last; the next comes first.
    served: BTreeMap<Pace, Vec<u8>>,
}

impl Deliverer {
    fn new(engine: Engine) -> Deliverer {
        let (queues, errands) = (BTreeMap::new(), JoinSet::new());
        Deliverer { engine, queues, errands, served: BTreeMap::new() }
    }

    async fn run(&mut self) -> Result<(), Error> {
        self.read_all().await?;
        let engine = self.engine.clone();
        loop {
            self.read_rung().await;
            self.begin();
            let sleep = tokio::time::sleep(self.sleep());
            tokio::select! {
                // In this order always, so that a run can be repeated to the letter.
                biased;
                Some(ended) = self.errands.join_next() => match ended {
                    Ok((errand, ended)) => self.ended(errand, ended).await,
                    // Which one is not known: begin anew.
                    Err(error) => {
                        let panicked = error.is_panic();
                        tracing::error!(panicked, "the sending of a notification broke off");
                        return Ok(());
                    }
                },
                () = engine.0.desk.bell.notified() => {}
                () = sleep => {}
            }
        }
    }

    /// Every endpoint there is, or was while notifications were written for it.
    async fn read_all(&mut self) -> Result<(), Error> {
        let mut after = None;
        while let Some(key) = self.engine.next_endpoint(record::OUTBOX, after).await? {
            self.engine.0.desk.ring([key.clone()]);
            after = Some(key);
        }
        Ok(())
    }

    async fn read_rung(&mut self) {
        for (key, anew) in self.engine.0.desk.take() {
            let queue = self.queues.entry(key).or_insert_with_key(|key| Queue::new(key.clone()));
            if anew { queue.ring_anew() } else { queue.ring() }
        }
        for queue in self.queues.values_mut() {
            queue.read(&self.engine).await;
        }
        self.queues.retain(|_, queue| !queue.is_idle());
    }

    /// Begins whatever may begin: to quick endpoints in their half of the places, to the others in
    /// the other, where those come first that are not known to be slow.
    fn begin(&mut self) {
        let now = self.engine.0.clock.now_ms();
        let mut turns: BTreeMap<Pace, Vec<Vec<u8>>> = BTreeMap::new();
        // On their way to quick endpoints, and to the others.
        let (mut quick, mut others) = (0, 0);
        for (key, queue) in &self.queues {
            let pace = queue.pace(now);
            *if pace.is_quick() { &mut quick } else { &mut others } += queue.on_their_way();
            turns.entry(pace).or_default().push(key.clone());
        }
        for (pace, turn) in turns {
            let taken = if pace.is_quick() { &mut quick } else { &mut others };
            let most = self.engine.0.notifying.options.places_at(pace);
            *taken += self.begin_turn((pace, turn), most.saturating_sub(*taken), now);
        }
    }

    /// Begins as many as there are free places, one of each endpoint in turn, from the one after
    /// the last on; how many.
    fn begin_turn(
        &mut self,
        (pace, mut turn): (Pace, Vec<Vec<u8>>),
        free: usize,
        now: TimestampMs,
    ) -> usize {
        // What has become slow on its way may hold more than a half; nothing holds more than all.
        let all = self.engine.0.notifying.options.places();
        let free = free.min(all.saturating_sub(self.errands.len()));
        let before = self.errands.len();
        let served = self.served.entry(pace).or_default().clone();
        let first = turn.partition_point(|key| *key <= served);
        turn.rotate_left(first);
        while self.errands.len() - before < free && !turn.is_empty() {
            turn.retain(|key| {
                self.errands.len() - before < free && self.begin_one((pace, key), now)
            });
        }
        self.errands.len() - before
    }

    fn begin_one(&mut self, (pace, key): (Pace, &[u8]), now: TimestampMs) -> bool {
        let queue = self.queues.get_mut(key);
        let Some(errand) = queue.and_then(|queue| queue.begin(&self.engine, now)) else {
            return false;
        };
        self.served.insert(pace, key.to_vec());
        self.errands.spawn(errand.run());
        true
    }

    fn sleep(&self) -> Duration {
        let now = self.engine.0.clock.now_ms();
        let next = self.queues.values().filter_map(|queue| queue.next_ms(now)).min();
        let wait = next.map_or(SLEEP_MAX, |next| Duration::from_millis(next.saturating_sub(now)));
        wait.min(SLEEP_MAX)
    }

    async fn ended(&mut self, errand: Errand, ended: Ended) {
        if let Some(queue) = self.queues.get_mut(&errand.endpoint) {
            queue.ended(&self.engine, errand.waiting, ended).await;
        }
    }
}
