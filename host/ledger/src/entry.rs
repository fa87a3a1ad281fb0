//! One operation in the ledger, and what can be said of it.

use serde::{Deserialize, Serialize};

use crate::{Id, Money, State, TimestampMs, Told};

/// What is asked. A `sync` moves no money and has no entry: it asks about one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Reserve an amount, or take it at once where the entry captures.
    Authorize,
    /// Take an amount that is authorised.
    Capture,
    /// Release what is authorised, or close what is not paid yet.
    Cancel,
    /// Give back an amount that was captured.
    Refund,
    /// Send an amount to somebody.
    Payout,
}

impl Kind {
    /// Its name in records, events and answers.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Authorize => "authorize",
            Kind::Capture => "capture",
            Kind::Cancel => "cancel",
            Kind::Refund => "refund",
            Kind::Payout => "payout",
        }
    }
}

/// Identifiers that the provider gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct References {
    /// Names the thing an operation acts on.
    pub provider: String,
    /// For providers that give two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secondary: Option<String>,
}

/// What the payer has to do next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum NextAction {
    /// Send the payer's browser here.
    Redirect {
        /// Where.
        url: String,
    },
    /// Post these fields from the payer's browser.
    Form {
        /// Where.
        url: String,
        /// Name and value.
        fields: Vec<(String, String)>,
    },
    /// Show this text as a QR code.
    Qr {
        /// The text.
        text: String,
    },
    /// Open the provider's app with this.
    App {
        /// What it is given.
        link: String,
    },
    /// Show this text.
    Show {
        /// The text.
        text: String,
    },
}

/// Why the provider refused, in words common to all providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum DeclineCode {
    Generic,
    InsufficientFunds,
    Expired,
    IncorrectDetails,
    LimitExceeded,
    SuspectedFraud,
    AuthenticationRequired,
    NotPermitted,
    Duplicate,
    InvalidRequest,
    ProviderUnavailable,
}

/// Whether asking again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum RetryAdvice {
    Never,
    Later,
    AfterChange,
    OtherProvider,
}

/// A provider's "no".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decline {
    /// In our words.
    pub code: DeclineCode,
    /// Whether asking again can help.
    pub retry: RetryAdvice,
    /// The provider's own code, to the letter.
    pub provider_code: String,
    /// The provider's own message, to the letter.
    pub provider_message: String,
}

/// What the provider says it moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// Under which identifiers.
    pub references: References,
    /// How much.
    pub amount: Money,
}

/// What is told of an entry, with all that came along.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// A request is about to leave.
    Sending,
    /// The payer has to act.
    NeedsAction {
        /// The provider's identifiers.
        references: References,
        /// What to do.
        next: NextAction,
    },
    /// The provider will decide later.
    Pending {
        /// The provider's identifiers.
        references: References,
    },
    /// The answer was lost; why.
    Lost {
        /// For people.
        why: String,
    },
    /// Done.
    Succeeded(Settled),
    /// Refused.
    Declined {
        /// What the provider said.
        decline: Decline,
        /// The provider's identifiers, where it gave any.
        references: Option<References>,
    },
    /// It never reached the provider; how that is known.
    NotSent {
        /// For people.
        why: String,
    },
    /// Closed unpaid.
    Expired {
        /// The provider's identifiers, where it gave any.
        references: Option<References>,
    },
}

impl Verdict {
    /// Its column in the state table.
    pub fn told(&self) -> Told {
        match self {
            Verdict::Sending => Told::Sending,
            Verdict::NeedsAction { .. } => Told::NeedsAction,
            Verdict::Pending { .. } => Told::Pending,
            Verdict::Lost { .. } => Told::Lost,
            Verdict::Succeeded(_) => Told::Succeeded,
            Verdict::Declined { .. } => Told::Declined,
            Verdict::NotSent { .. } => Told::NotSent,
            Verdict::Expired { .. } => Told::Expired,
        }
    }

    /// The identifiers it tells.
    pub fn references(&self) -> Option<&References> {
        match self {
            Verdict::NeedsAction { references, .. } | Verdict::Pending { references } => {
                Some(references)
            }
            Verdict::Succeeded(settled) => Some(&settled.references),
            Verdict::Declined { references, .. } | Verdict::Expired { references } => {
                references.as_ref()
            }
            Verdict::Sending | Verdict::Lost { .. } | Verdict::NotSent { .. } => None,
        }
    }
}

/// Who said how an entry ended, and why, where the provider did not say it in its own voice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// By what it was settled.
    pub means: Means,
    /// Who: a person's name, or that of the account whose report proves it.
    pub by: String,
    /// Why, for people.
    pub reason: String,
    /// When.
    pub at_ms: TimestampMs,
}

/// By what an entry was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Means {
    /// A person who looked it up.
    Person,
    /// The provider's own report of what it booked.
    Report,
}

/// One operation and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its identifier: also the idempotency key or order number at the provider.
    pub id: Id,
    /// What was asked.
    pub kind: Kind,
    /// How much.
    pub amount: Money,
    /// Of an authorisation: whether it takes the amount at once.
    #[serde(default)]
    pub capture: bool,
    /// What became of it.
    pub state: State,
    /// The provider's identifiers, as soon as it gave any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub references: Option<References>,
    /// In `needs-action`: what the payer has to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<NextAction>,
    /// In `declined`: what the provider said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decline: Option<Decline>,
    /// In `unknown` and `not-sent`: why, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Who settled it, where neither an answer nor a webhook of the provider did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<Resolution>,
    /// When it was asked.
    pub created_at_ms: TimestampMs,
    /// When it last changed.
    pub changed_at_ms: TimestampMs,
}

impl Entry {
    pub(crate) fn note(&mut self, verdict: &Verdict, state: State, now: TimestampMs) {
        self.state = state;
        self.changed_at_ms = now;
        if let Some(references) = verdict.references() {
            self.references = Some(references.clone());
        }
        self.next = None;
        self.why = None;
        match verdict {
            Verdict::NeedsAction { next, .. } => self.next = Some(next.clone()),
            Verdict::Declined { decline, .. } => self.decline = Some(decline.clone()),
            Verdict::Lost { why } | Verdict::NotSent { why } => self.why = Some(why.clone()),
            Verdict::Sending
            | Verdict::Pending { .. }
            | Verdict::Succeeded(_)
            | Verdict::Expired { .. } => {}
        }
    }
}
