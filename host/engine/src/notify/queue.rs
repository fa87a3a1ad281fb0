//! One endpoint in memory: what waits for it, read from the outbox piece by piece, and what may be
//! sent next. Not here: the loop over all of them (`deliverer`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use std::time::Duration;

use ledger::TimestampMs;
use store::{Batch, Expected, Range, Row};
use tokio::time::Instant;

use super::attempt::{Ended, Errand};
use super::circuit::{Admission, Circuit};
use super::endpoint::Registered;
use super::lanes::{Lanes, Waiting};
use super::outbox::{Posted, Stage};
use super::pace::{Pace, QUICK_MS_MAX};
use crate::record::{self, Read};
use crate::{Engine, Error};

/// Rows held in memory at the most; the next are read as these go.
const WINDOW_ROWS: usize = 10_000;
/// Rows read at once.
const PAGE_ROWS: usize = 500;
/// How long to wait until what could not be read is read again.
const PAUSE: Duration = Duration::from_secs(1);

/// What waits for one endpoint.
pub(super) struct Queue {
    /// The endpoint's key.
    key: Vec<u8>,
    lanes: Lanes,
    circuit: Arc<Mutex<Circuit>>,
    /// Whether its endpoint was read, and may be told.
    open: bool,
    /// Not read before: the last time it could not be.
    rests_until: Option<Instant>,
    /// The last row that was read.
    read_to: Option<Vec<u8>>,
    /// Whether there may be rows after it.
    more: bool,
}

impl Queue {
    /// The queue of an endpoint, with nothing read yet.
    pub(super) fn new(key: Vec<u8>) -> Queue {
        let (lanes, circuit) = (Lanes::default(), Arc::default());
        Queue { key, lanes, circuit, open: false, rests_until: None, read_to: None, more: true }
    }

    /// Reads the endpoint. When there is none, what was written for it is removed; when it is
    /// disabled, that is kept until it is enabled again, or deleted.
    async fn read_endpoint(&mut self, engine: &Engine) -> Result<(), Error> {
        let endpoint: Option<Read<Registered>> =
            record::read(&*engine.0.store, record::ENDPOINT, &self.key).await?;
        match endpoint {
            None => engine.remove_rows(record::OUTBOX, &self.key).await?,
            Some(endpoint) if endpoint.value.disabled.is_some() => {}
            Some(_) => {
                *self.circuit() = engine.circuit(&self.key).await?;
                self.open = true;
            }
        }
        self.more = self.open;
        Ok(())
    }

    /// There may be new rows.
    pub(super) fn ring(&mut self) {
        self.more = true;
    }

    /// Rows may have changed anywhere.
    pub(super) fn ring_anew(&mut self) {
        self.lanes.clear();
        self.read_to = None;
        self.more = true;
    }

    /// Reads what there is to read. When that fails it is tried again in a while, and no other
    /// queue hears of it.
    pub(super) async fn read(&mut self, engine: &Engine) {
        if self.rests_until.is_some_and(|until| Instant::now() < until) {
            return;
        }
        self.rests_until = None;
        if let Err(error) = self.read_rows(engine).await {
            let endpoint = self.key.escape_ascii();
            tracing::error!(%error, %endpoint, "what waits for an endpoint cannot be read");
            self.rests_until = Some(Instant::now() + PAUSE);
        }
    }

    /// Reads rows, as long as there are any and there is room for them.
    async fn read_rows(&mut self, engine: &Engine) -> Result<(), Error> {
        if self.more && !self.open {
            self.read_endpoint(engine).await?;
        }
        while self.more && self.lanes.len() < WINDOW_ROWS {
            let range = Range::under(record::OUTBOX, record::outbox_prefix(&self.key));
            let range = match &self.read_to {
                Some(last) => range.after(last.clone()),
                None => range,
            };
            let rows = engine.0.store.scan(range.limit(PAGE_ROWS)).await?;
            let more = rows.len() == PAGE_ROWS;
            for row in rows {
                let posted: Posted = record::decode(record::OUTBOX, &row.key, &row.value)?;
                self.lanes.insert(posted.waiting(&row));
                self.read_to = Some(row.key);
            }
            self.more = more;
        }
        Ok(())
    }

    /// How many are on their way.
    pub(super) fn on_their_way(&self) -> usize {
        self.lanes.on_their_way()
    }

    /// How the endpoint answers. One that has not answered for too long is slow already.
    pub(super) fn pace(&self, now: TimestampMs) -> Pace {
        match self.lanes.on_their_way_since() {
            Some(since) if now.saturating_sub(since) > QUICK_MS_MAX => Pace::Slow,
            _ => self.circuit().pace(now),
        }
    }

    /// The next notification to send, if one may be sent now.
    pub(super) fn begin(&mut self, engine: &Engine, now: TimestampMs) -> Option<Errand> {
        let most = engine.0.notifying.options.concurrency_per_endpoint_max.max(1);
        let probe = match self.circuit().admits(now) {
            Admission::Any if self.lanes.on_their_way() < most => false,
            Admission::Probe => true,
            _ => return None,
        };
        let waiting = self.lanes.take(now)?;
        self.circuit().probing |= probe;
        let (endpoint, circuit) = (self.key.clone(), self.circuit.clone());
        Some(Errand { engine: engine.clone(), endpoint, waiting, probe, circuit })
    }

    /// When to look again, if nothing ends before; none when nothing waits.
    pub(super) fn next_ms(&self, now: TimestampMs) -> Option<TimestampMs> {
        let due = self.lanes.next_due_ms()?;
        match self.circuit().admits(now) {
            Admission::NotBefore(until) => Some(due.max(until)),
            Admission::NotYet => None,
            // What is due and was not begun waits for a place: the end of another one.
            Admission::Any | Admission::Probe => (due > now).then_some(due),
        }
    }

    /// Whether there is nothing to remember of it.
    pub(super) fn is_idle(&self) -> bool {
        self.lanes.len() == 0 && self.lanes.on_their_way() == 0 && !self.more
    }

    /// Takes note of how an errand ended. After a failure, what has waited while the endpoint has
    /// failed for a whole schedule is given up with it.
    pub(super) async fn ended(&mut self, engine: &Engine, waiting: Waiting, ended: Ended) {
        match ended {
            Ended::Taken => self.lanes.ended(&waiting.payment, &waiting.key),
            Ended::Failed(Some(again)) => self.lanes.put_off(again),
            Ended::Failed(None) => self.lanes.ended(&waiting.payment, &waiting.key),
            Ended::Overtaken => {
                self.lanes.ended(&waiting.payment, &waiting.key);
                return self.ring_anew();
            }
            // What else is on its way to it still holds its places.
            Ended::Gone => {
                self.lanes.ended(&waiting.payment, &waiting.key);
                self.open = false;
                return self.ring_anew();
            }
        }
        if let Err(error) = self.give_up(engine).await {
            // They wait on, and are given up after a later failure; nobody else hears of it.
            let endpoint = self.key.escape_ascii();
            tracing::error!(%error, %endpoint, "dead letters could not be recorded");
        }
    }

    /// An endpoint that has taken nothing in the tries of a whole schedule is not waited for by
    /// what was there before the first of them: only probes are sent to it, and they would take
    /// weeks to use up every schedule.
    async fn give_up(&mut self, engine: &Engine) -> Result<(), Error> {
        let (since, open, why) = {
            let circuit = self.circuit();
            (circuit.hopeless_since_ms, circuit.open_until_ms.is_some(), circuit.why.clone())
        };
        let Some(since) = since.filter(|_| open) else { return Ok(()) };
        let why = why.unwrap_or_default();
        let why = format!("the endpoint took nothing for a whole schedule; the last: {why}");
        for old in self.lanes.waiting_since(since).chunks(PAGE_ROWS) {
            self.bury(engine, old, &why).await?;
        }
        Ok(())
    }

    async fn bury(&mut self, engine: &Engine, old: &[Waiting], why: &str) -> Result<(), Error> {
        let mut batch = engine.finishing();
        for waiting in old {
            let read = record::read(&*engine.0.store, record::OUTBOX, &waiting.key).await?;
            let Some(Read { value, version }) = read else { continue };
            let dead = Posted { given_up: Some(why.to_owned()), ..value };
            move_row(
                &mut batch,
                &Row { key: waiting.key.clone(), version, value: Vec::new() },
                (Stage::Waiting, Stage::Dead, &dead),
            );
        }
        match engine.0.store.commit(batch).await {
            Ok(_) => {
                old.iter().for_each(|waiting| self.lanes.ended(&waiting.payment, &waiting.key))
            }
            Err(error) if error.is_conflict() => self.ring_anew(),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn circuit(&self) -> MutexGuard<'_, Circuit> {
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Moves a row that was read from one stage to another.
pub(super) fn move_row(batch: &mut Batch, row: &Row, (from, to, posted): (Stage, Stage, &Posted)) {
    batch.expect(from.space(), row.key.clone(), Expected::Version(row.version));
    batch.remove(from.space(), row.key.clone());
    batch.put(to.space(), row.key.clone(), record::encode(posted));
}
