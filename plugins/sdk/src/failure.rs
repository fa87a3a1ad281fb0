//! Why a step could not be made, and how other errors become one.

use crate::{CryptoError, Failure, Operation, OperationKind};

impl Failure {
    /// The provider cannot do this operation.
    pub fn unsupported(operation: &Operation) -> Failure {
        Failure::Unsupported(operation.kind().name().to_owned())
    }

    /// A setting, key or secret is missing or wrong; which.
    pub fn misconfigured(what: impl Into<String>) -> Failure {
        Failure::Misconfigured(what.into())
    }

    /// The order holds something the provider does not take; which field, and what is right.
    pub fn invalid(what: impl Into<String>) -> Failure {
        Failure::Invalid(what.into())
    }

    /// The reply or delivery cannot be read; where.
    pub fn malformed(what: impl Into<String>) -> Failure {
        Failure::Malformed(what.into())
    }
}

impl From<CryptoError> for Failure {
    fn from(error: CryptoError) -> Failure {
        match error {
            CryptoError::NoSuchKey(which) => Failure::Misconfigured(format!("no key: {which}")),
            CryptoError::WrongKeyKind(which) => {
                Failure::Misconfigured(format!("wrong kind of key: {which}"))
            }
            CryptoError::LegacyRefused(name) => {
                Failure::Misconfigured(format!("legacy primitive {name} is not granted"))
            }
            CryptoError::BadInput(what) => Failure::Invalid(what),
            CryptoError::Rejected => {
                Failure::malformed("a signature, tag or padding does not hold")
            }
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Failure {
        Failure::Malformed(format!("not the JSON expected: {error}"))
    }
}

impl From<std::str::Utf8Error> for Failure {
    fn from(error: std::str::Utf8Error) -> Failure {
        Failure::Malformed(format!("not UTF-8: {error}"))
    }
}

impl OperationKind {
    /// Its word in the contract.
    pub fn name(self) -> &'static str {
        match self {
            OperationKind::Authorize => "authorize",
            OperationKind::Capture => "capture",
            OperationKind::Cancel => "cancel",
            OperationKind::Refund => "refund",
            OperationKind::Payout => "payout",
            OperationKind::Sync => "sync",
        }
    }
}
