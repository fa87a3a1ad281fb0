//! Builders for one request: HTTP calls and framed exchanges.

use serde::Serialize;

use crate::json;
use crate::{
    Content, Exchange, Failure, Form, FrameRequest, Framing, Header, HttpRequest, Method, Request,
    Step,
};

/// An HTTP request under construction. Ends with `send` or `ask`.
#[derive(Clone, Debug)]
pub struct Call {
    method: Method,
    url: String,
    headers: Vec<Header>,
    body: Content,
    state: Vec<u8>,
}

/// A GET of this absolute URL.
pub fn get(url: impl Into<String>) -> Call {
    Call::new(Method::Get, url.into())
}
/// A POST to this absolute URL.
pub fn post(url: impl Into<String>) -> Call {
    Call::new(Method::Post, url.into())
}
/// A PUT to this absolute URL.
pub fn put(url: impl Into<String>) -> Call {
    Call::new(Method::Put, url.into())
}
/// A PATCH of this absolute URL.
pub fn patch(url: impl Into<String>) -> Call {
    Call::new(Method::Patch, url.into())
}
/// A DELETE of this absolute URL.
pub fn delete(url: impl Into<String>) -> Call {
    Call::new(Method::Delete, url.into())
}

impl Call {
    fn new(method: Method, url: String) -> Call {
        let (headers, body, state) = (Vec::new(), Content::new(), Vec::new());
        Call { method, url, headers, body, state }
    }

    /// Adds a header; the name in lower case.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Content>) -> Call {
        let value = value.into().into_parts();
        self.headers.push(Header { name: name.to_owned(), value });
        self
    }

    /// `authorization: Bearer …`.
    #[must_use]
    pub fn bearer(self, token: impl Into<Content>) -> Call {
        self.header("authorization", Content::from("Bearer ").then(token))
    }

    /// The body as it is; give its content-type by `header`.
    #[must_use]
    pub fn body(mut self, body: impl Into<Content>) -> Call {
        self.body = body.into();
        self
    }

    /// An `application/x-www-form-urlencoded` body.
    #[must_use]
    pub fn form(self, form: Form) -> Call {
        self.header("content-type", "application/x-www-form-urlencoded").body(form.into_content())
    }

    /// A JSON body. Fields of type [`crate::Hidden`] become sensitive parts.
    ///
    /// # Errors
    /// `Failure::Invalid` when the value cannot be written as JSON.
    pub fn json(self, value: &impl Serialize) -> Result<Call, Failure> {
        Ok(self.header("content-type", "application/json").body(json::content(value)?))
    }

    /// What `resume` is to be given beside the reply, at most 64 KiB.
    #[must_use]
    pub fn state(mut self, state: impl Into<Vec<u8>>) -> Call {
        self.state = state.into();
        self
    }

    /// Sends a request on which the provider may move money: a lost answer leaves it `unknown`.
    pub fn send(self) -> Step {
        Step::Send(self.exchange(true))
    }

    /// Sends a request that can move no money: a token, a look-up.
    pub fn ask(self) -> Step {
        Step::Send(self.exchange(false))
    }

    pub(crate) fn exchange(self, moves_money: bool) -> Exchange {
        let Call { method, url, headers, body, state } = self;
        let body = body.into_parts();
        let request = Request::Http(HttpRequest { method, url, headers, body });
        Exchange { request, moves_money, state }
    }
}

/// A framed exchange under construction. Ends with `send` or `ask`.
#[derive(Clone, Debug)]
pub struct Frame {
    request: FrameRequest,
    state: Vec<u8>,
}

/// One frame to `host:port`.
pub fn frame(endpoint: impl Into<String>, framing: Framing, body: impl Into<Content>) -> Frame {
    let body = body.into().into_parts();
    Frame { request: FrameRequest { endpoint: endpoint.into(), framing, body }, state: Vec::new() }
}

impl Frame {
    /// As [`Call::state`].
    #[must_use]
    pub fn state(mut self, state: impl Into<Vec<u8>>) -> Frame {
        self.state = state.into();
        self
    }

    /// As [`Call::send`].
    pub fn send(self) -> Step {
        self.exchange(true)
    }

    /// As [`Call::ask`].
    pub fn ask(self) -> Step {
        self.exchange(false)
    }

    fn exchange(self, moves_money: bool) -> Step {
        let request = Request::Frame(self.request);
        Step::Send(Exchange { request, moves_money, state: self.state })
    }
}
