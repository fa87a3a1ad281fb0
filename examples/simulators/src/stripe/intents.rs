//! Payment intents: create, capture, cancel. Confirming is in [`super::confirmation`].
//! <https://docs.stripe.com/api/payment_intents>

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::books::MovementKind;

use super::confirmation::{self, Confirmation};
use super::currency;
use super::methods;
use super::params::{Known, Params};
use super::refusal::Refusal;
use super::shape;
use super::state::{Call, Intent, State, Status, new_id};

const CREATE: Known = Known {
    modelled: &[
        "amount",
        "automatic_payment_methods",
        "capture_method",
        "confirm",
        "confirmation_method",
        "currency",
        "customer",
        "description",
        "error_on_requires_action",
        "expand",
        "metadata",
        "off_session",
        "payment_method",
        "payment_method_data",
        "payment_method_types",
        "receipt_email",
        "return_url",
        "setup_future_usage",
        "statement_descriptor",
        "statement_descriptor_suffix",
    ],
    ignored: &["mandate_data", "payment_method_options", "radar_options", "shipping"],
    refused: &[
        "allowed_payment_method_types",
        "amount_details",
        "application_fee_amount",
        "confirmation_token",
        "customer_account",
        "excluded_payment_method_types",
        "hooks",
        "mandate",
        "on_behalf_of",
        "payment_details",
        "payment_method_configuration",
        "transfer_data",
        "transfer_group",
        "use_stripe_sdk",
    ],
};

const CAPTURE: Known = Known {
    modelled: &["amount_to_capture", "expand", "final_capture", "metadata"],
    ignored: &["statement_descriptor", "statement_descriptor_suffix"],
    refused: &[
        "amount_details",
        "application_fee_amount",
        "hooks",
        "payment_details",
        "transfer_data",
    ],
};

const CANCEL: Known =
    Known { modelled: &["cancellation_reason", "expand"], ignored: &[], refused: &[] };

const SHOWN: &[&str] = &[
    "customer",
    "description",
    "receipt_email",
    "setup_future_usage",
    "statement_descriptor",
    "statement_descriptor_suffix",
];

/// `POST /v1/payment_intents`
pub(crate) fn create(
    state: &mut State,
    form: &Map<String, Value>,
    call: &Call<'_>,
) -> Result<Value, Refusal> {
    let params = Params::checked(form, &CREATE)?;
    let expanded = params.expands("latest_charge")?;
    let confirmed = params.boolean("confirm")?.unwrap_or(false);
    let how = Confirmation::read(&params)?;
    let intent = draft(state, &params, call)?;
    if confirmed {
        how.check(&intent)?;
    } else if params.text("return_url")?.is_some() {
        let why = "`return_url` can only be used together with `confirm=true`.";
        return Err(Refusal::invalid(why).param("return_url"));
    }
    let id = intent.id.clone();
    let created = shape::intent(state, &intent, false);
    state.order.push(id.clone());
    state.intents.insert(id.clone(), intent);
    state.event("payment_intent.created", created);
    if confirmed {
        confirmation::settle(state, &id, &how, call)?;
    }
    Ok(shape::intent(state, state.intent(&id)?, expanded))
}

fn draft(state: &State, params: &Params<'_>, call: &Call<'_>) -> Result<Intent, Refusal> {
    params.required("amount")?;
    let amount = params.amount("amount")?.unwrap_or_default();
    let currency = params.required("currency")?;
    currency::check(currency)?;
    currency::check_minimum(amount, currency)?;
    params.one_of("confirmation_method", &["automatic"])?;
    let mut shown = Map::new();
    for name in SHOWN {
        if let Some(text) = params.text(name)? {
            shown.insert((*name).to_owned(), json!(text));
        }
    }
    let id = new_id("pi_");
    let secret = format!("{id}_secret_{}", new_id(""));
    let card = methods::card(state, params, call.now_s)?;
    let status =
        if card.is_some() { Status::RequiresConfirmation } else { Status::RequiresPaymentMethod };
    Ok(Intent {
        id,
        secret,
        amount,
        currency: currency.to_owned(),
        created_s: call.now_s,
        status,
        captured_by_hand: methods::captured_by_hand(params)?.unwrap_or(false),
        methods: methods::accepted(params)?,
        received: 0,
        capturable: 0,
        metadata: params.metadata()?,
        shown,
        card,
        return_url: params.text("return_url")?.map(str::to_owned),
        next_action: None,
        latest_charge: None,
        last_error: None,
        canceled: None,
        key: call.key.to_owned(),
    })
}

/// `POST /v1/payment_intents/{id}/capture`
pub(crate) fn capture(
    state: &mut State,
    id: &str,
    form: &Map<String, Value>,
    call: &Call<'_>,
) -> Result<Value, Refusal> {
    let params = Params::checked(form, &CAPTURE)?;
    let expanded = params.expands("latest_charge")?;
    if params.boolean("final_capture")? == Some(false) {
        let why = "This account is not enabled for multicapture.";
        return Err(Refusal::invalid(why).param("final_capture"));
    }
    let metadata = params.metadata()?;
    let intent = state.intent(id)?;
    if intent.status != Status::RequiresCapture {
        let why = format!(
            "This PaymentIntent could not be captured because it has a status of {}. Only a \
             PaymentIntent with one of the following statuses may be captured: requires_capture.",
            intent.status.word()
        );
        return Err(unexpected_state(state, intent, why));
    }
    let amount = params.amount("amount_to_capture")?.unwrap_or(intent.capturable);
    if amount > intent.capturable {
        let why = "The amount_to_capture is greater than the amount you can capture for this \
                   charge.";
        return Err(Refusal::forbidden_by_state(why)
            .code("amount_too_large")
            .param("amount_to_capture"));
    }
    take(state, id, amount, metadata, call)?;
    Ok(shape::intent(state, state.intent(id)?, expanded))
}

fn take(
    state: &mut State,
    id: &str,
    amount: i64,
    metadata: BTreeMap<String, String>,
    call: &Call<'_>,
) -> Result<(), Refusal> {
    let intent = state.intent_mut(id)?;
    let released = intent.capturable - amount;
    intent.status = Status::Succeeded;
    intent.received = amount;
    intent.capturable = 0;
    intent.metadata.extend(metadata.clone());
    let charge_id = intent.latest_charge.clone().unwrap_or_default();
    let mut charge = state.charge(&charge_id)?.clone();
    charge.captured = true;
    charge.amount_captured = amount;
    charge.metadata.extend(metadata);
    state.record(MovementKind::Capture, &charge, amount, call);
    if released > 0 {
        state.record(MovementKind::Release, &charge, released, call);
    }
    state.event("charge.captured", shape::charge(&charge));
    state.charges.insert(charge_id, charge);
    let now = shape::intent(state, state.intent(id)?, false);
    state.event("payment_intent.succeeded", now);
    Ok(())
}

/// `POST /v1/payment_intents/{id}/cancel`
pub(crate) fn cancel(
    state: &mut State,
    id: &str,
    form: &Map<String, Value>,
    call: &Call<'_>,
) -> Result<Value, Refusal> {
    let params = Params::checked(form, &CANCEL)?;
    let expanded = params.expands("latest_charge")?;
    let reasons = ["abandoned", "duplicate", "fraudulent", "requested_by_customer"];
    let reason = params.one_of("cancellation_reason", &reasons)?.map(str::to_owned);
    let intent = state.intent(id)?;
    if matches!(intent.status, Status::Succeeded | Status::Canceled) {
        let why = format!(
            "You cannot cancel this PaymentIntent because it has a status of {}. Only a \
             PaymentIntent with one of the following statuses may be canceled: \
             requires_payment_method, requires_capture, requires_confirmation, requires_action, \
             processing.",
            intent.status.word()
        );
        return Err(unexpected_state(state, intent, why));
    }
    let intent = state.intent_mut(id)?;
    let released = std::mem::take(&mut intent.capturable);
    let charge_id = intent.latest_charge.clone().unwrap_or_default();
    intent.status = Status::Canceled;
    intent.next_action = None;
    intent.canceled = Some((call.now_s, reason));
    if released > 0 {
        release(state, &charge_id, released, call)?;
    }
    let now = shape::intent(state, state.intent(id)?, false);
    state.event("payment_intent.canceled", now);
    Ok(shape::intent(state, state.intent(id)?, expanded))
}

/// A canceled authorization shows as a charge refunded before it was captured.
fn release(
    state: &mut State,
    charge_id: &str,
    released: i64,
    call: &Call<'_>,
) -> Result<(), Refusal> {
    let mut charge = state.charge(charge_id)?.clone();
    charge.amount_refunded = released;
    state.record(MovementKind::Release, &charge, released, call);
    state.event("charge.refunded", shape::charge(&charge));
    state.charges.insert(charge_id.to_owned(), charge);
    Ok(())
}

pub(crate) fn unexpected_state(state: &State, intent: &Intent, why: String) -> Refusal {
    Refusal::forbidden_by_state(why)
        .code("payment_intent_unexpected_state")
        .field("payment_intent", shape::intent(state, intent, false))
}
