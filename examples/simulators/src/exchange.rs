//! A request as it was read and an answer as it will be written: what the providers work on.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;
use serde_json::Value;

/// A request, wholly read.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub method: Method,
    /// As sent, still percent-encoded.
    pub path: String,
    pub query: Option<String>,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Asked {
    /// A header's text, if it is there once and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?.to_str().ok()?;
        if values.next().is_none() { Some(value) } else { None }
    }

    /// Path and query as in the request line: what signatures cover.
    pub fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// The parts of the path between its slashes.
    pub fn segments(&self) -> Vec<&str> {
        self.path.trim_start_matches('/').split('/').collect()
    }

    /// One parameter of the query, decoded.
    pub fn query_value(&self, name: &str) -> Option<String> {
        let query = self.query.as_deref().unwrap_or_default();
        url::form_urlencoded::parse(query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}

/// An answer to be written.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// The idempotency key this answer is to be saved under, when it is the first of that key.
    pub saves: Option<String>,
}

impl Answer {
    pub fn json(status: StatusCode, body: &Value) -> Self {
        let mut headers = HeaderMap::new();
        let json = HeaderValue::from_static("application/json");
        headers.insert(http::header::CONTENT_TYPE, json);
        Self { status, headers, body: Bytes::from(body.to_string()), saves: None }
    }

    pub fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Bytes::new(), saves: None }
    }

    pub fn html(status: StatusCode, page: String) -> Self {
        let mut headers = HeaderMap::new();
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        headers.insert(http::header::CONTENT_TYPE, html);
        Self { status, headers, body: Bytes::from(page), saves: None }
    }

    pub fn text(status: StatusCode, text: String) -> Self {
        Self { body: Bytes::from(text), ..Self::empty(status) }
            .with("content-type", "text/plain;charset=utf-8")
    }

    pub fn redirect(to: &str) -> Self {
        Self::empty(StatusCode::FOUND).with("location", to)
    }

    /// The answer with one more header; a value no header can carry is left out.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    pub fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }

    /// The answer as bytes of HTTP/1.1, for the faults that write them themselves.
    pub fn to_wire(&self) -> Vec<u8> {
        let mut wire = format!("HTTP/1.1 {}\r\n", self.status).into_bytes();
        for (name, value) in &self.headers {
            wire.extend_from_slice(name.as_str().as_bytes());
            wire.extend_from_slice(b": ");
            wire.extend_from_slice(value.as_bytes());
            wire.extend_from_slice(b"\r\n");
        }
        let length = format!("content-length: {}\r\n\r\n", self.body.len());
        wire.extend_from_slice(length.as_bytes());
        wire.extend_from_slice(&self.body);
        wire
    }
}
