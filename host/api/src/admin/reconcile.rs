//! Comparing the ledger with what a provider has booked, while the host runs; and how what differs
//! is written as JSON, which the command line writes too.

use engine::{Difference, FeeRule, Movement, Reconciled, Reconciliation};
use http::StatusCode;
use jiff::Timestamp;
use ledger::Currency;
use serde::Deserialize;
use serde_json::{Value, json};

use super::books::books;
use crate::answer::Answer;
use crate::forms;
use crate::problem::Problem;
use crate::route::Visit;
use crate::time::rfc3339;
use crate::views;

pub(crate) mod routes;
pub(crate) mod shapes;

/// So many differences are in one answer; the rest are counted.
pub(crate) const DIFFERENCES_MAX: usize = 1_000;
const HOUR_MS: u64 = 3_600_000;
const MINUTE_MS: u64 = 60_000;

#[derive(Deserialize)]
struct Form {
    account: String,
    from: String,
    to: String,
    #[serde(default)]
    resolve: bool,
    margin_hours: Option<u32>,
    tolerance_minutes: Option<u32>,
    #[serde(default)]
    fees: Vec<FeeForm>,
}

#[derive(Deserialize)]
struct FeeForm {
    currency: Currency,
    basis_points: u32,
    fixed_minor: u64,
}

impl Form {
    fn asked(self) -> Reconciliation {
        // Both were held to the shape of a time.
        let ms = |at: &str| {
            let at = at.parse::<Timestamp>().unwrap_or_default().as_millisecond();
            u64::try_from(at).unwrap_or_default()
        };
        let fee = |form: FeeForm| {
            let FeeForm { currency, basis_points, fixed_minor } = form;
            FeeRule { currency, basis_points, fixed_minor }
        };
        Reconciliation {
            account: self.account,
            since_ms: ms(&self.from),
            until_ms: ms(&self.to),
            files: Vec::new(),
            resolve: self.resolve,
            margin_ms: u64::from(self.margin_hours.unwrap_or(24)) * HOUR_MS,
            tolerance_ms: u64::from(self.tolerance_minutes.unwrap_or(60)) * MINUTE_MS,
            fees: self.fees.into_iter().map(fee).collect(),
        }
    }
}

async fn reconcile(visit: Visit) -> Result<Answer, Problem> {
    let form: Form = forms::read(visit.json.clone())?;
    let asked = form.asked();
    let mut body = head(&asked);
    let mut differences = Vec::new();
    let mut keep = |one: &Difference| {
        if differences.len() < DIFFERENCES_MAX {
            differences.push(difference(one));
        }
        Ok(())
    };
    let done = books(&visit)?.reconcile(asked, &mut keep).await?;
    if let (Some(body), Value::Object(tail)) = (body.as_object_mut(), tail(&done)) {
        body.insert("differences".to_owned(), Value::Array(differences));
        body.extend(tail);
    }
    Ok(Answer::json(StatusCode::OK, &body))
}

/// What was compared: the first fields of a reconciliation, as JSON.
pub fn head(asked: &Reconciliation) -> Value {
    json!({
        "account": asked.account,
        "from": rfc3339(asked.since_ms),
        "to": rfc3339(asked.until_ms),
    })
}

/// What it came to: the last fields of a reconciliation, as JSON.
pub fn tail(done: &Reconciled) -> Value {
    let sum = |(kind, currency, sum): (&str, &str, &engine::Sum)| {
        json!({
            "kind": kind,
            "currency": currency,
            "ledger_count": sum.ledger_count,
            "ledger_minor": minor(sum.ledger_minor),
            "provider_count": sum.provider_count,
            "provider_minor": minor(sum.provider_minor),
            "fee_minor": minor(sum.fee_minor),
        })
    };
    json!({
        "sums": done.sums.iter().map(sum).collect::<Vec<_>>(),
        "movements": done.movements,
        "differing": done.differences,
        "settled": done.settled,
        "agrees": done.differences == 0,
    })
}

/// Sums beyond 64 bits would be more money than there is.
fn minor(sum: u128) -> u64 {
    u64::try_from(sum).unwrap_or(u64::MAX)
}

/// Something in which the two sides differ, as JSON.
pub fn difference(one: &Difference) -> Value {
    let payment = one.entry.as_ref().map(|(payment, _)| payment);
    let entry = one.entry.as_ref().and_then(|(payment, id)| payment.entry(id));
    json!({
        "differs": one.differs.name(),
        "why": one.why,
        "settled": one.settled,
        "payment": payment.map(|payment| &payment.id),
        "merchant_reference": payment.map(|payment| &payment.merchant_reference),
        "entry": entry.map(views::entry),
        "movement": one.movement.as_ref().map(movement),
    })
}

fn movement(one: &Movement) -> Value {
    json!({
        "id": one.id,
        "kind": one.kind.name(),
        "state": one.state.name(),
        "reference": one.references.as_ref().map(|known| &known.provider),
        "entry": one.entry,
        "amount": { "minor": one.minor, "currency": one.currency.code() },
        "fee": one.fee.map(|(minor, currency)| json!({
            "minor": minor, "currency": currency.code(),
        })),
        "booked_at": rfc3339(one.booked_at_ms),
    })
}
