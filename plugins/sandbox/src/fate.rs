//! What a magic value brings about: at once, and when it is asked about later. A table.

use sdk::prelude::*;

/// What becomes of an operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fate {
    /// Done as asked.
    Succeeded,
    /// Refused, with this code.
    Declined(DeclineCode),
    /// The payer has to act.
    Asked(Manner),
    /// Decided later.
    Pending,
    /// The answer is lost.
    Unknown,
    /// Only when asked about: never heard of.
    Absent,
    /// Closed unpaid.
    Expired,
    /// The plugin refuses, as a provider's that cannot do it.
    Unsupported,
    /// The plugin refuses, as one that has no place for a field.
    Invalid,
    /// The plugin refuses, as one whose account is not complete.
    Misconfigured,
}

/// How the payer is asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Manner {
    /// By a page.
    Redirect,
    /// By a form to post.
    Form,
    /// By a code to scan.
    Qr,
    /// By a link into an app.
    App,
    /// By a text to show.
    Show,
}

/// One line of the table: the word, what it brings about, and what a later question finds.
pub type Line = (&'static str, Fate, Fate);

/// Every word for a payment or a payout.
pub const LINES: &[Line] = &[
    ("succeed", Fate::Succeeded, Fate::Succeeded),
    declined("decline-generic", DeclineCode::Generic),
    declined("decline-insufficient-funds", DeclineCode::InsufficientFunds),
    declined("decline-expired", DeclineCode::Expired),
    declined("decline-incorrect-details", DeclineCode::IncorrectDetails),
    declined("decline-limit-exceeded", DeclineCode::LimitExceeded),
    declined("decline-suspected-fraud", DeclineCode::SuspectedFraud),
    declined("decline-authentication-required", DeclineCode::AuthenticationRequired),
    declined("decline-not-permitted", DeclineCode::NotPermitted),
    declined("decline-duplicate", DeclineCode::Duplicate),
    declined("decline-invalid-request", DeclineCode::InvalidRequest),
    declined("decline-provider-unavailable", DeclineCode::ProviderUnavailable),
    asked("redirect", Manner::Redirect),
    asked("form", Manner::Form),
    asked("qr", Manner::Qr),
    asked("app", Manner::App),
    asked("show", Manner::Show),
    ("redirect-then-succeed", Fate::Asked(Manner::Redirect), Fate::Succeeded),
    ("redirect-then-decline", Fate::Asked(Manner::Redirect), GENERIC),
    ("redirect-then-expire", Fate::Asked(Manner::Redirect), Fate::Expired),
    ("pending", Fate::Pending, Fate::Succeeded),
    ("pending-then-decline", Fate::Pending, GENERIC),
    ("pending-for-ever", Fate::Pending, Fate::Pending),
    ("unknown", Fate::Unknown, Fate::Succeeded),
    ("unknown-then-decline", Fate::Unknown, GENERIC),
    ("unknown-then-absent", Fate::Unknown, Fate::Absent),
    ("unknown-for-ever", Fate::Unknown, Fate::Unknown),
    ("expire", Fate::Expired, Fate::Expired),
    ("refuse-unsupported", Fate::Unsupported, Fate::Unknown),
    ("refuse-invalid", Fate::Invalid, Fate::Unknown),
    ("refuse-misconfigured", Fate::Misconfigured, Fate::Unknown),
];

/// The words for a capture, a cancellation or a refund, after the name of the operation.
pub const LATER: &[&str] = &[
    "decline-generic",
    "pending",
    "pending-then-decline",
    "unknown",
    "unknown-then-decline",
    "unknown-then-absent",
];

const GENERIC: Fate = Fate::Declined(DeclineCode::Generic);

const fn declined(word: &'static str, code: DeclineCode) -> Line {
    (word, Fate::Declined(code), Fate::Declined(code))
}

/// The payer decides, and no question before that finds anything new.
const fn asked(word: &'static str, manner: Manner) -> Line {
    (word, Fate::Asked(manner), Fate::Asked(manner))
}

/// The code by its name, which is also the provider's own code.
pub fn name(code: DeclineCode) -> &'static str {
    let line = LINES.iter().find(|(_, first, _)| *first == Fate::Declined(code));
    line.and_then(|(word, ..)| word.strip_prefix("decline-")).unwrap_or("generic")
}

/// What a provider that declines with this code would advise.
pub fn advice(code: DeclineCode) -> RetryAdvice {
    match code {
        DeclineCode::SuspectedFraud | DeclineCode::NotPermitted | DeclineCode::Duplicate => {
            RetryAdvice::Never
        }
        DeclineCode::InsufficientFunds | DeclineCode::LimitExceeded => RetryAdvice::Later,
        DeclineCode::ProviderUnavailable | DeclineCode::Generic => RetryAdvice::OtherProvider,
        DeclineCode::Expired
        | DeclineCode::IncorrectDetails
        | DeclineCode::AuthenticationRequired
        | DeclineCode::InvalidRequest => RetryAdvice::AfterChange,
    }
}
