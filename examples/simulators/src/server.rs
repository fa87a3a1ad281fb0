//! The loopback server under every simulator: accepts, reads, lets the provider execute, waits,
//! and writes the answer, or what a fault makes of it.
//!
//! It knows no provider. A request's effect does not depend on its caller staying connected.

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::books::Books;
use crate::controls;
use crate::courier::{Courier, Delivery};
use crate::delay::{Delay, Delays};
use crate::exchange::{Answer, Asked};
use crate::faults::{Fault, FaultRule, Faults};

const BODY_LENGTH_MAX: usize = 1024 * 1024;
const HEADER_TIME_LIMIT: Duration = Duration::from_secs(30);

/// A provider: what the server asks of it.
pub(crate) trait Provider: Send + Sync + 'static {
    /// Checks the request, has its effect, and makes the answer.
    fn execute(&self, asked: &Asked) -> Answer;
    /// The answer is final, though it may yet be lost on its way.
    fn settle(&self, answer: &Answer);
    /// The provider's own way to say that it failed.
    fn broken(&self, status: StatusCode) -> Answer;
    /// A control of this provider under `/_simulator/`, if it is one.
    fn control(&self, asked: &Asked) -> Option<Answer>;
    fn books(&self) -> Books;
    fn courier(&self) -> &Arc<Courier>;
}

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
#[error("cannot start the simulator: {what}")]
pub struct StartError {
    what: String,
    #[source]
    source: Option<std::io::Error>,
}

impl StartError {
    pub(crate) fn new(what: impl Into<String>, source: Option<std::io::Error>) -> Self {
        Self { what: what.into(), source }
    }
}

/// A simulator that accepts connections until it is stopped or dropped.
pub struct Running {
    core: Arc<Core>,
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

pub(crate) struct Core {
    pub provider: Arc<dyn Provider>,
    pub faults: Faults,
    delays: Delays,
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://` and the address.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A copy of the books as they stand.
    pub fn books(&self) -> Books {
        self.core.provider.books()
    }

    /// All notifications so far and what became of them.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.core.provider.courier().deliveries()
    }

    /// Puts a fault in.
    pub fn fault(&self, rule: FaultRule) {
        self.core.faults.add(rule);
    }

    /// Keeps notifications back, or releases them.
    pub fn hold_notifications(&self, held: bool) {
        self.core.provider.courier().hold(held);
    }

    /// Sends each later notification so many times.
    pub fn copy_notifications(&self, copies: u32) {
        self.core.provider.courier().copy(copies);
    }

    /// Stops accepting, drops every connection and every delivery under way.
    pub async fn stop(mut self) {
        self.halt();
        // The only error is the cancellation just asked for.
        let _ = (&mut self.accepting).await;
    }

    fn halt(&self) {
        self.accepting.abort();
        self.core.provider.courier().stop();
    }

    pub(crate) fn start(
        listener: TcpListener,
        provider: Arc<dyn Provider>,
        delay: Delay,
    ) -> Result<Self, StartError> {
        let address = local_address(&listener)?;
        let delays = Delays::new(delay);
        let core = Arc::new(Core { provider, faults: Faults::default(), delays });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&core)));
        Ok(Self { core, address, accepting })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.halt();
    }
}

pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| StartError::new(format!("cannot listen on {address}"), Some(error)))
}

pub(crate) fn local_address(listener: &TcpListener) -> Result<SocketAddr, StartError> {
    let address = listener.local_addr();
    address.map_err(|error| StartError::new("the listening address is unknown", Some(error)))
}

async fn accept(listener: TcpListener, core: Arc<Core>) {
    // Dropped with this task, and every connection with it.
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(converse(Arc::clone(&core), stream));
            }
            // Out of descriptors, most likely: the next one may succeed.
            Err(error) => {
                tracing::warn!(%error, "cannot accept");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

/// Ends a connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("cut off on purpose")]
struct Cut;

/// Bytes to be written by hand when a connection is cut.
type Parting = Arc<Mutex<Option<Vec<u8>>>>;
type Response1 = Response<Full<Bytes>>;
type Answering = Pin<Box<dyn Future<Output = Result<Response1, Cut>> + Send>>;

async fn converse(core: Arc<Core>, stream: TcpStream) {
    let parting = Parting::default();
    let service = service_fn({
        let parting = Arc::clone(&parting);
        move |request: Request<Incoming>| -> Answering {
            Box::pin(answer(Arc::clone(&core), Arc::clone(&parting), request))
        }
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME_LIMIT)
        .serve_connection(TokioIo::new(stream), service);
    let ended = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    let mut stream = connection.into_parts().io.into_inner();
    let last = parting.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (ended, last) {
        (Err(_), None) => {
            // Dropped with a reset: what a failing network looks like from the other side.
            let _ = stream.set_zero_linger();
        }
        (_, last) => {
            // The peer may be gone, which is none of our business.
            let _ = stream.write_all(&last.unwrap_or_default()).await;
            let _ = stream.shutdown().await;
        }
    }
}

async fn answer(
    core: Arc<Core>,
    parting: Parting,
    request: Request<Incoming>,
) -> Result<Response1, Cut> {
    let Some(asked) = read(request).await else { return Err(Cut) };
    if let Some(answer) = controls::answer(&core, &asked) {
        return Ok(answer.into_response());
    }
    // A task of its own: a caller that hangs up is charged all the same.
    match tokio::spawn(process(core, asked)).await {
        Ok(Sent::Answer(answer)) => Ok(answer.into_response()),
        Ok(Sent::Bytes(bytes)) => {
            *parting.lock().unwrap_or_else(PoisonError::into_inner) = Some(bytes);
            Err(Cut)
        }
        Ok(Sent::Nothing) | Err(_) => Err(Cut),
    }
}

async fn read(request: Request<Incoming>) -> Option<Asked> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, BODY_LENGTH_MAX).collect().await.ok()?.to_bytes();
    Some(Asked {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().map(str::to_owned),
        headers: head.headers,
        body,
    })
}

/// What leaves the simulator.
enum Sent {
    Answer(Answer),
    Bytes(Vec<u8>),
    Nothing,
}

async fn process(core: Arc<Core>, asked: Asked) -> Sent {
    let fault = core.faults.take(&asked);
    match fault {
        Some(Fault::Drop) => return Sent::Nothing,
        Some(Fault::Status { status, executed: false }) => {
            return Sent::Answer(core.provider.broken(status_of(status)));
        }
        Some(Fault::Stall { ms }) => tokio::time::sleep(Duration::from_millis(ms)).await,
        _ => {}
    }
    let mut answer = core.provider.execute(&asked);
    if let Some(Fault::Status { status, .. }) = fault {
        let saves = answer.saves.take();
        answer = Answer { saves, ..core.provider.broken(status_of(status)) };
    }
    let extra = if let Some(Fault::Delay { ms }) = fault { ms } else { 0 };
    tokio::time::sleep(core.delays.draw() + Duration::from_millis(extra)).await;
    core.provider.settle(&answer);
    tracing::info!(method = %asked.method, path = asked.path, status = %answer.status, ?fault);
    spoiled(answer, fault.as_ref())
}

fn spoiled(mut answer: Answer, fault: Option<&Fault>) -> Sent {
    match fault {
        Some(Fault::Reset) => Sent::Nothing,
        Some(Fault::Garbage) => {
            answer.status = StatusCode::OK;
            answer.body = Bytes::from_static(b"<html><body>upstream \xff\xfe{");
            Sent::Answer(answer)
        }
        Some(Fault::Torn) => {
            let mut wire = answer.to_wire();
            wire.truncate(wire.len().saturating_sub(answer.body.len() / 2 + 1));
            Sent::Bytes(wire)
        }
        Some(Fault::Twice) => Sent::Bytes(answer.to_wire().repeat(2)),
        _ => Sent::Answer(answer),
    }
}

fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
