//! Native payments: an order gives a code, the payer scans it and pays.
//! <https://pay.weixin.qq.com/doc/v3/merchant/4012791874>
//!
//! The same order with the same parameters gives the same code. With other parameters it is refused
//! as `INVALID_REQUEST` (201 商户订单号重复); once paid, as `OUT_TRADE_NO_USED`.

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::books::MovementKind;
use crate::identifiers;
use crate::payer::PayerAnswer;

use super::fields::{Fields, wrong};
use super::refusal::Refusal;
use super::state::{Line, Notice, Order, OrderState, State, beijing};

/// A code can be paid for two hours.
const CODE_LIFE_S: i64 = 2 * 60 * 60;

const KNOWN: &[&str] = &[
    "amount",
    "appid",
    "attach",
    "description",
    "detail",
    "goods_tag",
    "limit_pay",
    "mchid",
    "notify_url",
    "out_trade_no",
    "scene_info",
    "settle_info",
    "support_fapiao",
    "time_expire",
];

/// The merchant and the applications it may pay with.
pub(crate) struct Merchant<'a> {
    pub mchid: &'a str,
    pub appid: Option<&'a str>,
}

impl Merchant<'_> {
    pub fn check_mchid(&self, mchid: &str) -> Result<(), Refusal> {
        if mchid == self.mchid {
            return Ok(());
        }
        let why = "商户号与签名的商户号不一致";
        Err(Refusal::new(StatusCode::FORBIDDEN, "NO_AUTH", why))
    }

    pub fn check_appid(&self, appid: &str) -> Result<(), Refusal> {
        if self.appid.is_none_or(|known| known == appid) {
            return Ok(());
        }
        let why = "AppID和mch_id不匹配";
        Err(Refusal::new(StatusCode::BAD_REQUEST, "APPID_MCHID_NOT_MATCH", why))
    }
}

/// `POST /v3/pay/transactions/native`
pub(crate) fn native(
    state: &mut State,
    body: &Value,
    merchant: &Merchant<'_>,
    now_s: i64,
) -> Result<Value, Refusal> {
    let order = read(body, merchant, now_s)?;
    let code_url = match state.orders.get_mut(&order.out_trade_no) {
        Some(known) => {
            repeatable(known, &order)?;
            known.payable_until_s = order.payable_until_s;
            known.code_url.clone()
        }
        None => {
            let code_url = order.code_url.clone();
            state.orders.insert(order.out_trade_no.clone(), order);
            code_url
        }
    };
    Ok(json!({ "code_url": code_url }))
}

fn read(body: &Value, merchant: &Merchant<'_>, now_s: i64) -> Result<Order, Refusal> {
    let fields = Fields::of(body, KNOWN)?;
    let appid = fields.required("appid", "公众号ID", (1, 32))?;
    merchant.check_mchid(fields.required("mchid", "直连商户号", (1, 32))?)?;
    merchant.check_appid(appid)?;
    fields.required("description", "商品描述", (1, 127))?;
    let out_trade_no = fields.identifier("out_trade_no", "商户订单号", (6, 32), "_-|*")?;
    fields.text("goods_tag", "订单优惠标记", (1, 32))?;
    let attach = fields.text("attach", "附加数据", (1, 128))?;
    let notify_url = fields.notify_url(true)?.unwrap_or_default();
    let expires = fields.text("time_expire", "交易结束时间", (1, 64))?;
    let amount = fields.object("amount", "订单金额", &["currency", "total"])?;
    let total = amount.fen("total", "总金额")?;
    amount.currency(false)?;
    Ok(Order {
        out_trade_no: out_trade_no.to_owned(),
        appid: appid.to_owned(),
        attach: attach.map(str::to_owned),
        notify_url: notify_url.to_owned(),
        total,
        code_url: identifiers::alphanumeric("weixin://wxpay/bizpayurl?pr=", 9),
        payable_until_s: payable_until(expires, now_s)?,
        state: OrderState::Unpaid,
        refunded: 0,
        request: body.clone(),
    })
}

/// The earlier of the code's own end and the order's; an end within a minute is moved to a minute.
fn payable_until(expires: Option<&str>, now_s: i64) -> Result<i64, Refusal> {
    let code_s = now_s + CODE_LIFE_S;
    let Some(text) = expires else { return Ok(code_s) };
    let end: Timestamp = text.parse().map_err(|_| {
        wrong("/time_expire", "交易结束时间", "规则校验失败，应符合rfc3339标准格式")
    })?;
    Ok(end.as_second().max(now_s + 60).min(code_s))
}

fn repeatable(known: &Order, asked: &Order) -> Result<(), Refusal> {
    match known.state {
        OrderState::Paid { .. } => {
            Err(Refusal::new(StatusCode::FORBIDDEN, "OUT_TRADE_NO_USED", "商户订单号重复"))
        }
        OrderState::Closed => {
            Err(Refusal::new(StatusCode::BAD_REQUEST, "ORDER_CLOSED", "订单已关闭"))
        }
        OrderState::Unpaid if known.request != asked.request => {
            Err(Refusal::invalid("201 商户订单号重复"))
        }
        OrderState::Unpaid => Ok(()),
    }
}

/// `POST /v3/pay/transactions/out-trade-no/{out_trade_no}/close`; closing twice is allowed.
pub(crate) fn close(
    state: &mut State,
    out_trade_no: &str,
    body: &Value,
    merchant: &Merchant<'_>,
) -> Result<(), Refusal> {
    let fields = Fields::of(body, &["mchid"])?;
    merchant.check_mchid(fields.required("mchid", "直连商户号", (1, 32))?)?;
    let order = state.orders.get_mut(out_trade_no).ok_or_else(Refusal::no_order)?;
    if let OrderState::Paid { .. } = order.state {
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "ORDERPAID", "该订单已支付"));
    }
    order.state = OrderState::Closed;
    Ok(())
}

/// The order of a transaction.
pub(crate) fn by_transaction<'a>(state: &'a State, id: &str) -> Result<&'a Order, Refusal> {
    let paid_as = |order: &&Order| order.transaction_id() == Some(id);
    state.orders.values().find(paid_as).ok_or_else(Refusal::no_order)
}

/// The payer scans the code, and pays or does not.
pub(crate) fn pay(
    state: &mut State,
    reference: &str,
    answer: PayerAnswer,
    mchid: &str,
    now_s: i64,
) -> Result<(), String> {
    let out_trade_no = named(state, reference).ok_or("there is no such order")?;
    let order = state.orders.get_mut(&out_trade_no).ok_or("there is no such order")?;
    if order.state != OrderState::Unpaid {
        return Err("this order cannot be paid any more".to_owned());
    }
    if now_s > order.payable_until_s {
        return Err("this code has expired".to_owned());
    }
    let transaction_id = identifiers::digits("42000", 23);
    let kind = if answer == PayerAnswer::Succeeded {
        let openid = identifiers::alphanumeric("oUpF8u", 22);
        let transaction_id = transaction_id.clone();
        order.state = OrderState::Paid { transaction_id, at_s: now_s, openid };
        MovementKind::Capture
    } else {
        MovementKind::Decline
    };
    let order = order.clone();
    if kind == MovementKind::Capture {
        state.earn(order.total);
        state.outbox.push(paid(&order, mchid));
    }
    let line = Line {
        reference: &transaction_id,
        payment: &order.out_trade_no,
        key: &order.out_trade_no,
        entry: order.attach.as_deref(),
        amount: order.total,
    };
    state.record(kind, line, now_s);
    Ok(())
}

/// The number of an order named by it or by its code.
fn named(state: &State, reference: &str) -> Option<String> {
    if state.orders.contains_key(reference) {
        return Some(reference.to_owned());
    }
    let coded = state.orders.values().find(|order| order.code_url == reference);
    coded.map(|order| order.out_trade_no.clone())
}

fn paid(order: &Order, mchid: &str) -> Notice {
    Notice {
        event: "TRANSACTION.SUCCESS",
        summary: "支付成功",
        kind: "transaction",
        url: order.notify_url.clone(),
        resource: shown(order, mchid),
    }
}

/// An order as queries and notifications tell it.
pub(crate) fn shown(order: &Order, mchid: &str) -> Value {
    let (word, text) = match &order.state {
        OrderState::Unpaid => ("NOTPAY", "订单未支付"),
        OrderState::Closed => ("CLOSED", "订单已关闭"),
        OrderState::Paid { .. } if order.refunded > 0 => ("REFUND", "订单发生过退款"),
        OrderState::Paid { .. } => ("SUCCESS", "支付成功"),
    };
    let mut object = json!({
        "appid": order.appid,
        "mchid": mchid,
        "out_trade_no": order.out_trade_no,
        "promotion_detail": [],
        "trade_state": word,
        "trade_state_desc": text,
    });
    let Some(fields) = object.as_object_mut() else { return object };
    if let Some(attach) = &order.attach {
        fields.insert("attach".into(), json!(attach));
    }
    if let OrderState::Paid { transaction_id, at_s, openid } = &order.state {
        let amount = json!({
            "total": order.total,
            "payer_total": order.total,
            "currency": "CNY",
            "payer_currency": "CNY",
        });
        fields.insert("amount".into(), amount);
        fields.insert("bank_type".into(), json!("OTHERS"));
        fields.insert("payer".into(), json!({ "openid": openid }));
        fields.insert("success_time".into(), json!(beijing(*at_s)));
        fields.insert("trade_type".into(), json!("NATIVE"));
        fields.insert("transaction_id".into(), json!(transaction_id));
    } else {
        let amount = json!({ "total": order.total, "currency": "CNY" });
        fields.insert("amount".into(), amount);
    }
    object
}
