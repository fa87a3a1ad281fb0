//! One operation from the request of an app to its outcome: decide, record, step, send, resume,
//! record.
//!
//! Everything up to the first recorded intent may be thrown away and done again; nothing after it
//! may. The request of a step is durable before its first byte leaves, since egress asks for it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use egress::Failed;
use ledger::{Entry, Id, Kind, Money, Payment, State, TimestampMs, Verdict};
use sandbox::contract as wit;
use store::{Batch, Expected};
use tokio::time::timeout;

use crate::account::Account;
use crate::call::{Question, remember};
use crate::cards::OpenCard;
use crate::converse::{Ending, Made, chain, told};
use crate::record::{self, Idempotent, Operation, Recovery};
use crate::schedule::schedule;
use crate::share::Work;
use crate::translate::Purpose;
use crate::{Ask, Done, Engine, Error, Instrument, NewPayment, NewPayout};

/// How often an operation is decided anew when another one changed the payment meanwhile.
const DECISIONS_MAX: usize = 8;

/// The payment an operation belongs to.
#[derive(Clone)]
pub(crate) enum Root {
    New(Payment),
    Known(Id),
}

/// What is asked, before it is decided.
#[derive(Clone)]
pub(crate) struct Plan {
    kind: Kind,
    amount: Option<Money>,
    capture: bool,
    instrument: Option<Instrument>,
    description: String,
    return_url: Option<String>,
    customer_ip: Option<String>,
    beneficiary: Option<String>,
    extra: BTreeMap<String, String>,
}

impl Plan {
    fn of(kind: Kind, amount: Option<Money>) -> Plan {
        Plan {
            kind,
            amount,
            capture: false,
            instrument: None,
            description: String::new(),
            return_url: None,
            customer_ip: None,
            beneficiary: None,
            extra: BTreeMap::new(),
        }
    }

    pub fn payment(new: &NewPayment) -> Plan {
        Plan {
            capture: new.capture,
            instrument: Some(new.instrument.clone()),
            description: new.description.clone(),
            return_url: new.return_url.clone(),
            customer_ip: new.customer_ip.clone(),
            extra: new.extra.clone(),
            ..Plan::of(Kind::Authorize, Some(new.amount))
        }
    }

    pub fn payout(new: &NewPayout) -> Plan {
        Plan {
            instrument: Some(new.instrument.clone()),
            description: new.description.clone(),
            beneficiary: new.beneficiary.clone(),
            extra: new.extra.clone(),
            ..Plan::of(Kind::Payout, Some(new.amount))
        }
    }

    pub fn capture(amount: Option<Money>) -> Plan {
        Plan::of(Kind::Capture, amount)
    }

    pub fn cancel() -> Plan {
        Plan::of(Kind::Cancel, None)
    }

    pub fn refund(amount: Option<Money>) -> Plan {
        Plan::of(Kind::Refund, amount)
    }

    /// The amount that was asked, or all that the operation can be about.
    fn amount(&self, payment: &Payment) -> Result<Money, Error> {
        if let Some(amount) = self.amount {
            return Ok(amount);
        }
        let rest = match self.kind {
            Kind::Capture => payment.authorized_minor() - payment.captured_minor(),
            Kind::Refund => payment.captured_minor() - payment.refunded_minor(),
            Kind::Authorize | Kind::Cancel | Kind::Payout => payment.amount.minor(),
        };
        match Money::new(rest, payment.amount.currency()) {
            Ok(amount) => Ok(amount),
            // Nothing is left: the ledger says why, for any amount.
            Err(_) => Err(payment
                .admit(self.kind, payment.amount)
                .map_or_else(Error::from, |()| Error::Busy)),
        }
    }
}

/// An operation that is decided: what will be recorded once the first request is about to leave.
struct Decided {
    account: Arc<Account>,
    payment: Payment,
    expected: Expected,
    operation: Operation,
    idempotent: Idempotent,
    card: Option<Arc<OpenCard>>,
}

/// Why an operation did not begin.
enum NotBegun {
    /// Another operation changed the payment: decide again.
    Overtaken,
    Because(Error),
}

impl<E: Into<Error>> From<E> for NotBegun {
    fn from(error: E) -> NotBegun {
        NotBegun::Because(error.into())
    }
}

impl Engine {
    /// Does what is asked once, however often it is asked with the same key.
    pub(crate) async fn operate(&self, ask: Ask, root: Root, plan: Plan) -> Result<Done, Error> {
        let key = record::idempotency_key(&ask.app, &ask.idempotency_key);
        let claim = self.claim(&key).ok_or(Error::InFlight)?;
        if let Some(done) = self.answered(&key, &ask).await? {
            return Ok(done);
        }
        let hand = self.take_in_hand()?;
        let engine = self.clone();
        // On its own task: a caller that hangs up does not stop what may already move money.
        let driven = tokio::spawn(async move {
            let done = engine.decide_and_drive(&ask, &key, root, plan).await;
            drop((claim, hand));
            done
        });
        driven.await.unwrap_or(Err(Error::Stopping))
    }

    /// The answer an earlier request with this key was given.
    async fn answered(&self, key: &str, ask: &Ask) -> Result<Option<Done>, Error> {
        let known =
            record::read::<Idempotent>(&*self.0.store, record::IDEMPOTENCY, key.as_bytes()).await?;
        let Some(known) = known.map(|read| read.value) else { return Ok(None) };
        if known.digest != hex::encode(ask.digest) {
            return Err(Error::KeyReused);
        }
        // Without an answer the entry is on its way still, though nobody here is at it: the outcome
        // could not be recorded. Whatever were said now would be said otherwise later; the schedule
        // sees to it that there is an answer soon.
        let payment = known.answer.ok_or(Error::InFlight)?;
        Ok(Some(Done { payment, entry: known.entry, replayed: true }))
    }

    async fn decide_and_drive(
        &self,
        ask: &Ask,
        key: &str,
        root: Root,
        plan: Plan,
    ) -> Result<Done, Error> {
        let work = if matches!(root, Root::New(_)) { Work::Begin } else { Work::GoOn };
        let mut share = None;
        for _ in 0..DECISIONS_MAX {
            let decided = self.decide(ask, key, &root, &plan).await?;
            if share.is_none() {
                share = Some(self.share(&decided.account.name, work)?);
            }
            let entry = decided.operation.entry.clone();
            let in_hand = self.claim(entry.as_str());
            let card = decided.card.clone();
            let driven = self.drive(decided).await;
            if let Some(card) = card.filter(|_| driven.is_err()) {
                self.unused(&card);
            }
            match driven {
                Ok(payment) => return Ok(Done { payment, entry, replayed: false }),
                Err(NotBegun::Overtaken) => drop(in_hand),
                Err(NotBegun::Because(error)) => return Err(error),
            }
        }
        Err(Error::Busy)
    }

    async fn decide(
        &self,
        ask: &Ask,
        key: &str,
        root: &Root,
        plan: &Plan,
    ) -> Result<Decided, Error> {
        let (mut payment, expected) = match root {
            Root::New(payment) => (payment.clone(), Expected::Absent),
            Root::Known(id) => {
                let read = self.read_payment(id).await?.filter(|read| read.value.app == ask.app);
                let read = read.ok_or_else(|| Error::NoSuchPayment(id.clone()))?;
                (read.value, Expected::Version(read.version))
            }
        };
        let account = self.open_account(&ask.app, &payment.account).await?;
        let amount = plan.amount(&payment)?;
        let now = self.0.clock.now_ms();
        let entry = Entry {
            id: Id::entry(now, self.random()),
            kind: plan.kind,
            amount,
            capture: plan.capture,
            state: State::Created,
            references: None,
            next: None,
            decline: None,
            why: None,
            resolution: None,
            created_at_ms: now,
            changed_at_ms: now,
        };
        payment.begin(entry.clone())?;
        account.offers(plan.kind, amount, plan.instrument.as_ref())?;
        let idempotent = Idempotent {
            digest: hex::encode(ask.digest),
            payment: payment.id.clone(),
            entry: entry.id.clone(),
            answer: None,
        };
        let mut operation = self.operation(&payment, &entry, plan, key);
        let card = match &plan.instrument {
            Some(Instrument::Card(card)) => Some(Arc::new(self.pay_with(&ask.app, card).await?)),
            _ => None,
        };
        operation.card = card.as_ref().map(|card| card.shown().clone());
        Ok(Decided { account, payment, expected, operation, idempotent, card })
    }

    fn operation(&self, payment: &Payment, entry: &Entry, plan: &Plan, key: &str) -> Operation {
        Operation {
            payment: payment.id.clone(),
            entry: entry.id.clone(),
            account: payment.account.clone(),
            kind: plan.kind,
            instrument: plan.instrument.clone(),
            card: None,
            description: plan.description.clone(),
            return_url: plan.return_url.clone(),
            customer_ip: plan.customer_ip.clone(),
            beneficiary: plan.beneficiary.clone(),
            extra: plan.extra.clone(),
            idempotency: key.to_owned(),
            seed: hex::encode(self.random::<32>()),
            recovery: Recovery::default(),
            noticed: None,
        }
    }

    /// From the first step on. An error means that nothing was recorded and nothing was sent.
    async fn drive(&self, decided: Decided) -> Result<Payment, NotBegun> {
        let now = self.0.clock.now_ms();
        let Decided { account, payment, operation, .. } = &decided;
        let (card, asked) = (decided.card.clone(), operation.clone());
        let question = Question::new(account.clone(), Purpose::Do, payment, asked, card);
        let question = question.ok_or(NotBegun::Overtaken)?;
        // Nothing is recorded yet, so what would wait too long is refused.
        let most = Duration::from_millis(self.0.options.queue_ms_max);
        let started = timeout(most, self.start(&question, now)).await;
        let called = started.map_err(|_| Error::Overloaded)??.map_err(Error::from)?;
        match called.answer {
            Err(failure) => Err(refused(failure).into()),
            Ok(wit::Step::Done(outcome)) => {
                let mut batch = self.answered_first(&decided, now);
                remember(&mut batch, account, &called.remembered, now);
                self.commit_first(payment, operation, batch).await?;
                Ok(self.answer(operation, &told(outcome), self.batch()).await?)
            }
            Ok(wit::Step::Send(exchange)) => {
                let made = Made::new(exchange, called.remembered, called.derived, now, 0);
                self.send_first(&decided, &question, made).await
            }
        }
    }

    /// What an operation begins with that its plugin answers without a request. The ledger takes an
    /// outcome only of what is on its way; should this process not live to record the outcome, the
    /// next one finds the entry on its way, and that nothing was sent for it.
    fn answered_first(&self, decided: &Decided, now: TimestampMs) -> Batch {
        let (mut payment, mut operation) = (decided.payment.clone(), decided.operation.clone());
        payment.tell(&operation.entry, &Verdict::Sending, now);
        let mut scheduled = self.batch();
        let late = now + decided.account.gate.timeouts.total_ms_max;
        schedule(&mut scheduled, &mut operation, Some(late));
        let mut batch = self.first_batch(decided, &payment, &operation);
        batch.changes.append(&mut scheduled.changes);
        batch
    }

    /// The first request: with it the operation becomes part of the ledger.
    async fn send_first(
        &self,
        decided: &Decided,
        question: &Question,
        made: Made,
    ) -> Result<Payment, NotBegun> {
        let account = &decided.account;
        let intent = async {
            let (mut payment, mut operation) = (decided.payment.clone(), decided.operation.clone());
            payment.tell(&operation.entry, &Verdict::Sending, made.now);
            let mut noted = self.batch();
            made.note(&mut noted, &mut operation, account);
            let mut batch = self.first_batch(decided, &payment, &operation);
            batch.changes.append(&mut noted.changes);
            self.commit_first(&payment, &operation, batch).await?;
            // From here on the provider may have the security code: it is given to nobody again.
            decided.card.iter().for_each(|card| card.spend());
            Ok(())
        };
        let filling = made.filling(question);
        let sent = match self.0.egress.send(&account.gate, &filling, &made.request, intent).await {
            Err(Failed::Refused(error)) => {
                return Err(Error::Misconfigured(chain(&error)).into());
            }
            Err(Failed::Intent(not_begun)) => return Err(not_begun),
            Err(Failed::NotSent(error)) => Ending::NotSent(chain(&error)),
            Err(Failed::NoReply(error)) => Ending::NoReply(chain(&error)),
            Ok(reply) => Ending::Answered(reply),
        };
        Ok(self.converse(question, made, sent).await?)
    }

    /// Commits the beginning of an operation, if the app may begin it as it stands at that moment.
    async fn commit_first(
        &self,
        payment: &Payment,
        operation: &Operation,
        mut batch: Batch,
    ) -> Result<(), NotBegun> {
        let entry = payment.entry(&operation.entry).ok_or(NotBegun::Overtaken)?;
        let _held = self.note_spending(&mut batch, payment, entry).await?;
        match self.0.store.commit(batch).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_conflict() => Err(NotBegun::Overtaken),
            Err(error) => Err(error.into()),
        }
    }

    /// Everything an operation begins with.
    fn first_batch(&self, decided: &Decided, payment: &Payment, operation: &Operation) -> Batch {
        let mut batch = self.batch();
        let id = payment.id.as_str().as_bytes();
        batch.expect(record::PAYMENT, id, decided.expected);
        batch.put(record::PAYMENT, id, record::encode(payment));
        if decided.expected == Expected::Absent {
            batch.put(record::LISTED, record::listed_key(&payment.app, &payment.id), Vec::new());
        }
        let key = operation.idempotency.as_bytes();
        batch.expect(record::IDEMPOTENCY, key, Expected::Absent);
        batch.put(record::IDEMPOTENCY, key, record::encode(&decided.idempotent));
        batch.put(record::KEY_DUE, record::key_due(batch.time_ms, key), Vec::new());
        let entry = operation.entry.as_str().as_bytes();
        batch.put(record::OPERATION, entry, record::encode(operation));
        batch
    }
}

/// A plugin's failure before anything was sent, as the app hears it.
fn refused(failure: wit::Failure) -> Error {
    match failure {
        wit::Failure::Unsupported(what) => Error::Unsupported(what),
        wit::Failure::Invalid(what) => Error::Invalid(what),
        wit::Failure::Misconfigured(what) => Error::Misconfigured(what),
        wit::Failure::Malformed(what) => Error::PluginFault(what),
    }
}
