//! Confirming a payment intent: the issuer approves, declines, or asks for the payer.

use serde_json::{Map, Value, json};

use crate::books::MovementKind;

use super::cards::{self, Card, Decline, Verdict};
use super::params::{Known, Params};
use super::refusal::Refusal;
use super::state::{Call, Charge, Intent, Methods, State, Status, new_id};
use super::{intents, methods, shape};

const CONFIRM: Known = Known {
    modelled: &[
        "capture_method",
        "error_on_requires_action",
        "expand",
        "off_session",
        "payment_method",
        "payment_method_data",
        "payment_method_types",
        "receipt_email",
        "return_url",
        "setup_future_usage",
    ],
    ignored: &["mandate_data", "payment_method_options", "radar_options", "shipping"],
    refused: &[
        "allowed_payment_method_types",
        "amount_details",
        "amount_to_confirm",
        "confirmation_token",
        "excluded_payment_method_types",
        "hooks",
        "mandate",
        "payment_details",
        "use_stripe_sdk",
    ],
};

const NO_METHOD: &str = "You cannot confirm this PaymentIntent because it's missing a payment \
    method. You can either update the PaymentIntent with a payment method and then confirm it \
    again, or confirm it again directly with a payment method or ConfirmationToken.";

const NO_RETURN_URL: &str = "This PaymentIntent is configured to accept payment methods enabled in \
    your Dashboard. Because some of these payment methods might redirect your customer off of your \
    page, you must provide a `return_url`. If you don't want to accept redirect-based payment \
    methods, set `automatic_payment_methods[enabled]` to `true` and \
    `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and \
    Payment Intents.";

/// How a confirmation is to be done.
pub(crate) struct Confirmation {
    off_session: bool,
    error_on_requires_action: bool,
}

impl Confirmation {
    pub fn read(params: &Params<'_>) -> Result<Self, Refusal> {
        let off_session = match params.text("off_session")? {
            Some("one_off" | "recurring") => true,
            _ => params.boolean("off_session")?.unwrap_or(false),
        };
        let error_on_requires_action = params.boolean("error_on_requires_action")?.unwrap_or(false);
        Ok(Self { off_session, error_on_requires_action })
    }

    /// What must hold before a confirmation is begun.
    pub fn check(&self, intent: &Intent) -> Result<(), Refusal> {
        if intent.card.is_none() {
            return Err(Refusal::invalid(NO_METHOD).code("payment_intent_unexpected_state"));
        }
        let redirects = intent.methods == Methods::Automatic { redirects: true };
        if redirects && intent.return_url.is_none() && !self.off_session {
            return Err(Refusal::invalid(NO_RETURN_URL).param("return_url"));
        }
        Ok(())
    }
}

/// `POST /v1/payment_intents/{id}/confirm`
pub(crate) fn confirm(
    state: &mut State,
    id: &str,
    form: &Map<String, Value>,
    call: &Call<'_>,
) -> Result<Value, Refusal> {
    let params = Params::checked(form, &CONFIRM)?;
    let expanded = params.expands("latest_charge")?;
    let how = Confirmation::read(&params)?;
    let mut intent = state.intent(id)?.clone();
    let open =
        [Status::RequiresPaymentMethod, Status::RequiresConfirmation, Status::RequiresAction];
    if !open.contains(&intent.status) {
        let status = intent.status.word();
        let why = format!(
            "You cannot confirm this PaymentIntent because it has already {status} after being \
             previously confirmed."
        );
        return Err(intents::unexpected_state(state, &intent, why));
    }
    if let Some(card) = methods::card(state, &params, call.now_s)? {
        intent.card = Some(card);
    }
    if let Some(by_hand) = methods::captured_by_hand(&params)? {
        intent.captured_by_hand = by_hand;
    }
    if let Some(url) = params.text("return_url")? {
        intent.return_url = Some(url.to_owned());
    }
    for name in ["receipt_email", "setup_future_usage"] {
        if let Some(text) = params.text(name)? {
            intent.shown.insert(name.to_owned(), json!(text));
        }
    }
    how.check(&intent)?;
    intent.key = call.key.to_owned();
    state.intents.insert(id.to_owned(), intent);
    settle(state, id, &how, call)?;
    Ok(shape::intent(state, state.intent(id)?, expanded))
}

/// Asks the issuer.
pub(crate) fn settle(
    state: &mut State,
    id: &str,
    how: &Confirmation,
    call: &Call<'_>,
) -> Result<(), Refusal> {
    let Some(card) = state.intent(id)?.card.clone() else { return Ok(()) };
    match card.verdict {
        Verdict::Approves => charge(state, id, card, call),
        Verdict::Declines(decline) => Err(fail(state, id, decline, call)?),
        Verdict::Challenges if how.off_session || how.error_on_requires_action => {
            Err(fail(state, id, &cards::AUTHENTICATION, call)?)
        }
        Verdict::Challenges => challenge(state, id, call),
    }
}

fn charge(state: &mut State, id: &str, card: Card, call: &Call<'_>) -> Result<(), Refusal> {
    let intent = state.intent_mut(id)?;
    let by_hand = intent.captured_by_hand;
    let amount = intent.amount;
    let charge = new_charge(intent, card, None, call);
    intent.next_action = None;
    intent.last_error = None;
    intent.latest_charge = Some(charge.id.clone());
    if by_hand {
        intent.status = Status::RequiresCapture;
        intent.capturable = amount;
    } else {
        intent.status = Status::Succeeded;
        intent.received = amount;
    }
    state.record(MovementKind::Authorization, &charge, amount, call);
    if !by_hand {
        state.record(MovementKind::Capture, &charge, amount, call);
    }
    state.event("charge.succeeded", shape::charge(&charge));
    state.charges.insert(charge.id.clone(), charge);
    let now = shape::intent(state, state.intent(id)?, false);
    let kind = if by_hand {
        "payment_intent.amount_capturable_updated"
    } else {
        "payment_intent.succeeded"
    };
    state.event(kind, now);
    Ok(())
}

fn new_charge(
    intent: &Intent,
    card: Card,
    failure: Option<&'static Decline>,
    call: &Call<'_>,
) -> Charge {
    let captured = failure.is_none() && !intent.captured_by_hand;
    Charge {
        id: new_id("ch_"),
        intent: intent.id.clone(),
        amount: intent.amount,
        currency: intent.currency.clone(),
        created_s: call.now_s,
        captured,
        amount_captured: if captured { intent.amount } else { 0 },
        amount_refunded: 0,
        failure,
        card,
        metadata: intent.metadata.clone(),
    }
}

/// Records a refusal by the issuer and makes the answer that tells it.
fn fail(
    state: &mut State,
    id: &str,
    decline: &'static Decline,
    call: &Call<'_>,
) -> Result<Refusal, Refusal> {
    let intent = state.intent_mut(id)?;
    let mut refusal = decline.refusal();
    if let Some(card) = intent.card.take() {
        refusal = refusal.field("payment_method", shape::payment_method(&card));
        let charge = new_charge(intent, card, Some(decline), call);
        refusal = refusal.field("charge", json!(charge.id));
        intent.latest_charge = Some(charge.id.clone());
        state.record(MovementKind::Decline, &charge, charge.amount, call);
        state.event("charge.failed", shape::charge(&charge));
        state.charges.insert(charge.id.clone(), charge);
    }
    let intent = state.intent_mut(id)?;
    intent.status = Status::RequiresPaymentMethod;
    intent.next_action = None;
    intent.last_error = Some(refusal.error());
    let now = shape::intent(state, state.intent(id)?, false);
    state.event("payment_intent.payment_failed", now.clone());
    Ok(refusal.field("payment_intent", now))
}

fn challenge(state: &mut State, id: &str, call: &Call<'_>) -> Result<(), Refusal> {
    let intent = state.intent_mut(id)?;
    intent.status = Status::RequiresAction;
    let page = format!("{}/_simulator/payer/{id}", call.base_url);
    intent.next_action = Some(match &intent.return_url {
        Some(return_url) => json!({
            "redirect_to_url": { "return_url": return_url, "url": page },
            "type": "redirect_to_url",
        }),
        None => json!({
            "type": "use_stripe_sdk",
            "use_stripe_sdk": { "stripe_js": page, "type": "three_d_secure_redirect" },
        }),
    });
    let now = shape::intent(state, state.intent(id)?, false);
    state.event("payment_intent.requires_action", now);
    Ok(())
}

/// The payer answered the challenge.
pub(crate) fn authenticate(
    state: &mut State,
    id: &str,
    succeeded: bool,
    call: &Call<'_>,
) -> Result<(), Refusal> {
    let intent = state.intent(id)?;
    let key = intent.key.clone();
    let call = Call { key: &key, ..*call };
    let (Status::RequiresAction, Some(card)) = (intent.status, intent.card.clone()) else {
        let why = "There is nothing to authenticate.";
        return Err(intents::unexpected_state(state, intent, why.to_owned()));
    };
    if succeeded {
        return charge(state, id, card, &call);
    }
    let intent = state.intent_mut(id)?;
    intent.status = Status::RequiresPaymentMethod;
    intent.card = None;
    intent.next_action = None;
    let why = "The provided PaymentMethod has failed authentication. You can provide \
               payment_method_data or a new PaymentMethod to attempt to fulfill this \
               PaymentIntent again.";
    let refusal = Refusal::invalid(why)
        .code("payment_intent_authentication_failure")
        .field("payment_method", shape::payment_method(&card));
    intent.last_error = Some(refusal.error());
    let now = shape::intent(state, state.intent(id)?, false);
    state.event("payment_intent.payment_failed", now);
    Ok(())
}
