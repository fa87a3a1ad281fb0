//! What is asked of WeChat: one function a request, each signed and ready to send.

use sdk::prelude::*;
use serde_json::{Value, json};

use crate::required;
use crate::signature::{platform, signed};
use crate::wire::SceneReport;

/// The fen from which a transfer must name its payee, and below which it must not.
const NAMED_FROM: u64 = 200_000;
const NAMELESS_BELOW: u64 = 30;
/// Characters of the remark a payee sees.
const REMARK_MAX: usize = 32;

/// An order that the payer scans.
pub(crate) fn native(host: &dyn Host, order: &Order) -> Result<Call, Failure> {
    if !order.entry.capture {
        let what = "authorize without capture: WeChat Pay takes the amount at once";
        return Err(Failure::Unsupported(what.to_owned()));
    }
    if order.instrument != Instrument::Qr {
        return Err(Failure::Unsupported("this instrument: a payment is by `qr`".to_owned()));
    }
    let mut body = json!({
        "appid": required(host, "appid")?,
        "mchid": required(host, "mchid")?,
        "description": writable("description", &order.description)?,
        "out_trade_no": order.entry.id,
        "notify_url": order.notify_url,
        "amount": { "total": order.entry.amount.minor, "currency": order.entry.amount.currency },
    });
    if let Some(address) = &order.customer_ip {
        add(&mut body, "scene_info", json!({ "payer_client_ip": address }));
    }
    add_extra(&mut body, order, &["time_expire", "attach", "goods_tag"])?;
    signed(host, "/v3/pay/transactions/native", body.to_string())
}

/// Closes the order a payment stands by.
pub(crate) fn close(host: &dyn Host, order: &Order) -> Result<Call, Failure> {
    let path = format!("/v3/pay/transactions/out-trade-no/{}/close", order_number(order)?);
    signed(host, &path, json!({ "mchid": required(host, "mchid")? }).to_string())
}

/// Gives back some or all of a paid order.
pub(crate) fn refund(host: &dyn Host, order: &Order) -> Result<Call, Failure> {
    let paid = order.payment.succeeded(OperationKind::Authorize);
    let paid = paid.ok_or_else(|| Failure::invalid("payment: nothing of it is paid"))?;
    let amount = &order.entry.amount;
    let mut body = json!({
        "out_trade_no": paid.id,
        "out_refund_no": order.entry.id,
        "notify_url": order.notify_url,
        "amount": {
            "refund": amount.minor,
            "total": paid.amount.minor,
            "currency": amount.currency,
        },
    });
    add_extra(&mut body, order, &["reason"])?;
    signed(host, "/v3/refund/domestic/refunds", body.to_string())
}

/// A transfer to a wallet, by the payee's open id under our AppID.
pub(crate) fn transfer(host: &dyn Host, order: &Order) -> Result<Call, Failure> {
    let Instrument::Wallet(openid) = &order.instrument else {
        return Err(Failure::Unsupported("this instrument: a payout is to a `wallet`".to_owned()));
    };
    let fen = order.entry.amount.minor;
    if fen >= NAMED_FROM && order.beneficiary.is_none() {
        return Err(Failure::invalid("beneficiary: must be named from 2000.00 CNY on"));
    }
    if order.description.chars().count() > REMARK_MAX {
        return Err(Failure::invalid("description: at most 32 characters for a payout"));
    }
    let mut body = json!({
        "appid": required(host, "appid")?,
        "out_bill_no": bill_number(&order.entry.id)?,
        "openid": openid,
        "transfer_amount": fen,
        "transfer_remark": writable("description", &order.description)?,
        "notify_url": order.notify_url,
    });
    if let Some(scene) = host.setting("transfer-scene-id") {
        add(&mut body, "transfer_scene_id", scene.into());
    }
    if let Some(name) = order.beneficiary.as_deref().filter(|_| fen >= NAMELESS_BELOW) {
        let name = Content::from(writable("beneficiary", name)?);
        let wrapped = platform(host)?.0.wrap(KeyTransport::RsaOaepSha1, &name)?;
        add(&mut body, "user_name", base64(wrapped).into());
    }
    add_extra(&mut body, order, &["transfer_scene_id", "user_recv_perception", REPORTS])?;
    for name in ["transfer_scene_id", REPORTS] {
        if body.get(name).is_none() {
            return Err(Failure::invalid(format!("extra: `{name}` is missing")));
        }
    }
    signed(host, "/v3/fund-app/mch-transfer/transfer-bills", body.to_string())
}

/// Asks what became of the entry in hand; of a close, what became of its order.
pub(crate) fn query(host: &dyn Host, order: &Order) -> Result<Call, Failure> {
    let path = match order.entry.kind {
        OperationKind::Refund => format!("/v3/refund/domestic/refunds/{}", order.entry.id),
        OperationKind::Payout => {
            let number = bill_number(&order.entry.id)?;
            format!("/v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{number}")
        }
        OperationKind::Authorize | OperationKind::Cancel => {
            let (number, mchid) = (order_number(order)?, required(host, "mchid")?);
            format!("/v3/pay/transactions/out-trade-no/{number}?mchid={mchid}")
        }
        kind => return Err(Failure::Unsupported(format!("sync of {}", kind.name()))),
    };
    signed(host, &path, String::new())
}

/// The number of the order an entry is about: its own, or for a close that of the newest
/// authorization, the only one that can still be open.
pub(crate) fn order_number(order: &Order) -> Result<&str, Failure> {
    if order.entry.kind == OperationKind::Authorize {
        return Ok(&order.entry.id);
    }
    let mut entries = order.payment.entries.iter().rev();
    let newest = entries.find(|entry| entry.kind == OperationKind::Authorize);
    let newest = newest.ok_or_else(|| Failure::invalid("payment: it has no authorization"))?;
    Ok(&newest.id)
}

/// A transfer's number has no underscore: `ent_01jd…` is `ent01jd…` there.
fn bill_number(id: &str) -> Result<String, Failure> {
    let number = id.replace('_', "");
    if entry_id(&number) != id {
        return Err(Failure::invalid(format!("entry: `{id}` has its underscore elsewhere")));
    }
    Ok(number)
}

/// The entry whose transfer has this number.
pub(crate) fn entry_id(number: &str) -> String {
    number.split_at_checked(3).map_or_else(String::new, |(kind, rest)| format!("{kind}_{rest}"))
}

/// The extra field that holds a list, as JSON: `[{"info_type":"…","info_content":"…"}]`.
const REPORTS: &str = "transfer_scene_report_infos";

/// An app's extra fields, which are WeChat's own by name; no others.
fn add_extra(body: &mut Value, order: &Order, taken: &[&str]) -> Result<(), Failure> {
    for (name, value) in &order.extra {
        if !taken.contains(&name.as_str()) {
            return Err(Failure::invalid(format!("extra: `{name}` is none of {taken:?}")));
        }
        let value = match name == REPORTS {
            true => reports(writable(name, value)?)?,
            false => writable(name, value)?.into(),
        };
        add(body, name, value);
    }
    Ok(())
}

fn reports(text: &str) -> Result<Value, Failure> {
    let list = serde_json::from_str::<Vec<SceneReport>>(text).map(|list| json!(list));
    list.map_err(|error| Failure::invalid(format!("extra: `{REPORTS}`: {error}")))
}

fn add(body: &mut Value, name: &str, value: Value) {
    if let Some(fields) = body.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}

/// Text WeChat can hold: of Unicode, it knows what UTF-8 writes in three bytes at most.
fn writable<'a>(field: &str, text: &'a str) -> Result<&'a str, Failure> {
    match text.chars().find(|character| *character > '\u{FFFF}') {
        Some(beyond) => Err(Failure::invalid(format!("{field}: `{beyond}` is beyond U+FFFF"))),
        None => Ok(text),
    }
}
