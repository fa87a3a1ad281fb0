//! The status of a payment, which nothing sets: it follows from the sums and the newest attempt.

use serde::{Deserialize, Serialize};

use super::Payment;
use crate::{Entry, Kind, State};

/// What became of a payment, by its sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Being sent.
    Processing,
    /// The payer has to act.
    NeedsAction,
    /// The provider has it and will decide.
    Pending,
    /// An answer was lost; the host is finding out.
    Unknown,
    /// Authorised, nothing captured.
    Authorized,
    /// A part is captured.
    PartiallyCaptured,
    /// The whole is captured.
    Captured,
    /// A part of what was captured is refunded.
    PartiallyRefunded,
    /// All that was captured is refunded.
    Refunded,
    /// Released or closed on request.
    Cancelled,
    /// Closed unpaid by the provider.
    Expired,
    /// Refused by the provider.
    Declined,
    /// Never reached the provider.
    NotSent,
    /// Paid out.
    PaidOut,
}

impl Payment {
    /// The status, by the sums.
    pub fn status(&self) -> Status {
        let captured = self.captured_minor();
        match (captured, self.refunded_minor()) {
            (0, _) if self.cancelled() => Status::Cancelled,
            (0, _) if self.authorized_minor() > 0 => Status::Authorized,
            (0, _) => self.entries.first().map_or(Status::Processing, |_| self.root_status()),
            (taken, 0) if taken < self.authorized_minor() => Status::PartiallyCaptured,
            (_, 0) => Status::Captured,
            (taken, given) if given < taken => Status::PartiallyRefunded,
            _ => Status::Refunded,
        }
    }

    /// The status while nothing is authorised: that of the newest authorisation or the payout.
    fn root_status(&self) -> Status {
        let root = |entry: &&Entry| matches!(entry.kind, Kind::Authorize | Kind::Payout);
        let Some(entry) = self.entries.iter().rev().find(root) else { return Status::Processing };
        match entry.state {
            State::Created | State::Sending => Status::Processing,
            State::NeedsAction => Status::NeedsAction,
            State::Pending => Status::Pending,
            State::Unknown => Status::Unknown,
            State::Succeeded => Status::PaidOut,
            State::Declined => Status::Declined,
            State::NotSent => Status::NotSent,
            State::Expired => Status::Expired,
        }
    }
}
