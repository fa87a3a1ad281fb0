//! One request's way through the edge: head, route, who asks, body, operation, answer, a log line.
//!
//! An operation that has begun goes on when its client goes away or its deadline passes: money may
//! be moving, and its outcome has to be recorded whoever still listens.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use engine::audit::{Act, Actor};
use engine::{Ask, Sender};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response};
use hyper::body::{Body, Incoming};
use ledger::Id;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tracing::Instrument;

use crate::admin::{AdminAccess, is_forwarded};
use crate::admission::Admission;
use crate::answer::Answer;
use crate::attest::Exchange;
use crate::catalogue::{DEADLINE_PASSED, INTERNAL, NETWORK_REFUSED, NOTHING_HERE};
use crate::contract::Payments;
use crate::load::{Hold, Load};
use crate::outgoing::Outgoing;
use crate::platform::Platform;
use crate::problem::{Place, Problem};
use crate::proof::Asked;
use crate::route::{Call, Intake, Reply, Route, Visit};
use crate::server::Options;
use crate::shape::{Faults, Field};
use crate::streams::Streams;
use crate::{auth, cards, head, query, router, stray};

mod taking;

use taking::Taken;
pub(crate) use taking::checked_fields;

/// What all connections share.
pub(crate) struct Edge {
    pub(crate) payments: Arc<dyn Payments>,
    pub(crate) load: Arc<Load>,
    streams: Arc<Streams>,
    platform: Arc<Platform>,
    listen: SocketAddr,
    admission: Admission,
    admin: Option<AdminAccess>,
    ids: RequestIds,
    /// Held by every operation that has begun; the server waits until none is left.
    begun: mpsc::Sender<()>,
}

impl Edge {
    pub(crate) fn new(
        payments: Arc<dyn Payments>,
        options: Options,
        (begun, stop): (mpsc::Sender<()>, watch::Receiver<bool>),
    ) -> Edge {
        let Options { listen, limits, proxies, admin, platform } = options;
        let (admission, ids) = (Admission::new(proxies), RequestIds::new());
        let streams = Streams::new(&limits, stop);
        let load = Load::new(limits);
        let platform = Arc::new(platform);
        Edge { payments, load, streams, platform, listen, admission, admin, ids, begun }
    }

    /// Whether this is the address of a proxy before this host.
    pub(crate) fn is_proxy(&self, address: IpAddr) -> bool {
        self.admission.is_proxy(address)
    }

    pub(crate) fn request_id(&self) -> String {
        self.ids.next()
    }

    /// Answers one request. Sets `cut_short` when its body was not read to the end.
    pub(crate) async fn answer(
        &self,
        request: Request<Incoming>,
        peer: IpAddr,
        cut_short: &AtomicBool,
    ) -> Response<Outgoing> {
        let mut line = Line::begin(request.method(), self.request_id());
        let span = tracing::debug_span!("request", id = line.id);
        let whole = request.body().is_end_stream();
        let hold = Hold::default();
        let mut passage =
            Passage { edge: self, line: &mut line, peer, whole, exchange: None, hold };
        let chunked = request.headers().contains_key("transfer-encoding");
        let deadline = self.load.limits.answer_timeout;
        let answered = timeout(deadline, passage.pass(request).instrument(span)).await;
        let (whole, exchange) = (passage.whole, passage.exchange.take());
        let mut answer = match answered {
            Ok(Ok(answer)) => answer,
            Ok(Err(problem)) => problem.answer(),
            Err(_) => Problem::new(&DEADLINE_PASSED, DEADLINE_PASSED.cause).answer(),
        };
        if let Some(exchange) = exchange {
            answer = exchange.attest(answer, &self.platform);
        }
        // RFC 9112, section 6.1: after a request with both framings a connection is not used again.
        // hyper drops the length of such a request, so every chunked request counts as one.
        if !whole || chunked {
            answer.set("connection", HeaderValue::from_static("close"));
        }
        cut_short.fetch_or(!whole || chunked, Ordering::Relaxed);
        line.end(&answer);
        answer.into_response(&line.id)
    }
}

/// One request on its way.
struct Passage<'a> {
    edge: &'a Edge,
    line: &'a mut Line,
    /// Who holds the connection.
    peer: IpAddr,
    /// Whether the body was read to its end.
    whole: bool,
    /// What an answer to an app proves itself to belong to.
    exchange: Option<Exchange>,
    /// What it takes of the host's room.
    hold: Hold,
}

/// The prefix of everything that apps ask.
const OF_APPS: &str = "/v1/";

impl Passage<'_> {
    async fn pass(&mut self, request: Request<Incoming>) -> Result<Answer, Problem> {
        let (parts, body) = request.into_parts();
        head::check(&parts, &self.edge.load.limits)?;
        if parts.uri.path().starts_with(OF_APPS) {
            let (authority, _) = self.edge.platform.authority(&parts.headers, self.edge.listen);
            self.exchange = Some(Exchange::of(&parts, authority));
        }
        let (route, path) = router::find(&parts.method, parts.uri.path())?;
        self.line.route = route.path;
        stray::check_head(route, &parts, &path)?;
        let class = route.class();
        if let Some(class) = class {
            self.edge.load.places.expect_one(class)?;
        }
        let sender = self.sender(route, &parts).await?;
        let app = sender.as_ref().map(|sender| sender.app.id.clone());
        // Who is known may take a place while the body comes; of anybody else it comes first.
        if !matches!(route.call, Call::Open(_)) {
            self.hold.place = self.edge.load.place(class, app.as_ref())?;
        }
        let query = checked_query(route, &parts)?;
        let key = match route.call {
            Call::Ask(_) => Some(head::idempotency_key(&parts.headers)?),
            Call::Open(_) | Call::App(_) | Call::Admin(_) => None,
        };
        cards::only_encrypted(route, &parts.headers)?;
        let Taken { sent, raw, json, encrypted } =
            self.take_in(route, &parts, body, sender.as_ref()).await?;
        if self.hold.place.is_none() {
            self.hold.place = self.edge.load.place(class, None)?;
        }
        if route.is_audited() {
            let object = object(route, &path, key.as_deref(), &json);
            let about = (object, digest(&parts, &sent));
            let act = audited(route, &self.line.id, sender.as_ref(), about);
            self.edge.payments.audit(act).await?;
        }
        let ask = key.zip(sender.as_ref()).map(|(idempotency_key, sender)| Ask {
            app: sender.app.id.clone(),
            key: sender.key.clone(),
            idempotency_key,
            digest: digest(&parts, &raw),
        });
        let (payments, streams) = (self.edge.payments.clone(), self.edge.streams.clone());
        let platform = self.edge.platform.clone();
        let load = self.edge.load.clone();
        let visit = Visit {
            payments,
            streams,
            platform,
            sender,
            path,
            query,
            json,
            parts,
            raw,
            encrypted,
            load,
        };
        self.operate(call(route, visit, app, ask)?).await
    }

    /// Who sent it, where that has to be known, and only if they may.
    async fn sender(&mut self, route: &Route, parts: &Parts) -> Result<Option<Sender>, Problem> {
        let admission = &self.edge.admission;
        let origin = admission.origin(self.peer, &parts.headers);
        let proven = match route.call {
            Call::Open(_) => return Ok(None),
            Call::Admin(_) => self.admin(origin, parts).map(|()| None),
            Call::App(_) | Call::Ask(_) => self.prove(route, parts).await.map(Some),
        };
        if proven.as_ref().is_err_and(|problem| problem.code.status == 401) {
            admission.slow_down(origin).await?;
        }
        let sender = proven?;
        if let Some(sender) = &sender {
            self.line.app = Some(sender.app.id.clone());
            admission.admit(sender, route, (origin, &parts.headers), !self.whole)?;
        }
        Ok(sender)
    }

    async fn prove(&mut self, route: &Route, parts: &Parts) -> Result<Sender, Problem> {
        let (payments, platform) = (self.edge.payments.as_ref(), &self.edge.platform);
        let (authority, own) = platform.authority(&parts.headers, self.edge.listen);
        let authority = Some(&authority).filter(|_| own);
        let asked = Asked { route, parts, authority, has_body: !self.whole };
        let (sender, label) = auth::prove(payments, platform, &asked).await?;
        if let Some(exchange) = &mut self.exchange {
            exchange.label = label;
        }
        Ok(sender)
    }

    /// Whether the operator asks. Somebody between us who is no proxy of ours, or a proxy that does
    /// not say for whom it asks, hides who asks.
    fn admin(&self, origin: IpAddr, parts: &Parts) -> Result<(), Problem> {
        let Some(access) = &self.edge.admin else {
            return Err(Problem::new(&NOTHING_HERE, "the admin interface is not configured"));
        };
        let by_proxy = is_forwarded(&parts.headers) || self.edge.admission.is_proxy(self.peer);
        if by_proxy && origin == self.peer.to_canonical() {
            let detail = "the request was forwarded, and no proxy of [server] says for whom";
            return Err(Problem::new(&NETWORK_REFUSED, detail));
        }
        access.check_origin(origin)?;
        access.check_token(&parts.headers)
    }

    async fn operate(&mut self, reply: Reply) -> Result<Answer, Problem> {
        let held = (self.edge.begun.clone(), std::mem::take(&mut self.hold));
        let operation = async move {
            let _held = held;
            reply.await
        };
        let ended = tokio::spawn(operation.in_current_span()).await;
        ended.unwrap_or_else(|error| {
            // The error's own text holds that of the panic, and so whatever it was about.
            tracing::error!(panicked = error.is_panic(), "an operation broke off");
            Err(Problem::new(&INTERNAL, INTERNAL.cause))
        })
    }
}

fn call(route: &Route, visit: Visit, app: Option<Id>, ask: Option<Ask>) -> Result<Reply, Problem> {
    match (&route.call, app, ask) {
        (Call::Open(call) | Call::Admin(call), _, _) => Ok(call(visit)),
        (Call::App(call), Some(app), _) => Ok(call(visit, app)),
        (Call::Ask(call), _, Some(ask)) => Ok(call(visit, ask)),
        // Both were made above for every route that needs them.
        (Call::App(_) | Call::Ask(_), _, _) => Err(Problem::new(&INTERNAL, INTERNAL.cause)),
    }
}

/// What an audit line is about: what the path names, or the idempotency key under which what is
/// made can be found, or the name of what is made.
fn object(route: &Route, path: &[String], key: Option<&str>, json: &Value) -> String {
    match (path, key) {
        ([_, ..], _) => {
            let named = path.iter().zip(route.parameters);
            named.map(|(text, field)| names(field, text)).collect::<Vec<_>>().join("/")
        }
        ([], Some(key)) => key.to_owned(),
        ([], None) => json.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
    }
}

/// What the path names; nothing of a text that can be no name there, since it may be anything.
fn names<'a>(field: &Field, text: &'a str) -> &'a str {
    let mut faults = Faults::of(Place::Body);
    field.shape.check(&Value::from(text), "", &mut faults);
    if faults.into_list().is_empty() { text } else { "-" }
}

/// What the audit trail says of a request; the digest is that of the request as it came.
fn audited(
    route: &Route,
    request: &str,
    sender: Option<&Sender>,
    (object, digest): (String, [u8; 32]),
) -> Act {
    let actor = sender.map_or(Actor::Admin, |sender| Actor::App(sender.app.id.to_string()));
    Act {
        actor,
        key: sender.map(|sender| sender.key.clone()),
        action: route.id.to_owned(),
        object,
        request: Some(request.to_owned()),
        digest,
    }
}

fn checked_query(route: &Route, parts: &Parts) -> Result<Map<String, Value>, Problem> {
    match (route.intake, parts.uri.query()) {
        (Intake::Raw, _) => Ok(Map::new()),
        (_, text) => query::read(text.unwrap_or_default(), route.query),
    }
}

/// SHA-256 over method, path and body, with a byte between that neither of the first two holds.
fn digest(parts: &Parts, raw: &[u8]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in [parts.method.as_str().as_bytes(), parts.uri.path().as_bytes()] {
        digest.update(part);
        digest.update(b"\n");
    }
    digest.update(raw);
    digest.finalize().into()
}

/// Names of requests: unique to this process by a random part, to the request by a count.
struct RequestIds {
    process: u64,
    count: AtomicU64,
}

impl RequestIds {
    fn new() -> RequestIds {
        use std::hash::{BuildHasher, Hasher, RandomState};
        RequestIds { process: RandomState::new().build_hasher().finish(), count: AtomicU64::new(1) }
    }

    fn next(&self) -> String {
        format!("req_{:016x}{:08x}", self.process, self.count.fetch_add(1, Ordering::Relaxed))
    }
}

/// The log line of a request: written once, also when its client went away.
struct Line {
    id: String,
    method: Method,
    route: &'static str,
    app: Option<Id>,
    since: Instant,
    /// 0 until answered.
    status: u16,
    code: &'static str,
}

impl Line {
    fn begin(method: &Method, id: String) -> Line {
        Line {
            id,
            method: method.clone(),
            route: "-",
            app: None,
            since: Instant::now(),
            status: 0,
            code: "abandoned",
        }
    }

    fn end(&mut self, answer: &Answer) {
        self.status = answer.status.as_u16();
        self.code = answer.code.unwrap_or("-");
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        tracing::info!(
            target: "api",
            method = %self.method,
            route = self.route,
            status = self.status,
            code = self.code,
            us = u64::try_from(self.since.elapsed().as_micros()).unwrap_or(u64::MAX),
            request = self.id,
            app = self.app.as_ref().map(Id::as_str),
            "answered"
        );
    }
}
