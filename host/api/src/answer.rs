//! An answer before it is written: status, headers, body, and the word the log shows.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde_json::Value;
use tokio::sync::mpsc;

use crate::outgoing::Outgoing;

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// What comes in place of the body, as it is made.
    pub(crate) stream: Option<mpsc::Receiver<Bytes>>,
    /// Of a problem: its code.
    pub(crate) code: Option<&'static str>,
}

impl Answer {
    pub(crate) fn new(status: StatusCode, body: impl Into<Bytes>) -> Answer {
        Answer { status, headers: HeaderMap::new(), body: body.into(), stream: None, code: None }
    }

    pub(crate) fn json(status: StatusCode, body: &Value) -> Answer {
        let mut answer = Answer::new(status, body.to_string());
        answer.set("content-type", HeaderValue::from_static("application/json"));
        answer
    }

    pub(crate) fn set(&mut self, name: &'static str, value: HeaderValue) {
        self.headers.insert(HeaderName::from_static(name), value);
    }

    /// Adds what every answer carries.
    pub(crate) fn into_response(mut self, request_id: &str) -> Response<Outgoing> {
        self.set("cache-control", HeaderValue::from_static("no-store"));
        self.set("x-content-type-options", HeaderValue::from_static("nosniff"));
        if let Ok(id) = HeaderValue::from_str(request_id) {
            self.set("request-id", id);
        }
        let body = match self.stream {
            Some(pieces) => Outgoing::Stream(pieces),
            None => Outgoing::Whole(Full::new(self.body)),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}
