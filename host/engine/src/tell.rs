//! Telling the ledger: one change of one entry with everything that belongs into its commit.
//!
//! Webhooks, answers and recovery tell about the same entry at the same time. Each reads, decides
//! and commits against the version it read; whoever is overtaken reads again.

use ledger::{
    Anomaly, AnomalyKind, Change, Entry, Id, Payment, Resolution, State, TimestampMs, Verdict,
};
use store::{Batch, Expected};
use tokio::sync::MutexGuard;

use crate::notify::{self, Registered};
use crate::record::{self, Idempotent, Operation, Read};
use crate::spending::ended;
use crate::{Engine, Error, Event, Unsettled};

/// How often a change is tried when others change the same payment.
const TRIES_MAX: usize = 32;

/// A payment and one of its operations, as they were read.
struct Held {
    payment: Read<Payment>,
    operation: Read<Operation>,
}

/// What is told of an entry, and who says it where that is not the provider.
pub(crate) struct Word {
    pub verdict: Verdict,
    pub resolution: Option<Resolution>,
    /// Whether the payment as it is then is what whoever asked for the operation is answered.
    pub answers: bool,
}

impl Word {
    fn tell(&self, payment: &mut Payment, entry: &Id, now: TimestampMs) -> Result<Change, Error> {
        if let Some(resolution) = &self.resolution {
            let settled = payment.resolve(entry, &self.verdict, resolution.clone());
            return settled.map_err(|why| Unsettled::Ledger(why).into());
        }
        let change = payment.tell(entry, &self.verdict, now);
        change.ok_or_else(|| damaged(entry, "an operation without its entry"))
    }

    /// A word that names what is another payment's: an anomaly where the provider says it. Whoever
    /// else says it is there to be asked again.
    fn of_another(&self, reference: &str, owner: Id) -> Result<Change, Error> {
        if self.resolution.is_some() {
            return Err(Unsettled::ReferenceTaken(owner).into());
        }
        let reference = reference.to_owned();
        Ok(Change::Anomaly(AnomalyKind::ReferenceTaken { reference, owner }))
    }
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
        let word = Word { verdict: verdict.clone(), resolution: None, answers: false };
        self.tell_word(operation, &word, batch, note).await
    }

    /// The same, where what is given is the answer to whoever asked for the operation: it is what
    /// a repeat will be given, whatever a webhook has told of the operation meanwhile.
    pub(crate) async fn answer(
        &self,
        operation: &Operation,
        verdict: &Verdict,
        batch: Batch,
    ) -> Result<Payment, Error> {
        let word = Word { verdict: verdict.clone(), resolution: None, answers: true };
        self.tell_word(operation, &word, batch, |_, _| ()).await
    }

    /// The same, of somebody's word: what contradicts the ledger is refused.
    pub(crate) async fn tell_word(
        &self,
        operation: &Operation,
        word: &Word,
        batch: Batch,
        note: impl Fn(&mut Batch, &mut Operation),
    ) -> Result<Payment, Error> {
        for _ in 0..TRIES_MAX {
            let mut held = self.hold(operation).await?;
            let mut batch = Batch { finishing: true, ..batch.clone() };
            note(&mut batch, &mut held.operation.value);
            let _held = self.change(&mut held, word, &mut batch).await?;
            match self.commit_and_ring(batch).await {
                Ok(()) => return Ok(held.payment.value),
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Busy)
    }

    /// Commits, and rings for the notifications in the commit. On its own task: a commit ends
    /// though its caller goes away, and what nobody rang for would wait for the next that somebody
    /// does.
    async fn commit_and_ring(&self, batch: Batch) -> Result<(), store::Error> {
        let addressed = notify::addressed(&batch);
        if addressed.is_empty() {
            return self.0.store.commit(batch).await.map(drop);
        }
        let engine = self.clone();
        let rung = tokio::spawn(async move {
            engine.0.store.commit(batch).await?;
            engine.0.desk.ring(addressed);
            Ok(())
        });
        rung.await.unwrap_or_else(|error| {
            Err(store::Error::new(store::Kind::Stopped, "the commit broke off").because(error))
        })
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
        word: &Word,
        batch: &mut Batch,
    ) -> Result<Option<MutexGuard<'_, ()>>, Error> {
        let now = self.0.clock.now_ms();
        let (payment, operation) = (&mut held.payment.value, &mut held.operation.value);
        let before = payment.entries.clone();
        let named = word.verdict.references().map(|named| named.provider.as_str());
        let mut change = match (named, self.taken(batch, operation, named).await?) {
            (Some(named), Some(owner)) => word.of_another(named, owner)?,
            _ => word.tell(payment, &operation.entry, now)?,
        };
        if let Change::Anomaly(kind) = &change {
            self.notice(batch, payment, (operation, kind), now);
            change = self.after_anomaly(payment, operation, change, now);
        }
        let endpoints = self.registered(&payment.app).await?;
        for (n, entry) in payment.entries.iter().enumerate() {
            if before.get(n) != Some(entry) {
                self.note_references(batch, payment, entry).await?;
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
        self.note_answer(batch, payment, (operation, word.answers)).await?;
        put_both(batch, held);
        Ok(unspent)
    }

    /// The anomaly of an entry, unless it is what was noticed last: an entry that stays open is
    /// asked about again and again.
    fn notice(
        &self,
        batch: &mut Batch,
        payment: &Payment,
        (operation, kind): (&mut Operation, &AnomalyKind),
        now: TimestampMs,
    ) {
        if operation.noticed.as_ref() == Some(kind) {
            return;
        }
        operation.noticed = Some(kind.clone());
        let anomaly = Anomaly {
            id: Id::anomaly(now, self.random()),
            account: payment.account.clone(),
            payment: Some(payment.id.clone()),
            entry: Some(operation.entry.clone()),
            kind: kind.clone(),
            noticed_at_ms: now,
            closed: None,
        };
        note_anomaly(batch, &anomaly);
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

    /// The event of a change, and a notification for every endpoint that is told of it.
    fn note_change(
        &self,
        batch: &mut Batch,
        payment: &Payment,
        (before, entry): (Option<&Entry>, &Entry),
        endpoints: &[Registered],
    ) {
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

    /// The answer under the idempotency key, as soon as there is one. It never changes again, but
    /// for the one that nobody was given yet: repeats wait as long as the first caller does.
    async fn note_answer(
        &self,
        batch: &mut Batch,
        payment: &Payment,
        (operation, given_now): (&Operation, bool),
    ) -> Result<(), Error> {
        let state = payment.entry(&operation.entry).map(|entry| entry.state);
        if matches!(state, Some(State::Created | State::Sending)) {
            return Ok(());
        }
        let (space, key) = (record::IDEMPOTENCY, operation.idempotency.as_bytes());
        let Some(read) = record::read::<Idempotent>(&*self.0.store, space, key).await? else {
            return Ok(());
        };
        let same = read.value.answer.as_ref() == Some(payment);
        if read.value.answer.is_none() || (given_now && !same) {
            let answered = Idempotent { answer: Some(payment.clone()), ..read.value };
            batch.expect(space, key, Expected::Version(read.version));
            batch.put(space, key, record::encode(&answered));
        }
        Ok(())
    }
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
