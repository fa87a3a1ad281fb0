//! From the first request to the outcome: reply, step, request, and so on, each recorded before the
//! next leaves.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use egress::{Failed, Reply};
use ledger::{Payment, State, TimestampMs, Verdict};
use sandbox::Remembered;
use sandbox::contract as wit;
use store::Batch;
use vault::Secret;

use crate::account::{Account, Filling};
use crate::call::{Question, Stepped, remember};
use crate::record::{self, Exchange, Operation};
use crate::schedule::schedule;
use crate::translate::{self, Outcome};
use crate::{Engine, Error};

/// A request that a plugin made.
pub(crate) struct Made {
    pub request: egress::Request,
    pub moves_money: bool,
    pub state: Vec<u8>,
    pub remembered: Vec<Remembered>,
    pub derived: Vec<Secret>,
    pub now: TimestampMs,
    /// Which request of the operation it is, from zero.
    pub step: u32,
    /// Whether the same bytes were sent before.
    pub repeated: bool,
}

impl Made {
    pub fn new(
        exchange: wit::Exchange,
        remembered: Vec<Remembered>,
        derived: Vec<Secret>,
        now: TimestampMs,
        step: u32,
    ) -> Made {
        let request = translate::request(exchange.request);
        let (moves_money, state) = (exchange.moves_money, exchange.state);
        Made { request, moves_money, state, remembered, derived, now, step, repeated: false }
    }

    pub fn filling(&self, question: &Question) -> Filling {
        Filling {
            secrets: question.account.secrets.clone(),
            card: question.card.clone(),
            derived: self.derived.clone(),
        }
    }

    /// The record of the request, and of how it ended.
    pub fn record(&self, account: &Account, sent: Option<&Ending>) -> Exchange {
        let plugin = &account.plugin;
        let (reply, failed) = match sent {
            Some(Ending::Answered(reply)) => (Some(reply.clone()), None),
            Some(Ending::NotSent(why) | Ending::NoReply(why) | Ending::Needless(why)) => {
                (None, Some(why.clone()))
            }
            None => (None, None),
        };
        Exchange {
            request: self.request.clone(),
            moves_money: self.moves_money,
            state: BASE64.encode(&self.state),
            made_at_ms: self.now,
            plugin: format!("{} {}", plugin.description().name, plugin.identity()),
            reply,
            failed,
        }
    }

    /// Adds the request, which is about to leave, to a commit.
    pub fn note(&self, batch: &mut Batch, operation: &mut Operation, account: &Account) {
        operation.recovery.exchanges = self.step + 1;
        if self.moves_money {
            operation.recovery.money_asked = true;
            operation.recovery.asked_at_ms = self.now;
        }
        let times = &account.gate.timeouts;
        // Should this process not live to record the answer, somebody has to ask for it.
        let late = self.now + times.connect_ms_max + times.total_ms_max;
        schedule(batch, operation, Some(late));
        let key = record::exchange_key(&operation.entry, self.step);
        batch.put(record::EXCHANGE, key, record::encode(&self.record(account, None)));
        remember(batch, account, &self.remembered, self.now);
    }
}

/// How a sending ended.
pub(crate) enum Ending {
    Answered(Reply),
    NotSent(String),
    NoReply(String),
    /// Not sent, for the entry ended before.
    Needless(String),
}

/// Why the intent of a request after the first was not to be had.
enum Unsent {
    Ended(State),
    Because(Error),
}

/// What a plugin wants after a reply.
enum Next {
    Send(Made),
    Outcome(Verdict, Vec<Remembered>),
    Broken(String),
}

impl Engine {
    /// From how the first sending ended to the outcome.
    pub(crate) async fn converse(
        &self,
        question: &Question,
        mut made: Made,
        mut sent: Ending,
    ) -> Result<Payment, Error> {
        let (account, operation) = (&question.account, &question.operation);
        // Of a repeat: money was asked for before, if not by the request that is repeated.
        let mut money_asked = operation.recovery.money_asked;
        // Of a repeat nobody waits for the answer.
        let answers = !made.repeated;
        loop {
            let mut batch = self.batch();
            let key = record::exchange_key(&operation.entry, made.step);
            batch.put(record::EXCHANGE, key, record::encode(&made.record(account, Some(&sent))));
            let before = money_asked;
            money_asked |= made.moves_money;
            let reply = match sent {
                Ending::Answered(reply) => reply,
                Ending::NotSent(why) => {
                    return self.end(question, &unanswered(why, before), (batch, answers)).await;
                }
                Ending::NoReply(why) => {
                    return self
                        .end(question, &unanswered(why, money_asked), (batch, answers))
                        .await;
                }
                Ending::Needless(why) => {
                    return self.end(question, &Verdict::Lost { why }, (batch, answers)).await;
                }
            };
            let (step, repeated) = (made.step + 1, made.repeated);
            let stepped = self.resume(question, step, made.state, reply).await?;
            made = match self.next(stepped, step) {
                Next::Send(made) => made,
                Next::Outcome(verdict, remembered) => {
                    remember(&mut batch, account, &remembered, self.0.clock.now_ms());
                    let verdict = if repeated { of_repeat(verdict) } else { verdict };
                    return self.end(question, &verdict, (batch, answers)).await;
                }
                Next::Broken(why) => {
                    return self
                        .end(question, &unanswered(why, money_asked), (batch, answers))
                        .await;
                }
            };
            sent = self.send_next(question, &made, batch).await?;
        }
    }

    fn next(&self, stepped: Stepped, step: u32) -> Next {
        let called = match stepped {
            Ok(called) => called,
            Err(fault) => return Next::Broken(fault.to_string()),
        };
        match called.answer {
            Err(failure) => Next::Broken(words(&failure)),
            Ok(wit::Step::Done(outcome)) => Next::Outcome(told(outcome), called.remembered),
            Ok(wit::Step::Send(_)) if step >= self.0.options.steps_max => {
                Next::Broken(format!("the plugin wants more than {step} requests"))
            }
            Ok(wit::Step::Send(exchange)) => {
                let now = self.0.clock.now_ms();
                Next::Send(Made::new(exchange, called.remembered, called.derived, now, step))
            }
        }
    }

    /// A request after the first: recorded like the first, in one commit with the reply before it.
    /// It does not leave where that commit finds the entry ended: what was cancelled meanwhile is
    /// not paid.
    async fn send_next(
        &self,
        question: &Question,
        made: &Made,
        batch: Batch,
    ) -> Result<Ending, Error> {
        let (account, operation) = (&question.account, &question.operation);
        let intent = async {
            let note = |batch: &mut Batch, operation: &mut Operation| {
                made.note(batch, operation, account);
            };
            let told = self.tell(operation, &Verdict::Sending, batch, note).await;
            let payment = told.map_err(Unsent::Because)?;
            match payment.entry(&operation.entry).map(|entry| entry.state) {
                Some(ended) if ended.is_terminal() => Err(Unsent::Ended(ended)),
                _ => Ok(()),
            }
        };
        let filling = made.filling(question);
        Ok(match self.0.egress.send(&account.gate, &filling, &made.request, intent).await {
            Ok(reply) => Ending::Answered(reply),
            Err(Failed::NoReply(error)) => Ending::NoReply(chain(&error)),
            Err(Failed::NotSent(error) | Failed::Refused(error)) => Ending::NotSent(chain(&error)),
            Err(Failed::Intent(Unsent::Ended(state))) => {
                Ending::Needless(format!("not sent: the entry was {} by then", state.name()))
            }
            Err(Failed::Intent(Unsent::Because(error))) => return Err(error),
        })
    }

    async fn end(
        &self,
        question: &Question,
        verdict: &Verdict,
        (batch, answers): (Batch, bool),
    ) -> Result<Payment, Error> {
        match answers {
            true => self.answer(&question.operation, verdict, batch).await,
            false => self.conclude(&question.operation, verdict, batch).await,
        }
    }

    /// Records the outcome.
    pub(crate) async fn conclude(
        &self,
        operation: &Operation,
        verdict: &Verdict,
        batch: Batch,
    ) -> Result<Payment, Error> {
        self.tell(operation, verdict, batch, |_, _| ()).await
    }
}

/// What it means that no answer can be had: nothing is known where money may have moved, and
/// nothing moved where none was asked for.
fn unanswered(why: String, money_asked: bool) -> Verdict {
    if money_asked { Verdict::Lost { why } } else { Verdict::NotSent { why } }
}

/// A refusal of a repeat need not be one of the operation: a provider may refuse the second try for
/// its rate or its age after the first one took the money. It is believed where it names the thing
/// that was refused.
fn of_repeat(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Declined { decline, references: None } => Verdict::Lost {
            why: format!("sent again, it was refused with {}", decline.provider_code),
        },
        verdict => verdict,
    }
}

/// A plugin's outcome of doing an operation, in the ledger's words.
pub(crate) fn told(outcome: wit::Outcome) -> Verdict {
    match translate::outcome(outcome) {
        Ok(Outcome::Told(verdict)) => verdict,
        Ok(Outcome::Absent) => {
            Verdict::Lost { why: "the plugin says `absent`, which only a sync can find".to_owned() }
        }
        Err(nonsense) => Verdict::Lost { why: nonsense.to_string() },
    }
}

/// An error and what caused it, in one line: "cannot be connected to" alone helps nobody.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let text = next.to_string();
        if !said.contains(&text) {
            said = format!("{said}: {text}");
        }
        cause = next.source();
    }
    said
}

/// A failure in words.
pub(crate) fn words(failure: &wit::Failure) -> String {
    match failure {
        wit::Failure::Unsupported(what) => format!("unsupported: {what}"),
        wit::Failure::Misconfigured(what) => format!("misconfigured: {what}"),
        wit::Failure::Invalid(what) => format!("invalid: {what}"),
        wit::Failure::Malformed(what) => format!("malformed: {what}"),
    }
}

#[cfg(test)]
mod tests;
