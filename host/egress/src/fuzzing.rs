//! Doors for the fuzz targets in `tests/fuzz`: a request as it would leave, and which addresses are
//! public. Not a part of what egress promises; nothing else uses it.

use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::HeaderValue;
use http_body_util::Full;
use hyper::body::Body;

use crate::error::Error;
use crate::fill::Fill;
use crate::gate::Gate;
use crate::head::Prepared;
use crate::request::HttpRequest;

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
