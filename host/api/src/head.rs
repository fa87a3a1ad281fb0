//! The head of a request: its size, and the headers of which there may be one.

use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST};
use http::request::Parts;
use http::{HeaderMap, Version};
use serde_json::Value;

use crate::catalogue::{HEADER_INVALID, HEADERS_TOO_LARGE, MALFORMED, MEDIA_TYPE, TARGET_TOO_LONG};
use crate::limits::Limits;
use crate::problem::{Fault, Place, Problem};
use crate::shape::Faults;
use crate::vocabulary::IDEMPOTENCY_KEY;

/// Headers that decide about a request: two of them would let two readers decide differently.
const ONCE: [&str; 7] = [
    "host",
    "authorization",
    "content-type",
    "idempotency-key",
    "content-digest",
    "signature-input",
    "signature",
];

/// Holds the head to the limits.
pub(crate) fn check(parts: &Parts, limits: &Limits) -> Result<(), Problem> {
    let target = parts.uri.path_and_query().map_or(0, |target| target.as_str().len());
    if target > limits.target_bytes_max {
        let detail =
            format!("the path and query have {target} bytes of {}", limits.target_bytes_max);
        return Err(Problem::new(&TARGET_TOO_LONG, detail));
    }
    let headers = &parts.headers;
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if headers.len() > limits.headers_max || bytes > limits.headers_bytes_max {
        let (count, most, space) = (headers.len(), limits.headers_max, limits.headers_bytes_max);
        let detail = format!("{count} headers of {most}, {bytes} bytes of {space}");
        return Err(Problem::new(&HEADERS_TOO_LARGE, detail));
    }
    if let Some(twice) = ONCE.iter().find(|name| headers.get_all(**name).iter().count() > 1) {
        return Err(invalid(twice, "duplicate", "send this header once"));
    }
    if parts.version == Version::HTTP_11 && !headers.contains_key(HOST) {
        return Err(invalid("host", "required", "send the host's name (RFC 9112, section 3.2)"));
    }
    Ok(())
}

fn invalid(field: &str, rule: &'static str, detail: &str) -> Problem {
    let fault = Fault::new(Place::Header, field, rule, detail);
    Problem::with_faults(&HEADER_INVALID, vec![fault])
}

/// The value of `Authorization`; none when there is none or when it is not text.
pub(crate) fn authorization(headers: &HeaderMap) -> Option<&str> {
    headers.get(AUTHORIZATION)?.to_str().ok()
}

/// The value of `Idempotency-Key`.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<String, Problem> {
    const NAME: &str = "idempotency-key";
    let Some(value) = headers.get(NAME) else {
        let detail = "send a key of your own drawing, 1 to 255 printable ASCII characters";
        return Err(invalid(NAME, "required", detail));
    };
    let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
    let mut faults = Faults::of(Place::Header);
    IDEMPOTENCY_KEY.check(&Value::String(text.clone()), NAME, &mut faults);
    let faults = faults.into_list();
    if faults.is_empty() { Ok(text) } else { Err(Problem::with_faults(&HEADER_INVALID, faults)) }
}

/// The length that the client declared.
pub(crate) fn declared_length(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(CONTENT_LENGTH) else { return Ok(None) };
    let length = value.to_str().ok().and_then(|text| text.parse().ok());
    length.map(Some).ok_or_else(|| Problem::new(&MALFORMED, "content-length is no number"))
}

/// Holds a body that is there to application/json in UTF-8, not compressed.
pub(crate) fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.contains_key(CONTENT_ENCODING) {
        let detail = "send the body without Content-Encoding";
        return Err(Problem::new(&MEDIA_TYPE, detail).header("accept-encoding", "identity"));
    }
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if is_json(text) {
        return Ok(());
    }
    let detail = "send Content-Type: application/json";
    Err(Problem::new(&MEDIA_TYPE, detail).header("accept", "application/json"))
}

fn is_json(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    let utf8 = |parameter: &str| {
        let parameter = parameter.to_ascii_lowercase();
        parameter == "charset=utf-8" || parameter == "charset=\"utf-8\""
    };
    json && parts.all(utf8)
}
