//! Reading: single objects, lists by page, and the search by metadata.
//! <https://docs.stripe.com/api/pagination>, <https://docs.stripe.com/search>
//!
//! Stripe's search lags up to a minute behind; this one does not.

use serde_json::Value;

use crate::exchange::Asked;

use super::params::{Known, Params};
use super::refusal::Refusal;
use super::state::State;
use super::{balance, form, refunds, shape};

const RETRIEVE: Known = Known { modelled: &["expand"], ignored: &["client_secret"], refused: &[] };
const LIST: Known = Known {
    modelled: &["limit", "payment_intent", "charge", "query", "type"],
    ignored: &[],
    refused: &["created", "customer", "ending_before", "expand", "page", "starting_after", "types"],
};

/// `GET` of anything this simulator shows; `None` when it knows no such path.
pub(crate) fn read(
    state: &State,
    events: &[Value],
    asked: &Asked,
) -> Option<Result<Value, Refusal>> {
    match asked.segments().as_slice() {
        ["v1", "payment_intents"] => Some(page(asked, intents(state), |_, _| true)),
        ["v1", "payment_intents", "search"] => Some(search(state, asked)),
        ["v1", "payment_intents", id] => Some(intent(state, asked, id)),
        ["v1", "charges", id] => Some(state.charge(id).map(shape::charge)),
        ["v1", "refunds"] => Some(page(asked, all_refunds(state), of_payment)),
        ["v1", "refunds", id] => Some(refunds::retrieve(state, id)),
        ["v1", "balance_transactions"] => Some(balance::list(state, asked)),
        ["v1", "events"] => Some(page(asked, events.iter().rev().cloned().collect(), of_type)),
        ["v1", "events", id] => Some(event(events, id)),
        _ => None,
    }
}

fn query(asked: &Asked) -> Result<serde_json::Map<String, Value>, Refusal> {
    form::parse(asked.query.as_deref().unwrap_or_default().as_bytes())
}

fn intent(state: &State, asked: &Asked, id: &str) -> Result<Value, Refusal> {
    let tree = query(asked)?;
    let expanded = Params::checked(&tree, &RETRIEVE)?.expands("latest_charge")?;
    Ok(shape::intent(state, state.intent(id)?, expanded))
}

fn event(events: &[Value], id: &str) -> Result<Value, Refusal> {
    let found = events.iter().find(|event| event.get("id").is_some_and(|known| known == id));
    let status = http::StatusCode::NOT_FOUND;
    found.cloned().ok_or_else(|| Refusal::missing(status, "event", id, "id"))
}

fn intents(state: &State) -> Vec<Value> {
    let newest_first = state.order.iter().rev().filter_map(|id| state.intents.get(id));
    newest_first.map(|intent| shape::intent(state, intent, false)).collect()
}

fn all_refunds(state: &State) -> Vec<Value> {
    let newest_first = state.refund_order.iter().rev().filter_map(|id| state.refunds.get(id));
    newest_first.map(shape::refund).collect()
}

fn of_payment(refund: &Value, params: &Params<'_>) -> bool {
    ["payment_intent", "charge"].iter().all(|name| {
        let wanted = params.text(name).ok().flatten();
        wanted.is_none_or(|wanted| refund.get(*name).is_some_and(|id| id == wanted))
    })
}

fn of_type(event: &Value, params: &Params<'_>) -> bool {
    let wanted = params.text("type").ok().flatten();
    wanted.is_none_or(|wanted| event.get("type").is_some_and(|kind| kind == wanted))
}

fn page(
    asked: &Asked,
    all: Vec<Value>,
    wanted: impl Fn(&Value, &Params<'_>) -> bool,
) -> Result<Value, Refusal> {
    let tree = query(asked)?;
    let params = Params::checked(&tree, &LIST)?;
    let limit = match params.integer("limit")? {
        None => 10,
        Some(limit) if (1..=100).contains(&limit) => usize::try_from(limit).unwrap_or(10),
        Some(_) => {
            let why = "limit must be between 1 and 100";
            return Err(Refusal::invalid(why).code("parameter_invalid_integer").param("limit"));
        }
    };
    let mut data: Vec<Value> = all.into_iter().filter(|item| wanted(item, &params)).collect();
    let has_more = data.len() > limit;
    data.truncate(limit);
    Ok(shape::list(&asked.path, data, has_more))
}

fn search(state: &State, asked: &Asked) -> Result<Value, Refusal> {
    let tree = query(asked)?;
    let params = Params::checked(&tree, &LIST)?;
    let text = params.required("query")?;
    let (key, value) = clause(text).ok_or_else(|| {
        let why = "The simulator reads one clause: metadata['key']:'value'";
        Refusal::invalid(why).param("query")
    })?;
    let of_clause = |found: &Value, _: &Params<'_>| {
        found.pointer("/metadata").and_then(|map| map.get(key)).is_some_and(|text| text == value)
    };
    let mut result = page(asked, intents(state), of_clause)?;
    if let Some(fields) = result.as_object_mut() {
        fields.insert("object".into(), "search_result".into());
    }
    Ok(result)
}

/// `metadata['key']:'value'`, with either kind of quotes.
fn clause(query: &str) -> Option<(&str, &str)> {
    let (key, value) = query.trim().strip_prefix("metadata[")?.split_once("]:")?;
    Some((unquoted(key)?, unquoted(value)?))
}

fn unquoted(text: &str) -> Option<&str> {
    ['\'', '"'].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote))
}
