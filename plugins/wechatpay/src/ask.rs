//! What is asked of WeChat: one function a request, each signed and ready to send.

use sdk::prelude::*;
use serde_json::{Value, json};

use crate::{required, signature::platform, signature::signed};

const ORDERS: &str = "/v3/pay/transactions";
const REFUNDS: &str = "/v3/refund/domestic/refunds";
const TRANSFERS: &str = "/v3/fund-app/mch-transfer/transfer-bills";

/// An order that the payer scans.
pub(crate) fn native(host: &dyn Host, order: &Order) -> Result<Call, Failure> {
    if !order.entry.capture || order.instrument != Instrument::Qr {
        return Err(Failure::Unsupported("WeChat Pay takes at once, and by `qr` alone".to_owned()));
    }
    let body = json!({
        "appid": required(host, "appid")?,
        "mchid": required(host, "mchid")?,
        "description": order.description,
        "out_trade_no": order.entry.id,
        "notify_url": order.notify_url,
        "amount": { "total": order.entry.amount.minor, "currency": order.entry.amount.currency },
        "scene_info": order.customer_ip.as_ref().map(|ip| json!({ "payer_client_ip": ip })),
    });
    let body = filled(body, order, &["time_expire", "attach", "goods_tag"])?;
    signed(host, &format!("{ORDERS}/native"), body)
}

/// Closes the order a payment stands by.
pub(crate) fn close(host: &dyn Host, order: &Order) -> Result<Call, Failure> {
    let path = format!("{ORDERS}/out-trade-no/{}/close", number(order)?);
    signed(host, &path, json!({ "mchid": required(host, "mchid")? }).to_string())
}

/// Gives back some or all of a paid order.
pub(crate) fn refund(host: &dyn Host, order: &Order) -> Result<Call, Failure> {
    let paid = order.payment.succeeded(OperationKind::Authorize);
    let paid = paid.ok_or_else(|| Failure::invalid("payment: nothing of it is paid"))?;
    let Money { minor, currency } = &order.entry.amount;
    let body = json!({
        "out_trade_no": paid.id,
        "out_refund_no": order.entry.id,
        "notify_url": order.notify_url,
        "amount": { "refund": minor, "total": paid.amount.minor, "currency": currency },
    });
    signed(host, REFUNDS, filled(body, order, &["reason"])?)
}

/// A transfer to a wallet, by the payee's open id under our AppID. The payee's name, which WeChat
/// compares, is needed from 2000.00 CNY on, and not taken below 0.30.
pub(crate) fn transfer(host: &dyn Host, order: &Order) -> Result<Call, Failure> {
    let Instrument::Wallet(openid) = &order.instrument else {
        return Err(Failure::Unsupported("WeChat Pay pays out to a `wallet` alone".to_owned()));
    };
    let fen = order.entry.amount.minor;
    if fen >= 200_000 && order.beneficiary.is_none() {
        return Err(Failure::invalid("beneficiary: needed from 2000.00 CNY on"));
    }
    let given = |name: &str| order.extra.iter().any(|(each, _)| each == name);
    let scene = host.setting("transfer-scene-id");
    if !given(REPORTS) || !(given("transfer_scene_id") || scene.is_some()) {
        return Err(Failure::invalid(format!("extra: needs transfer_scene_id and {REPORTS}")));
    }
    if order.description.chars().count() > 32 {
        return Err(Failure::invalid("description: at most 32 characters for a payout"));
    }
    let sealed = |name: &str| -> Result<String, Failure> {
        let (key, _) = platform(host)?;
        Ok(base64(key.wrap(KeyTransport::RsaOaepSha1, &Content::from(name))?))
    };
    let name = order.beneficiary.as_deref().filter(|_| fen >= 30).map(sealed).transpose()?;
    let body = json!({
        "appid": required(host, "appid")?,
        "out_bill_no": bill_number(&order.entry.id)?,
        "transfer_scene_id": scene,
        "openid": openid,
        "user_name": name,
        "transfer_amount": fen,
        "transfer_remark": order.description,
        "notify_url": order.notify_url,
    });
    let body = filled(body, order, &["transfer_scene_id", REPORTS, "user_recv_perception"])?;
    signed(host, TRANSFERS, body)
}

/// Asks what became of the entry in hand; of a close, what became of its order.
pub(crate) fn query(host: &dyn Host, order: &Order) -> Result<Call, Failure> {
    let (number, mchid) = (number(order)?, required(host, "mchid")?);
    let path = match order.entry.kind {
        OperationKind::Refund => format!("{REFUNDS}/{number}"),
        OperationKind::Payout => format!("{TRANSFERS}/out-bill-no/{}", bill_number(number)?),
        _ => format!("{ORDERS}/out-trade-no/{number}?mchid={mchid}"),
    };
    signed(host, &path, String::new())
}

/// Whose number the operation goes by: the entry's own, but for a close that of the newest
/// authorization, the only one that can still be open.
pub(crate) fn number(order: &Order) -> Result<&str, Failure> {
    if order.entry.kind != OperationKind::Cancel {
        return Ok(&order.entry.id);
    }
    let mut entries = order.payment.entries.iter().rev();
    let newest = entries.find(|entry| entry.kind == OperationKind::Authorize);
    newest.map(|entry| &*entry.id).ok_or_else(|| Failure::invalid("payment: nothing to close"))
}

/// A transfer's number has no underscore: `ent_01jd…` is `ent01jd…` there.
fn bill_number(id: &str) -> Result<String, Failure> {
    let number = id.replace('_', "");
    let wrong = || Failure::invalid(format!("entry: `{id}` has no underscore in fourth place"));
    (entry_id(&number) == id).then_some(number).ok_or_else(wrong)
}

/// The entry whose transfer has this number.
pub(crate) fn entry_id(number: &str) -> String {
    number.split_at_checked(3).map_or_else(String::new, |(kind, rest)| format!("{kind}_{rest}"))
}

/// The extra field that is a list, given as JSON: `[{"info_type":"…","info_content":"…"}]`.
const REPORTS: &str = "transfer_scene_report_infos";

/// The body as text, without what is not set, and with the app's extra fields: those have WeChat's
/// own names. WeChat holds no character that UTF-8 writes in four bytes.
fn filled(mut body: Value, order: &Order, taken: &[&str]) -> Result<String, Failure> {
    let fields = body.as_object_mut().ok_or_else(|| Failure::invalid("no fields"))?;
    fields.retain(|_, value| !value.is_null());
    for (name, value) in &order.extra {
        if !taken.contains(&name.as_str()) {
            return Err(Failure::invalid(format!("extra: `{name}` is none of {taken:?}")));
        }
        let list = || serde_json::from_str::<Vec<Value>>(value).map(Value::Array);
        let value = if name == REPORTS { list() } else { Ok(json!(value)) };
        let wrong = |error| Failure::invalid(format!("extra: `{name}`: {error}"));
        fields.insert(name.clone(), value.map_err(wrong)?);
    }
    let text = body.to_string();
    let beyond = text.chars().any(|character| character > '\u{FFFF}');
    let wrong = || Failure::invalid("text: WeChat Pay holds no character beyond U+FFFF");
    (!beyond).then_some(text).ok_or_else(wrong)
}
