//! The books, for operators: open entries and anomalies, and settling them by a person's word.
//!
//! Here is how they are asked over HTTP and how they are written as JSON, which the command line
//! prints too. What is taken of a person's word, the engine and the ledger decide.

use engine::{Books, EntryRecord, Fate, Listed, Settling, ShownExchange};
use http::StatusCode;
use ledger::{Anomaly, Closed, Id};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::catalogue as known;
use crate::forms;
use crate::payments::page;
use crate::problem::{Code, Problem};
use crate::route::Visit;
use crate::time::rfc3339;
use crate::views;

pub(crate) mod routes;
pub(crate) mod shapes;

type Outcome = Result<Answer, Problem>;

#[derive(Deserialize)]
struct SettlingForm {
    #[serde(rename = "as")]
    fate: Fate,
    reference: Option<String>,
    reason: String,
    by: String,
}

#[derive(Deserialize)]
struct ClosingForm {
    by: String,
    reason: String,
}

async fn entries(visit: Visit) -> Outcome {
    let page = books(&visit)?.open(&listed(&visit.query, "unknown")).await?;
    let all: Vec<Value> = page.entries.iter().map(entry_record).collect();
    Ok(Answer::json(StatusCode::OK, &json!({ "entries": all, "cursor": page.cursor })))
}

async fn entry(visit: Visit) -> Outcome {
    shown(&books(&visit)?.entry(&named(&visit, "ent_", &known::NO_SUCH_ENTRY)?).await?)
}

async fn ask(visit: Visit) -> Outcome {
    shown(&books(&visit)?.ask(&named(&visit, "ent_", &known::NO_SUCH_ENTRY)?).await?)
}

async fn settle(visit: Visit) -> Outcome {
    let id = named(&visit, "ent_", &known::NO_SUCH_ENTRY)?;
    let SettlingForm { fate, reference, reason, by } = forms::read(visit.json.clone())?;
    let said = Settling { fate, reference, reason, by };
    shown(&books(&visit)?.settle(&id, &said).await?)
}

async fn anomalies(visit: Visit) -> Outcome {
    let page = books(&visit)?.anomalies(&listed(&visit.query, "all")).await?;
    let all: Vec<Value> = page.anomalies.iter().map(anomaly).collect();
    Ok(Answer::json(StatusCode::OK, &json!({ "anomalies": all, "cursor": page.cursor })))
}

async fn close(visit: Visit) -> Outcome {
    let id = named(&visit, "ano_", &known::NO_SUCH_ANOMALY)?;
    let ClosingForm { by, reason } = forms::read(visit.json.clone())?;
    let closed = books(&visit)?.close(&id, &by, &reason).await?;
    Ok(Answer::json(StatusCode::OK, &anomaly(&closed)))
}

pub(super) fn books(visit: &Visit) -> Result<Books, Problem> {
    visit.payments.books().ok_or_else(|| Problem::new(&known::NOTHING_HERE, "there are no books"))
}

fn listed(query: &Map<String, Value>, narrow: &str) -> Listed {
    let text = |name: &str| query.get(name).and_then(Value::as_str).map(str::to_owned);
    let (cursor, limit) = page(query);
    Listed {
        account: text("account"),
        narrowed: text("state").is_some_and(|state| state == narrow),
        cursor: cursor.map(str::to_owned),
        limit,
    }
}

fn named(visit: &Visit, prefix: &str, missing: &'static Code) -> Result<Id, Problem> {
    let id = visit.named().parse().ok().filter(|id: &Id| id.as_str().starts_with(prefix));
    id.ok_or_else(|| Problem::new(missing, missing.cause))
}

fn shown(record: &EntryRecord) -> Outcome {
    Ok(Answer::json(StatusCode::OK, &entry_record(record)))
}

/// An entry as an operator sees it, as JSON.
pub fn entry_record(record: &EntryRecord) -> Value {
    let exchange = |one: &ShownExchange| {
        json!({
            "to": one.to,
            "moves_money": one.moves_money,
            "at": rfc3339(one.at_ms),
            "ended": one.ended,
        })
    };
    json!({
        "entry": views::entry(&record.entry),
        "payment": record.payment.id,
        "app": record.payment.app,
        "account": record.payment.account,
        "merchant_reference": record.payment.merchant_reference,
        "asked": record.asked,
        "absences": record.absences,
        "next_at": record.next_at_ms.map(rfc3339),
        "exchanges": record.exchanges.iter().map(exchange).collect::<Vec<_>>(),
    })
}

/// What was told: as it stands where it is text alone.
fn words(told: &Value) -> String {
    let alone = told.as_object().filter(|told| told.len() == 1);
    let alone = alone.and_then(|told| told.get("told")).and_then(Value::as_str);
    alone.map_or_else(|| told.to_string(), str::to_owned)
}

/// An anomaly, as JSON.
pub fn anomaly(anomaly: &Anomaly) -> Value {
    let mut told = serde_json::to_value(&anomaly.kind).unwrap_or_default();
    let kind = told.as_object_mut().and_then(|told| told.shift_remove("kind"));
    let closed = |closed: &Closed| {
        let Closed { by, reason, at_ms } = closed;
        json!({ "by": by, "reason": reason, "at": rfc3339(*at_ms) })
    };
    json!({
        "id": anomaly.id,
        "kind": kind,
        "account": anomaly.account,
        "payment": anomaly.payment,
        "entry": anomaly.entry,
        "told": words(&told),
        "noticed_at": rfc3339(anomaly.noticed_at_ms),
        "closed": anomaly.closed.as_ref().map(closed),
    })
}
