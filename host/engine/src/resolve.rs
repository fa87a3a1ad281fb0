//! Finding out what became of open entries: `unknown`, `pending`, `needs-action`, and those that
//! were `sending` when a process ended.
//!
//! In this order: a proven webhook (`deliver`); asking the provider; the same bytes again while the
//! provider promises that they take money once; the provider's report (`reconcile`); a person
//! (`books`). Never a guess. When each is asked about says `schedule`.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use egress::Failed;
use ledger::{Id, Payment, State, Verdict};
use sandbox::contract as wit;
use store::Batch;

use crate::account::Account;
use crate::call::{Question, remember};
use crate::cards::OpenCard;
use crate::converse::{Ending, Made, chain, words};
use crate::record::{self, Exchange, Operation};
use crate::schedule::schedule;
use crate::share::Work;
use crate::translate::{self, Outcome, Purpose};
use crate::{Engine, Error, Instrument};

/// How many open entries are read from the schedule at once.
const ROWS: usize = 1_000;

/// What asking the provider gave.
#[derive(Debug)]
enum Answer {
    Told(Verdict),
    Absent,
    /// No answer; why.
    Nothing(String),
}

impl Engine {
    /// Entries that were being sent when the last process ended become `unknown`, and are asked
    /// about like any other: the first time after the schedule's first wait. Call it before the first operation. Gives the number of such entries.
    pub async fn recover(&self) -> Result<usize, Error> {
        self.resume_quarantines().await?;
        self.finish_erasures().await?;
        self.renew_schedule().await?;
        let mut found = 0;
        let mut after: Option<Vec<u8>> = None;
        loop {
            let open = self.open_entries(None, after.as_deref(), ROWS).await?;
            let Some(last) = open.last() else { return Ok(found) };
            after = Some(last.key());
            for due in &open {
                found += usize::from(self.recover_entry(&due.entry).await?);
            }
        }
    }

    async fn recover_entry(&self, entry: &Id) -> Result<bool, Error> {
        let Some(operation) = self.read_operation(entry).await? else { return Ok(false) };
        let operation = operation.value;
        let payment = self.read_payment(&operation.payment).await?;
        let state = payment.and_then(|read| read.value.entry(entry).map(|entry| entry.state));
        if state != Some(State::Sending) {
            return Ok(false);
        }
        self.tell_stopped(&operation).await?;
        Ok(true)
    }

    async fn tell_stopped(&self, operation: &Operation) -> Result<(), Error> {
        let why =
            "the host stopped while the request was out, or could not record its answer".to_owned();
        let verdict = match operation.recovery.money_asked {
            true => Verdict::Lost { why },
            false => Verdict::NotSent { why: format!("{why}; nothing that moves money was sent") },
        };
        tracing::warn!(entry = %operation.entry, ?verdict, "recovered after a stop");
        self.conclude(operation, &verdict, self.batch()).await.map(drop)
    }

    /// Asks about entries as they become due, and tells apps, for ever. Drop the future to stop.
    pub async fn run(&self) {
        tokio::join!(self.find_out(), self.clear_away(), self.notify(), self.keep_quarantines());
    }

    /// Asks the provider what became of every open entry of the payment, now.
    pub async fn sync(&self, app: &Id, payment: &Id) -> Result<Payment, Error> {
        let known = self.payment(app, payment).await?;
        let _share = self.share(&known.account, Work::GoOn)?;
        for entry in known.entries.iter().filter(|entry| entry.state.is_open()) {
            self.resolve(&entry.id).await?;
        }
        self.payment(app, payment).await
    }

    /// Finds out about one entry, unless somebody is at it.
    pub(crate) async fn resolve(&self, entry: &Id) -> Result<(), Error> {
        let (Ok(_hand), Some(_claim)) = (self.take_in_hand(), self.claim(entry.as_str())) else {
            return Ok(());
        };
        let Some(operation) = self.read_operation(entry).await? else { return Ok(()) };
        let operation = operation.value;
        let Some(payment) = self.read_payment(&operation.payment).await? else { return Ok(()) };
        let payment = payment.value;
        let state = payment.entry(entry).map(|entry| entry.state);
        match state {
            Some(State::Sending) => self.tell_stopped(&operation).await,
            Some(State::NeedsAction | State::Pending | State::Unknown) => {
                self.ask(&payment, &operation, state == Some(State::Unknown)).await
            }
            _ => self.forget(&operation).await,
        }
    }

    /// Takes an entry that has ended off the schedule.
    async fn forget(&self, operation: &Operation) -> Result<(), Error> {
        let known = Verdict::Lost { why: "ended".to_owned() };
        let off = |batch: &mut Batch, operation: &mut Operation| schedule(batch, operation, None);
        self.tell(operation, &known, self.batch(), off).await.map(drop)
    }

    async fn ask(
        &self,
        payment: &Payment,
        operation: &Operation,
        unknown: bool,
    ) -> Result<(), Error> {
        let Ok(account) = self.account(&operation.account) else {
            return self.not_found_out(operation, "its account is no longer configured").await;
        };
        let recovery = account.plugin.description().recovery;
        let mut batch = self.batch();
        let answer = match recovery.query {
            true => self.query(&account, payment, operation, &mut batch).await?,
            false => Answer::Nothing("the provider cannot be asked".to_owned()),
        };
        match answer {
            Answer::Told(verdict) => self.found_out(operation, &verdict, batch).await,
            // Where repeating is safe, the operation is rather done than given up.
            Answer::Absent | Answer::Nothing(_)
                if unknown && self.repeatable(&account, operation) =>
            {
                tracing::info!(entry = %operation.entry, ?answer, "sending the same bytes again");
                self.send_again(&account, payment, operation).await
            }
            Answer::Absent => self.absent(operation, unknown, batch).await,
            Answer::Nothing(why) => self.not_found_out(operation, &why).await,
        }
    }

    async fn found_out(
        &self,
        operation: &Operation,
        verdict: &Verdict,
        batch: Batch,
    ) -> Result<(), Error> {
        let note = |_: &mut Batch, operation: &mut Operation| operation.recovery.syncs += 1;
        self.tell(operation, verdict, batch, note).await.map(drop)
    }

    async fn not_found_out(&self, operation: &Operation, why: &str) -> Result<(), Error> {
        tracing::warn!(entry = %operation.entry, why, "still open");
        let verdict = Verdict::Lost { why: why.to_owned() };
        self.found_out(operation, &verdict, self.batch()).await
    }

    /// "Not found" is believed late and more than once: a request can arrive after the question.
    async fn absent(
        &self,
        operation: &Operation,
        unknown: bool,
        batch: Batch,
    ) -> Result<(), Error> {
        let (now, options) = (self.0.clock.now_ms(), &self.0.options);
        let late = operation.recovery.is_late(now, options.absent_after_ms);
        let absences = operation.recovery.absences + u32::from(late);
        let proven = unknown && absences >= options.absences_min;
        let verdict = match proven {
            true => Verdict::NotSent {
                why: format!("the provider said {absences} times that it has never heard of it"),
            },
            false => Verdict::Lost { why: "the provider has not heard of it yet".to_owned() },
        };
        let note = |_: &mut Batch, operation: &mut Operation| {
            operation.recovery.syncs += 1;
            operation.recovery.absences = absences;
        };
        self.tell(operation, &verdict, batch, note).await.map(drop)
    }

    /// Asks the provider, by the plugin's `sync`. Its requests move nothing: they are recorded with
    /// what they gave.
    async fn query(
        &self,
        account: &Arc<Account>,
        payment: &Payment,
        operation: &Operation,
        batch: &mut Batch,
    ) -> Result<Answer, Error> {
        let card = self.card_of(operation).await;
        let question =
            Question::new(account.clone(), Purpose::Sync, payment, operation.clone(), card);
        let Some(question) = question else { return Ok(Answer::Nothing("no entry".to_owned())) };
        let mut stepped = self.start(&question, self.0.clock.now_ms()).await?;
        for step in 0..self.0.options.steps_max {
            let called = match stepped {
                Ok(called) => called,
                Err(fault) => return Ok(Answer::Nothing(fault.to_string())),
            };
            let now = self.0.clock.now_ms();
            let exchange = match called.answer {
                Err(failure) => return Ok(Answer::Nothing(words(&failure))),
                Ok(wit::Step::Done(outcome)) => {
                    remember(batch, account, &called.remembered, now);
                    return Ok(answer(outcome));
                }
                Ok(wit::Step::Send(exchange)) => exchange,
            };
            let made = Made::new(exchange, called.remembered, called.derived, now, step);
            if made.moves_money {
                return Ok(Answer::Nothing("a `sync` may not move money".to_owned()));
            }
            remember(batch, account, &made.remembered, now);
            let sent = self.send_unrecorded(&question, &made).await;
            let key = record::sync_key(&operation.entry, question.attempt, step);
            batch.put(record::EXCHANGE, key, record::encode(&made.record(account, Some(&sent))));
            stepped = match sent {
                Ending::Answered(reply) => {
                    self.resume(&question, step + 1, made.state, reply).await?
                }
                Ending::NotSent(why) | Ending::NoReply(why) | Ending::Needless(why) => {
                    return Ok(Answer::Nothing(why));
                }
            };
        }
        Ok(Answer::Nothing("the plugin wants too many requests".to_owned()))
    }

    /// Sends what need not be recorded before: it moves no money, or it is recorded already.
    async fn send_unrecorded(&self, question: &Question, made: &Made) -> Ending {
        let (account, filling) = (&question.account, made.filling(question));
        let nothing = async { Ok::<(), std::convert::Infallible>(()) };
        match self.0.egress.send(&account.gate, &filling, &made.request, nothing).await {
            Ok(reply) => Ending::Answered(reply),
            Err(Failed::NoReply(error)) => Ending::NoReply(chain(&error)),
            Err(Failed::NotSent(error) | Failed::Refused(error)) => Ending::NotSent(chain(&error)),
            Err(Failed::Intent(never)) => match never {},
        }
    }

    /// The card of a recorded operation, as long as it is there. Without it the provider can still
    /// be asked by reference.
    async fn card_of(&self, operation: &Operation) -> Option<Arc<OpenCard>> {
        let Some(Instrument::Card(card)) = &operation.instrument else { return None };
        let opened = self.card_again(card).await.unwrap_or_else(|error| {
            tracing::warn!(%card, %error, "the card cannot be opened");
            None
        });
        opened.map(Arc::new)
    }

    /// Whether the provider still promises that the same bytes move money once.
    fn repeatable(&self, account: &Account, operation: &Operation) -> bool {
        let window = account.plugin.description().recovery.idempotent_seconds;
        let (now, under_way_ms) = (self.0.clock.now_ms(), self.0.options.absent_after_ms);
        window.is_some_and(|seconds| operation.recovery.may_repeat(now, seconds, under_way_ms))
    }

    /// The last recorded request once more, byte for byte, and on from its reply.
    async fn send_again(
        &self,
        account: &Arc<Account>,
        payment: &Payment,
        operation: &Operation,
    ) -> Result<(), Error> {
        let step = operation.recovery.exchanges.saturating_sub(1);
        let key = record::exchange_key(&operation.entry, step);
        let read = record::read::<Exchange>(&*self.0.store, record::EXCHANGE, &key).await?;
        let card = self.card_of(operation).await;
        let question =
            Question::new(account.clone(), Purpose::Do, payment, operation.clone(), card);
        let (Some(read), Some(question)) = (read, question) else {
            return self.not_found_out(operation, "its request is not recorded").await;
        };
        if !self.note_again(operation).await? {
            return Ok(());
        }
        let made = again(read.value, step);
        let sent = self.send_unrecorded(&question, &made).await;
        if let Ending::NotSent(why) = sent {
            // This time nothing left, but the first time something may have.
            let lost = Verdict::Lost { why };
            return self.conclude(operation, &lost, self.batch()).await.map(drop);
        }
        self.converse(&question, made, sent).await.map(drop)
    }

    /// Records, before they leave, that the same bytes are sent again: from then on a "not found"
    /// may be older than they are. False where the entry has been found out about meanwhile.
    async fn note_again(&self, operation: &Operation) -> Result<bool, Error> {
        let now = self.0.clock.now_ms();
        let note = |_: &mut Batch, operation: &mut Operation| {
            operation.recovery.syncs += 1;
            operation.recovery.again_at_ms = now;
        };
        let asked = Verdict::Lost { why: "asked again with the same bytes".to_owned() };
        let payment = self.tell(operation, &asked, self.batch(), note).await?;
        let entry = payment.entry(&operation.entry);
        Ok(entry.is_some_and(|entry| entry.state == State::Unknown))
    }
}

/// A recorded request, to be sent as it is. What a step derived is not kept, so a request that
/// names it cannot be filled again.
fn again(exchange: Exchange, step: u32) -> Made {
    Made {
        request: exchange.request,
        moves_money: exchange.moves_money,
        state: BASE64.decode(exchange.state).unwrap_or_default(),
        remembered: Vec::new(),
        derived: Vec::new(),
        now: exchange.made_at_ms,
        step,
        repeated: true,
    }
}

fn answer(outcome: wit::Outcome) -> Answer {
    match translate::outcome(outcome) {
        Ok(Outcome::Told(Verdict::Lost { why })) => Answer::Nothing(why),
        Ok(Outcome::Told(verdict)) => Answer::Told(verdict),
        Ok(Outcome::Absent) => Answer::Absent,
        Err(nonsense) => Answer::Nothing(nonsense.to_string()),
    }
}
