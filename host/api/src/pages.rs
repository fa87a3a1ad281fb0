//! What the host says about itself: health, readiness, the OpenAPI document, the catalogue.

use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use serde_json::json;

use crate::answer::Answer;
use crate::catalogue::{CATALOGUE, NO_SUCH_PAGE, NO_SUCH_PROBLEM};
use crate::docs::{self, PAGES};
use crate::openapi;
use crate::problem::Problem;
use crate::route::Visit;

type Outcome = Result<Answer, Problem>;

pub(crate) async fn health(_: Visit) -> Outcome {
    Ok(Answer::json(StatusCode::OK, &json!({"status": "ok"})))
}

pub(crate) async fn ready(visit: Visit) -> Outcome {
    let mut impediments = visit.payments.impediments().await;
    if visit.load.is_stopping() {
        impediments.push("the host is stopping".to_owned());
    }
    impediments.dedup();
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

/// Nothing is loaded but the one style sheet, nothing runs, and a form goes to this host alone.
const POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// A page of the documentation; `/docs/` is its index.
pub(crate) async fn docs(visit: Visit) -> Outcome {
    let name = if visit.named().is_empty() { "index" } else { visit.named() };
    let found = docs::page(name, &PAGES);
    let page = found.ok_or_else(|| Problem::new(&NO_SUCH_PAGE, NO_SUCH_PAGE.cause))?;
    Ok(shown(page.media_type, page.body.clone()))
}

/// The page on which a payer of the test provider decides.
pub(crate) async fn test_payment(visit: Visit) -> Outcome {
    let page = docs::test_payment(&visit.query);
    Ok(shown("text/html; charset=utf-8", page.into()))
}

fn shown(media_type: &'static str, body: Bytes) -> Answer {
    let mut answer = Answer::new(StatusCode::OK, body);
    for (name, value) in [
        ("content-type", media_type),
        ("content-security-policy", POLICY),
        ("referrer-policy", "no-referrer"),
    ] {
        answer.set(name, HeaderValue::from_static(value));
    }
    answer
}
