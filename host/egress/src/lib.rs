//! What leaves: HTTP and framed sockets towards providers and the endpoints of apps, allowed hosts,
//! secrets filled in, TLS.
//!
//! Three promises, each held by tests:
//! - no byte of a request leaves before its intent is durable;
//! - after a failure it is known, by counting at the socket, whether a byte may have left;
//! - a secret meets a request only here, only towards the hosts and in the places granted.
//!
//! Not here: what an answer means, retries, redirects, cookies, proxies, decompression.

mod address;
mod allowed;
mod clock;
mod connect;
mod connection;
mod dial;
mod egress;
mod encode;
mod error;
mod fill;
mod frame;
#[doc(hidden)]
pub mod fuzzing;
mod gate;
mod head;
mod host;
mod outside;
mod pool;
mod reach;
mod readable;
mod reply;
mod request;
mod strike;
mod target;
mod tls;
mod wire;

pub use allowed::AllowedHost;
pub use connect::{Connect, Connecting, Heard, Opened, Probe, Stream, Tcp};
pub use dial::{Addresses, Resolve, SystemResolver};
pub use egress::{Egress, Options};
pub use error::{Error, Failed, Kind};
pub use fill::Fill;
pub use gate::{Gate, Grant, Granted, Place, Timeouts};
pub use outside::{Network, Outside};
pub use pool::PoolLimits;
pub use reply::Reply;
pub use request::{
    CardField, Encoding, FrameRequest, Framing, Header, HttpRequest, Method, Part, Request, Source,
};
pub use tls::Identity;
