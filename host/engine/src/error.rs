//! Why the engine did not do what was asked.

use ledger::{Currency, Id, Refusal, TimestampMs};

use sandbox::Fault;

use crate::books::Unsettled;
use crate::cards::{CardFault, CardState};

/// Why an operation was not begun, or a question not answered. Nothing was sent to the provider,
/// except where a variant says so.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An earlier request with this idempotency key is not answered yet.
    #[error("a request with this idempotency key is still being worked on")]
    InFlight,
    /// The idempotency key was used for another request.
    #[error("this idempotency key was used for a different request")]
    KeyReused,
    /// No such payment belongs to the app.
    #[error("there is no payment {0}")]
    NoSuchPayment(Id),
    /// No such card belongs to the app.
    #[error("there is no card {0}")]
    NoSuchCard(Id),
    /// The card's data is erased.
    #[error("the card {0} is {state}", state = .1.name())]
    CardGone(Id, CardState),
    /// No card has this number, or this expiry.
    #[error(transparent)]
    CardRefused(#[from] CardFault),
    /// Nothing can be sealed or opened; for the operator.
    #[error("the vault did not do it")]
    Vault(#[from] vault::at_rest::Error),
    /// No such account is configured.
    #[error("there is no account `{0}`")]
    NoSuchAccount(String),
    /// The app was revoked since it asked.
    #[error("the app is revoked")]
    AppRevoked,
    /// The app would spend more than it may in a day.
    #[error("the app may spend {left_minor} minor units of {} more today", .currency.code())]
    SpendingLimit {
        /// Of which currency.
        currency: Currency,
        /// How much it may still spend, in minor units.
        left_minor: u64,
        /// When the next day begins.
        renews_at_ms: TimestampMs,
    },
    /// The audit trail could not be written, so nothing was begun.
    #[error("the audit trail could not be written")]
    Audit(#[from] crate::audit::Unwritten),
    /// There is no such entry.
    #[error("there is no entry {0}")]
    NoSuchEntry(Id),
    /// The entry was not settled by what somebody said.
    #[error(transparent)]
    Unsettled(#[from] Unsettled),
    /// There is no such anomaly.
    #[error("there is no anomaly {0}")]
    NoSuchAnomaly(Id),
    /// The anomaly is closed already; by whom.
    #[error("{by} has closed the anomaly {anomaly} already")]
    AnomalyClosed {
        /// Which.
        anomaly: Id,
        /// By whom.
        by: String,
    },
    /// The cursor was not made by this feed or list.
    #[error("`{0}` is not a cursor of this list")]
    NotACursor(String),
    /// No such endpoint belongs to the app.
    #[error("there is no endpoint {0}")]
    NoSuchEndpoint(Id),
    /// The URL of an endpoint is not one that notifications may be sent to; why.
    #[error("{0}")]
    EndpointRefused(String),
    /// The app has as many endpoints as one may have.
    #[error("an app has at most {0} endpoints")]
    TooManyEndpoints(usize),
    /// The endpoint was changed by another request at the same time.
    #[error("the endpoint is being changed by another request")]
    EndpointBusy,
    /// No master key is configured, so nothing can be sealed.
    #[error("this host has no vault")]
    NoVault,
    /// The ledger refuses.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The provider cannot do this; what it can.
    #[error("{0}")]
    Unsupported(String),
    /// The request holds something the provider does not take; which.
    #[error("{0}")]
    Invalid(String),
    /// The span of a comparison is none, or not over yet.
    #[error("{0}")]
    Span(&'static str),
    /// The provider's report cannot be had or read; for the operator.
    #[error("the report cannot be read: {0}")]
    Report(String),
    /// The account's configuration is wrong; for the operator.
    #[error("the account is misconfigured: {0}")]
    Misconfigured(String),
    /// The plugin broke before anything was sent; for the operator.
    #[error("the plugin failed: {0}")]
    PluginFault(String),
    /// The plugin of this name failed too often, and is not called; for the operator.
    #[error("the plugin `{0}` is quarantined")]
    PluginQuarantined(String),
    /// No plugin has this name.
    #[error("there is no plugin `{0}`")]
    NoSuchPlugin(String),
    /// The account has as many operations in hand as it may.
    #[error("the account `{0}` has as much in hand as it may")]
    AccountOverloaded(String),
    /// A step would have had to wait too long for a place.
    #[error("there was no place for it in time")]
    Overloaded,
    /// Another operation changed the payment at the same time, several times over.
    #[error("the payment is being changed by another request")]
    Busy,
    /// The store could not do it.
    #[error("the store did not answer")]
    Store(#[from] store::Error),
    /// The host is stopping and begins nothing new.
    #[error("the host is stopping")]
    Stopping,
}

impl Error {
    /// Whether it is for want of room on the disk.
    pub fn is_storage_full(&self) -> bool {
        match self {
            Error::Store(error) => *error.kind() == store::Kind::Full,
            Error::Audit(unwritten) => unwritten.is_storage_full(),
            _ => false,
        }
    }
}

impl From<Fault> for Error {
    /// Of a call that was to be the first.
    fn from(fault: Fault) -> Error {
        match fault.kind {
            sandbox::Kind::Quarantined => Error::PluginQuarantined(fault.plugin.to_string()),
            _ => Error::PluginFault(fault.to_string()),
        }
    }
}
