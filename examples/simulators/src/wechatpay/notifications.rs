//! Notifications: a sealed resource in a signed request.
//! <https://pay.weixin.qq.com/doc/v3/merchant/4012791861>

use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;

use crate::clock::Clock;
use crate::courier::{Letter, Stamp};
use crate::identifiers;

use super::seal::Platform;
use super::state::{Notice, beijing};

/// A notice on its way.
pub(crate) fn letter(notice: &Notice, platform: &Arc<Platform>, clock: &Clock) -> Letter {
    let id = identifiers::uuid();
    let text = notice.resource.to_string();
    let mut resource = platform.sealed(text.as_bytes(), notice.kind);
    if let Some(fields) = resource.as_object_mut() {
        fields.insert("original_type".into(), json!(notice.kind));
    }
    let body = json!({
        "id": id,
        "create_time": beijing(clock.now_s()),
        "resource_type": "encrypt-resource",
        "event_type": notice.event,
        "summary": notice.summary,
        "resource": resource,
    });
    Letter {
        id,
        event: notice.event.to_owned(),
        url: notice.url.clone(),
        body: Bytes::from(body.to_string()),
        stamp: stamp(Arc::clone(platform), clock.clone()),
    }
}

fn stamp(platform: Arc<Platform>, clock: Clock) -> Stamp {
    Arc::new(move |body, seal| {
        let mut headers = platform.proof(body, clock.now_s(), seal);
        headers.push(("content-type", "application/json".to_owned()));
        headers.push(("user-agent", "Mozilla/4.0".to_owned()));
        headers.push(("accept", "*/*".to_owned()));
        headers.push(("request-id", identifiers::alphanumeric("", 32)));
        headers
    })
}
