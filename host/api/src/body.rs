//! The body of a request: whole, within its limit, before its deadline.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use tokio::time::timeout;

use crate::catalogue::{BODY_TOO_LARGE, BODY_TOO_SLOW, MALFORMED};
use crate::head::declared_length;
use crate::limits::Limits;
use crate::problem::Problem;

/// Reads the whole body. One that declares too much is refused before a byte is read.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Incoming,
    limits: &Limits,
) -> Result<Bytes, Problem> {
    let most = limits.body_bytes_max;
    let declared = declared_length(headers)?.unwrap_or_default();
    if usize::try_from(declared).map_or(true, |length| length > most) {
        return Err(too_large(most));
    }
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    match timeout(limits.body_timeout, Limited::new(body, most).collect()).await {
        Err(_) => Err(too_slow(limits.body_timeout)),
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(most)),
        Ok(Err(_)) => Err(Problem::new(&MALFORMED, "the body breaks off or is not well framed")),
    }
}

fn too_large(most: usize) -> Problem {
    Problem::new(&BODY_TOO_LARGE, format!("at most {most} bytes are taken"))
}

fn too_slow(deadline: Duration) -> Problem {
    let detail = format!("the body was not there after {} ms", deadline.as_millis());
    Problem::new(&BODY_TOO_SLOW, detail)
}
