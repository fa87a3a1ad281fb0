//! What a test payer is asked, and what is made of the answer.
//!
//! A real provider has a page of its own, and tells its decision by a webhook. Here the host serves
//! the page (`/test-payment`), which posts one of two decisions to the account's own webhook
//! address. Each decision carries a MAC by the account's key, made when the payment began: nobody
//! else can pay, and the host proves the delivery as it proves every other.

use sdk::prelude::*;

use crate::fate::Manner;
use crate::references;

/// The key that proves a decision.
pub const SLOT: &str = "payer";

const FIELDS: [&str; 6] = ["decision", "entry", "word", "minor", "currency", "tag"];
const PAID: &str = "paid";
const REFUSED: &str = "refused";

/// What the payer has to do.
pub fn action(
    host: &dyn Host,
    order: &Order,
    word: &str,
    manner: Manner,
) -> Result<NextAction, Failure> {
    let link = page(host, order, word)?;
    Ok(match manner {
        Manner::Redirect => NextAction::Redirect(link),
        Manner::Form => {
            let fields = decision(host, order, word, PAID)?;
            let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value));
            let (url, fields) = (order.notify_url.clone(), fields.collect());
            NextAction::Form(sdk::PayerForm { url, fields })
        }
        Manner::Qr => NextAction::Qr(link),
        Manner::App => NextAction::App(link),
        Manner::Show => NextAction::Show(format!("Pay at {link}")),
    })
}

/// The page, with both decisions ready to be posted.
fn page(host: &dyn Host, order: &Order, word: &str) -> Result<String, Failure> {
    let (base, account) = order
        .notify_url
        .rsplit_once("/webhooks/")
        .ok_or_else(|| Failure::misconfigured("the address of webhooks has another form"))?;
    let pairs = [
        ("account", account.to_owned()),
        ("entry", order.entry.id.clone()),
        ("word", word.to_owned()),
        ("minor", order.entry.amount.minor.to_string()),
        ("currency", order.entry.amount.currency.clone()),
        (PAID, tag(host, order, word, PAID)?),
        (REFUSED, tag(host, order, word, REFUSED)?),
    ];
    let query: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{name}={}", form_encoded(value))).collect();
    Ok(format!("{base}/test-payment?{}", query.join("&")))
}

/// The fields of one decision, in the order of [`FIELDS`].
fn decision(
    host: &dyn Host,
    order: &Order,
    word: &str,
    decision: &str,
) -> Result<Vec<(&'static str, String)>, Failure> {
    let values = [
        decision.to_owned(),
        order.entry.id.clone(),
        word.to_owned(),
        order.entry.amount.minor.to_string(),
        order.entry.amount.currency.clone(),
        tag(host, order, word, decision)?,
    ];
    Ok(FIELDS.into_iter().zip(values).collect())
}

fn tag(host: &dyn Host, order: &Order, word: &str, decision: &str) -> Result<String, Failure> {
    let amount = &order.entry.amount;
    let text =
        message([decision, &order.entry.id, word, &amount.minor.to_string(), &amount.currency]);
    Ok(hex(host.key(SLOT)?.mac(MacAlgorithm::HmacSha256, &Content::from(text))?))
}

/// What is proven: none of the fields can hold a line feed.
fn message(fields: [&str; 5]) -> String {
    format!("tollgate test payer\n{}", fields.join("\n"))
}

/// A form, `decision=paid&entry=ent_…&word=redirect&minor=1999&currency=EUR&tag=…`, in any order.
/// No value needs an escape, so that one which has it is not genuine.
fn fields(delivery: &Delivery) -> Result<[&str; 6], Failure> {
    let text = delivery.text()?;
    let mut found = [""; 6];
    for pair in text.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let place = FIELDS.iter().position(|known| *known == name);
        match place.and_then(|place| found.get_mut(place)) {
            Some(place) if place.is_empty() && value.chars().all(plain) => *place = value,
            _ => return Err(Failure::malformed("the form is none of the test payer's")),
        }
    }
    match found.iter().all(|value| !value.is_empty()) {
        true => Ok(found),
        false => Err(Failure::malformed(format!("the form needs {}", FIELDS.join(", ")))),
    }
}

/// The recipe: the MAC over the decision.
pub fn prove(delivery: &Delivery) -> Result<Proof, Failure> {
    let [decision, entry, word, minor, currency, tag] = fields(delivery)?;
    let message = message([decision, entry, word, minor, currency]);
    Ok(proof(SLOT, MacAlgorithm::HmacSha256, message).evidence(unhex(tag)?))
}

/// What a proven decision says.
pub fn interpret(delivery: &Delivery) -> Result<Vec<Event>, Failure> {
    let [decision, entry, word, minor, currency, _] = fields(delivery)?;
    let known = references(entry, word);
    let minor = minor.parse().map_err(|_| Failure::malformed("minor: not a whole number"))?;
    let outcome = match decision {
        PAID => Outcome::succeeded(known, Money::new(minor, currency)),
        REFUSED => {
            let said = "The test payer chose not to pay.";
            let (code, advice) = (DeclineCode::Generic, RetryAdvice::AfterChange);
            sdk::decline(code, advice, "payer-refused", said).at(known).into()
        }
        _ => return Err(Failure::malformed("decision: paid or refused")),
    };
    let event = event(format!("{entry}-{decision}"), OperationKind::Authorize, outcome);
    Ok(vec![event.entry(Some(entry.to_owned()))])
}
