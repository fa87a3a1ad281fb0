//! The provider's adapter, in Rust: what a plugin would be. It follows the contract's manual (an
//! answer about another entry is none; a server error is `unknown`), and now and then it breaks.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use engine::{Calling, Plugin};
use sandbox::contract::{
    Action, Decline, DeclineCode, Delivery, Description, Event, Exchange, Failure, Header,
    HttpRequest, HttpResponse, KeyKind, KeySlot, MacAlgorithm, Method, Money, NextAction,
    Operation, OperationKind, Order, Outcome, Part, Proof, Recovery, References, Reply, Reports,
    Request, RetryAdvice, Scheme, Settled, Step,
};
use sandbox::{Called, Fault, Kind, Surroundings};
use serde_json::{Value, json};

use crate::net::Server;
use crate::provider::ACCOUNTS;
use crate::world::World;

/// States after the request that moves money, and after the one that looks at what it did.
const ASKED: &[u8] = b"asked";
const LOOKED: &[u8] = b"looked";

/// The adapter of one account.
pub struct Adapter {
    world: Arc<World>,
    account: usize,
    description: Description,
}

impl Adapter {
    pub fn new(world: Arc<World>, account: usize) -> Adapter {
        let offers = ACCOUNTS[account];
        let slot = KeySlot {
            name: "webhook".to_owned(),
            kind: KeyKind::Symmetric,
            required: true,
            help: String::new(),
        };
        let description = Description {
            name: offers.name.to_owned(),
            version: "1".to_owned(),
            operations: vec![
                OperationKind::Authorize,
                OperationKind::Capture,
                OperationKind::Cancel,
                OperationKind::Refund,
                OperationKind::Payout,
            ],
            methods: vec!["token".to_owned()],
            currencies: vec!["EUR".to_owned()],
            hosts: Vec::new(),
            settings: Vec::new(),
            keys: vec![slot],
            secrets: Vec::new(),
            legacy: Vec::new(),
            recovery: Recovery {
                idempotent_seconds: offers.idempotent_ms.map(|ms| (ms / 1000) as u32),
                query: offers.query,
                close: false,
            },
            reports: Reports { fetched: false, read: false, operations: Vec::new() },
        };
        Adapter { world, account, description }
    }

    fn called<T: Send + 'static>(
        &self,
        export: &'static str,
        permille: u64,
        answer: T,
    ) -> Calling<'_, T> {
        if self.world.state().fault("plugin breaks", permille) {
            let fault = Fault {
                plugin: ACCOUNTS[self.account].name.into(),
                export,
                what: "it broke".into(),
                kind: Kind::Deadline,
                log: Box::default(),
                trace: Box::default(),
                elapsed: Duration::ZERO,
            };
            return Box::pin(ready(Err(fault)));
        }
        let (remembered, derived) = (Vec::new(), Vec::new());
        let elapsed = Duration::ZERO;
        Box::pin(ready(Ok(Called { answer, remembered, derived, elapsed })))
    }

    fn request(&self, method: Method, path: &str, body: Option<(&str, Value)>) -> Exchange {
        let header = |name: &str, value: &str| Header {
            name: name.to_owned(),
            value: vec![Part::Text(value.to_owned())],
        };
        let mut headers = vec![header("content-type", "application/json")];
        let host = Server::Provider(self.account).host();
        headers.extend(body.as_ref().map(|(key, _)| header("idempotency-key", key)));
        Exchange {
            moves_money: body.is_some(),
            state: Vec::new(),
            request: Request::Http(HttpRequest {
                method,
                url: format!("http://{host}{path}"),
                headers,
                body: body.into_iter().map(|(_, body)| Part::Text(body.to_string())).collect(),
            }),
        }
    }

    /// The request that moves money.
    fn order(&self, kind: OperationKind, order: &Order) -> Result<Step, Failure> {
        let mut entries = order.payment.entries.iter();
        let root = entries.find(|entry| entry.kind == OperationKind::Authorize);
        let of = root.and_then(|root| root.references.as_ref());
        if matches!(kind, OperationKind::Capture | OperationKind::Refund) && of.is_none() {
            return Err(Failure::Invalid("there is nothing to act on".to_owned()));
        }
        let body = json!({
            "entry": order.entry.id,
            "kind": word(kind),
            "minor": order.entry.amount.minor,
            "currency": order.entry.amount.currency,
            "capture": order.entry.capture,
            "of": of.map(|of| &of.provider),
            "of-entry": root.map(|root| &root.id),
        });
        let path = format!("/{}", word(kind));
        let made = self.request(Method::Post, &path, Some((&order.entry.id, body)));
        Ok(Step::Send(Exchange { state: ASKED.to_vec(), ..made }))
    }

    fn begin(&self, operation: &Operation) -> Result<Step, Failure> {
        let (kind, order) = match operation {
            Operation::Sync(order) => {
                return Ok(Step::Send(self.look(order)));
            }
            other => parts(other),
        };
        // Some it knows to be refused, without asking.
        if order.entry.amount.minor % 29 == 0 {
            return Ok(Step::Done(declined("not in these amounts", None)));
        }
        // A third of the payments take a token first, by a request that moves nothing.
        if kind == OperationKind::Authorize && order.entry.amount.minor % 3 == 0 {
            return Ok(Step::Send(self.request(Method::Get, "/token", None)));
        }
        self.order(kind, order)
    }

    fn go_on(&self, operation: &Operation, state: &[u8], reply: &Reply) -> Result<Step, Failure> {
        let Reply::Http(reply) = reply else {
            return Err(Failure::Malformed("no HTTP".to_owned()));
        };
        if reply.status >= 500 {
            return Ok(Step::Done(Outcome::Unknown("server error".to_owned())));
        }
        let told: Value = serde_json::from_slice(&reply.body)
            .map_err(|wrong| Failure::Malformed(wrong.to_string()))?;
        // An answer that came twice on a kept connection looks like that to the next request.
        let about = &parts(operation).1.entry.id;
        if reply.status >= 400 && told["entry"] != about.as_str() {
            let why = "the refusal is about something else".to_owned();
            return Ok(Step::Done(Outcome::Unknown(why)));
        }
        match operation {
            Operation::Sync(_) if reply.status == 404 => Ok(Step::Done(Outcome::Absent)),
            _ if reply.status >= 400 && state == LOOKED => {
                Ok(Step::Done(Outcome::Unknown("it is not to be seen yet".to_owned())))
            }
            // Nothing was done: the provider's own manual says so.
            _ if reply.status >= 400 => Ok(Step::Done(declined(&reply.status.to_string(), None))),
            Operation::Sync(order) => Ok(Step::Done(outcome(&order.entry.id, &told))),
            other if state.is_empty() => {
                let (kind, order) = parts(other);
                match told["token"].as_str() {
                    Some(_) => self.order(kind, order),
                    None => Err(Failure::Malformed("no token".to_owned())),
                }
            }
            // A quarter of all is looked at once more, by a request that moves nothing.
            other if state == ASKED && parts(other).1.entry.amount.minor.is_multiple_of(4) => {
                Ok(Step::Send(Exchange { state: LOOKED.to_vec(), ..self.look(parts(other).1) }))
            }
            other => Ok(Step::Done(outcome(&parts(other).1.entry.id, &told))),
        }
    }

    /// Asks what became of an entry.
    fn look(&self, order: &Order) -> Exchange {
        self.request(Method::Get, &format!("/entries/{}", order.entry.id), None)
    }
}

fn parts(operation: &Operation) -> (OperationKind, &Order) {
    match operation {
        Operation::Authorize(order) => (OperationKind::Authorize, order),
        Operation::Capture(order) => (OperationKind::Capture, order),
        Operation::Cancel(order) => (OperationKind::Cancel, order),
        Operation::Refund(order) => (OperationKind::Refund, order),
        Operation::Payout(order) => (OperationKind::Payout, order),
        Operation::Sync(order) => (OperationKind::Sync, order),
    }
}

fn word(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Authorize => "authorize",
        OperationKind::Capture => "capture",
        OperationKind::Cancel => "cancel",
        OperationKind::Refund => "refund",
        OperationKind::Payout => "payout",
        OperationKind::Sync => "sync",
    }
}

fn kind_of(word: &str) -> OperationKind {
    match word {
        "authorize" => OperationKind::Authorize,
        "capture" => OperationKind::Capture,
        "cancel" => OperationKind::Cancel,
        "refund" => OperationKind::Refund,
        _ => OperationKind::Payout,
    }
}

/// What an answer says about this entry.
fn outcome(entry: &str, told: &Value) -> Outcome {
    if told["entry"] != entry {
        return Outcome::Unknown("the answer is about something else".to_owned());
    }
    standing(told)
}

fn standing(told: &Value) -> Outcome {
    let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
    let references = References { provider: text("reference"), secondary: None };
    match told["state"].as_str() {
        Some("done") => {
            let minor = told["minor"].as_u64().unwrap_or_default();
            Outcome::Succeeded(Settled {
                references,
                amount: Money { minor, currency: text("currency") },
            })
        }
        Some("pending") => Outcome::Pending(references),
        Some("needs-action") => {
            let next = NextAction::Redirect("https://provider.test/act".to_owned());
            Outcome::NeedsAction(Action { references, next })
        }
        Some("closed") => Outcome::Expired(references),
        Some("refused") => declined("no", Some(references)),
        _ => Outcome::Unknown("the answer says nothing".to_owned()),
    }
}

fn declined(code: &str, references: Option<References>) -> Outcome {
    Outcome::Declined(Decline {
        code: DeclineCode::Generic,
        retry: RetryAdvice::Never,
        provider_code: code.to_owned(),
        provider_message: String::new(),
        references,
    })
}

fn proof(delivery: &Delivery) -> Result<Proof, Failure> {
    let signature = delivery.headers.iter().find(|(name, _)| name == "x-signature");
    let fields = signature.and_then(|(_, value)| value.strip_prefix("t=")?.split_once(",v1="));
    let at = fields.and_then(|(at, _)| at.parse::<u64>().ok());
    let message = [at.unwrap_or_default().to_string().as_bytes(), b".", &delivery.body].concat();
    Ok(Proof {
        slot: "webhook".to_owned(),
        key_id: None,
        scheme: Scheme::Mac(MacAlgorithm::HmacSha256),
        message,
        evidence: fields.into_iter().filter_map(|(_, tag)| hex::decode(tag).ok()).collect(),
        signed_at: at,
    })
}

fn events(delivery: &Delivery) -> Result<Vec<Event>, Failure> {
    let told: Value = serde_json::from_slice(&delivery.body)
        .map_err(|wrong| Failure::Malformed(wrong.to_string()))?;
    let text = |name: &str| told[name].as_str().map(str::to_owned);
    Ok(vec![Event {
        id: text("id").unwrap_or_default(),
        kind: kind_of(&text("kind").unwrap_or_default()),
        entry: text("entry"),
        merchant_reference: None,
        references: text("reference").map(|provider| References { provider, secondary: None }),
        outcome: standing(&told),
    }])
}

impl Plugin for Adapter {
    fn description(&self) -> &Description {
        &self.description
    }

    fn identity(&self) -> String {
        "in Rust".to_owned()
    }

    fn start(&self, _: Surroundings, operation: Operation) -> Calling<'_, Result<Step, Failure>> {
        self.called("start", 5, self.begin(&operation))
    }

    fn resume(
        &self,
        _: Surroundings,
        operation: Operation,
        state: Vec<u8>,
        reply: Reply,
    ) -> Calling<'_, Result<Step, Failure>> {
        self.called("resume", 10, self.go_on(&operation, &state, &reply))
    }

    fn prove(&self, _: Surroundings, delivery: Delivery) -> Calling<'_, Result<Proof, Failure>> {
        self.called("prove", 5, proof(&delivery))
    }

    fn interpret(
        &self,
        _: Surroundings,
        delivery: Delivery,
    ) -> Calling<'_, Result<Vec<Event>, Failure>> {
        self.called("interpret", 5, events(&delivery))
    }

    fn acknowledge(&self, accepted: bool) -> Calling<'_, HttpResponse> {
        let status = if accepted { 200 } else { 400 };
        self.called(
            "acknowledge",
            3,
            HttpResponse { status, headers: Vec::new(), body: Vec::new() },
        )
    }
}
