//! HTTP message signatures (RFC 9421): what a message claims, the signature base, proving, signing.
//!
//! Pure: no clock, no store, no lookup of keys. Which components and parameters a request of ours
//! must have is [`Policy`]; who holds a key, or whether a nonce was used before, is not known here.
//! Read in this order: `field` (structured fields), `component`, `base`, `claim`, `policy`,
//! `draft`.
//!
//! Not done: trailers (`tr`), `Accept-Signature`, several signatures that have to hold at once.

mod algorithm;
mod base;
mod claim;
mod component;
mod draft;
pub(crate) mod field;
mod message;
mod policy;

pub use algorithm::Algorithm;
pub use claim::{Claim, Parameters};
pub use component::Component;
pub use draft::{Draft, Signed};
pub use message::{Authority, Message, Request, Response};
pub(crate) use policy::Shown;
pub use policy::{Policy, Stale};

/// The tag of a request's signature, where it has one.
pub const REQUEST_TAG: &str = "tollgate";
/// The tag of an answer's signature: so that no answer passes as a request.
pub const RESPONSE_TAG: &str = "tollgate-response";

/// Why a signature cannot be looked at, or does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A field that has to be there is not.
    #[error("there is no `{0}`")]
    Missing(&'static str),
    /// A field or identifier that is not formed as RFC 9421 and RFC 9651 say.
    #[error("{0}")]
    Malformed(String),
    /// A covered component that the message does not have, or not exactly once.
    #[error("the message has no one value for {0}")]
    NoValue(String),
    /// The bytes are not the signature of this base by this key.
    #[error("the signature does not hold")]
    Wrong,
}

pub(crate) fn malformed(what: impl Into<String>) -> Error {
    Error::Malformed(what.into())
}

#[cfg(test)]
mod tests;
