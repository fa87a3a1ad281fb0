//! Doors for the fuzz targets in `tests/fuzz`: a request as it would leave, an answer as it would
//! be read, without a network. Not a part of what egress promises; nothing else uses it.

use std::io;
use std::net::{IpAddr, TcpListener, TcpStream};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::HeaderValue;
use http_body_util::Full;
use hyper::body::Body;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::clock::Deadlines;
use crate::connection::{Bounds, Connection};
use crate::dial::Dialled;
use crate::error::{Error, Kind};
use crate::fill::Fill;
use crate::frame::Framed;
use crate::gate::Gate;
use crate::head::Prepared;
use crate::reply::Reply;
use crate::request::{HttpRequest, Request};
use crate::strike::Strike;
use crate::wire::{Meter, Wire};

/// A request as it is handed to the connection, and the host it goes to, as the operator names it.
///
/// # Errors
/// Why it is refused before a connection is opened.
pub fn prepared(
    gate: &Gate,
    values: &dyn Fill,
    request: &HttpRequest,
) -> Result<(String, http::Request<Bytes>), Error> {
    let agent = HeaderValue::from_static("fuzz");
    let prepared = Prepared::new(gate, values, request, &agent)?;
    Ok((prepared.target.to_string(), prepared.request().map(whole)))
}

/// A body that is all there already.
fn whole(mut body: Full<Bytes>) -> Bytes {
    let mut context = Context::from_waker(Waker::noop());
    match Pin::new(&mut body).poll_frame(&mut context) {
        Poll::Ready(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
        Poll::Ready(_) | Poll::Pending => Bytes::new(),
    }
}

/// Why this address is not public; none when it is.
pub fn closed(address: IpAddr) -> Option<&'static str> {
    crate::address::closed(address)
}

/// What the other side does on a connection in memory.
#[derive(Clone, Debug)]
pub struct Other {
    /// What it sends, in pieces of so many bytes.
    pub answer: Vec<u8>,
    /// How much at once.
    pub piece_bytes: usize,
    /// Whether it then hangs up; otherwise it says nothing more.
    pub hangs_up: bool,
}

/// What became of an exchange in memory.
#[derive(Debug)]
pub struct Told {
    /// The answer, with what was filled in struck out of it.
    pub reply: Result<Reply, Error>,
    /// Of a failure: whether a byte of the request may have left.
    pub left: bool,
    /// What the other side was sent.
    pub sent: Vec<u8>,
}

/// Sends `request` to the other side and reads its answer. Wants a runtime whose clock is paused,
/// or takes as long as the gate's time-outs.
///
/// # Errors
/// Why the request is refused before a connection is opened.
pub async fn exchange(
    gate: &Gate,
    values: &dyn Fill,
    request: &Request,
    other: &Other,
) -> Result<Told, Error> {
    let (near, far) = tokio::io::duplex(1 << 20);
    let bounds = Bounds {
        deadlines: Deadlines::start(&gate.timeouts),
        response_bytes_max: gate.response_bytes_max,
    };
    let dialled = dialled(near).map_err(|e| Error::from_source(Kind::Connect, "no probe", e))?;
    let ours = async {
        match request {
            Request::Http(http) => {
                let agent = HeaderValue::from_static("fuzz");
                let prepared = Prepared::new(gate, values, http, &agent)?;
                let mut connection = Connection::new(dialled).await?;
                Ok(connection.exchange(prepared.request(), bounds).await)
            }
            Request::Frame(frame) => {
                Ok(Framed::new(gate, values, frame)?.exchange(dialled, bounds).await)
            }
        }
    };
    let (answer, sent) = tokio::join!(ours, theirs(far, other));
    let strike = Strike::of(request, values);
    Ok(match answer? {
        Ok(reply) => Told { reply: Ok(strike.out_of(reply)), left: true, sent },
        Err(broken) => Told { reply: Err(broken.error), left: broken.left, sent },
    })
}

/// Waits for the first byte, answers, and reads what comes until nothing more does.
async fn theirs(far: DuplexStream, other: &Other) -> Vec<u8> {
    let (mut reading, mut writing) = tokio::io::split(far);
    let mut sent = vec![0];
    if reading.read_exact(&mut sent).await.is_err() {
        return Vec::new();
    }
    let say = async {
        for piece in other.answer.chunks(other.piece_bytes.max(1)) {
            if writing.write_all(piece).await.is_err() {
                return;
            }
            tokio::task::yield_now().await;
        }
        if other.hangs_up {
            let _ = writing.shutdown().await;
        }
    };
    let hear = async {
        // However it ends: what came before counts.
        let _ = reading.read_to_end(&mut sent).await;
    };
    tokio::join!(say, hear);
    sent
}

fn dialled(near: DuplexStream) -> io::Result<Dialled> {
    let (wire, meter): (Wire<DuplexStream>, Meter) = Wire::new(near);
    Ok(Dialled { stream: Box::new(wire), meter, probe: quiet()? })
}

/// A socket on which nothing ever comes, in place of the connection's own.
fn quiet() -> io::Result<TcpStream> {
    thread_local! {
        static PAIR: io::Result<(TcpStream, TcpStream)> = pair();
    }
    PAIR.with(|pair| match pair {
        Ok((one, _)) => one.try_clone(),
        Err(error) => Err(io::Error::from(error.kind())),
    })
}

fn pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let one = TcpStream::connect(listener.local_addr()?)?;
    one.set_nonblocking(true)?;
    let (other, _) = listener.accept()?;
    Ok((one, other))
}
