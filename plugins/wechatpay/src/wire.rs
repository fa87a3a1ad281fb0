//! What WeChat says on the wire, under its own names, and what its words mean, as tables. A word
//! that does not stand here is not definite. Requests are written in `ask`.

use sdk::prelude::{DeclineCode, RetryAdvice as Retry};
use serde::Deserialize;

pub(crate) const CNY: &str = "CNY";

/// An order, a refund or a transfer, as answers, queries and deliveries tell it, or why there is
/// none: what each calls its state differs, and none has every field.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Thing {
    pub code: String,
    pub message: String,
    pub out_trade_no: Option<String>,
    pub transaction_id: Option<String>,
    pub out_refund_no: Option<String>,
    pub refund_id: Option<String>,
    pub out_bill_no: Option<String>,
    pub transfer_bill_no: Option<String>,
    #[serde(alias = "trade_state", alias = "status", alias = "refund_status")]
    pub state: String,
    /// Only in the answer to an order, which has nothing else: not even the order's number.
    pub code_url: Option<String>,
    pub trade_state_desc: Option<String>,
    pub fail_reason: Option<String>,
    pub amount: Option<Amount>,
    pub transfer_amount: Option<u64>,
    pub package_info: Option<String>,
}

/// Of an order or a refund. Deliveries leave the currency out.
#[derive(Default, Deserialize)]
pub(crate) struct Amount {
    pub refund: Option<u64>,
    pub total: Option<u64>,
    pub currency: Option<String>,
}

/// A delivery before its resource is opened.
#[derive(Deserialize)]
pub(crate) struct Notice {
    pub id: String,
    pub event_type: String,
    pub resource: Resource,
}

#[derive(Deserialize)]
pub(crate) struct Resource {
    pub algorithm: String,
    pub ciphertext: String,
    pub nonce: String,
    #[serde(default)]
    pub associated_data: String,
}

/// What a state says of the money.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Fate {
    Succeeded,
    Pending,
    /// Somebody has to act in WeChat; queries do not repeat with what.
    Waiting,
    Declined,
    Expired,
}

/// The states of an order. `REFUND` is one refunded since it was paid, wholly or in part.
pub(crate) const TRADE: &[(Fate, &str)] = &[
    (Fate::Succeeded, "SUCCESS REFUND"),
    (Fate::Waiting, "NOTPAY"),
    (Fate::Expired, "CLOSED REVOKED"),
    (Fate::Pending, "USERPAYING"),
    (Fate::Declined, "PAYERROR"),
];
/// The states of a refund. `ABNORMAL` is one that the payer's bank sent back: the money waits until
/// the merchant says where it is to go.
pub(crate) const REFUND: &[(Fate, &str)] = &[
    (Fate::Succeeded, "SUCCESS"),
    (Fate::Pending, "PROCESSING ABNORMAL"),
    (Fate::Declined, "CLOSED"),
];
/// The states of a transfer. `PROCESSING` is also one that the merchant's balance is too low for:
/// it stays, and is paid once there is enough.
pub(crate) const TRANSFER: &[(Fate, &str)] = &[
    (Fate::Succeeded, "SUCCESS"),
    (Fate::Pending, "ACCEPTED PROCESSING TRANSFERING CANCELING"),
    (Fate::Waiting, "WAIT_USER_CONFIRM"),
    (Fate::Declined, "FAIL"),
    (Fate::Expired, "CANCELLED"),
];

/// Codes that say: not done, and will not be. Of most, the manual says so in words. The last three
/// rows are why transfers fail.
const REFUSALS: &[(DeclineCode, Retry, &str)] = &[
    (DeclineCode::InvalidRequest, Retry::AfterChange, "PARAM_ERROR INVALID_REQUEST"),
    (DeclineCode::InvalidRequest, Retry::AfterChange, "MCH_NOT_EXISTS APPID_MCHID_NOT_MATCH"),
    // The first is said of orders paid some minutes ago, too: the same again may succeed.
    (DeclineCode::InvalidRequest, Retry::Later, "RESOURCE_NOT_EXISTS ORDER_NOT_EXIST"),
    (DeclineCode::NotPermitted, Retry::AfterChange, "NO_AUTH"),
    (DeclineCode::NotPermitted, Retry::Later, "REQUEST_BLOCKED"),
    (DeclineCode::NotPermitted, Retry::Never, "USER_ACCOUNT_ABNORMAL ACCOUNT_ERROR ORDER_PAID"),
    (DeclineCode::InsufficientFunds, Retry::Later, "NOT_ENOUGH"),
    (DeclineCode::LimitExceeded, Retry::Later, "RULE_LIMIT DAY_RECEIVED_QUOTA_EXCEED"),
    (DeclineCode::ProviderUnavailable, Retry::Later, "FREQUENCY_LIMITED RATELIMIT_EXCEEDED"),
    (DeclineCode::Generic, Retry::AfterChange, "TRADE_ERROR"),
    (DeclineCode::IncorrectDetails, Retry::AfterChange, "NAME_NOT_CORRECT OPENID_INVALID"),
    (DeclineCode::NotPermitted, Retry::Later, "REAL_NAME_CHECK_FAIL ACCOUNT_FROZEN"),
    (DeclineCode::SuspectedFraud, Retry::Never, "TRANSFER_RISK"),
];

/// What this refusal means; none when it is not definite.
pub(crate) fn refusal(code: &str) -> Option<(DeclineCode, Retry)> {
    let row = REFUSALS.iter().find(|(.., codes)| among(codes, code));
    row.map(|(ours, retry, _)| (*ours, *retry))
}

/// Whether a code is one of these: WeChat writes `ORDER_PAID` here and `ORDERPAID` there.
pub(crate) fn among(codes: &str, code: &str) -> bool {
    codes.split(' ').any(|known| known.replace('_', "") == code.replace('_', ""))
}
