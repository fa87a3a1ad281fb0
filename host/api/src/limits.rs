//! How much a client may ask of the host at once, and how long it may take.

use std::time::Duration;

/// The limits of the HTTP edge. `Default` gives what a public host can live with.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections in all; one more is answered 503 and closed.
    pub connections_max: usize,
    /// Connections of one IPv4 address or one IPv6 /64 network. Behind a proxy that is all clients.
    pub connections_per_peer_max: usize,
    /// Bytes of the path and query; RFC 9110, section 4.1, recommends to take 8000 at least.
    pub target_bytes_max: usize,
    /// Headers of one request.
    pub headers_max: usize,
    /// Bytes of all headers of one request.
    pub headers_bytes_max: usize,
    /// Bytes of a body.
    pub body_bytes_max: usize,
    /// Objects and lists within one another.
    pub json_depth_max: usize,
    /// From the opening of a connection, or the end of the last answer, until the next request's
    /// headers are there: so also how long a kept connection may rest.
    pub head_timeout: Duration,
    /// From the end of the headers until the end of the body.
    pub body_timeout: Duration,
    /// From the end of the headers until the answer.
    pub answer_timeout: Duration,
    /// How long a client may take nothing of its answer.
    pub write_timeout: Duration,
    /// How long a connection stays readable after an answer that was given before its request
    /// ended, so that the client gets to read it.
    pub linger_timeout: Duration,
    /// Streams of server-sent events that one app may have open.
    pub streams_per_app_max: usize,
    /// After so long without an event, a stream says that it is still there.
    pub stream_heartbeat: Duration,
    /// How long a client of a stream may leave untaken what it was sent.
    pub stream_patience: Duration,
    /// How long requests in hand may go on when the host stops.
    pub drain_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections_max: 2048,
            connections_per_peer_max: 512,
            target_bytes_max: 8000,
            headers_max: 64,
            headers_bytes_max: 16 * 1024,
            body_bytes_max: 128 * 1024,
            json_depth_max: 8,
            head_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(90),
            write_timeout: Duration::from_secs(10),
            linger_timeout: Duration::from_secs(2),
            streams_per_app_max: 8,
            stream_heartbeat: Duration::from_secs(15),
            stream_patience: Duration::from_secs(30),
            drain_timeout: Duration::from_secs(30),
        }
    }
}
