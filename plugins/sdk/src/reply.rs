//! Reading replies and deliveries.

use serde::de::DeserializeOwned;

use crate::{Delivery, Failure, HttpResponse, Reply};

impl Reply {
    /// The HTTP answer.
    ///
    /// # Errors
    /// `Failure::Malformed` when the exchange was a frame.
    pub fn http(&self) -> Result<&HttpResponse, Failure> {
        match self {
            Reply::Http(response) => Ok(response),
            Reply::Frame(_) => Err(Failure::malformed("a frame where HTTP was expected")),
        }
    }

    /// The body of the answering frame.
    ///
    /// # Errors
    /// `Failure::Malformed` when the exchange was HTTP.
    pub fn frame(&self) -> Result<&[u8], Failure> {
        match self {
            Reply::Frame(body) => Ok(body),
            Reply::Http(_) => Err(Failure::malformed("HTTP where a frame was expected")),
        }
    }
}

impl HttpResponse {
    /// An answer without headers.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> HttpResponse {
        HttpResponse { status, headers: Vec::new(), body: body.into() }
    }

    /// With one more header; the name in lower case.
    #[must_use]
    pub fn header_added(mut self, name: &str, value: &str) -> HttpResponse {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The first header of this lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, name)
    }

    /// The body as text.
    ///
    /// # Errors
    /// `Failure::Malformed` when it is not UTF-8.
    pub fn text(&self) -> Result<&str, Failure> {
        Ok(std::str::from_utf8(&self.body)?)
    }

    /// The body as this type.
    ///
    /// # Errors
    /// `Failure::Malformed` when it is not such JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        Ok(serde_json::from_slice(&self.body)?)
    }
}

impl Delivery {
    /// The first header of this lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, name)
    }

    /// The header of this lower-case name.
    ///
    /// # Errors
    /// `Failure::Malformed` when there is none.
    pub fn required(&self, name: &str) -> Result<&str, Failure> {
        self.header(name).ok_or_else(|| Failure::malformed(format!("no header {name}")))
    }

    /// The body as text.
    ///
    /// # Errors
    /// `Failure::Malformed` when it is not UTF-8.
    pub fn text(&self) -> Result<&str, Failure> {
        Ok(std::str::from_utf8(&self.body)?)
    }

    /// The body as this type.
    ///
    /// # Errors
    /// `Failure::Malformed` when it is not such JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        Ok(serde_json::from_slice(&self.body)?)
    }
}

fn first<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(each, _)| each == name).map(|(_, value)| value.as_str())
}
