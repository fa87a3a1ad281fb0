//! The controls that act for the payer, the payee and the passing of time.

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use crate::controls::{ok, read, refused};
use crate::exchange::{Answer, Asked};
use crate::payer::PayerAnswer;

use super::Wechatpay;

/// The controls of this provider.
pub(crate) fn control(wechatpay: &Wechatpay, asked: &Asked) -> Option<Answer> {
    match (&asked.method, asked.path.as_str()) {
        (&Method::POST, "/_simulator/pay") => {
            Some(read(asked, |order: Pay| match wechatpay.pay(&order.reference, order.outcome) {
                Ok(()) => ok(&json!({})),
                Err(why) => refused(StatusCode::CONFLICT, &why),
            }))
        }
        (&Method::POST, "/_simulator/settle") => Some(read(asked, |order: Settle| {
            ok(&json!({ "settled": wechatpay.settle_all(order.outcome) }))
        })),
        (&Method::POST, "/_simulator/balance") => Some(read(asked, |order: Balance| {
            wechatpay.set_balance(order.fen);
            ok(&json!({}))
        })),
        _ => None,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pay {
    reference: String,
    #[serde(default)]
    outcome: PayerAnswer,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settle {
    #[serde(default)]
    outcome: PayerAnswer,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Balance {
    fen: Option<i64>,
}
