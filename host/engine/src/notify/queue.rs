//! One endpoint in memory: what waits for it, read from the outbox piece by piece, and what may be
//! sent next. Not here: the loop over all of them (`deliverer`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ledger::TimestampMs;
use store::{Batch, Expected, Range, Row};

use super::attempt::{Ended, Errand};
use super::circuit::{Admission, Circuit};
use super::endpoint::Registered;
use super::lanes::{Lanes, Waiting};
use super::outbox::{Posted, Stage};
use crate::record::{self, Read};
use crate::{Engine, Error};

/// Rows held in memory at the most; the next are read as these go.
const WINDOW_ROWS: usize = 10_000;
/// Rows read at once.
const PAGE_ROWS: usize = 500;

/// What waits for one endpoint.
pub(super) struct Queue {
    /// The endpoint's key.
    key: Vec<u8>,
    lanes: Lanes,
    circuit: Arc<Mutex<Circuit>>,
    /// The last row that was read.
    read_to: Option<Vec<u8>>,
    /// Whether there may be rows after it.
    more: bool,
}

impl Queue {
    /// The queue of an endpoint, with nothing read yet; none when there is no such endpoint, and
    /// what was written for it is removed, or when it is disabled.
    pub(super) async fn open(engine: &Engine, key: Vec<u8>) -> Result<Option<Queue>, Error> {
        let endpoint: Option<Read<Registered>> =
            record::read(&*engine.0.store, record::ENDPOINT, &key).await?;
        match endpoint {
            None => {
                engine.remove_rows(record::OUTBOX, &key).await?;
                return Ok(None);
            }
            // What waits is kept until the endpoint is enabled again, or deleted.
            Some(endpoint) if endpoint.value.disabled.is_some() => return Ok(None),
            Some(_) => {}
        }
        let circuit = Arc::new(Mutex::new(engine.circuit(&key).await?));
        Ok(Some(Queue { key, lanes: Lanes::default(), circuit, read_to: None, more: true }))
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

    /// Reads rows, as long as there are any and there is room for them.
    pub(super) async fn read(&mut self, engine: &Engine) -> Result<(), Error> {
        while self.more && self.lanes.len() < WINDOW_ROWS {
            let range = Range::under(record::OUTBOX, record::outbox_prefix(&self.key));
            let range = match &self.read_to {
                Some(last) => range.after(last.clone()),
                None => range,
            };
            let rows = engine.0.store.scan(range.limit(PAGE_ROWS)).await?;
            self.more = rows.len() == PAGE_ROWS;
            for row in rows {
                let posted: Posted = record::decode(record::OUTBOX, &row.key, &row.value)?;
                self.lanes.insert(posted.waiting(&row));
                self.read_to = Some(row.key);
            }
        }
        Ok(())
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

    /// Takes note of how an errand ended. After a failure, what has waited for as long as the
    /// endpoint has been failing is given up with it.
    pub(super) async fn ended(
        &mut self,
        engine: &Engine,
        waiting: Waiting,
        ended: Ended,
    ) -> Result<(), Error> {
        match ended {
            Ended::Taken => self.lanes.ended(&waiting.payment, &waiting.key),
            Ended::Failed(Some(again)) => self.lanes.put_off(again),
            Ended::Failed(None) => self.lanes.ended(&waiting.payment, &waiting.key),
            Ended::Overtaken | Ended::Gone => {
                self.lanes.ended(&waiting.payment, &waiting.key);
                self.ring_anew();
                return Ok(());
            }
        }
        self.give_up(engine).await
    }

    /// An endpoint that has taken nothing for a whole schedule is not waited for by what is as old:
    /// only probes are sent to it, and they would take weeks to use up every schedule.
    async fn give_up(&mut self, engine: &Engine) -> Result<(), Error> {
        let (now, span) = (engine.0.clock.now_ms(), engine.0.notifying.options.schedule.span_ms());
        let (since, open, why) = {
            let circuit = self.circuit();
            (circuit.failing_since_ms, circuit.open_until_ms.is_some(), circuit.why.clone())
        };
        let before = now.saturating_sub(span);
        if !open || since.is_none_or(|since| since >= before) {
            return Ok(());
        }
        let why =
            format!("the endpoint took nothing for so long; the last: {}", why.unwrap_or_default());
        for old in self.lanes.since_before(before).chunks(PAGE_ROWS) {
            self.bury(engine, old, &why).await?;
        }
        Ok(())
    }

    async fn bury(&mut self, engine: &Engine, old: &[Waiting], why: &str) -> Result<(), Error> {
        let mut batch = engine.batch();
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
