//! The simulator's own interface under `/_simulator/`, for tests and for people with curl.
//!
//! It asks for no key: whoever reaches the port owns the simulator. A provider's own controls
//! (paying, settling) are in its module.

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::courier::Seal;
use crate::exchange::{Answer, Asked};
use crate::faults::FaultRule;
use crate::server::Core;

/// The answer, when the request is for the simulator and not for the provider.
pub(crate) fn answer(core: &Core, asked: &Asked) -> Option<Answer> {
    let control = asked.path.strip_prefix("/_simulator/")?;
    let answer = match (&asked.method, control) {
        (&Method::GET, "books") => ok(&json!(core.provider.books())),
        (&Method::GET, "deliveries") => ok(&json!(core.provider.courier().deliveries())),
        (&Method::GET, "faults") => ok(&json!(core.faults.pending())),
        (&Method::DELETE, "faults") => {
            core.faults.clear();
            ok(&json!([]))
        }
        (&Method::POST, "faults") => read(asked, |rule: FaultRule| {
            core.faults.add(rule);
            ok(&json!(core.faults.pending()))
        }),
        (&Method::POST, "notifications") => read(asked, |order| notifications(core, &order)),
        (&Method::POST, "redeliver") => read(asked, |order| redeliver(core, &order)),
        _ => match core.provider.control(asked) {
            Some(answer) => answer,
            None => refused(StatusCode::NOT_FOUND, "the simulator has no such control"),
        },
    };
    Some(answer)
}

pub(crate) fn ok(body: &Value) -> Answer {
    Answer::json(StatusCode::OK, body)
}

pub(crate) fn refused(status: StatusCode, why: &str) -> Answer {
    Answer::json(status, &json!({ "error": why }))
}

/// Reads a control's JSON body; an empty one counts as `{}`.
pub(crate) fn read<T: for<'a> Deserialize<'a>>(
    asked: &Asked,
    act: impl FnOnce(T) -> Answer,
) -> Answer {
    let body: &[u8] = if asked.body.is_empty() { b"{}" } else { &asked.body };
    match serde_json::from_slice(body) {
        Ok(order) => act(order),
        Err(error) => refused(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Notifications {
    hold: Option<bool>,
    copies: Option<u32>,
}

fn notifications(core: &Core, order: &Notifications) -> Answer {
    if let Some(copies) = order.copies {
        core.provider.courier().copy(copies);
    }
    if let Some(held) = order.hold {
        core.provider.courier().hold(held);
    }
    ok(&json!({}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Redeliver {
    id: String,
    /// Sent with a signature that does not verify.
    #[serde(default)]
    broken: bool,
}

fn redeliver(core: &Core, order: &Redeliver) -> Answer {
    let seal = if order.broken { Seal::Broken } else { Seal::Genuine };
    if core.provider.courier().again(&order.id, seal) {
        ok(&json!({}))
    } else {
        refused(StatusCode::NOT_FOUND, "there was no such notification")
    }
}
