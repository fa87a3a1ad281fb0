//! What can go wrong with a key or a primitive: the five answers a plugin may see.

/// Why a primitive gave no answer. Never says which of signature, tag or padding failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No key in this slot, or none with this id.
    #[error("no such key: {0}")]
    NoSuchKey(String),
    /// The key's kind does not fit the algorithm; both are named.
    #[error("wrong kind of key: {0}")]
    WrongKeyKind(String),
    /// A size or value outside what the algorithm takes.
    #[error("bad input: {0}")]
    BadInput(String),
    /// A legacy primitive, by name, that the operator has not granted, or that is asked for a use
    /// which no grant gives: a new SHA-1 signature, the unwrapping of PKCS#1 v1.5.
    #[error("{0} is a legacy primitive, not granted for this use")]
    LegacyRefused(String),
    /// A signature, tag or padding did not hold.
    #[error("rejected")]
    Rejected,
}
