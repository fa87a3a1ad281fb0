//! The body of a request: whole, within its limit, before its deadline.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use tokio::time::timeout;

use crate::catalogue::{BODY_TOO_LARGE, BODY_TOO_SLOW, MALFORMED, OVERLOADED};
use crate::head::declared_length;
use crate::limits::Limits;
use crate::peers::Seat;
use crate::problem::Problem;

/// A body, and the room that was made for it.
pub(crate) type Held = (Bytes, Option<Seat>);

/// Reads the whole body, once `room` was made for it. One that declares too much is refused before
/// a byte is read.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Incoming,
    limits: &Limits,
    room: impl FnOnce(usize) -> Option<Seat>,
) -> Result<Held, Problem> {
    let most = limits.body_bytes_max;
    let declared = declared_length(headers)?;
    let length = usize::try_from(declared.unwrap_or_default()).unwrap_or(usize::MAX);
    if length > most {
        return Err(too_large(most));
    }
    if body.is_end_stream() {
        return Ok((Bytes::new(), None));
    }
    let Some(seat) = room(if declared.is_some() { length } else { most }) else {
        let detail = "other bodies take all the room there is for them; nothing was done";
        return Err(Problem::new(&OVERLOADED, detail));
    };
    match timeout(limits.body_timeout, Limited::new(body, most).collect()).await {
        Err(_) => Err(too_slow(limits.body_timeout)),
        Ok(Ok(whole)) => Ok((whole.to_bytes(), Some(seat))),
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
