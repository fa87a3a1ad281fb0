//! Payments and payouts: begin, read, capture, cancel, refund, ask the provider.
//!
//! A payment that the provider declined was begun all the same: 201, and its status is `declined`.

use engine::{Ask, Done, NewPayment, NewPayout};
use http::{HeaderValue, StatusCode};
use ledger::Id;
use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::forms::{self, PartForm, PaymentForm, PayoutForm};
use crate::problem::{Fault, Place, Problem};
use crate::route::Visit;
use crate::views;

type Outcome = Result<Answer, Problem>;

pub(crate) async fn pay(visit: Visit, ask: Ask) -> Outcome {
    let form: PaymentForm = forms::read(visit.json)?;
    let done = visit.payments.pay(ask, NewPayment::from(form)).await;
    operated(&done.map_err(blame_account)?)
}

pub(crate) async fn pay_out(visit: Visit, ask: Ask) -> Outcome {
    let form: PayoutForm = forms::read(visit.json)?;
    let done = visit.payments.pay_out(ask, NewPayout::from(form)).await;
    operated(&done.map_err(blame_account)?)
}

pub(crate) async fn capture(visit: Visit, ask: Ask) -> Outcome {
    let payment = visit.payment()?;
    let part: PartForm = forms::read(visit.json)?;
    operated(&visit.payments.capture(ask, payment, part.amount).await?)
}

pub(crate) async fn cancel(visit: Visit, ask: Ask) -> Outcome {
    let payment = visit.payment()?;
    operated(&visit.payments.cancel(ask, payment).await?)
}

pub(crate) async fn refund(visit: Visit, ask: Ask) -> Outcome {
    let payment = visit.payment()?;
    let part: PartForm = forms::read(visit.json)?;
    operated(&visit.payments.refund(ask, payment, part.amount).await?)
}

pub(crate) async fn sync(visit: Visit, app: Id) -> Outcome {
    let payment = visit.payments.sync(&app, &visit.payment()?).await?;
    Ok(Answer::json(StatusCode::OK, &views::payment(&payment)))
}

pub(crate) async fn read(visit: Visit, app: Id) -> Outcome {
    let payment = visit.payments.payment(&app, &visit.payment()?).await?;
    Ok(Answer::json(StatusCode::OK, &views::payment(&payment)))
}

pub(crate) async fn list(visit: Visit, app: Id) -> Outcome {
    let (cursor, limit) = page(&visit.query);
    let page = visit.payments.payments(&app, cursor, limit).await?;
    let payments: Vec<Value> = page.payments.iter().map(views::payment).collect();
    Ok(Answer::json(StatusCode::OK, &json!({"payments": payments, "cursor": page.cursor})))
}

/// The cursor and the limit of a list's query.
pub(crate) fn page(query: &Map<String, Value>) -> (Option<&str>, usize) {
    let limit = query.get("limit").and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    (query.get("cursor").and_then(Value::as_str), limit.unwrap_or(20))
}

fn operated(done: &Done) -> Outcome {
    let mut body = json!({"entry": done.entry});
    if let (Some(body), Value::Object(view)) = (body.as_object_mut(), views::payment(&done.payment))
    {
        body.extend(view);
    }
    let mut answer = Answer::json(StatusCode::CREATED, &body);
    if let Ok(place) = HeaderValue::from_str(&format!("/v1/payments/{}", done.payment.id)) {
        answer.set("location", place);
    }
    if done.replayed {
        answer.set("idempotency-replayed", HeaderValue::from_static("true"));
    }
    Ok(answer)
}

/// In a body the account is a field, which can be pointed at.
fn blame_account(error: engine::Error) -> Problem {
    let unknown = matches!(error, engine::Error::NoSuchAccount(_));
    let mut problem = Problem::from(error);
    if unknown {
        let remedy = problem.code.remedy;
        problem.errors.push(Fault::new(Place::Body, "/account", "exists", remedy));
    }
    problem
}
