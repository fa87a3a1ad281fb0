//! Payouts (商家转账): created by the merchant, confirmed by the payee within a day.
//! <https://pay.weixin.qq.com/doc/v3/merchant/4012716434>

use http::StatusCode;
use serde_json::{Value, json};

use crate::books::MovementKind;
use crate::identifiers;
use crate::payer::PayerAnswer;

use super::fields::{Fields, wrong};
use super::orders::Merchant;
use super::refusal::Refusal;
use super::seal::Platform;
use super::state::{Line, Notice, State, Transfer, beijing};

const AMOUNT_MIN: i64 = 10;
/// Below this, a name must not be given.
const NAME_FROM: i64 = 30;
/// From here on, a name must be given.
const NAME_REQUIRED_FROM: i64 = 200_000;
/// A payee has a day to confirm.
const CONFIRM_WITHIN_S: i64 = 24 * 60 * 60;

const KNOWN: &[&str] = &[
    "appid",
    "notify_url",
    "openid",
    "out_bill_no",
    "transfer_amount",
    "transfer_remark",
    "transfer_scene_id",
    "transfer_scene_report_infos",
    "user_name",
    "user_recv_perception",
];

/// `POST /v3/fund-app/mch-transfer/transfer-bills`; `serial` is the header `Wechatpay-Serial`.
pub(crate) fn create(
    state: &mut State,
    body: &Value,
    serial: Option<&str>,
    merchant: (&Merchant<'_>, &Platform),
    now_s: i64,
) -> Result<Value, Refusal> {
    let transfer = read(body, serial, merchant, now_s)?;
    if let Some(known) = state.transfers.get(&transfer.out_bill_no) {
        // Compared with the name in clear: the same name is never encrypted to the same bytes.
        return if known.request == transfer.request {
            Ok(created(known))
        } else {
            Err(Refusal::invalid("单号已存在但信息不一致,请查单后比较确认"))
        };
    }
    state.spend(transfer.amount)?;
    let answer = created(&transfer);
    state.transfers.insert(transfer.out_bill_no.clone(), transfer);
    Ok(answer)
}

fn read(
    body: &Value,
    serial: Option<&str>,
    (merchant, platform): (&Merchant<'_>, &Platform),
    now_s: i64,
) -> Result<Transfer, Refusal> {
    let fields = Fields::of(body, KNOWN)?;
    let appid = fields.required("appid", "商户AppID", (1, 32))?;
    merchant.check_appid(appid)?;
    let out_bill_no = fields.identifier("out_bill_no", "商户单号", (1, 32), "")?;
    fields.required("transfer_scene_id", "转账场景ID", (1, 36))?;
    let openid = fields.required("openid", "收款用户OpenID", (1, 64))?;
    let remark = fields.required("transfer_remark", "转账备注", (1, 32))?;
    fields.text("user_recv_perception", "用户收款感知", (1, 32))?;
    let notify_url = fields.notify_url(false)?;
    let amount = fields.fen("transfer_amount", "转账金额")?;
    if amount < AMOUNT_MIN {
        return Err(Refusal::invalid("超过单笔转账上下限，核实产品设置是否准确"));
    }
    check_scene(body)?;
    let encrypted = fields.text("user_name", "收款用户姓名", (1, 1024))?;
    let name = name(encrypted, serial, platform, amount)?;
    Ok(Transfer {
        out_bill_no: out_bill_no.to_owned(),
        transfer_bill_no: identifiers::digits("1330000071100999991182020050700", 8),
        appid: appid.to_owned(),
        openid: openid.to_owned(),
        amount,
        remark: remark.to_owned(),
        notify_url: notify_url.map(str::to_owned),
        package: identifiers::alphanumeric("", 64),
        created_s: now_s,
        updated_s: now_s,
        state: "WAIT_USER_CONFIRM",
        fail_reason: None,
        request: in_clear(body, name),
    })
}

fn check_scene(body: &Value) -> Result<(), Refusal> {
    let told = |info: &Value| {
        ["info_type", "info_content"]
            .iter()
            .all(|name| info.get(name).and_then(Value::as_str).is_some_and(|text| !text.is_empty()))
    };
    let infos = body.get("transfer_scene_report_infos").and_then(Value::as_array);
    match infos {
        Some(infos) if !infos.is_empty() && infos.iter().all(told) => Ok(()),
        _ => Err(Refusal::malformed("需传入转账场景报备信息，请检查")),
    }
}

fn name(
    encrypted: Option<&str>,
    serial: Option<&str>,
    platform: &Platform,
    amount: i64,
) -> Result<Option<String>, Refusal> {
    let broken = |rule| wrong("/user_name", "收款用户姓名", rule);
    let Some(encrypted) = encrypted else {
        return if amount >= NAME_REQUIRED_FROM {
            Err(broken("规则校验失败，转账金额大于等于2000元时必填"))
        } else {
            Ok(None)
        };
    };
    if amount < NAME_FROM {
        return Err(broken("规则校验失败，转账金额小于0.3元时不允许填写"));
    }
    let serial = serial.ok_or_else(|| Refusal::malformed("Http头缺少Wechatpay-Serial"))?;
    match platform.opened(serial, encrypted) {
        Some(name) if !name.is_empty() => Ok(Some(name)),
        _ => Err(broken("解密失败，请检查加密算法以及Wechatpay-Serial")),
    }
}

fn in_clear(body: &Value, name: Option<String>) -> Value {
    let mut body = body.clone();
    if let (Some(fields), Some(name)) = (body.as_object_mut(), name) {
        fields.insert("user_name".into(), json!(name));
    }
    body
}

fn created(transfer: &Transfer) -> Value {
    let mut object = json!({
        "out_bill_no": transfer.out_bill_no,
        "transfer_bill_no": transfer.transfer_bill_no,
        "create_time": beijing(transfer.created_s),
        "state": transfer.state,
    });
    let Some(fields) = object.as_object_mut() else { return object };
    if transfer.state == "WAIT_USER_CONFIRM" {
        fields.insert("package_info".into(), json!(transfer.package));
    }
    if let Some(reason) = transfer.fail_reason {
        fields.insert("fail_reason".into(), json!(reason));
    }
    object
}

/// A transfer as queries tell it, looked for by either number.
pub(crate) fn retrieve(
    state: &mut State,
    named: impl Fn(&Transfer) -> bool,
    mchid: &str,
    now_s: i64,
) -> Result<Value, Refusal> {
    expire(state, mchid, now_s);
    let found = state.transfers.values().find(|transfer| named(transfer));
    found.map(|transfer| shown(transfer, mchid)).ok_or_else(not_found)
}

fn not_found() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "NOT_FOUND", "记录不存在")
}

/// `POST …/out-bill-no/{out_bill_no}/cancel`
pub(crate) fn cancel(state: &mut State, out_bill_no: &str, now_s: i64) -> Result<Value, Refusal> {
    let transfer = state.transfers.get_mut(out_bill_no).ok_or_else(not_found)?;
    match transfer.state {
        "WAIT_USER_CONFIRM" => {
            transfer.state = "CANCELING";
            transfer.updated_s = now_s;
            state.cancellations_open.push(out_bill_no.to_owned());
        }
        "CANCELING" | "CANCELLED" => {}
        _ => return Err(Refusal::invalid("当前转账单状态不支持撤销")),
    }
    Ok(json!({
        "out_bill_no": transfer.out_bill_no,
        "transfer_bill_no": transfer.transfer_bill_no,
        "state": transfer.state,
        "update_time": beijing(transfer.updated_s),
    }))
}

/// Cancellations under way are done. Returns how many.
pub(crate) fn settle(state: &mut State, mchid: &str, now_s: i64) -> usize {
    let open = std::mem::take(&mut state.cancellations_open);
    for out_bill_no in &open {
        finish(state, out_bill_no, ("CANCELLED", None), mchid, now_s);
    }
    open.len()
}

/// The payee confirms, or cannot be paid.
pub(crate) fn confirm(
    state: &mut State,
    out_bill_no: &str,
    answer: PayerAnswer,
    mchid: &str,
    now_s: i64,
) -> Result<(), String> {
    expire(state, mchid, now_s);
    let waiting = state.transfers.get(out_bill_no).is_some_and(|t| t.state == "WAIT_USER_CONFIRM");
    if !waiting {
        return Err("there is no such transfer that waits for its payee".to_owned());
    }
    let end = match answer {
        PayerAnswer::Succeeded => ("SUCCESS", None),
        PayerAnswer::Failed => ("FAIL", Some("REALNAME_CHECK_FAIL")),
    };
    finish(state, out_bill_no, end, mchid, now_s);
    Ok(())
}

fn expire(state: &mut State, mchid: &str, now_s: i64) {
    let over = |transfer: &&Transfer| {
        transfer.state == "WAIT_USER_CONFIRM" && now_s - transfer.created_s > CONFIRM_WITHIN_S
    };
    let over: Vec<String> =
        state.transfers.values().filter(over).map(|bill| bill.out_bill_no.clone()).collect();
    for out_bill_no in over {
        finish(state, &out_bill_no, ("FAIL", Some("OVERDUE_CLOSE")), mchid, now_s);
    }
}

fn finish(
    state: &mut State,
    out_bill_no: &str,
    (word, reason): (&'static str, Option<&'static str>),
    mchid: &str,
    now_s: i64,
) {
    let Some(transfer) = state.transfers.get_mut(out_bill_no) else { return };
    transfer.state = word;
    transfer.fail_reason = reason;
    transfer.updated_s = now_s;
    let transfer = transfer.clone();
    let line = Line {
        reference: &transfer.transfer_bill_no,
        payment: &transfer.out_bill_no,
        key: &transfer.out_bill_no,
        entry: None,
        amount: transfer.amount,
    };
    if word == "SUCCESS" {
        state.record(MovementKind::Payout, line, now_s);
    } else {
        state.record(MovementKind::Decline, line, now_s);
        state.earn(transfer.amount);
    }
    if let Some(url) = transfer.notify_url.clone() {
        state.outbox.push(Notice {
            event: "MCHTRANSFER.BILL.FINISHED",
            summary: "商家转账单据终态通知",
            kind: "mch_payment",
            url,
            resource: shown(&transfer, mchid),
        });
    }
}

fn shown(transfer: &Transfer, mchid: &str) -> Value {
    let mut object = json!({
        "mch_id": mchid,
        "out_bill_no": transfer.out_bill_no,
        "transfer_bill_no": transfer.transfer_bill_no,
        "appid": transfer.appid,
        "state": transfer.state,
        "transfer_amount": transfer.amount,
        "transfer_remark": transfer.remark,
        "openid": transfer.openid,
        "create_time": beijing(transfer.created_s),
        "update_time": beijing(transfer.updated_s),
    });
    if let (Some(fields), Some(reason)) = (object.as_object_mut(), transfer.fail_reason) {
        fields.insert("fail_reason".into(), json!(reason));
    }
    object
}
