//! One HTTP/1.1 connection and one exchange at a time on it (RFC 9112). The protocol runs inside
//! the exchange and not in a task of its own: when the exchange ends, nothing is left that could
//! still write.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, timeout_at};

use crate::clock::Deadlines;
use crate::connect::{Heard, Probe, Stream};
use crate::dial::Dialled;
use crate::error::{Error, Kind};
use crate::reply::Reply;
use crate::wire::Meter;

/// The head of an answer may measure this much at most, whatever the account takes in all.
const HEAD_BYTES_MAX: usize = 64 * 1024;

type Protocol = http1::Connection<TokioIo<Box<dyn Stream>>, Full<Bytes>>;

/// An open connection, either idle or within [`Connection::exchange`].
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    /// Gone once the connection is over.
    protocol: Option<Pin<Box<Protocol>>>,
    meter: Meter,
    probe: Box<dyn Probe>,
    /// An answer has come on it.
    used: bool,
    /// Since when it is open.
    pub(crate) opened: Instant,
}

/// What bounds one exchange.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) deadlines: Deadlines,
    pub(crate) response_bytes_max: usize,
}

/// An exchange that gave no answer.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) error: Error,
    /// Whether a byte of the request may have left.
    pub(crate) left: bool,
}

impl Connection {
    pub(crate) async fn new(dialled: Dialled) -> Result<Connection, Error> {
        let Dialled { stream, meter, probe } = dialled;
        let (sender, protocol) = http1::Builder::new()
            .max_buf_size(HEAD_BYTES_MAX)
            .writev(true)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|source| Error::from_source(Kind::Connect, "no HTTP", source))?;
        let protocol = Some(Box::pin(protocol));
        Ok(Connection { sender, protocol, meter, probe, used: false, opened: Instant::now() })
    }

    /// Whether a request can be sent: the other side has neither closed nor said anything. The
    /// kernel is asked itself, since the reactor may not have looked yet.
    pub(crate) fn is_idle(&mut self) -> bool {
        let quiet = match self.probe.heard() {
            Heard::Nothing => true,
            Heard::End => false,
            // TLS 1.3 sends session tickets behind the handshake: they come before any answer.
            Heard::Bytes => !self.used,
        };
        step(&mut self.protocol, &mut Context::from_waker(Waker::noop()));
        quiet && self.protocol.is_some() && self.sender.is_ready()
    }

    /// Sends `request` and collects its answer. After an error the connection is of no more use.
    pub(crate) async fn exchange(
        &mut self,
        request: http::Request<Full<Bytes>>,
        bounds: Bounds,
    ) -> Result<Reply, Broken> {
        if !self.is_idle() {
            let error = Error::new(Kind::Broken, "the connection was closed before it was used");
            return Err(Broken { error, left: false });
        }
        let before = self.meter.read();
        let answer = beside(&mut self.protocol, converse(&mut self.sender, request, bounds)).await;
        self.used = true;
        answer.map_err(|error| {
            self.protocol = None;
            Broken { error, left: self.meter.read() != before }
        })
    }
}

/// Runs the protocol as far as it goes now, and lets go of it once it is over.
fn step(protocol: &mut Option<Pin<Box<Protocol>>>, context: &mut Context<'_>) {
    if let Some(running) = protocol
        && let Poll::Ready(ended) = running.as_mut().poll(context)
    {
        // What it ended with reaches the exchange through its own channel.
        tracing::trace!(?ended, "connection over");
        *protocol = None;
    }
}

/// Drives `work` with the protocol running beside it.
async fn beside<T>(protocol: &mut Option<Pin<Box<Protocol>>>, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(done),
        Poll::Pending => {
            step(protocol, context);
            Poll::Pending
        }
    })
    .await
}

async fn converse(
    sender: &mut SendRequest<Full<Bytes>>,
    request: http::Request<Full<Bytes>>,
    bounds: Bounds,
) -> Result<Reply, Error> {
    let head = async {
        sender.ready().await.map_err(broken)?;
        sender.send_request(request).await.map_err(broken)
    };
    let response = timeout_at(bounds.deadlines.head, head)
        .await
        .map_err(|_| Error::new(Kind::Timeout, "the answer did not begin in time"))??;
    timeout_at(bounds.deadlines.whole, collect(response, bounds.response_bytes_max))
        .await
        .map_err(|_| Error::new(Kind::Timeout, "the answer was not whole in time"))?
}

async fn collect(response: http::Response<Incoming>, bytes_max: usize) -> Result<Reply, Error> {
    let (head, mut incoming) = response.into_parts();
    if head.status.is_informational() {
        let what = format!("the answer has the status {}, which was not asked for", head.status);
        return Err(Error::new(Kind::Garbled, what));
    }
    let too_large = || Error::new(Kind::TooLarge, format!("more than {bytes_max} bytes came"));
    let mut left = bytes_max.checked_sub(measure(&head.headers)).ok_or_else(too_large)?;
    let mut body = Vec::new();
    while let Some(frame) = incoming.frame().await {
        // Trailers are dropped: nothing a provider says there may change what its head said.
        if let Ok(bytes) = frame.map_err(broken)?.into_data() {
            left = left.checked_sub(bytes.len()).ok_or_else(too_large)?;
            body.extend_from_slice(&bytes);
        }
    }
    Ok(Reply::Http { status: head.status.as_u16(), headers: texts(&head.headers), body })
}

fn measure(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}

fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

fn broken(source: hyper::Error) -> Error {
    let (kind, what) = if source.is_parse_too_large() {
        (Kind::TooLarge, "the head of the answer is too large")
    } else if source.is_parse() || is_bad_body(&source) {
        (Kind::Garbled, "the answer is not HTTP/1.1")
    } else {
        (Kind::Broken, "the connection ended before the answer was whole")
    };
    Error::from_source(kind, what, source)
}

/// A body whose chunks make no sense, as against one that broke off.
fn is_bad_body(error: &hyper::Error) -> bool {
    let source = std::error::Error::source(error);
    source.and_then(|source| source.downcast_ref::<io::Error>()).is_some_and(|source| {
        matches!(source.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData)
            && source.get_ref().is_none_or(|inner| !inner.is::<rustls::Error>())
    })
}
