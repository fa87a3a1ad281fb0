//! WeChat Pay, API version 3, for a merchant of its own (普通商户): native orders, which the payer
//! scans; closing them; refunds; transfers to a wallet (商家转账, the interface of 2025).
//!
//! Only a reply that WeChat signed is believed. A refused *transfer* is never a definite no: its
//! manual forbids to conclude one from anything but a query that says FAIL.
//!
//! `references.provider` is the number we give, our entry's id; `secondary` is WeChat's own.

mod ask;
mod settlement;
mod signature;
mod told;
mod wire;

use sdk::prelude::*;
use told::Told;

/// The state of the second step of a sync: the order was given again to hear its code.
const GIVEN_AGAIN: &[u8] = b"given again";
const NOT_THERE: &str = "ORDER_NOT_EXIST RESOURCE_NOT_EXISTS NOT_FOUND";

/// WeChat Pay.
pub struct WechatPay;

sdk::export!(WechatPay);

impl Adapter for WechatPay {
    fn describe() -> Description {
        use OperationKind::{Authorize, Cancel, Payout, Refund, Sync};
        let version = env!("CARGO_PKG_VERSION");
        Description::new("wechatpay", version, &[Authorize, Cancel, Refund, Payout, Sync])
            .methods(&["qr", "wallet"])
            .currencies(&[wire::CNY])
            .hosts(&["api.mch.weixin.qq.com", "api2.mch.weixin.qq.com"])
            .settings([
                setting("mchid", "the merchant number").required(),
                setting("appid", "an AppID bound to that number").required(),
                setting("serial-no", "of the merchant's certificate, unless the key has it as id"),
                setting("transfer-scene-id", "of payouts whose extra gives none"),
                setting("base-url", "scheme and host, if not https://api.mch.weixin.qq.com"),
            ])
            .keys([
                key("merchant", KeyKind::Private, "the merchant's RSA key").required(),
                key("platform", KeyKind::Public, "WeChat's, by PUB_KEY_ID_… or serial").required(),
                key("api-v3-key", KeyKind::Symmetric, "the 32 bytes of the APIv3 key").required(),
            ])
            // Repeats are harmless; but a refusal of the repeat (429, 401) looks like one of both.
            .recovery(Recovery { idempotent_seconds: None, query: true, close: true })
            .fetches_reports(&[Authorize, Refund])
            .reads_reports(&[Authorize, Refund])
    }

    fn start(host: &dyn Host, operation: &Operation) -> Result<Step, Failure> {
        match operation {
            Operation::Authorize(order) => Ok(ask::native(host, order)?.send()),
            Operation::Cancel(order) => Ok(ask::close(host, order)?.send()),
            Operation::Refund(order) => Ok(ask::refund(host, order)?.send()),
            Operation::Payout(order) => Ok(ask::transfer(host, order)?.send()),
            Operation::Sync(order) => Ok(ask::query(host, order)?.ask()),
            Operation::Capture(_) => Err(Failure::unsupported(operation)),
        }
    }

    fn resume(
        host: &dyn Host,
        operation: &Operation,
        state: &[u8],
        reply: &Reply,
    ) -> Result<Step, Failure> {
        let reply = reply.http()?;
        if let Err(why) = signature::check(host, reply) {
            return Ok(done(unbelieved(operation, reply, &why)));
        }
        if !(200..300).contains(&reply.status) {
            return Ok(done(refused(operation, reply)));
        }
        match operation {
            Operation::Authorize(order) => Ok(done(ordered(order, reply)?)),
            Operation::Sync(order) if state == GIVEN_AGAIN => Ok(done(ordered(order, reply)?)),
            Operation::Cancel(order) => Ok(done(closed(order)?)),
            _ => stands(host, operation.order(), reply),
        }
    }

    fn prove(_: &dyn Host, delivery: &Delivery) -> Result<Proof, Failure> {
        signature::recipe(delivery)
    }

    fn interpret(host: &dyn Host, delivery: &Delivery) -> Result<Vec<Event>, Failure> {
        let notice: wire::Notice = delivery.json()?;
        let kind = match notice.event_type.as_str() {
            "TRANSACTION.SUCCESS" => OperationKind::Authorize,
            "REFUND.SUCCESS" | "REFUND.ABNORMAL" | "REFUND.CLOSED" => OperationKind::Refund,
            "MCHTRANSFER.BILL.FINISHED" => OperationKind::Payout,
            _ => return Ok(Vec::new()),
        };
        if notice.event_type == "REFUND.ABNORMAL" {
            host.log(Level::Warn, "a refund came back: say in WeChat's console where it is to go");
        }
        let told = Told::read(kind, &opened(host, &notice.resource)?)?;
        let (entry, references) = (told.entry.clone(), told.references.clone());
        let event = event(notice.id, kind, told.outcome(true));
        Ok(vec![event.entry(Some(entry)).references(references)])
    }

    fn acknowledge(accepted: bool) -> HttpResponse {
        match accepted {
            true => HttpResponse::new(204, ""),
            false => HttpResponse::new(500, r#"{"code":"FAIL","message":"not accepted"}"#)
                .header_added("content-type", "application/json"),
        }
    }

    fn begin_report(host: &dyn Host, span: &Span) -> Result<Page, Failure> {
        settlement::begin(host, span)
    }

    fn proceed_with_report(
        host: &dyn Host,
        span: &Span,
        state: &[u8],
        reply: &Reply,
    ) -> Result<Page, Failure> {
        settlement::proceed(host, span, state, reply.http()?)
    }

    fn read_report(host: &dyn Host, piece: &Piece) -> Result<Portion, Failure> {
        settlement::read(host, piece)
    }
}

pub(crate) fn required(host: &dyn Host, name: &str) -> Result<String, Failure> {
    host.setting(name).ok_or_else(|| Failure::misconfigured(format!("{name}: not set")))
}

/// A reply whose signature is missing or wrong says nothing, with one exception that `authorize`
/// and `cancel` can afford, as neither moves money by itself: WeChat signs no 401, not knowing
/// whom it answers, and has not acted on such a request.
fn unbelieved(operation: &Operation, reply: &HttpResponse, why: &str) -> Outcome {
    let wire::Thing { code, message, .. } = reply.json().unwrap_or_default();
    let harmless = matches!(operation, Operation::Authorize(_) | Operation::Cancel(_));
    if reply.status == 401 && harmless {
        let (ours, retry) = (DeclineCode::InvalidRequest, RetryAdvice::AfterChange);
        return decline(ours, retry, code, message).into();
    }
    Outcome::unknown(format!("not believed, as {why}: {} {code}", reply.status).trim_end())
}

/// A signed refusal: definite where the table knows its code, and the manual lets it count.
fn refused(operation: &Operation, reply: &HttpResponse) -> Outcome {
    let wire::Thing { code, message, .. } = reply.json().unwrap_or_default();
    let indefinite = Outcome::unknown(format!("{} {code}: {message}", reply.status));
    let is = |codes: &str| wire::among(codes, &code);
    match operation {
        _ if reply.status >= 500 => indefinite,
        Operation::Sync(_) if is(NOT_THERE) => Outcome::Absent,
        Operation::Sync(_) | Operation::Payout(_) => indefinite,
        // The number is taken already: by what, only a query tells.
        Operation::Authorize(_) if is("ORDER_PAID OUT_TRADE_NO_USED") => indefinite,
        Operation::Authorize(order) if is("ORDER_CLOSED") => Outcome::expired(&*order.entry.id),
        Operation::Cancel(order) if is("ORDER_CLOSED") => closed(order).unwrap_or(indefinite),
        _ => wire::refusal(&code)
            .map_or(indefinite, |(ours, retry)| decline(ours, retry, code, message).into()),
    }
}

/// The order stands, and this is the code to scan.
fn ordered(order: &Order, reply: &HttpResponse) -> Result<Outcome, Failure> {
    let code = reply.json::<wire::Thing>()?.code_url;
    let code = code.ok_or_else(|| Failure::malformed("it has no code_url"))?;
    Ok(Outcome::needs_action(&*order.entry.id, NextAction::Qr(code)))
}

/// Closed, by a reply without a body.
fn closed(order: &Order) -> Result<Outcome, Failure> {
    Ok(Outcome::succeeded(ask::number(order)?, order.entry.amount.clone()))
}

/// How the thing asked for or about stands now.
fn stands(host: &dyn Host, order: &Order, reply: &HttpResponse) -> Result<Step, Failure> {
    let (kind, shown) = (order.entry.kind, order.entry.state == EntryState::NeedsAction);
    let told = Told::read(kind, &reply.body)?;
    // A signature does not say which request it answers: the number has to.
    if told.entry != ask::number(order)? {
        return Ok(done(Outcome::unknown(format!("the reply is about `{}`", told.entry))));
    }
    Ok(match (kind, told.fate) {
        (OperationKind::Cancel, _) => done(told.closed(order.entry.amount.clone())),
        // Nobody has the code, as the answer that held it was lost. The same order given again is
        // the same order, and is answered with a code.
        (OperationKind::Authorize, Some(wire::Fate::Waiting)) if !shown => {
            ask::native(host, order)?.state(GIVEN_AGAIN).ask()
        }
        _ => done(told.outcome(shown)),
    })
}

/// The resource of a delivery, deciphered.
fn opened(host: &dyn Host, resource: &wire::Resource) -> Result<Vec<u8>, Failure> {
    if resource.algorithm != "AEAD_AES_256_GCM" {
        return Err(Failure::malformed(format!("resource: sealed by {}", resource.algorithm)));
    }
    let wire::Resource { nonce, associated_data: with, ciphertext, .. } = resource;
    let (key, sealed) = (host.key("api-v3-key")?, unbase64(ciphertext)?);
    Ok(key.open_sealed(Cipher::AesGcm, nonce.as_bytes(), with.as_bytes(), &sealed)?)
}
