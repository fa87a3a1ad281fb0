//! Why something was not sent, or why no answer came back. Not here: what that means for the money.

/// What stopped a request. `what` says it in words for an operator, with the remedy where there is
/// one, and never holds the value of a secret.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Error {
    /// In words, naming what is concerned.
    pub what: String,
    /// The same for a program: stable across versions.
    pub kind: Kind,
    /// What the layer below said.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The stable kinds of [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// What the operator gave (a host, a certificate, a key) cannot be used.
    Settings,
    /// The URL or endpoint is not one this host sends to as it is written.
    Target,
    /// The account may not reach this host.
    HostNotAllowed,
    /// The name resolved to an address that is not on the public Internet.
    AddressRefused,
    /// A header's name or value is refused.
    Header,
    /// The body cannot be sent as it is, for instance in this framing.
    Body,
    /// A secret, card field or derived value that the request names does not exist.
    MissingValue,
    /// The operator has not granted that this value travels to this place.
    NotGranted,
    /// A value cannot be written in the encoding the plugin asked for.
    Encoding,
    /// The name could not be resolved.
    Resolve,
    /// No connection could be opened.
    Connect,
    /// The TLS handshake failed, for instance for a certificate that does not hold.
    Tls,
    /// One of the [`crate::Timeouts`] ran out.
    Timeout,
    /// The connection broke or was closed before the answer was whole.
    Broken,
    /// The answer is not what the protocol allows.
    Garbled,
    /// The answer is larger than the account takes.
    TooLarge,
}

impl Kind {
    /// The word for logs, metrics and records.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Settings => "settings",
            Kind::Target => "target",
            Kind::HostNotAllowed => "host-not-allowed",
            Kind::AddressRefused => "address-refused",
            Kind::Header => "header",
            Kind::Body => "body",
            Kind::MissingValue => "missing-value",
            Kind::NotGranted => "not-granted",
            Kind::Encoding => "encoding",
            Kind::Resolve => "resolve",
            Kind::Connect => "connect",
            Kind::Tls => "tls",
            Kind::Timeout => "timeout",
            Kind::Broken => "broken",
            Kind::Garbled => "garbled",
            Kind::TooLarge => "too-large",
        }
    }
}

impl Error {
    pub(crate) fn new(kind: Kind, what: impl Into<String>) -> Error {
        Error { what: what.into(), kind, source: None }
    }

    pub(crate) fn from_source<S>(kind: Kind, what: impl Into<String>, source: S) -> Error
    where
        S: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        Error { what: what.into(), kind, source: Some(source.into()) }
    }
}

/// How a sending ended without an answer. The four cases are all there are, and each says exactly
/// what is known: only after `NoReply` can the provider have acted.
#[derive(Debug, thiserror::Error)]
pub enum Failed<E> {
    /// The request may not be sent at all. The intent was never begun, and no byte left.
    #[error("refused: {0}")]
    Refused(Error),
    /// The intent itself failed. No byte left.
    #[error("the intent was not recorded: {0}")]
    Intent(E),
    /// The intent is durable, and it is proven that no byte of the request left.
    #[error("not sent: {0}")]
    NotSent(Error),
    /// At least one byte may have left, and there is no whole answer.
    #[error("no reply: {0}")]
    NoReply(Error),
}
