//! What Stripe has booked: balance transactions, made of the books.
//! <https://docs.stripe.com/api/balance_transactions>
//!
//! Every account settles in the currency of the charge, and pays 1.5 % and 25 minor units of each.
//! Not modelled: payouts to the merchant's bank, disputes, adjustments.

use serde_json::{Map, Value, json};

use crate::books::{Movement, MovementKind};
use crate::exchange::Asked;

use super::params::{Known, Params};
use super::refusal::Refusal;
use super::state::State;
use super::{form, shape};

const LIST: Known = Known {
    modelled: &["created", "expand", "limit", "starting_after"],
    ignored: &[],
    refused: &["currency", "ending_before", "payout", "source", "type"],
};

/// `GET /v1/balance_transactions`
pub(crate) fn list(state: &State, asked: &Asked) -> Result<Value, Refusal> {
    let tree = form::parse(asked.query.as_deref().unwrap_or_default().as_bytes())?;
    let params = Params::checked(&tree, &LIST)?;
    let expanded = params.expands("data.source")?;
    let limit = params.integer("limit")?.unwrap_or(10);
    if !(1..=100).contains(&limit) {
        let why = "limit must be between 1 and 100";
        return Err(Refusal::invalid(why).code("parameter_invalid_integer").param("limit"));
    }
    let range = Range::read(&params)?;
    let after = params.text("starting_after")?;
    let newest_first = bookings(state).rev().filter(|(_, _, line)| range.holds(line.at_s));
    let mut found: Vec<(String, &str, &Movement)> = newest_first.collect();
    if let Some(after) = after {
        let place = found.iter().position(|(id, ..)| id == after);
        let missing = || {
            let why = format!("No such balance transaction: '{after}'");
            Refusal::invalid(why).code("resource_missing").param("starting_after")
        };
        found.drain(..=place.ok_or_else(missing)?);
    }
    let limit = usize::try_from(limit).unwrap_or(10);
    let has_more = found.len() > limit;
    found.truncate(limit);
    let data = found.iter().map(|(id, kind, line)| booking(state, id, kind, line, expanded));
    Ok(shape::list(&asked.path, data.collect(), has_more))
}

/// `created[gte]`, `created[gt]`, `created[lt]`, `created[lte]`.
struct Range {
    from: i64,
    to: i64,
}

impl Range {
    fn read(params: &Params<'_>) -> Result<Range, Refusal> {
        let Some(created) = params.hash("created")? else {
            return Ok(Range { from: i64::MIN, to: i64::MAX });
        };
        let created = created.only(&["gt", "gte", "lt", "lte"])?;
        let from = [created.integer("gte")?, created.integer("gt")?.map(|at| at + 1)];
        let to = [created.integer("lt")?, created.integer("lte")?.map(|at| at + 1)];
        Ok(Range {
            from: from.into_iter().flatten().max().unwrap_or(i64::MIN),
            to: to.into_iter().flatten().min().unwrap_or(i64::MAX),
        })
    }

    fn holds(&self, at_s: i64) -> bool {
        (self.from..self.to).contains(&at_s)
    }
}

/// The lines of the books that changed the balance, oldest first, each with its identifier.
fn bookings(state: &State) -> impl DoubleEndedIterator<Item = (String, &'static str, &Movement)> {
    let lines = state.books.movements.iter().enumerate();
    lines.filter_map(|(n, line)| Some((format!("txn_{n:0>24}"), kind(line.kind)?, line)))
}

fn kind(kind: MovementKind) -> Option<&'static str> {
    match kind {
        MovementKind::Capture => Some("charge"),
        MovementKind::Refund => Some("refund"),
        MovementKind::RefundReversal => Some("refund_failure"),
        MovementKind::Payout => Some("payout"),
        MovementKind::Authorization | MovementKind::Release | MovementKind::Decline => None,
    }
}

fn booking(state: &State, id: &str, kind: &str, line: &Movement, expanded: bool) -> Value {
    let sign = if kind == "charge" || kind == "refund_failure" { 1 } else { -1 };
    let fee = if kind == "charge" { line.amount * 15 / 1000 + 25 } else { 0 };
    let amount = sign * line.amount;
    let details = json!([{ "amount": fee, "application": null, "currency": currency(line),
        "description": "Stripe processing fees", "type": "stripe_fee" }]);
    json!({
        "id": id,
        "object": "balance_transaction",
        "amount": amount,
        "available_on": line.at_s + 2 * 86_400,
        "created": line.at_s,
        "currency": currency(line),
        "description": null,
        "exchange_rate": null,
        "fee": fee,
        "fee_details": if fee > 0 { details } else { json!([]) },
        "net": amount - fee,
        "reporting_category": if kind == "refund_failure" { "refund_failure" } else { kind },
        "source": if expanded { source(state, kind, line) } else { json!(line.reference) },
        "status": "pending",
        "type": kind,
    })
}

fn currency(line: &Movement) -> String {
    line.currency.to_lowercase()
}

/// What the booking is about, as the books tell it.
fn source(state: &State, kind: &str, line: &Movement) -> Value {
    let known = match kind {
        "charge" => state.charges.get(&line.reference).map(shape::charge),
        _ => state.refunds.get(&line.reference).map(shape::refund),
    };
    let mut source = match known {
        Some(Value::Object(source)) => source,
        _ => Map::new(),
    };
    let charge = kind == "charge";
    source.entry("metadata").or_insert_with(|| match &line.entry {
        Some(entry) => json!({ "entry": entry }),
        None => json!({}),
    });
    source.insert("id".into(), json!(line.reference));
    source.insert("object".into(), json!(if charge { "charge" } else { "refund" }));
    source.insert("currency".into(), json!(currency(line)));
    source.insert("payment_intent".into(), json!(line.payment));
    let amount = if charge { "amount_captured" } else { "amount" };
    source.insert(amount.into(), json!(line.amount));
    Value::Object(source)
}
