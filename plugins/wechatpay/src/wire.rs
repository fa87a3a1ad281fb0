//! What WeChat says on the wire, under its own names, and what its words mean, as tables. A word
//! that does not stand here is not definite. Requests are written in `ask`.

use sdk::prelude::*;
use serde::{Deserialize, Serialize};

/// The one currency.
pub(crate) const CNY: &str = "CNY";

/// The answer to a native order. It names no order: nothing in it tells which it answers.
#[derive(Deserialize)]
pub(crate) struct NativeAnswer {
    pub code_url: String,
}

/// An order, a refund or a transfer, as answers, queries and deliveries tell it: what each calls
/// its state differs, and none has every field.
#[derive(Deserialize)]
pub(crate) struct Thing {
    pub out_trade_no: Option<String>,
    pub transaction_id: Option<String>,
    pub out_refund_no: Option<String>,
    pub refund_id: Option<String>,
    pub out_bill_no: Option<String>,
    pub transfer_bill_no: Option<String>,
    #[serde(alias = "trade_state", alias = "status", alias = "refund_status")]
    pub state: String,
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

/// What the merchant reports about a transfer, by the rules of its scene.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SceneReport {
    info_type: String,
    info_content: String,
}

/// What a refused request is answered with.
#[derive(Default, Deserialize)]
pub(crate) struct Refused {
    pub code: String,
    #[serde(default)]
    pub message: String,
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
    /// WeChat has it and will decide.
    Pending,
    /// Somebody has to act in WeChat; queries do not repeat with what.
    Waiting,
    Declined,
    Expired,
}

/// The states of an order. The last three come of payment codes alone, says the manual.
pub(crate) const TRADE: &[(&str, Fate)] = &[
    ("SUCCESS", Fate::Succeeded),
    // Paid, and refunded since, wholly or in part: refunds are entries of their own.
    ("REFUND", Fate::Succeeded),
    ("NOTPAY", Fate::Waiting),
    ("CLOSED", Fate::Expired),
    ("REVOKED", Fate::Expired),
    ("USERPAYING", Fate::Pending),
    ("PAYERROR", Fate::Declined),
];
/// The states of a refund.
pub(crate) const REFUND: &[(&str, Fate)] = &[
    ("SUCCESS", Fate::Succeeded),
    ("PROCESSING", Fate::Pending),
    // The payer's bank sent it back: the money waits until the merchant says where it is to go.
    ("ABNORMAL", Fate::Pending),
    ("CLOSED", Fate::Declined),
];
/// The states of a transfer.
pub(crate) const TRANSFER: &[(&str, Fate)] = &[
    ("SUCCESS", Fate::Succeeded),
    ("ACCEPTED", Fate::Pending),
    // Also while the merchant's own balance is too low: the bill stays, and pays once it is filled.
    ("PROCESSING", Fate::Pending),
    ("WAIT_USER_CONFIRM", Fate::Waiting),
    ("TRANSFERING", Fate::Pending),
    ("CANCELING", Fate::Pending),
    ("FAIL", Fate::Declined),
    ("CANCELLED", Fate::Expired),
];

/// Codes that say: not done, and will not be. Of most, the manual says so in words.
const REFUSALS: &[(DeclineCode, RetryAdvice, &[&str])] = &[
    (DeclineCode::InvalidRequest, RetryAdvice::AfterChange, &["PARAM_ERROR", "INVALID_REQUEST"]),
    (DeclineCode::InvalidRequest, RetryAdvice::AfterChange, &["MCH_NOT_EXISTS"]),
    (DeclineCode::InvalidRequest, RetryAdvice::AfterChange, &["APPID_MCHID_NOT_MATCH"]),
    // The first is said of orders paid some minutes ago, too: the same again may succeed.
    (DeclineCode::InvalidRequest, RetryAdvice::Later, &["RESOURCE_NOT_EXISTS", "ORDER_NOT_EXIST"]),
    (DeclineCode::NotPermitted, RetryAdvice::AfterChange, &["NO_AUTH"]),
    (DeclineCode::NotPermitted, RetryAdvice::Later, &["REQUEST_BLOCKED", "REAL_NAME_CHECK_FAIL"]),
    (DeclineCode::NotPermitted, RetryAdvice::Never, &["USER_ACCOUNT_ABNORMAL", "ACCOUNT_ERROR"]),
    (DeclineCode::NotPermitted, RetryAdvice::Never, &["ACCOUNT_FROZEN", "ORDER_PAID"]),
    (DeclineCode::InsufficientFunds, RetryAdvice::Later, &["NOT_ENOUGH"]),
    (DeclineCode::LimitExceeded, RetryAdvice::Later, &["RULE_LIMIT", "DAY_RECEIVED_QUOTA_EXCEED"]),
    (DeclineCode::LimitExceeded, RetryAdvice::AfterChange, &["TRANSFER_QUOTA_EXCEED"]),
    (DeclineCode::ProviderUnavailable, RetryAdvice::Later, &["FREQUENCY_LIMITED"]),
    (DeclineCode::ProviderUnavailable, RetryAdvice::Later, &["RATELIMIT_EXCEEDED"]),
    (DeclineCode::IncorrectDetails, RetryAdvice::AfterChange, &["NAME_NOT_CORRECT"]),
    (DeclineCode::IncorrectDetails, RetryAdvice::AfterChange, &["OPENID_INVALID"]),
    (DeclineCode::SuspectedFraud, RetryAdvice::Never, &["TRANSFER_RISK"]),
    (DeclineCode::Generic, RetryAdvice::AfterChange, &["TRADE_ERROR"]),
];

/// What this refusal means; none when it is not definite.
pub(crate) fn refusal(code: &str) -> Option<(DeclineCode, RetryAdvice)> {
    let known = |codes: &[&str]| codes.iter().any(|known| same(known, code));
    REFUSALS.iter().find(|(.., codes)| known(codes)).map(|(ours, retry, _)| (*ours, *retry))
}

/// The same code: WeChat writes `ORDER_PAID` here and `ORDERPAID` there.
pub(crate) fn same(known: &str, code: &str) -> bool {
    known.replace('_', "") == code.replace('_', "")
}
