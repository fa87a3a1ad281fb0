//! How a request says what to pay with, and how to capture.

use http::StatusCode;

use super::cards::{self, Card};
use super::params::Params;
use super::refusal::Refusal;
use super::state::{Methods, new_id};

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
pub(crate) fn card(params: &Params<'_>) -> Result<Option<Card>, Refusal> {
    let given = params.hash("payment_method_data")?;
    match (params.text("payment_method")?, given) {
        (Some(_), Some(_)) => {
            let why = "You may only specify one of these parameters: payment_method, \
                       payment_method_data.";
            Err(Refusal::invalid(why).param("payment_method"))
        }
        (Some(id), None) => match cards::by_name(id) {
            Some(card) => Ok(Some(card)),
            None => {
                let status = StatusCode::BAD_REQUEST;
                Err(Refusal::missing(status, "PaymentMethod", id, "payment_method"))
            }
        },
        (None, Some(given)) => raw_card(given).map(Some),
        (None, None) => Ok(None),
    }
}

fn raw_card(given: Params<'_>) -> Result<Card, Refusal> {
    let given = given.only(&["allow_redisplay", "billing_details", "card", "metadata", "type"])?;
    given.required("type")?;
    given.one_of("type", &["card"])?;
    let missing = || {
        Refusal::invalid("Missing required param: payment_method_data[card].")
            .code("parameter_missing")
            .param("payment_method_data[card]")
    };
    let card = given.hash("card")?.ok_or_else(missing)?;
    let card = card.only(&["cvc", "exp_month", "exp_year", "number"])?;
    let number = card.required("number")?;
    for name in ["exp_month", "exp_year"] {
        card.required(name)?;
    }
    if !card.integer("exp_month")?.is_some_and(|month| (1..=12).contains(&month)) {
        let message = "Your card's expiration month is invalid.";
        return Err(Refusal::card(message).code("invalid_expiry_month").param("exp_month"));
    }
    card.integer("exp_year")?;
    cards::by_number(new_id("pm_"), number)
}
