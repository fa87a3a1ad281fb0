//! What a plugin asked to send, as the engine journals it: a secret is only ever its name. Not
//! here: the filling of secrets (`fill`), the rules of what may leave (`gate`, `head`, `target`).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::readable;
use crate::target::shortened;

/// One request to a provider. Its serialised form is what the journal keeps and replays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// One HTTP exchange.
    Http(HttpRequest),
    /// One framed exchange on a stream socket.
    Frame(FrameRequest),
}

/// One HTTP request, answered by one response. Redirects are never followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpRequest {
    /// The request method.
    pub method: Method,
    /// Absolute, exactly as it is to be sent; never holds a secret.
    pub url: String,
    /// In the order they are sent; a name comes once.
    pub headers: Vec<Header>,
    /// Sent with its length; empty means no body.
    pub body: Vec<Part>,
}

/// The request methods a plugin may use (RFC 9110 section 9, RFC 5789).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// GET
    Get,
    /// POST
    Post,
    /// PUT
    Put,
    /// PATCH
    Patch,
    /// DELETE
    Delete,
}

/// One request header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Case does not matter; it is sent in lower case.
    pub name: String,
    /// Without CR, LF and NUL, before and after filling.
    pub value: Vec<Part>,
}

/// One framed message, answered by one framed message on the same connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameRequest {
    /// `host:port`.
    pub endpoint: String,
    /// How messages are told apart, in both directions.
    pub framing: Framing,
    /// The message without its framing.
    pub body: Vec<Part>,
}

/// How messages are told apart on a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Framing {
    /// The body's length before it, big-endian, in this many bytes: 1, 2 or 4.
    LengthPrefix(u8),
    /// STX body ETX LRC; the LRC is the exclusive-or of body and ETX, starting from this value.
    StxEtxLrc(u8),
}

/// One piece of what leaves. Its `Debug` shows sizes and names, never contents.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Text the plugin wrote.
    Text(String),
    /// Bytes the plugin wrote.
    Bytes(#[serde(with = "readable")] Vec<u8>),
    /// A value the plugin has never seen, filled in as the bytes leave.
    Sensitive {
        /// Which value.
        source: Source,
        /// How it is written.
        encoding: Encoding,
    },
}

/// Where a sensitive value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// A secret of the account, by name.
    Secret(String),
    /// A field of the card the operation is paid with.
    Card(CardField),
    /// The result of a computation over sensitive parts, by its number within the step.
    Derived(u32),
}

/// The fields of a card that can travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CardField {
    /// The primary account number.
    Number,
    /// Two digits.
    ExpiryMonth,
    /// Four digits.
    ExpiryYear,
    /// Year and month, two digits each.
    ExpiryYymm,
    /// CVC, CVV, CID.
    SecurityCode,
    /// The holder's name.
    Holder,
}

/// How a sensitive value is written: to match the place it goes to, so that no value can break out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// The bytes as they are.
    Raw,
    /// Percent-encoded, all but the unreserved characters of RFC 3986 section 2.3: right in
    /// `application/x-www-form-urlencoded` and inside a URL.
    Form,
    /// Inside a JSON string (RFC 8259 section 7), without the quotes; UTF-8 only.
    Json,
    /// Inside XML 1.0 text or a quoted attribute; UTF-8 and XML characters only.
    Xml,
    /// RFC 4648 section 4, padded.
    Base64,
    /// RFC 4648 section 5, without padding.
    Base64url,
    /// Two lower-case digits a byte.
    Hex,
    /// Two decimal digits a byte, right-padded with F; decimal digits only.
    Bcd,
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Part::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
            Part::Sensitive { source, encoding } => {
                write!(f, "Sensitive({source}, {encoding:?})")
            }
        }
    }
}

/// The source by its kind and name, as errors and logs show it.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Named by a plugin: any text, of any length.
            Source::Secret(name) => write!(f, "secret `{}`", shortened(name)),
            Source::Card(field) => write!(f, "card field `{field:?}`"),
            Source::Derived(number) => write!(f, "derived value {number}"),
        }
    }
}

#[cfg(test)]
mod tests;
