//! Encrypted bodies: compact JWE (RFC 7516), and the public keys that are published (RFC 7517).
//!
//! One content encryption, `A256GCM`, and two ways to its key: `RSA-OAEP-256` to whoever holds the
//! private key, and `dir`, a key both sides hold. Nothing is negotiated and nothing else is read:
//! no compression, no critical extensions, no JSON serialisation, no key in the header.

mod compact;
mod header;
mod jwk;
mod open;
mod seal;

pub use compact::Compact;
pub(crate) use header::ENC;
pub use header::{Header, KeyWrap};
pub use jwk::{jwk, read_set};
pub use open::open;
pub use seal::{Recipient, seal};

/// The media type of a compact JWE (RFC 7515, section 9.2.1).
pub const MEDIA_TYPE: &str = "application/jose";

/// Why a JWE is not opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is not a compact JWE of the profile; what is wrong, in words.
    #[error("{0}")]
    Malformed(String),
    /// It does not open, whatever the reason: another key, other bytes, another header.
    #[error("the JWE does not open")]
    NotOpened,
}

pub(crate) fn malformed(what: impl Into<String>) -> Error {
    Error::Malformed(what.into())
}

#[cfg(test)]
mod tests;
