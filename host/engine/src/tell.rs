//! Telling the ledger: one change of one entry with everything that belongs into its commit.
//!
//! Webhooks, answers and recovery tell about the same entry at the same time. Each reads, decides
//! and commits against the version it read; whoever is overtaken reads again.

use ledger::{Anomaly, Change, Entry, Id, Payment, State, TimestampMs, Verdict};
use store::{Batch, Expected};
use tokio::sync::MutexGuard;

use crate::notify::{self, Registered};
use crate::record::{self, Found, Idempotent, Operation, Read};
use crate::spending::ended;
use crate::{Engine, Error, Event};

/// How often a change is tried when others change the same payment.
const TRIES_MAX: usize = 32;

/// A payment and one of its operations, as they were read.
struct Held {
    payment: Read<Payment>,
    operation: Read<Operation>,
}

impl Engine {
    pub(crate) async fn read_payment(&self, id: &Id) -> Result<Option<Read<Payment>>, Error> {
        let key = id.as_str().as_bytes();
        Ok(record::read(&*self.0.store, record::PAYMENT, key).await?)
    }

    pub(crate) async fn read_operation(
        &self,
        entry: &Id,
    ) -> Result<Option<Read<Operation>>, Error> {
        let key = entry.as_str().as_bytes();
        Ok(record::read(&*self.0.store, record::OPERATION, key).await?)
    }

    /// Tells `verdict` of the operation's entry and commits what follows from it together with
    /// `batch`; `note` may change the record of the operation in the same commit. Gives the payment
    /// afterwards.
    pub(crate) async fn tell(
        &self,
        operation: &Operation,
        verdict: &Verdict,
        batch: Batch,
        note: impl Fn(&mut Batch, &mut Operation),
    ) -> Result<Payment, Error> {
        for _ in 0..TRIES_MAX {
            let mut held = self.hold(operation).await?;
            let mut batch = Batch { finishing: true, ..batch.clone() };
            note(&mut batch, &mut held.operation.value);
            let _held = self.change(&mut held, verdict, &mut batch).await?;
            let addressed = notify::addressed(&batch);
            match self.0.store.commit(batch).await {
                Ok(_) => {
                    self.0.desk.ring(addressed);
                    return Ok(held.payment.value);
                }
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Busy)
    }

    async fn hold(&self, asked: &Operation) -> Result<Held, Error> {
        let payment = self.read_payment(&asked.payment).await?;
        let operation = self.read_operation(&asked.entry).await?;
        match (payment, operation) {
            (Some(payment), Some(operation)) => Ok(Held { payment, operation }),
            _ => Err(damaged(&asked.entry, "an operation without its payment")),
        }
    }

    /// Makes the change in `held` and adds it, and what follows from it, to the commit. What is
    /// given is held until the commit is answered.
    async fn change(
        &self,
        held: &mut Held,
        verdict: &Verdict,
        batch: &mut Batch,
    ) -> Result<Option<MutexGuard<'_, ()>>, Error> {
        let now = self.0.clock.now_ms();
        let (payment, operation) = (&mut held.payment.value, &mut held.operation.value);
        let before = payment.entries.clone();
        let Some(mut change) = payment.tell(&operation.entry, verdict, now) else {
            return Err(damaged(&operation.entry, "an operation without its entry"));
        };
        if let Change::Anomaly(kind) = &change {
            let anomaly = Anomaly {
                id: Id::anomaly(now, self.random()),
                account: payment.account.clone(),
                payment: Some(payment.id.clone()),
                entry: Some(operation.entry.clone()),
                kind: kind.clone(),
                noticed_at_ms: now,
            };
            note_anomaly(batch, &anomaly);
            change = self.after_anomaly(payment, operation, change, now);
        }
        let endpoints = self.registered(&payment.app).await?;
        for (n, entry) in payment.entries.iter().enumerate() {
            if before.get(n) != Some(entry) {
                self.note_change(batch, payment, (before.get(n), entry), &endpoints);
            }
        }
        if change != Change::Known || operation.recovery.due_at_ms.is_some() {
            self.reschedule(batch, payment, operation, now);
        }
        let mut ended = before.iter().zip(&payment.entries).filter(|(old, now)| ended(old, now));
        let unspent = match ended.next() {
            Some((_, entry)) => self.note_unspent(batch, &payment.app, entry).await?,
            None => None,
        };
        self.note_answer(batch, payment, operation).await?;
        put_both(batch, held);
        Ok(unspent)
    }

    /// An answer that contradicts the ledger is no answer: what was being sent is unknown.
    fn after_anomaly(
        &self,
        payment: &mut Payment,
        operation: &Operation,
        change: Change,
        now: TimestampMs,
    ) -> Change {
        let state = payment.entry(&operation.entry).map(|entry| entry.state);
        if state != Some(State::Sending) {
            return change;
        }
        let why = "the provider's answer contradicts what was asked; see the anomaly".to_owned();
        payment.tell(&operation.entry, &Verdict::Lost { why }, now).unwrap_or(change)
    }

    /// The event of a change, a notification for every endpoint that is told of it, and the way
    /// back from the provider's reference.
    fn note_change(
        &self,
        batch: &mut Batch,
        payment: &Payment,
        (before, entry): (Option<&Entry>, &Entry),
        endpoints: &[Registered],
    ) {
        if let Some(known) = &entry.references {
            let found = Found { payment: payment.id.clone(), entry: entry.id.clone() };
            for reference in std::iter::once(&known.provider).chain(&known.secondary) {
                let key = record::reference_key(&payment.account, entry.kind, reference);
                batch.put(record::REFERENCE, key, record::encode(&found));
            }
        }
        if entry.state == State::Sending || before.is_some_and(|old| old.state == entry.state) {
            return;
        }
        let event = Event {
            id: Id::event(entry.changed_at_ms, self.random()),
            name: format!("{}.{}", entry.kind.name(), entry.state.name()),
            at_ms: entry.changed_at_ms,
            payment: payment.clone(),
            entry: entry.clone(),
        };
        notify::note(batch, &event, endpoints);
    }

    /// When to ask about the entry next: never once it has ended.
    fn reschedule(
        &self,
        batch: &mut Batch,
        payment: &Payment,
        operation: &mut Operation,
        now: TimestampMs,
    ) {
        let state = payment.entry(&operation.entry).map(|entry| entry.state);
        match state {
            // Set when the request was recorded.
            Some(State::Created | State::Sending) => {}
            Some(state) if state.is_open() => {
                let after = &self.0.options.sync_after_ms;
                let wait = after.get(operation.recovery.syncs as usize).or(after.last());
                schedule(batch, operation, Some(now + wait.copied().unwrap_or(60_000)));
            }
            _ => schedule(batch, operation, None),
        }
    }

    /// The answer under the idempotency key, as soon as there is one: it never changes again.
    async fn note_answer(
        &self,
        batch: &mut Batch,
        payment: &Payment,
        operation: &Operation,
    ) -> Result<(), Error> {
        let state = payment.entry(&operation.entry).map(|entry| entry.state);
        if matches!(state, Some(State::Created | State::Sending)) {
            return Ok(());
        }
        let (space, key) = (record::IDEMPOTENCY, operation.idempotency.as_bytes());
        let Some(read) = record::read::<Idempotent>(&*self.0.store, space, key).await? else {
            return Ok(());
        };
        if read.value.answer.is_none() {
            let answered = Idempotent { answer: Some(payment.clone()), ..read.value };
            batch.expect(space, key, Expected::Version(read.version));
            batch.put(space, key, record::encode(&answered));
        }
        Ok(())
    }
}

/// Moves the operation's place in the schedule.
pub(crate) fn schedule(batch: &mut Batch, operation: &mut Operation, at_ms: Option<TimestampMs>) {
    if operation.recovery.due_at_ms == at_ms {
        return;
    }
    if let Some(old) = operation.recovery.due_at_ms {
        batch.remove(record::DUE, record::due_key(old, &operation.entry));
    }
    if let Some(new) = at_ms {
        batch.put(record::DUE, record::due_key(new, &operation.entry), Vec::new());
    }
    operation.recovery.due_at_ms = at_ms;
}

/// Adds an anomaly to a commit, and to the operator's log.
pub(crate) fn note_anomaly(batch: &mut Batch, anomaly: &Anomaly) {
    let (account, kind) = (&anomaly.account, &anomaly.kind);
    tracing::error!(anomaly = %anomaly.id, account, ?kind, "the provider contradicts the ledger");
    batch.put(record::ANOMALY, anomaly.id.as_str().as_bytes(), record::encode(anomaly));
}

fn damaged(entry: &Id, what: &str) -> Error {
    Error::Store(store::Error::new(store::Kind::Damaged, format!("{entry}: {what}")))
}

fn put_both(batch: &mut Batch, held: &Held) {
    let Held { payment, operation } = held;
    let key = payment.value.id.as_str().as_bytes();
    batch.expect(record::PAYMENT, key, Expected::Version(payment.version));
    batch.put(record::PAYMENT, key, record::encode(&payment.value));
    let key = operation.value.entry.as_str().as_bytes();
    batch.expect(record::OPERATION, key, Expected::Version(operation.version));
    batch.put(record::OPERATION, key, record::encode(&operation.value));
}
