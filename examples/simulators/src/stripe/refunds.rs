//! Refunds: <https://docs.stripe.com/api/refunds>.

use http::StatusCode;
use serde_json::{Map, Value};

use crate::books::{Movement, MovementKind};

use super::cards::Refunding;
use super::params::{Known, Params};
use super::refusal::Refusal;
use super::shape;
use super::state::{Call, Charge, Refund, State, new_id};

const CREATE: Known = Known {
    modelled: &["amount", "charge", "metadata", "payment_intent", "reason"],
    ignored: &[],
    refused: &[
        "currency",
        "customer",
        "expand",
        "instructions_email",
        "origin",
        "refund_application_fee",
        "reverse_transfer",
    ],
};

/// `POST /v1/refunds`
pub(crate) fn create(
    state: &mut State,
    form: &Map<String, Value>,
    call: &Call<'_>,
) -> Result<Value, Refusal> {
    let params = Params::checked(form, &CREATE)?;
    let reasons = ["duplicate", "fraudulent", "requested_by_customer"];
    let reason = params.one_of("reason", &reasons)?.map(str::to_owned);
    let metadata = params.metadata()?;
    let asked = params.amount("amount")?;
    let mut charge = refunded_charge(state, &params)?;
    let amount = refundable(&charge, asked)?;
    let (status, counted) = match charge.card.refunding {
        Refunding::Pends => ("pending", false),
        Refunding::Succeeds | Refunding::FailsLater => ("succeeded", true),
    };
    let refund = Refund {
        id: new_id("re_"),
        charge: charge.id.clone(),
        intent: charge.intent.clone(),
        amount,
        currency: charge.currency.clone(),
        created_s: call.now_s,
        status,
        reason,
        failure: None,
        metadata,
        key: call.key.to_owned(),
    };
    charge.amount_refunded += amount;
    if counted {
        record(state, MovementKind::Refund, &refund, call.now_s);
    }
    let shown = shape::refund(&refund);
    state.event("refund.created", shown.clone());
    state.event("charge.refunded", shape::charge(&charge));
    state.charges.insert(charge.id.clone(), charge);
    state.refund_order.push(refund.id.clone());
    state.refunds.insert(refund.id.clone(), refund);
    Ok(shown)
}

fn refunded_charge(state: &State, params: &Params<'_>) -> Result<Charge, Refusal> {
    match (params.text("payment_intent")?, params.text("charge")?) {
        (None, None) => {
            let why = "One of the following params should be provided for this request: \
                       payment_intent or charge.";
            Err(Refusal::invalid(why).code("parameter_missing"))
        }
        (Some(_), Some(_)) => {
            let why = "You may only specify one of these parameters: payment_intent, charge.";
            Err(Refusal::invalid(why).param("charge"))
        }
        (None, Some(id)) => state.charge(id).cloned(),
        (Some(id), None) => {
            let latest = state.intent(id)?.latest_charge.clone().unwrap_or_default();
            let charge = state.charges.get(&latest).filter(|charge| charge.failure.is_none());
            charge.cloned().ok_or_else(|| no_charge(id))
        }
    }
}

fn no_charge(intent: &str) -> Refusal {
    let why = format!("This PaymentIntent ({intent}) does not have a successful charge to refund.");
    Refusal::forbidden_by_state(why)
}

fn refundable(charge: &Charge, asked: Option<i64>) -> Result<i64, Refusal> {
    if charge.failure.is_some() || !charge.captured {
        return Err(no_charge(&charge.intent));
    }
    let left = charge.refundable();
    if left <= 0 {
        let why = format!("Charge {} has already been refunded.", charge.id);
        return Err(Refusal::forbidden_by_state(why).code("charge_already_refunded"));
    }
    let amount = asked.unwrap_or(left);
    if amount > left {
        let why = format!(
            "Refund amount ({amount} {0}) is greater than unrefunded amount on charge ({left} {0})",
            charge.currency
        );
        return Err(Refusal::forbidden_by_state(why).param("amount"));
    }
    Ok(amount)
}

/// Time passes: pending refunds succeed, and those that are to fail do.
pub(crate) fn settle(state: &mut State, now_s: i64) -> usize {
    let mut settled = 0;
    for id in state.refund_order.clone() {
        let Some(refund) = state.refunds.get(&id).cloned() else { continue };
        let Some(charge) = state.charges.get(&refund.charge).cloned() else { continue };
        settled += usize::from(settle_one(state, refund, charge, now_s));
    }
    settled
}

fn settle_one(state: &mut State, mut refund: Refund, mut charge: Charge, now_s: i64) -> bool {
    let kind = match (charge.card.refunding, refund.status) {
        (Refunding::Pends, "pending") => {
            refund.status = "succeeded";
            record(state, MovementKind::Refund, &refund, now_s);
            "refund.updated"
        }
        (Refunding::FailsLater, "succeeded") => {
            refund.status = "failed";
            refund.failure = Some("expired_or_canceled_card");
            charge.amount_refunded -= refund.amount;
            record(state, MovementKind::RefundReversal, &refund, now_s);
            state.charges.insert(charge.id.clone(), charge);
            "refund.failed"
        }
        _ => return false,
    };
    let shown = shape::refund(&refund);
    state.event("charge.refund.updated", shown.clone());
    state.event(kind, shown);
    state.refunds.insert(refund.id.clone(), refund);
    true
}

/// `GET /v1/refunds/{id}`
pub(crate) fn retrieve(state: &State, id: &str) -> Result<Value, Refusal> {
    let missing = || Refusal::missing(StatusCode::NOT_FOUND, "refund", id, "refund");
    state.refunds.get(id).map(shape::refund).ok_or_else(missing)
}

fn record(state: &mut State, kind: MovementKind, refund: &Refund, now_s: i64) {
    state.books.record(Movement {
        kind,
        reference: refund.id.clone(),
        payment: refund.intent.clone(),
        key: refund.key.clone(),
        entry: refund.metadata.get("entry").cloned(),
        amount: refund.amount,
        currency: refund.currency.to_uppercase(),
        at_s: now_s,
    });
}
