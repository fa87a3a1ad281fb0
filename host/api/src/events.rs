//! The feed of events of an app, by cursor, oldest first.

use http::StatusCode;
use ledger::Id;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::payments::page;
use crate::problem::Problem;
use crate::route::Visit;
use crate::views;

pub(crate) async fn list(visit: Visit, app: Id) -> Result<Answer, Problem> {
    let (cursor, limit) = page(&visit.query);
    let page = visit.payments.events(&app, cursor, limit).await?;
    let events: Vec<Value> = page.events.iter().map(views::event).collect();
    Ok(Answer::json(StatusCode::OK, &json!({"events": events, "cursor": page.cursor})))
}
