//! How a request says what to pay with, and how to capture; payment methods made of a card number.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::cards::{self, Card};
use super::params::{Known, Params};
use super::refusal::Refusal;
use super::state::{Call, Methods, State, new_id};

/// Whether the capture is a request of its own, if that is said.
pub(crate) fn captured_by_hand(params: &Params<'_>) -> Result<Option<bool>, Refusal> {
    let words = ["automatic", "automatic_async", "manual"];
    Ok(params.one_of("capture_method", &words)?.map(|method| method == "manual"))
}

/// Which payment methods the intent takes.
pub(crate) fn accepted(params: &Params<'_>) -> Result<Methods, Refusal> {
    let types = params.list("payment_method_types")?;
    let automatic = params.hash("automatic_payment_methods")?;
    match (types, automatic) {
        (Some(_), Some(_)) => {
            let why = "You may only specify one of these parameters: automatic_payment_methods, \
                       payment_method_types.";
            Err(Refusal::invalid(why).param("payment_method_types"))
        }
        (Some(types), None) => match types.as_slice() {
            ["card"] => Ok(Methods::Card),
            _ => {
                let why = "The simulator models payment_method_types[]=card only";
                Err(Refusal::invalid(why).param("payment_method_types"))
            }
        },
        (None, Some(automatic)) => {
            let automatic = automatic.only(&["allow_redirects", "enabled"])?;
            automatic.required("enabled")?;
            if automatic.boolean("enabled")? == Some(false) {
                return Ok(Methods::Card);
            }
            let redirects = automatic.one_of("allow_redirects", &["always", "never"])?;
            Ok(Methods::Automatic { redirects: redirects != Some("never") })
        }
        (None, None) => Ok(Methods::Automatic { redirects: true }),
    }
}

/// The card named or given, if any.
pub(crate) fn card(
    state: &State,
    params: &Params<'_>,
    now_s: i64,
) -> Result<Option<Card>, Refusal> {
    let given = params.hash("payment_method_data")?;
    match (params.text("payment_method")?, given) {
        (Some(_), Some(_)) => {
            let why = "You may only specify one of these parameters: payment_method, \
                       payment_method_data.";
            Err(Refusal::invalid(why).param("payment_method"))
        }
        (Some(id), None) => match cards::by_name(id).or_else(|| state.methods.get(id).cloned()) {
            Some(card) => Ok(Some(card)),
            None => {
                let status = StatusCode::BAD_REQUEST;
                Err(Refusal::missing(status, "PaymentMethod", id, "payment_method"))
            }
        },
        (None, Some(given)) => {
            let known = ["allow_redisplay", "billing_details", "card", "metadata", "type"];
            raw_card(&given.only(&known)?, now_s).map(Some)
        }
        (None, None) => Ok(None),
    }
}

const METHOD: Known = Known {
    modelled: &["allow_redisplay", "billing_details", "card", "metadata", "type"],
    ignored: &[],
    refused: &["customer_account", "payment_method", "radar_options"],
};

/// `POST /v1/payment_methods`
pub(crate) fn create(
    state: &mut State,
    form: &Map<String, Value>,
    call: &Call<'_>,
) -> Result<Value, Refusal> {
    let params = Params::checked(form, &METHOD)?;
    let card = raw_card(&params, call.now_s)?;
    let holder = match params.hash("billing_details")? {
        Some(details) => details.only(&["address", "email", "name", "phone"])?.text("name")?,
        None => None,
    };
    let object = json!({
        "id": card.id,
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": { "address": {}, "email": null, "name": holder, "phone": null },
        "card": { "brand": card.brand, "country": "US", "funding": "credit", "last4": card.last4 },
        "created": call.now_s,
        "customer": null,
        "livemode": false,
        "metadata": params.metadata()?,
        "type": "card",
    });
    state.methods.insert(card.id.clone(), card);
    Ok(object)
}

/// A card by its number. A number is matched and forgotten.
fn raw_card(given: &Params<'_>, now_s: i64) -> Result<Card, Refusal> {
    given.required("type")?;
    given.one_of("type", &["card"])?;
    let missing = || {
        Refusal::invalid("Missing required param: card.").code("parameter_missing").param("card")
    };
    let card = given.hash("card")?.ok_or_else(missing)?;
    let card = card.only(&["cvc", "exp_month", "exp_year", "number"])?;
    let number = card.required("number")?;
    for name in ["exp_month", "exp_year"] {
        card.required(name)?;
    }
    expiry(&card, now_s)?;
    let code = card.text("cvc")?;
    if code.is_some_and(|code| !matches!(code.len(), 3 | 4) || code.parse::<u16>().is_err()) {
        let message = "Your card's security code is invalid.";
        return Err(Refusal::card(message).code("invalid_cvc").param("cvc"));
    }
    cards::by_number(new_id("pm_"), number, code.is_some())
}

/// A month that is over is refused, as Stripe documents for its test cards.
fn expiry(card: &Params<'_>, now_s: i64) -> Result<(), Refusal> {
    let month = card.integer("exp_month")?.filter(|month| (1..=12).contains(month));
    let month = month.ok_or_else(|| {
        let message = "Your card's expiration month is invalid.";
        Refusal::card(message).code("invalid_expiry_month").param("exp_month")
    })?;
    let year = card.integer("exp_year")?.unwrap_or_default();
    // Mean years and months are exact enough: no test card expires this month.
    let months = now_s / 2_629_746 + 1970 * 12;
    if year * 12 + month - 1 < months || year * 12 > months + 50 * 12 {
        let message = "Your card's expiration year is invalid.";
        return Err(Refusal::card(message).code("invalid_expiry_year").param("exp_year"));
    }
    Ok(())
}
