//! Stripe, API version 2026-10-28: PaymentIntents and refunds, form-encoded over HTTPS.
//!
//! Stripe answers a repeated `Idempotency-Key` with its first answer for at least 24 hours, so a
//! request sent twice moves money once. Each entry's own id is the key of its request.
//!
//! Not here: payouts, disputes, saved customers, several captures of one payment. See README.md.

mod declines;
mod judge;
mod money;
mod webhook;
mod wire;

use sdk::prelude::*;

use wire::{Intent, List, PaymentMethod, Problem, Refund};

const API_VERSION: &str = "2026-10-28.endive";
const PRODUCTION: &str = "https://api.stripe.com";

/// States of an operation: the request whose reply is awaited.
const CARD: &[u8] = b"card";
const INTENT: &[u8] = b"intent";
const REFUND: &[u8] = b"refund";
const REFUNDS: &[u8] = b"refunds";

/// Fields an app may add to an authorization, and Stripe's names for them.
const EXTRA: &[(&str, &str)] = &[
    ("customer", "customer"),
    ("receipt-email", "receipt_email"),
    ("statement-descriptor-suffix", "statement_descriptor_suffix"),
];

/// The adapter.
#[derive(Debug)]
pub struct Stripe;

sdk::export!(Stripe);

impl Adapter for Stripe {
    fn describe() -> Description {
        use OperationKind::{Authorize, Cancel, Capture, Refund, Sync};
        let operations = [Authorize, Capture, Cancel, Refund, Sync];
        let bearer = [Place::Header("authorization".to_owned())];
        Description::new("stripe", env!("CARGO_PKG_VERSION"), &operations)
            .methods(&["card", "token"])
            .hosts(&["api.stripe.com"])
            .settings([setting("base-url", "where Stripe answers, if not https://api.stripe.com")])
            .keys(
                [key("webhook", KeyKind::Symmetric, "signing secret, whsec_… as text").required()],
            )
            .secrets([secret_slot("api-key", bearer, "secret or restricted key").required()])
            .recovery(Recovery { idempotent_seconds: Some(86_400), query: true, close: false })
    }

    fn start(host: &dyn Host, operation: &Operation) -> Result<Step, Failure> {
        match operation {
            Operation::Authorize(order) => authorize(host, order),
            Operation::Capture(order) => capture(host, order),
            Operation::Cancel(order) => cancel(host, order),
            Operation::Refund(order) => refund(host, order),
            Operation::Sync(order) => Ok(inquire(host, order)),
            Operation::Payout(_) => Err(Failure::unsupported(operation)),
        }
    }

    fn resume(
        host: &dyn Host,
        operation: &Operation,
        state: &[u8],
        reply: &Reply,
    ) -> Result<Step, Failure> {
        let (http, order) = (reply.http()?, operation.order());
        let sync = matches!(operation, Operation::Sync(_));
        let outcome = match (http.status, state) {
            (200, CARD) => return confirm(host, order, &http.json::<PaymentMethod>()?.id),
            (200, REFUND) => http.json::<Refund>().map(|found| judge::refund(&found)),
            (200, REFUNDS) => http.json::<List<Refund>>().map(|list| judge::listed(order, &list)),
            (200, _) => http.json::<Intent>().map(|found| judge::intent(&order.entry, &found)),
            (status, _) if sync => Ok(Outcome::unknown(format!("status {status}"))),
            (status, _) => http
                .json::<Problem>()
                .map(|problem| judge::refused(host, &order.entry, status, problem.error)),
        };
        // What cannot be read may well have moved money.
        Ok(done(outcome.unwrap_or_else(|_| {
            Outcome::unknown(format!("status {} with an unreadable body", http.status))
        })))
    }

    fn prove(_: &dyn Host, delivery: &Delivery) -> Result<Proof, Failure> {
        webhook::prove(delivery)
    }

    fn interpret(_: &dyn Host, delivery: &Delivery) -> Result<Vec<Event>, Failure> {
        webhook::interpret(delivery)
    }

    fn acknowledge(accepted: bool) -> HttpResponse {
        // Stripe repeats, for up to three days, whatever is not answered with 2xx.
        HttpResponse::new(if accepted { 200 } else { 503 }, "")
    }
}

/// A card first becomes a payment method: its number is in that one request only.
fn authorize(host: &dyn Host, order: &Order) -> Result<Step, Failure> {
    // Refused now, before a card travels for nothing.
    money::to_stripe(&order.entry.amount)?;
    extra(order)?;
    match &order.instrument {
        Instrument::Token(token) => confirm(host, order, token),
        Instrument::Card(_) => {
            let form = Form::new()
                .field("type", "card")
                .field("card[number]", card(CardField::Number))
                .field("card[exp_month]", card(CardField::ExpiryMonth))
                .field("card[exp_year]", card(CardField::ExpiryYear))
                .field("card[cvc]", card(CardField::SecurityCode));
            let key = format!("{}-card", order.entry.id);
            Ok(command(host, "/v1/payment_methods", &key, form).state(CARD).ask())
        }
        _ => Err(Failure::invalid("instrument: Stripe takes a card or a token")),
    }
}

fn confirm(host: &dyn Host, order: &Order, method: &str) -> Result<Step, Failure> {
    let Order { payment, entry, .. } = order;
    // Without a place to come back to, Stripe takes no method that sends the payer away.
    let redirects = order.return_url.is_none().then_some("never");
    let form = Form::new()
        .field("amount", money::to_stripe(&entry.amount)?)
        .field("currency", entry.amount.currency.to_lowercase())
        .field("payment_method", method)
        .field("confirm", true)
        .field("capture_method", if entry.capture { "automatic" } else { "manual" })
        .field("automatic_payment_methods[enabled]", true)
        .optional("automatic_payment_methods[allow_redirects]", redirects)
        .optional("return_url", order.return_url.as_deref())
        .field("description", &order.description)
        .field("metadata[entry]", &entry.id)
        .field("metadata[payment]", &payment.id)
        .field("metadata[reference]", &payment.merchant_reference);
    let form = extra(order)?.into_iter().fold(form, |form, (name, value)| form.field(name, value));
    Ok(command(host, "/v1/payment_intents", &entry.id, form).state(INTENT).send())
}

fn extra(order: &Order) -> Result<Vec<(&'static str, &str)>, Failure> {
    order
        .extra
        .iter()
        .map(|(name, value)| match EXTRA.iter().find(|(ours, _)| ours == name) {
            Some((_, field)) => Ok((*field, value.as_str())),
            None => Err(Failure::invalid(format!("extra field {name} is not known here"))),
        })
        .collect()
}

fn capture(host: &dyn Host, order: &Order) -> Result<Step, Failure> {
    let form = Form::new()
        .field("amount_to_capture", money::to_stripe(&order.entry.amount)?)
        .field("metadata[capture]", &order.entry.id);
    let path = format!("/v1/payment_intents/{}/capture", acted_on(order)?);
    Ok(command(host, &path, &order.entry.id, form).state(INTENT).send())
}

fn cancel(host: &dyn Host, order: &Order) -> Result<Step, Failure> {
    let path = format!("/v1/payment_intents/{}/cancel", acted_on(order)?);
    Ok(command(host, &path, &order.entry.id, Form::new()).state(INTENT).send())
}

fn refund(host: &dyn Host, order: &Order) -> Result<Step, Failure> {
    let form = Form::new()
        .field("payment_intent", acted_on(order)?)
        .field("amount", money::to_stripe(&order.entry.amount)?)
        .field("metadata[entry]", &order.entry.id)
        .field("metadata[payment]", &order.payment.id);
    Ok(command(host, "/v1/refunds", &order.entry.id, form).state(REFUND).send())
}

/// Asks by Stripe's own reference. There is no way to ask by ours for a PaymentIntent: the search
/// is only eventually consistent, and its silence must not count as an answer.
fn inquire(host: &dyn Host, order: &Order) -> Step {
    let own = order.entry.references.as_ref();
    let intent = order.payment.reference().map(|references| references.provider.as_str());
    match (order.entry.kind, own, intent) {
        (OperationKind::Refund, Some(refund), _) => {
            query(host, &format!("/v1/refunds/{}", form_encoded(&refund.provider)))
                .state(REFUND)
                .ask()
        }
        (OperationKind::Refund, None, Some(intent)) => {
            let of = form_encoded(intent);
            query(host, &format!("/v1/refunds?payment_intent={of}&limit=100")).state(REFUNDS).ask()
        }
        (_, Some(intent), _) => look_up(host, &intent.provider),
        (OperationKind::Capture | OperationKind::Cancel, None, Some(intent)) => {
            look_up(host, intent)
        }
        _ => done(Outcome::unknown("no reference")),
    }
}

fn look_up(host: &dyn Host, intent: &str) -> Step {
    query(host, &format!("/v1/payment_intents/{}", form_encoded(intent))).state(INTENT).ask()
}

/// The PaymentIntent that an operation acts on, fit for a path.
fn acted_on(order: &Order) -> Result<String, Failure> {
    let references = order.payment.reference();
    let references = references.ok_or_else(|| Failure::invalid("payment: no PaymentIntent yet"))?;
    Ok(form_encoded(&references.provider))
}

fn command(host: &dyn Host, path: &str, key: &str, form: Form) -> Call {
    signed_in(post(url(host, path))).header("idempotency-key", key).form(form)
}

fn query(host: &dyn Host, path: &str) -> Call {
    signed_in(get(url(host, path)))
}

fn signed_in(call: Call) -> Call {
    call.bearer(secret("api-key")).header("stripe-version", API_VERSION)
}

fn url(host: &dyn Host, path: &str) -> String {
    let base = host.setting("base-url").unwrap_or_else(|| PRODUCTION.to_owned());
    format!("{}{path}", base.trim_end_matches('/'))
}
