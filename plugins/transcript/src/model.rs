//! The contract's values in plain form: the words of WIT, and nothing generated.

use std::fmt;

/// An amount in minor units.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Money {
    pub minor: u64,
    pub currency: String,
}

/// Identifiers that the provider gave.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct References {
    pub provider: String,
    pub secondary: Option<String>,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs)]
        pub enum $name { $($variant,)* }

        impl $name {
            /// By its word in the contract.
            pub fn named(word: &str) -> Option<$name> {
                match word { $($word => Some($name::$variant),)* _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $($name::$variant => $word,)* })
            }
        }
    };
}

words! {
    /// `operation-kind`.
    Kind {
        Authorize = "authorize",
        Capture = "capture",
        Cancel = "cancel",
        Refund = "refund",
        Payout = "payout",
        Sync = "sync",
    }
}
words! {
    /// `entry-state`.
    State {
        Created = "created",
        Sending = "sending",
        NeedsAction = "needs-action",
        Pending = "pending",
        Unknown = "unknown",
        Succeeded = "succeeded",
        Declined = "declined",
        NotSent = "not-sent",
        Expired = "expired",
    }
}

/// `entry`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Entry {
    pub id: String,
    pub kind: Kind,
    pub amount: Money,
    pub capture: bool,
    pub state: State,
    pub references: Option<References>,
    pub created_at: u64,
}

/// `payment`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Payment {
    pub id: String,
    pub merchant_reference: String,
    pub amount: Money,
    pub entries: Vec<Entry>,
}

/// `instrument`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Instrument {
    Card { brand: String, last4: String, security_code: bool, holder: bool },
    Token(String),
    Wallet(String),
    Bank(String),
    Qr,
    None,
}

/// `order`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Order {
    pub payment: Payment,
    pub entry: Entry,
    pub instrument: Instrument,
    pub description: String,
    pub return_url: Option<String>,
    pub notify_url: String,
    pub customer_ip: Option<String>,
    pub beneficiary: Option<String>,
    pub extra: Vec<(String, String)>,
}

/// `operation`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Operation {
    pub kind: Kind,
    pub order: Order,
}

/// `http-response`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// `reply`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Reply {
    Http(Response),
    Frame(Vec<u8>),
}

/// `delivery`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Delivery {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// `part`. A sensitive one by the names of its source (`secret:api-key`, `card:number`,
/// `derived:0`) and its encoding (`raw`, `json`, …).
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Part {
    Text(String),
    Bytes(Vec<u8>),
    Sensitive { source: String, encoding: String },
}

/// `request`. The method in upper case; framing as `length-prefix 2` or `stx-etx-lrc 127`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Request {
    Http { method: String, url: String, headers: Vec<(String, Vec<Part>)>, body: Vec<Part> },
    Frame { endpoint: String, framing: String, body: Vec<Part> },
}

/// `exchange`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Exchange {
    pub request: Request,
    pub moves_money: bool,
    pub state: Vec<u8>,
}

/// What a step answers: `result<step, failure>`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Answer {
    Send(Exchange),
    Done(Outcome),
    Failed(Failure),
}

/// `failure`, by its word and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Failure {
    pub word: String,
    pub text: String,
}

/// `next-action`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum NextAction {
    Redirect(String),
    Form { url: String, fields: Vec<(String, String)> },
    Qr(String),
    App(String),
    Show(String),
}

/// `decline`, its code and retry advice by their words.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Decline {
    pub code: String,
    pub retry: String,
    pub provider_code: String,
    pub provider_message: String,
    pub references: Option<References>,
}

/// `outcome`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Outcome {
    Succeeded { references: References, amount: Money },
    NeedsAction { references: References, next: NextAction },
    Pending(References),
    Declined(Decline),
    Expired(References),
    Unknown(String),
    Absent,
}

/// `proof`, its scheme as `mac hmac-sha256` or `signature rsa-pkcs1-sha256`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Proof {
    pub slot: String,
    pub key_id: Option<String>,
    pub scheme: String,
    pub message: Vec<u8>,
    pub evidence: Vec<Vec<u8>>,
    pub signed_at: Option<u64>,
}

/// `event`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Event {
    pub id: String,
    pub kind: Kind,
    pub entry: Option<String>,
    pub merchant_reference: Option<String>,
    pub references: Option<References>,
    pub outcome: Outcome,
}

/// `span`: seconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Span {
    pub since: u64,
    pub until: u64,
}

/// `movement`, its kind and state by their words.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Movement {
    pub id: String,
    pub kind: String,
    pub state: String,
    pub entry: Option<String>,
    pub references: Option<References>,
    pub amount: Money,
    pub fee: Option<Money>,
    pub booked_at: u64,
}

/// `page`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Page {
    pub movements: Vec<Movement>,
    pub is_file: bool,
    pub next: Option<Exchange>,
}

/// `piece`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Piece {
    pub state: Vec<u8>,
    pub bytes: Vec<u8>,
    pub last: bool,
}

/// `portion`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Portion {
    pub movements: Vec<Movement>,
    pub state: Vec<u8>,
}
