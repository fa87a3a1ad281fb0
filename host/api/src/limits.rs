//! How much a client may ask of the host at once, and how long it may take.
//!
//! The defaults are for a machine of two cores and a gigabyte of memory. What all limits together
//! let the edge hold is bounded whatever clients do: see [`Limits::memory_bytes_max`].

use std::time::Duration;

/// The limits of the HTTP edge. `Default` gives what a public host can live with.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections in all; one more is answered 503 and closed.
    pub connections_max: usize,
    /// Connections of one IPv4 address or one IPv6 /64 network. Behind a proxy that is all clients:
    /// known proxies are not counted by it.
    pub connections_per_peer_max: usize,
    /// New payments, payouts and cards in hand.
    pub payments_max: usize,
    /// Captures, refunds, cancellations, syncs and changes in hand.
    pub operations_max: usize,
    /// Reads in hand.
    pub reads_max: usize,
    /// Deliveries of providers in hand.
    pub webhooks_max: usize,
    /// Requests of the operator in hand.
    pub admin_max: usize,
    /// The share of each of these numbers that one app may take, in percent.
    pub app_share_percent: usize,
    /// The share that one account may take, in percent: less than an app's, so that a provider that
    /// does not answer leaves the app some for its other accounts.
    pub account_share_percent: usize,
    /// Bytes of bodies of apps that are held at the same time; and, apart from these, of providers.
    pub bodies_bytes_max: usize,
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
    /// Streams of server-sent events in all.
    pub streams_max: usize,
    /// Streams of server-sent events that one app may have open.
    pub streams_per_app_max: usize,
    /// After so long without an event, a stream says that it is still there.
    pub stream_heartbeat: Duration,
    /// How long a client of a stream may leave untaken what it was sent.
    pub stream_patience: Duration,
    /// How long the host says that it is not ready, and serves all the same, before it stops.
    pub lame_duck: Duration,
    /// How long requests in hand may go on when the host stops.
    pub drain_timeout: Duration,
}

impl Limits {
    /// What one app may take of so many places: one at least.
    pub fn of_app(&self, places: usize) -> usize {
        share(places, self.app_share_percent)
    }

    /// What one account may take of so many places: one at least.
    pub fn of_account(&self, places: usize) -> usize {
        share(places, self.account_share_percent)
    }

    /// The most that clients can make the edge hold in buffers and bodies, in bytes: the heads of
    /// all connections, and the bodies. Not what an operation needs while it is worked on.
    pub fn memory_bytes_max(&self) -> usize {
        let heads = self.connections_max.saturating_mul(self.buffer_bytes_max());
        heads.saturating_add(self.bodies_bytes_max.saturating_mul(2))
    }

    /// The buffer of one connection: hyper refuses what is beyond it, with a bare status.
    pub(crate) fn buffer_bytes_max(&self) -> usize {
        /// hyper's smallest buffer.
        const LEAST: usize = 8192;
        self.headers_bytes_max.saturating_add(self.target_bytes_max).saturating_mul(2).max(LEAST)
    }
}

fn share(places: usize, percent: usize) -> usize {
    (places.saturating_mul(percent) / 100).clamp(1, places.max(1))
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections_max: 1024,
            connections_per_peer_max: 256,
            payments_max: 512,
            operations_max: 256,
            reads_max: 256,
            webhooks_max: 128,
            admin_max: 16,
            app_share_percent: 75,
            account_share_percent: 50,
            bodies_bytes_max: 32 * 1024 * 1024,
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
            streams_max: 128,
            streams_per_app_max: 8,
            stream_heartbeat: Duration::from_secs(15),
            stream_patience: Duration::from_secs(30),
            lame_duck: Duration::ZERO,
            drain_timeout: Duration::from_secs(30),
        }
    }
}
