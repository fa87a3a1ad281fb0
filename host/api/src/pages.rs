//! What the host says about itself: health, readiness, the OpenAPI document, the catalogue.

use http::{HeaderValue, StatusCode};
use serde_json::json;

use crate::answer::Answer;
use crate::catalogue::{CATALOGUE, NO_SUCH_PROBLEM};
use crate::openapi;
use crate::problem::Problem;
use crate::route::Visit;

type Outcome = Result<Answer, Problem>;

pub(crate) async fn health(_: Visit) -> Outcome {
    Ok(Answer::json(StatusCode::OK, &json!({"status": "ok"})))
}

pub(crate) async fn ready(visit: Visit) -> Outcome {
    let impediments = visit.payments.impediments().await;
    let ready = impediments.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Ok(Answer::json(status, &json!({"ready": ready, "impediments": impediments})))
}

pub(crate) async fn document(_: Visit) -> Outcome {
    let mut answer = Answer::new(StatusCode::OK, openapi::text());
    answer.set("content-type", HeaderValue::from_static("application/json"));
    Ok(answer)
}

pub(crate) async fn problems(_: Visit) -> Outcome {
    Ok(Answer::json(StatusCode::OK, &json!({"problems": CATALOGUE})))
}

pub(crate) async fn problem(visit: Visit) -> Outcome {
    let found = CATALOGUE.iter().find(|code| code.code == visit.named());
    let code = found.ok_or_else(|| Problem::new(&NO_SUCH_PROBLEM, NO_SUCH_PROBLEM.cause))?;
    Ok(Answer::json(StatusCode::OK, &json!(code)))
}
