//! A message as a signature sees it: views on what came or what will leave.

use http::HeaderMap;

/// A request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method, in its own case.
    pub method: &'a str,
    /// Scheme and authority as the client wrote them.
    pub authority: &'a Authority,
    /// The path, never empty.
    pub path: &'a str,
    /// What stands after `?`; none without it.
    pub query: Option<&'a str>,
    /// The fields.
    pub headers: &'a HeaderMap,
}

/// An answer, and the request it answers.
#[derive(Clone, Copy, Debug)]
pub struct Response<'a> {
    /// The status.
    pub status: u16,
    /// The fields.
    pub headers: &'a HeaderMap,
    /// What was asked, for components with `req`.
    pub request: Request<'a>,
}

/// Either of them.
#[derive(Clone, Copy, Debug)]
pub enum Message<'a> {
    /// A request.
    Request(Request<'a>),
    /// An answer.
    Response(Response<'a>),
}

/// Scheme, host and port of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    scheme: String,
    /// In lower case, without the scheme's default port (RFC 9421, section 2.2.3).
    host: String,
}

impl Authority {
    /// The authority of these; a default port is taken off.
    pub fn new(scheme: &str, host: &str) -> Authority {
        let (scheme, host) = (scheme.to_ascii_lowercase(), host.to_ascii_lowercase());
        let default = match scheme.as_str() {
            "http" => ":80",
            "https" => ":443",
            _ => "",
        };
        let host = host.strip_suffix(default).unwrap_or(&host).to_owned();
        Authority { scheme, host }
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Host, and port where it is not the default.
    pub fn host(&self) -> &str {
        &self.host
    }
}

impl Request<'_> {
    /// The absolute URI (RFC 9421, section 2.2.2).
    pub fn target_uri(&self) -> String {
        let Authority { scheme, host } = self.authority;
        format!("{scheme}://{host}{}", self.request_target())
    }

    /// Path and query (RFC 9421, section 2.2.5).
    pub fn request_target(&self) -> String {
        match self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.to_owned(),
        }
    }
}

impl<'a> Message<'a> {
    /// The message's own fields.
    pub fn headers(&self) -> &'a HeaderMap {
        match self {
            Message::Request(request) => request.headers,
            Message::Response(response) => response.headers,
        }
    }
}
