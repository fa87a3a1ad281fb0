//! A request ready to leave: its headers checked and filled, its body filled. Which headers are the
//! host's own is decided here. Not here: the exchange (`connection`).

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::uri::PathAndQuery;
use http_body_util::Full;

use crate::error::{Error, Kind};
use crate::fill::{Fill, Filling};
use crate::gate::{Gate, Place};
use crate::request::{Header, HttpRequest, Method, Part};
use crate::target::Target;

/// Headers that decide how a message is delimited, routed or kept: the host's alone.
const OURS: &[&str] = &[
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "accept-encoding",
    "proxy-authorization",
    "proxy-authenticate",
    "http2-settings",
    "early-data",
];
/// Requests with more headers are refused, as most servers would.
const HEADERS_MAX: usize = 100;

/// A request with its secrets in it. Not `Debug`, not to be stored; its buffers are wiped when the
/// last copy is dropped. What is beyond reach: the head as `hyper` serialises it once more before
/// writing, TLS's cipher input and the kernel's socket buffers.
pub(crate) struct Prepared {
    pub(crate) target: Target,
    method: http::Method,
    path: PathAndQuery,
    headers: HeaderMap,
    body: Bytes,
}

impl Prepared {
    pub(crate) fn new(
        gate: &Gate,
        values: &dyn Fill,
        request: &HttpRequest,
        user_agent: &HeaderValue,
    ) -> Result<Prepared, Error> {
        let (target, path) = Target::of_url(&request.url, &gate.hosts)?;
        let filling = Filling { grants: &gate.grants, target: &target, values };
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, plain(&target.authority())?);
        fill_headers(&filling, &request.headers, &mut headers)?;
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.entry(header::USER_AGENT).or_insert_with(|| user_agent.clone());
        let body = Bytes::from_owner(filling.fill(&request.body, &Place::Body)?);
        if !body.is_empty() || !matches!(request.method, Method::Get | Method::Delete) {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        }
        Ok(Prepared { target, method: method(request.method), path, headers, body })
    }

    /// A copy to send; the buffers with secrets are shared, not copied.
    pub(crate) fn request(&self) -> http::Request<Full<Bytes>> {
        let mut request = http::Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = http::Uri::from(self.path.clone());
        *request.headers_mut() = self.headers.clone();
        request
    }
}

fn method(method: Method) -> http::Method {
    match method {
        Method::Get => http::Method::GET,
        Method::Post => http::Method::POST,
        Method::Put => http::Method::PUT,
        Method::Patch => http::Method::PATCH,
        Method::Delete => http::Method::DELETE,
    }
}

fn plain(text: &str) -> Result<HeaderValue, Error> {
    HeaderValue::from_str(text)
        .map_err(|source| Error::from_source(Kind::Target, "an unusable host", source))
}

fn fill_headers(
    filling: &Filling<'_>,
    headers: &[Header],
    out: &mut HeaderMap,
) -> Result<(), Error> {
    if headers.len() > HEADERS_MAX {
        return Err(refused(format!("more than {HEADERS_MAX} headers")));
    }
    for header in headers {
        let name = checked_name(&header.name)?;
        if out.contains_key(&name) {
            return Err(refused(format!("header `{name}` comes twice: join its values")));
        }
        let value = filled_value(filling, &name, &header.value)?;
        out.append(name, value);
    }
    Ok(())
}

fn checked_name(name: &str) -> Result<HeaderName, Error> {
    let shown = || name.chars().take(100).flat_map(char::escape_debug).collect::<String>();
    let parsed = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| refused(format!("`{}` is no header name", shown())))?;
    match OURS.contains(&parsed.as_str()) {
        true => Err(refused(format!("header `{parsed}` is the host's to set: leave it out"))),
        false => Ok(parsed),
    }
}

/// Checked after filling, so that neither the plugin's text nor a secret can end the line.
fn filled_value(
    filling: &Filling<'_>,
    name: &HeaderName,
    parts: &[Part],
) -> Result<HeaderValue, Error> {
    let place = Place::Header(name.as_str().to_owned());
    let bytes = Bytes::from_owner(filling.fill(parts, &place)?);
    let mut value = HeaderValue::from_maybe_shared(bytes).map_err(|_| {
        let what = format!("header `{name}` holds CR, LF, NUL or another control character");
        refused(what)
    })?;
    value.set_sensitive(parts.iter().any(|part| matches!(part, Part::Sensitive { .. })));
    Ok(value)
}

fn refused(what: String) -> Error {
    Error::new(Kind::Header, what)
}
