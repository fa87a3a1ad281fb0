//! Endpoints of an app: where it is told what happens, what it was told, and telling it again.
//!
//! Reading needs the scope `read`. Adding, changing and replaying need `pay`: an endpoint goes on
//! telling of payments after the key it was added with has ended.

use engine::{
    Endpoint, Health, NewEndpoint, Notification, Replay, ShownSecret, Stage, patterns_refused,
};
use http::{HeaderValue, StatusCode};
use ledger::Id;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::catalogue::{FIELDS_INVALID, NO_SUCH_ENDPOINT, NO_SUCH_NOTIFICATION};
use crate::forms;
use crate::payments::page;
use crate::problem::{Place, Problem};
use crate::route::Visit;
use crate::shape::Faults;
use crate::time::rfc3339;
use crate::vocabulary::PATTERNS_MAX;

type Outcome = Result<Answer, Problem>;

/// How long old secrets sign along after a rotation when it does not say: a day.
const OVERLAP_S: u64 = 86_400;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndpointForm {
    url: String,
    events: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RotationForm {
    overlap_s: Option<u64>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum ReplayForm {
    One { notification: String },
    Since { since: String },
    Dead,
}

pub(crate) async fn add(visit: Visit, app: Id) -> Outcome {
    let form: EndpointForm = forms::read(visit.json)?;
    check_patterns(&form.events)?;
    let new = NewEndpoint { url: form.url, events: form.events };
    let (endpoint, secret) = visit.payments.add_endpoint(&app, new).await?;
    let mut answer = Answer::json(StatusCode::CREATED, &with_secret(&endpoint, &secret));
    if let Ok(place) = HeaderValue::from_str(&format!("/v1/endpoints/{}", endpoint.id)) {
        answer.set("location", place);
    }
    Ok(answer)
}

pub(crate) async fn list(visit: Visit, app: Id) -> Outcome {
    let endpoints = visit.payments.endpoints(&app).await?;
    let endpoints: Vec<Value> = endpoints.iter().map(view).collect();
    Ok(Answer::json(StatusCode::OK, &json!({"endpoints": endpoints})))
}

pub(crate) async fn read(visit: Visit, app: Id) -> Outcome {
    let endpoint = visit.payments.endpoint(&app, &named(&visit)?).await?;
    Ok(Answer::json(StatusCode::OK, &view(&endpoint)))
}

pub(crate) async fn remove(visit: Visit, app: Id) -> Outcome {
    visit.payments.remove_endpoint(&app, &named(&visit)?).await?;
    Ok(Answer::json(StatusCode::OK, &json!({})))
}

pub(crate) async fn rotate(visit: Visit, app: Id) -> Outcome {
    let endpoint = named(&visit)?;
    let form: RotationForm = forms::read(visit.json)?;
    let overlap_ms = form.overlap_s.unwrap_or(OVERLAP_S).saturating_mul(1000);
    let rotated = visit.payments.rotate_endpoint_secret(&app, &endpoint, overlap_ms).await?;
    Ok(Answer::json(StatusCode::OK, &with_secret(&rotated.0, &rotated.1)))
}

pub(crate) async fn enable(visit: Visit, app: Id) -> Outcome {
    let enabled = visit.payments.enable_endpoint(&app, &named(&visit)?).await?;
    Ok(Answer::json(StatusCode::OK, &view(&enabled)))
}

pub(crate) async fn notifications(visit: Visit, app: Id) -> Outcome {
    let endpoint = named(&visit)?;
    let word = visit.query.get("stage").and_then(Value::as_str);
    let stage = Stage::ALL.into_iter().find(|stage| Some(stage.name()) == word);
    let page = page(&visit.query);
    let page = visit.payments.notifications(&app, &endpoint, stage, page).await?;
    let notifications: Vec<Value> = page.notifications.iter().map(notification).collect();
    let body = json!({"notifications": notifications, "cursor": page.cursor});
    Ok(Answer::json(StatusCode::OK, &body))
}

pub(crate) async fn replay(visit: Visit, app: Id) -> Outcome {
    let endpoint = named(&visit)?;
    let replay = match forms::read(visit.json)? {
        ReplayForm::One { notification } => Replay::One(notification),
        ReplayForm::Since { since } => Replay::Since(unix_ms(&since)),
        ReplayForm::Dead => Replay::Dead,
    };
    let count = visit.payments.replay(&app, &endpoint, &replay).await?;
    if count == 0 && matches!(replay, Replay::One(_)) {
        return Err(Problem::new(&NO_SUCH_NOTIFICATION, NO_SUCH_NOTIFICATION.cause));
    }
    Ok(Answer::json(StatusCode::OK, &json!({"replayed": count})))
}

/// The endpoint that the path names.
fn named(visit: &Visit) -> Result<Id, Problem> {
    let id = visit.named().parse().ok().filter(|id: &Id| id.as_str().starts_with("end_"));
    id.ok_or_else(|| Problem::new(&NO_SUCH_ENDPOINT, "the path names no endpoint"))
}

fn check_patterns(patterns: &[String]) -> Result<(), Problem> {
    let mut faults = Faults::of(Place::Body);
    for n in patterns_refused(patterns) {
        let detail = "write *, refund.*, *.succeeded or the name of an event";
        faults.add(&format!("/events/{n}"), "choice", detail);
    }
    if patterns.len() > PATTERNS_MAX {
        faults.add("/events", "max-length", format!("write at most {PATTERNS_MAX} patterns"));
    }
    let faults = faults.into_list();
    if faults.is_empty() { Ok(()) } else { Err(Problem::with_faults(&FIELDS_INVALID, faults)) }
}

/// The time of a text that has the shape of one.
fn unix_ms(text: &str) -> u64 {
    let time = text.parse::<jiff::Timestamp>().unwrap_or_default();
    u64::try_from(time.as_millisecond()).unwrap_or_default()
}

fn view(endpoint: &Endpoint) -> Value {
    let secret = |secret: &engine::EndpointSecret| {
        json!({
            "created_at": rfc3339(secret.created_at_ms),
            "not_after": secret.not_after_ms.map(rfc3339),
        })
    };
    json!({
        "id": endpoint.id,
        "url": endpoint.url,
        "events": endpoint.events,
        "created_at": rfc3339(endpoint.created_at_ms),
        "secrets": endpoint.secrets.iter().map(secret).collect::<Vec<_>>(),
        "health": health(&endpoint.health),
    })
}

fn health(health: &Health) -> Value {
    match health {
        Health::Taking => json!({"type": "taking"}),
        Health::Failing { since_ms, why } => {
            json!({"type": "failing", "since": rfc3339(*since_ms), "why": why})
        }
        Health::LeftAlone { since_ms, until_ms, why } => json!({
            "type": "left-alone",
            "since": rfc3339(*since_ms),
            "until": rfc3339(*until_ms),
            "why": why,
        }),
        Health::Disabled { since_ms, why } => {
            json!({"type": "disabled", "since": rfc3339(*since_ms), "why": why})
        }
    }
}

fn with_secret(endpoint: &Endpoint, secret: &ShownSecret) -> Value {
    let mut body = view(endpoint);
    if let Some(body) = body.as_object_mut() {
        body.insert("secret".to_owned(), secret.expose().into());
    }
    body
}

fn notification(told: &Notification) -> Value {
    let last = told.last.as_ref().map(|last| {
        json!({
            "at": rfc3339(last.at_ms),
            "took_ms": last.took_ms,
            "status": last.status,
            "why": last.why,
        })
    });
    json!({
        "id": told.id,
        "event": told.event,
        "name": told.name,
        "payment": told.payment,
        "stage": told.stage.name(),
        "queued_at": rfc3339(told.queued_at_ms),
        "due_at": told.due_at_ms.map(rfc3339),
        "attempts": told.attempts,
        "replays": told.replays,
        "last": last,
        "given_up": told.given_up,
    })
}
