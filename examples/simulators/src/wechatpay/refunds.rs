//! Refunds: asked for at once, done later.
//! <https://pay.weixin.qq.com/doc/v3/merchant/4012791883>

use http::StatusCode;
use serde_json::{Value, json};

use crate::books::MovementKind;
use crate::identifiers;
use crate::payer::PayerAnswer;

use super::fields::Fields;
use super::orders;
use super::refusal::Refusal;
use super::state::{Line, Notice, Order, Refund, State, beijing};

const KNOWN: &[&str] = &[
    "amount",
    "funds_account",
    "goods_detail",
    "notify_url",
    "out_refund_no",
    "out_trade_no",
    "reason",
    "transaction_id",
];

/// What a request asks for.
struct Asked<'a> {
    out_refund_no: &'a str,
    refund: i64,
    total: i64,
    notify_url: Option<&'a str>,
}

/// `POST /v3/refund/domestic/refunds`
pub(crate) fn create(state: &mut State, body: &Value, now_s: i64) -> Result<Value, Refusal> {
    let fields = Fields::of(body, KNOWN)?;
    let asked = read(&fields)?;
    let order = order(state, &fields)?.clone();
    if let Some(known) = state.refunds.get(asked.out_refund_no) {
        return if known.request == *body { Ok(shown(known)) } else { Err(inconsistent()) };
    }
    let transaction_id = order.transaction_id().ok_or_else(no_paid_order)?.to_owned();
    if asked.total != order.total {
        return Err(inconsistent());
    }
    let left = order.total - order.refunded;
    if left == 0 {
        return Err(Refusal::invalid("订单已全额退款"));
    }
    if asked.refund > left {
        return Err(Refusal::invalid("退款金额大于可退金额"));
    }
    state.spend(asked.refund)?;
    let refund = Refund {
        out_refund_no: asked.out_refund_no.to_owned(),
        refund_id: identifiers::digits("50300", 23),
        out_trade_no: order.out_trade_no.clone(),
        transaction_id,
        amount: asked.refund,
        total: order.total,
        notify_url: asked.notify_url.map(str::to_owned),
        created_s: now_s,
        success_s: None,
        status: "PROCESSING",
        request: body.clone(),
    };
    if let Some(order) = state.orders.get_mut(&refund.out_trade_no) {
        order.refunded += refund.amount;
    }
    let answer = shown(&refund);
    state.refunds_open.push(refund.out_refund_no.clone());
    state.refunds.insert(refund.out_refund_no.clone(), refund);
    Ok(answer)
}

fn read<'a>(fields: &Fields<'a>) -> Result<Asked<'a>, Refusal> {
    let out_refund_no = fields.identifier("out_refund_no", "商户退款单号", (1, 64), "_-|*@")?;
    fields.text("reason", "退款原因", (1, 80))?;
    let notify_url = fields.notify_url(false)?;
    let amount = fields.object("amount", "金额信息", &["currency", "from", "refund", "total"])?;
    let refund = amount.fen("refund", "退款金额")?;
    let total = amount.fen("total", "原订单金额")?;
    amount.currency(true)?;
    Ok(Asked { out_refund_no, refund, total, notify_url })
}

fn order<'a>(state: &'a State, fields: &Fields<'_>) -> Result<&'a Order, Refusal> {
    let transaction_id = fields.text("transaction_id", "微信支付订单号", (1, 32))?;
    let out_trade_no = fields.text("out_trade_no", "商户订单号", (6, 32))?;
    let found = match (transaction_id, out_trade_no) {
        (Some(id), None) => orders::by_transaction(state, id),
        (None, Some(no)) => state.order(no),
        _ => return Err(Refusal::malformed("微信订单号和商户订单号必须且只能传一个")),
    };
    found.map_err(|_| no_paid_order())
}

fn no_paid_order() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "RESOURCE_NOT_EXISTS", "订单不存在")
}

fn inconsistent() -> Refusal {
    Refusal::invalid("订单金额或退款金额与之前请求不一致，请核实后再试")
}

/// `GET /v3/refund/domestic/refunds/{out_refund_no}`
pub(crate) fn retrieve(state: &State, out_refund_no: &str) -> Result<Value, Refusal> {
    let missing = || Refusal::new(StatusCode::NOT_FOUND, "RESOURCE_NOT_EXISTS", "退款单不存在");
    state.refunds.get(out_refund_no).map(shown).ok_or_else(missing)
}

/// Time passes: refunds under way are done, or found impossible. Returns how many.
pub(crate) fn settle(state: &mut State, outcome: PayerAnswer, mchid: &str, now_s: i64) -> usize {
    let open = std::mem::take(&mut state.refunds_open);
    let settled = open.len();
    for refund in open.iter().filter_map(|id| state.refunds.get(id).cloned()).collect::<Vec<_>>() {
        settle_one(state, refund, outcome, mchid, now_s);
    }
    settled
}

fn settle_one(
    state: &mut State,
    mut refund: Refund,
    outcome: PayerAnswer,
    mchid: &str,
    now_s: i64,
) {
    let order = state.orders.get(&refund.out_trade_no).cloned();
    let (event, summary) = if outcome == PayerAnswer::Succeeded {
        refund.status = "SUCCESS";
        refund.success_s = Some(now_s);
        let line = Line {
            reference: &refund.refund_id,
            payment: &refund.out_trade_no,
            key: &refund.out_refund_no,
            entry: None,
            amount: refund.amount,
        };
        state.record(MovementKind::Refund, line, now_s);
        ("REFUND.SUCCESS", "退款成功")
    } else {
        refund.status = "ABNORMAL";
        state.earn(refund.amount);
        ("REFUND.ABNORMAL", "退款异常")
    };
    // Without an address of its own, a refund is told where the payment was.
    let url = refund.notify_url.clone().or(order.map(|order| order.notify_url));
    if let Some(url) = url {
        let resource = told(&refund, mchid);
        state.outbox.push(Notice { event, summary, kind: "refund", url, resource });
    }
    state.refunds.insert(refund.out_refund_no.clone(), refund);
}

/// A refund as answers tell it.
fn shown(refund: &Refund) -> Value {
    let mut object = json!({
        "refund_id": refund.refund_id,
        "out_refund_no": refund.out_refund_no,
        "transaction_id": refund.transaction_id,
        "out_trade_no": refund.out_trade_no,
        "channel": "ORIGINAL",
        "user_received_account": "支付用户零钱",
        "create_time": beijing(refund.created_s),
        "status": refund.status,
        "funds_account": "AVAILABLE",
        "amount": {
            "total": refund.total,
            "refund": refund.amount,
            "from": [],
            "payer_total": refund.total,
            "payer_refund": refund.amount,
            "settlement_refund": refund.amount,
            "settlement_total": refund.total,
            "discount_refund": 0,
            "currency": "CNY",
            "refund_fee": 0,
        },
        "promotion_detail": [],
    });
    if let (Some(fields), Some(at_s)) = (object.as_object_mut(), refund.success_s) {
        fields.insert("success_time".into(), json!(beijing(at_s)));
    }
    object
}

/// A refund as notifications tell it.
fn told(refund: &Refund, mchid: &str) -> Value {
    let mut object = json!({
        "mchid": mchid,
        "out_trade_no": refund.out_trade_no,
        "transaction_id": refund.transaction_id,
        "out_refund_no": refund.out_refund_no,
        "refund_id": refund.refund_id,
        "refund_status": refund.status,
        "user_received_account": "支付用户零钱",
        "amount": {
            "total": refund.total,
            "refund": refund.amount,
            "payer_total": refund.total,
            "payer_refund": refund.amount,
        },
    });
    if let (Some(fields), Some(at_s)) = (object.as_object_mut(), refund.success_s) {
        fields.insert("success_time".into(), json!(beijing(at_s)));
    }
    object
}
