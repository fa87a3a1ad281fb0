//! One sending of one notification, and the commit that records how it ended.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use egress::{
    CardField, Failed, Fill, Gate, Header, HttpRequest, Kind, Method, Part, Reply, Request,
};
use store::{Batch, Expected};
use vault::Secret;

use super::circuit::Circuit;
use super::endpoint::{Disabled, Registered};
use super::lanes::Waiting;
use super::outbox::{Attempt, Posted, Stage};
use super::signature;
use crate::record::{self, Read};
use crate::{Engine, Error, Event};

/// Nothing of an endpoint's answer is kept but its status: more of it is not read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// What an endpoint answers that wants no more.
const GONE: u16 = 410;
/// How long to wait after a fault of this host's own, in milliseconds.
const PUT_OFF_MS: u64 = 60_000;

/// What is sent, and by whom it is watched.
pub(super) struct Errand {
    pub engine: Engine,
    /// The endpoint: its key.
    pub endpoint: Vec<u8>,
    pub waiting: Waiting,
    /// Whether it tries an endpoint that was left alone.
    pub probe: bool,
    pub circuit: Arc<Mutex<Circuit>>,
}

/// How an errand ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// It has left the outbox: taken.
    Taken,
    /// It waits for another try, or is a dead letter now.
    Failed(Option<Waiting>),
    /// Somebody else changed it: read everything again.
    Overtaken,
    /// There is no such endpoint any more, or it is disabled.
    Gone,
}

/// What an endpoint answered.
struct Answered {
    status: Option<u16>,
    /// Why it is not taken; none when it is.
    why: Option<String>,
    /// What it asks for by `Retry-After`.
    asked_ms: Option<u64>,
}

impl Errand {
    /// Sends it and records how that ended.
    pub(super) async fn run(self) -> (Errand, Ended) {
        let ended = self.ended().await.unwrap_or_else(|error| {
            tracing::error!(%error, "a notification could not be sent or recorded");
            self.put_off()
        });
        if self.probe {
            // Whatever became of it: another may try.
            self.circuit().probing = false;
        }
        (self, ended)
    }

    /// It waits for a while, as it was.
    fn put_off(&self) -> Ended {
        let due_at_ms = self.engine.0.clock.now_ms().saturating_add(PUT_OFF_MS);
        Ended::Failed(Some(Waiting { due_at_ms, ..self.waiting.clone() }))
    }

    async fn ended(&self) -> Result<Ended, Error> {
        let (store, key) = (&*self.engine.0.store, &self.waiting.key);
        let endpoint: Option<Read<Registered>> =
            record::read(store, record::ENDPOINT, &self.endpoint).await?;
        let posted: Option<Read<Posted>> = record::read(store, record::OUTBOX, key).await?;
        let endpoint = endpoint.filter(|endpoint| endpoint.value.disabled.is_none());
        let Some(endpoint) = endpoint else { return Ok(Ended::Gone) };
        let posted = posted.filter(|posted| posted.version == self.waiting.version);
        let Some(posted) = posted else { return Ok(Ended::Overtaken) };
        let Read { value: endpoint, version } = endpoint;
        let event_key = posted.value.event_key(endpoint.app.as_str(), key);
        let event: Option<Read<Event>> = record::read(store, record::EVENT, &event_key).await?;
        let began_ms = self.engine.0.clock.now_ms();
        let answered = match event {
            Some(event) => self.send(&endpoint, &event.value).await,
            None => Some(Answered::not("its event is not in the store".to_owned())),
        };
        let Some(answered) = answered else { return Ok(self.put_off()) };
        let now = self.engine.0.clock.now_ms();
        let attempt = Attempt {
            at_ms: now,
            took_ms: now.saturating_sub(began_ms),
            status: answered.status,
            why: answered.why.clone(),
        };
        match answered.status {
            Some(GONE) => self.disable((endpoint, version), posted.value, attempt).await,
            _ => self.record(posted.value, attempt, answered.asked_ms).await,
        }
    }

    /// The endpoint wants no more (Standard Webhooks, "operational considerations"): it is disabled
    /// with the attempt that said so. What waits is kept, this notification too.
    async fn disable(
        &self,
        (mut endpoint, version): (Registered, u64),
        mut posted: Posted,
        attempt: Attempt,
    ) -> Result<Ended, Error> {
        let why = "it answered 410 Gone".to_owned();
        let mut batch = self.engine.finishing();
        let (key, row) = (self.endpoint.clone(), self.waiting.key.clone());
        batch.expect(record::ENDPOINT, key.clone(), Expected::Version(version));
        batch.expect(record::OUTBOX, row.clone(), Expected::Version(self.waiting.version));
        endpoint.disabled = Some(Disabled { at_ms: attempt.at_ms, why: why.clone() });
        posted.attempts = posted.attempts.saturating_add(1);
        posted.last = Some(attempt);
        batch.put(record::ENDPOINT, key, record::encode(&endpoint));
        batch.put(record::OUTBOX, row, record::encode(&posted));
        match self.engine.0.store.commit(batch).await {
            Ok(_) => {}
            Err(error) if error.is_conflict() => return Ok(Ended::Overtaken),
            Err(error) => return Err(error.into()),
        }
        let (id, app) = (&endpoint.id, &endpoint.app);
        tracing::warn!(endpoint = %id, %app, why, "an endpoint is disabled");
        self.engine.note_act("disableEndpoint", endpoint.id.to_string(), &why).await;
        Ok(Ended::Gone)
    }

    /// Sends it; nothing when this host cannot sign it, which is no try of the endpoint.
    async fn send(&self, endpoint: &Registered, event: &Event) -> Option<Answered> {
        let notifying = &self.engine.0.notifying;
        let body = (notifying.render)(event);
        let (id, now) = (event.id.as_str(), self.engine.0.clock.now_ms());
        let signed = signature::headers(&self.engine.0.at_rest, endpoint, id, now, &body);
        let signed = match signed {
            Ok(signed) => signed,
            Err(why) => {
                tracing::error!(endpoint = %endpoint.id, why, "a notification cannot be signed");
                return None;
            }
        };
        let host = match notifying.outside.host(&endpoint.url) {
            Ok(host) => host,
            Err(error) => return Some(Answered::not(error.what)),
        };
        let gate = Gate {
            hosts: vec![host],
            timeouts: notifying.options.timeouts,
            response_bytes_max: ANSWER_BYTES_MAX,
            ..Gate::default()
        };
        // The row of the outbox is durable already: it is the intent.
        let intent = async { Ok::<(), Infallible>(()) };
        let request = request(endpoint, signed, body);
        Some(match notifying.egress.send(&gate, &Nothing, &request, intent).await {
            Ok(reply) => Answered::of(&reply),
            Err(failed) => Answered::not(unanswered(&failed)),
        })
    }

    /// Records how it ended. The circuit is changed first and whether or not the commit succeeds:
    /// how the endpoint answered is true either way.
    async fn record(
        &self,
        mut posted: Posted,
        attempt: Attempt,
        asked_ms: Option<u64>,
    ) -> Result<Ended, Error> {
        let now = attempt.at_ms;
        let mut batch = self.engine.finishing();
        let key = &self.waiting.key;
        batch.expect(record::OUTBOX, key.clone(), Expected::Version(self.waiting.version));
        self.note_circuit(&mut batch, &attempt);
        posted.attempts = posted.attempts.saturating_add(1);
        let why = attempt.why.clone();
        posted.last = Some(attempt);
        let Some(why) = why else {
            let written = self.conclude(batch, &posted, Stage::Delivered).await?;
            return Ok(if written { Ended::Taken } else { Ended::Overtaken });
        };
        tracing::info!(event = %posted.event, why, attempts = posted.attempts, "not taken");
        let schedule = &self.engine.0.notifying.options.schedule;
        let chance = u64::from_be_bytes(self.engine.random());
        let Some(due) = schedule.next(posted.attempts, now, asked_ms, chance) else {
            posted.given_up = Some(format!("{} attempts failed; the last: {why}", posted.attempts));
            let written = self.conclude(batch, &posted, Stage::Dead).await?;
            return Ok(if written { Ended::Failed(None) } else { Ended::Overtaken });
        };
        posted.due_at_ms = due;
        batch.put(record::OUTBOX, key.clone(), record::encode(&posted));
        match self.engine.0.store.commit(batch).await {
            Ok(receipt) => {
                let waiting = self.waiting.clone();
                let version = receipt.sequence;
                Ok(Ended::Failed(Some(Waiting { due_at_ms: due, version, ..waiting })))
            }
            Err(error) if error.is_conflict() => Ok(Ended::Overtaken),
            Err(error) => Err(error.into()),
        }
    }

    /// Moves it out of the outbox; false when somebody else changed it meanwhile.
    async fn conclude(&self, batch: Batch, posted: &Posted, to: Stage) -> Result<bool, Error> {
        let mut batch = batch;
        batch.remove(record::OUTBOX, self.waiting.key.clone());
        batch.put(to.space(), self.waiting.key.clone(), record::encode(posted));
        match self.engine.0.store.commit(batch).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_conflict() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Tells the circuit, and writes it down where it is not as it was.
    fn note_circuit(&self, batch: &mut Batch, attempt: &Attempt) {
        let mut circuit = self.circuit();
        let before = circuit.clone();
        circuit.took(attempt.at_ms, attempt.took_ms);
        match &attempt.why {
            None => circuit.taken(),
            Some(why) => {
                let fuse = self.engine.0.notifying.options.fuse();
                circuit.failed(attempt.at_ms, why, self.probe, &fuse);
            }
        }
        match (*circuit == before, *circuit == Circuit::default()) {
            (true, _) => {}
            (false, true) => drop(batch.remove(record::CIRCUIT, self.endpoint.clone())),
            (false, false) => {
                batch.put(record::CIRCUIT, self.endpoint.clone(), record::encode(&*circuit));
            }
        }
    }

    fn circuit(&self) -> std::sync::MutexGuard<'_, Circuit> {
        // A circuit is whole between any two of its changes.
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answered {
    fn of(reply: &Reply) -> Answered {
        let Reply::Http { status, headers, .. } = reply else {
            return Answered::not("no answer of HTTP".to_owned());
        };
        let taken = (200..300).contains(status);
        let why = match status {
            _ if taken => None,
            300..400 => Some(format!("answered {status}; redirects are not followed")),
            _ => Some(format!("answered {status}")),
        };
        let after = headers.iter().find(|(name, _)| name == "retry-after");
        let asked = after.and_then(|(_, value)| value.trim().parse::<u64>().ok());
        Answered { status: Some(*status), why, asked_ms: asked.map(|s| s.saturating_mul(1000)) }
    }

    fn not(why: String) -> Answered {
        Answered { status: None, why: Some(why), asked_ms: None }
    }
}

fn request(endpoint: &Registered, signed: [(&str, String); 3], body: Vec<u8>) -> Request {
    let header = |name: &str, value: String| Header {
        name: name.to_owned(),
        value: vec![Part::Text(value)],
    };
    let mut headers = vec![header("content-type", "application/json".to_owned())];
    headers.extend(signed.map(|(name, value)| header(name, value)));
    let (method, url) = (Method::Post, endpoint.url.clone());
    Request::Http(HttpRequest { method, url, headers, body: vec![Part::Bytes(body)] })
}

/// Why there is no answer, for the app. Where a name leads is the operator's to know, and stands in
/// the log alone: else an app could ask this host about the operator's own network.
fn unanswered(failed: &Failed<Infallible>) -> String {
    let kind = match failed {
        Failed::Refused(error) | Failed::NotSent(error) | Failed::NoReply(error) => error.kind,
        Failed::Intent(never) => match *never {},
    };
    match kind {
        Kind::AddressRefused | Kind::Resolve => {
            tracing::warn!(error = chain(failed), "an endpoint was not connected to");
            "its host cannot be resolved, or is not on the public Internet".to_owned()
        }
        _ => chain(failed),
    }
}

/// An error and what caused it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
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

/// A notification has no sensitive parts: it is signed before it gets to egress.
struct Nothing;

impl Fill for Nothing {
    fn secret(&self, _: &str) -> Option<&Secret> {
        None
    }

    fn card(&self, _: CardField) -> Option<&Secret> {
        None
    }

    fn derived(&self, _: u32) -> Option<&Secret> {
        None
    }
}
