//! One connection: HTTP/1.1 by hyper, with our limits; and the short answer to one too many.

use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::catalogue::TOO_MANY_CONNECTIONS;
use crate::edge::Edge;
use crate::limits::Limits;
use crate::problem::Problem;
use crate::socket::Socket;

/// Serves the connection until it ends, or until `stop` and the request in hand is answered.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    (stream, peer): (S, IpAddr),
    edge: Arc<Edge>,
    mut stop: watch::Receiver<bool>,
) {
    let limits = &edge.load.limits;
    let socket = Socket::new(stream, limits.write_timeout);
    let cut_short = AtomicBool::new(false);
    let in_hand = AtomicBool::new(false);
    {
        let (edge, cut_short, in_hand) = (&edge, &cut_short, &in_hand);
        let service = service_fn(move |request| async move {
            in_hand.store(true, Ordering::Relaxed);
            let answer = edge.answer(request, peer, cut_short).await;
            in_hand.store(false, Ordering::Relaxed);
            Ok::<_, std::convert::Infallible>(answer)
        });
        let io = TokioIo::new(socket.clone());
        let mut connection = pin!(builder(limits).serve_connection(io, service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            _ = stop.changed() => {
                connection.as_mut().graceful_shutdown();
                // A head that does not end, or an answer that is not taken, does not keep the host.
                match in_hand.load(Ordering::Relaxed) {
                    true => connection.await,
                    false => timeout(limits.write_timeout, connection).await.unwrap_or(Ok(())),
                }
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection broke off");
        }
    }
    if cut_short.load(Ordering::Relaxed) {
        socket.linger(limits.linger_timeout).await;
    }
}

/// hyper refuses what is beyond twice our limits itself, with a bare status; what is within is
/// answered with a problem.
fn builder(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_headers(limits.headers_max.saturating_mul(2))
        .max_buf_size(limits.buffer_bytes_max());
    builder
}

/// Answers a connection for which there is no place.
pub(crate) async fn refuse(stream: TcpStream, edge: &Edge) {
    let problem = Problem::new(&TOO_MANY_CONNECTIONS, TOO_MANY_CONNECTIONS.cause);
    let body = problem.json().to_string();
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\n\
         content-length: {}\r\nretry-after: {}\r\nrequest-id: {}\r\ncache-control: no-store\r\n\
         connection: close\r\n\r\n{body}",
        body.len(),
        problem.code.retry.drawn_after_s().unwrap_or(5),
        edge.request_id(),
    );
    let mut socket = Socket::new(stream, edge.load.limits.write_timeout);
    if socket.write_all(answer.as_bytes()).await.is_ok() {
        socket.linger(edge.load.limits.linger_timeout).await;
    }
}
