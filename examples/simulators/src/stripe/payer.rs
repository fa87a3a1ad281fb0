//! The payer's side: the page behind `next_action`, and the controls that act for the payer.

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;
use url::{Url, form_urlencoded};

use crate::controls::{ok, read, refused};
use crate::exchange::{Answer, Asked};
use crate::payer::PayerAnswer;

use super::Stripe;
use super::state::{Intent, Status};

/// The controls of this provider.
pub(crate) fn control(stripe: &Stripe, asked: &Asked) -> Option<Answer> {
    match (&asked.method, asked.segments().as_slice()) {
        (&Method::GET, ["_simulator", "payer", id]) => Some(page(stripe, id)),
        (&Method::POST, ["_simulator", "payer", id]) => Some(answered(stripe, asked, id)),
        (&Method::POST, ["_simulator", "pay"]) => {
            Some(read(asked, |order: Pay| match stripe.pay(&order.reference, order.outcome) {
                Ok(()) => ok(&json!({})),
                Err(why) => refused(StatusCode::CONFLICT, &why),
            }))
        }
        (&Method::POST, ["_simulator", "settle"]) => {
            Some(ok(&json!({ "settled": stripe.settle_refunds() })))
        }
        (&Method::POST, ["_simulator", "webhook"]) => Some(read(asked, |order: Webhook| {
            stripe.point_webhook(order.url);
            ok(&json!({}))
        })),
        _ => None,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pay {
    reference: String,
    #[serde(default)]
    outcome: PayerAnswer,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Webhook {
    url: Option<String>,
}

fn page(stripe: &Stripe, id: &str) -> Answer {
    let Some(intent) = stripe.intent(id) else {
        return refused(StatusCode::NOT_FOUND, "there is no such payment");
    };
    if intent.status != Status::RequiresAction {
        return refused(StatusCode::CONFLICT, "this payment asks nothing of the payer");
    }
    // All of it is the simulator's own text: an identifier, a number, three letters.
    let (amount, currency) = (intent.amount, intent.currency.to_uppercase());
    Answer::html(
        StatusCode::OK,
        format!(
            "<!doctype html><title>3D Secure test page</title>\
             <h1>3D Secure test page</h1><p>{id}: {amount} {currency}, in minor units</p>\
             <form method=\"post\">\
             <button name=\"outcome\" value=\"succeeded\">Complete authentication</button> \
             <button name=\"outcome\" value=\"failed\">Fail authentication</button></form>"
        ),
    )
}

fn answered(stripe: &Stripe, asked: &Asked, id: &str) -> Answer {
    let mut form = form_urlencoded::parse(&asked.body);
    let outcome = form.find(|(name, _)| name == "outcome").map(|(_, value)| value.into_owned());
    let answer = match outcome.as_deref() {
        Some("succeeded") => PayerAnswer::Succeeded,
        Some("failed") => PayerAnswer::Failed,
        _ => return refused(StatusCode::BAD_REQUEST, "outcome must be succeeded or failed"),
    };
    if let Err(why) = stripe.pay(id, answer) {
        return refused(StatusCode::CONFLICT, &why);
    }
    match stripe.intent(id).and_then(|intent| way_back(&intent, answer)) {
        Some(url) => Answer::redirect(&url),
        None => Answer::html(StatusCode::OK, "<!doctype html><title>Done</title>Done.".to_owned()),
    }
}

fn way_back(intent: &Intent, answer: PayerAnswer) -> Option<String> {
    let mut url = Url::parse(intent.return_url.as_deref()?).ok()?;
    let status = if answer == PayerAnswer::Succeeded { "succeeded" } else { "failed" };
    url.query_pairs_mut()
        .append_pair("payment_intent", &intent.id)
        .append_pair("payment_intent_client_secret", &intent.secret)
        .append_pair("redirect_status", status);
    Some(url.into())
}
