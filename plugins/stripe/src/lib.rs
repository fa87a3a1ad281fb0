//! Stripe, API version 2026-10-28: PaymentIntents and refunds, form-encoded over HTTPS.
//!
//! Stripe answers a repeated `Idempotency-Key` with its first answer for at least 24 hours, so a
//! request sent twice moves money once. Each entry's own id is the key of its request.
//!
//! Not here: payouts, disputes, saved customers, several captures of one payment. See README.md.

mod declines;
mod judge;
mod money;
mod settlement;
mod webhook;
mod wire;

use sdk::prelude::*;

use wire::{Intent, List, PaymentMethod, Problem, Refund};

const API_VERSION: &str = "2026-10-28.endive";

/// States of an operation: the request whose reply is awaited.
const CARD: &[u8] = b"card";
const INTENT: &[u8] = b"intent";
const REFUND: &[u8] = b"refund";
const REFUNDS: &[u8] = b"refunds";

/// The adapter.
#[derive(Debug)]
pub struct Stripe;

sdk::export!(Stripe);

impl Adapter for Stripe {
    fn describe() -> Description {
        use OperationKind::{Authorize, Cancel, Capture, Refund, Sync};
        let operations = [Authorize, Capture, Cancel, Refund, Sync];
        let places = [Place::Header("authorization".to_owned())];
        Description::new("stripe", env!("CARGO_PKG_VERSION"), &operations)
            .methods(&["card", "token"])
            .hosts(&["api.stripe.com"])
            .settings([setting("base-url", "where Stripe answers, if not https://api.stripe.com")])
            .keys(
                [key("webhook", KeyKind::Symmetric, "signing secret, whsec_… as text").required()],
            )
            .secrets([secret_slot("api-key", places, "secret or restricted key").required()])
            .recovery(Recovery { idempotent_seconds: Some(86_400), query: true, close: false })
            .fetches_reports(&[Authorize, Capture, Refund])
    }

    fn start(host: &dyn Host, operation: &Operation) -> Result<Step, Failure> {
        match operation {
            Operation::Authorize(order) => authorize(host, order),
            Operation::Capture(order) => capture(host, order),
            Operation::Cancel(order) => change(host, order, "cancel", Form::new()),
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
            (200, CARD) if !sync => return confirm(host, order, &http.json::<PaymentMethod>()?.id),
            (200, REFUND) => http.json::<Refund>().map(|found| judge::refund_of(order, &found)),
            (200, REFUNDS) => http.json::<List<Refund>>().map(|list| judge::listed(order, &list)),
            (200, _) => http.json::<Intent>().map(|found| judge::intent(order, &found)),
            (status, _) if sync => Ok(Outcome::unknown(format!("status {status}"))),
            (409 | 500.., CARD) => Ok(judge::unavailable(http.status)),
            (status, _) => {
                http.json::<Problem>().map(|problem| judge::refused(order, status, problem.error))
            }
        };
        // What cannot be read may well have moved money.
        let unreadable = |_| Outcome::unknown(format!("status {}, unreadable", http.status));
        Ok(done(outcome.unwrap_or_else(unreadable)))
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

    fn begin_report(host: &dyn Host, span: &Span) -> Result<Page, Failure> {
        Ok(Page::of([]).then(settlement::bookings(host, span, None)))
    }

    fn proceed_with_report(
        host: &dyn Host,
        span: &Span,
        _state: &[u8],
        reply: &Reply,
    ) -> Result<Page, Failure> {
        settlement::page(host, span, reply.http()?)
    }
}

/// A card first becomes a payment method: its number is in that one request only.
fn authorize(host: &dyn Host, order: &Order) -> Result<Step, Failure> {
    let method = match &order.instrument {
        Instrument::Token(token) => return confirm(host, order, token),
        Instrument::Card(given) => Form::new()
            .field("type", "card")
            .field("card[number]", card(CardField::Number))
            .field("card[exp_month]", card(CardField::ExpiryMonth))
            .field("card[exp_year]", card(CardField::ExpiryYear))
            .optional("card[cvc]", given.has_security_code.then(|| card(CardField::SecurityCode)))
            .optional("billing_details[name]", given.has_holder.then(|| card(CardField::Holder))),
        _ => return Err(Failure::invalid("instrument: Stripe takes a card or a token")),
    };
    confirm(host, order, "")?; // What is wrong with the rest is found before a card travels.
    let key = format!("{}-card", order.entry.id);
    Ok(command(host, "/v1/payment_methods", &key, method).state(CARD).ask())
}

fn confirm(host: &dyn Host, order: &Order, method: &str) -> Result<Step, Failure> {
    let Order { payment, entry, .. } = order;
    // Without a place to come back to, Stripe takes no method that sends the payer away.
    let redirects = order.return_url.is_none().then_some("never");
    let extra = order.extra_of(&["customer", "receipt_email", "statement_descriptor_suffix"])?;
    let form = extra.iter().fold(Form::new(), |form, (name, value)| form.field(name, value));
    let form = form
        .field("amount", money::to_stripe(&entry.amount)?)
        .field("currency", entry.amount.currency.to_lowercase())
        .field("payment_method", method)
        .field("confirm", true)
        .field("capture_method", if entry.capture { "automatic" } else { "manual" })
        .field("automatic_payment_methods[enabled]", true)
        .optional("automatic_payment_methods[allow_redirects]", redirects)
        .optional("return_url", order.return_url.as_deref())
        .optional("description", (!order.description.is_empty()).then_some(&order.description))
        .field("metadata[entry]", &entry.id)
        .field("metadata[payment]", &payment.id)
        .field("metadata[reference]", &payment.merchant_reference);
    Ok(command(host, "/v1/payment_intents", &entry.id, form).state(INTENT).send())
}

fn capture(host: &dyn Host, order: &Order) -> Result<Step, Failure> {
    let form = Form::new()
        .field("amount_to_capture", money::to_stripe(&order.entry.amount)?)
        .field("metadata[capture]", &order.entry.id);
    change(host, order, "capture", form)
}

fn change(host: &dyn Host, order: &Order, verb: &str, form: Form) -> Result<Step, Failure> {
    let path = format!("/v1/payment_intents/{}/{verb}", form_encoded(&order.acted_on()?.provider));
    Ok(command(host, &path, &order.entry.id, form).state(INTENT).send())
}

fn refund(host: &dyn Host, order: &Order) -> Result<Step, Failure> {
    let form = Form::new()
        .field("payment_intent", &order.acted_on()?.provider)
        .field("amount", money::to_stripe(&order.entry.amount)?)
        .field("metadata[entry]", &order.entry.id);
    Ok(command(host, "/v1/refunds", &order.entry.id, form).state(REFUND).send())
}

/// Asks by Stripe's own reference. There is no way to ask for a PaymentIntent by ours: Stripe's
/// search lags behind, and its silence must not count as an answer.
fn inquire(host: &dyn Host, order: &Order) -> Step {
    let encoded = |references: &References| form_encoded(&references.provider);
    let own = order.entry.references.as_ref().map(encoded);
    let (path, state) = match (order.entry.kind, own, order.acted_on().ok().map(encoded)) {
        (OperationKind::Refund, Some(own), _) => (format!("/v1/refunds/{own}"), REFUND),
        (OperationKind::Refund, None, Some(intent)) => {
            (format!("/v1/refunds?payment_intent={intent}&limit=100"), REFUNDS)
        }
        (OperationKind::Authorize, None, _) | (_, None, None) => {
            return done(Outcome::unknown("no reference"));
        }
        (_, Some(intent), _) | (_, None, Some(intent)) => {
            (format!("/v1/payment_intents/{intent}"), INTENT)
        }
    };
    signed_in(host, get, &path).state(state).ask()
}

fn command(host: &dyn Host, path: &str, key: &str, form: Form) -> Call {
    signed_in(host, post, path).header("idempotency-key", key).form(form)
}

fn signed_in(host: &dyn Host, verb: fn(String) -> Call, path: &str) -> Call {
    let base = host.setting("base-url").unwrap_or_else(|| "https://api.stripe.com".to_owned());
    let call = verb(format!("{}{path}", base.trim_end_matches('/')));
    call.bearer(secret("api-key")).header("stripe-version", API_VERSION)
}
