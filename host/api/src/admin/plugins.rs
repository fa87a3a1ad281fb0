//! Plugins for the operator: how each stands, the end of a quarantine, and the host's metrics.

use engine::{LoadedPlugin, Quarantine, Until};
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::Outcome;
use crate::answer::Answer;
use crate::metrics;
use crate::route::Visit;

pub(crate) async fn list(visit: Visit) -> Outcome {
    let all: Vec<Value> = visit.payments.plugins().iter().map(view).collect();
    Ok(Answer::json(StatusCode::OK, &json!({ "plugins": all })))
}

pub(crate) async fn clear(visit: Visit) -> Outcome {
    let cleared = visit.payments.clear_plugin(visit.named()).await?;
    Ok(Answer::json(StatusCode::OK, &view(&cleared)))
}

pub(crate) async fn measure(visit: Visit) -> Outcome {
    let mut answer = Answer::new(StatusCode::OK, metrics::text(&visit).await);
    answer.set("content-type", HeaderValue::from_static(metrics::MEDIA_TYPE));
    Ok(answer)
}

fn view(plugin: &LoadedPlugin) -> Value {
    json!({
        "name": plugin.name,
        "digest": plugin.digest,
        "provider": plugin.provider,
        "version": plugin.version,
        "accounts": plugin.accounts,
        "calls": plugin.calls,
        "faults": plugin.faults,
        "standing": plugin.quarantine.as_ref().map_or_else(|| json!({"type": "called"}), standing),
    })
}

fn standing(quarantine: &Quarantine) -> Value {
    let reason = &quarantine.reason;
    match quarantine.until {
        Until::Rested(ms) => json!({"type": "resting", "reason": reason, "tried_in_ms": ms}),
        Until::Tried => json!({"type": "tried", "reason": reason}),
        Until::Cleared => json!({"type": "shut", "reason": reason}),
    }
}
