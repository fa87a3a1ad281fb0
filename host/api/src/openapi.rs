//! The OpenAPI 3.1 document, made of the tables that also decide what is answered.

use std::sync::LazyLock;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::problem::{Code, Problem};
use crate::route::{Call, Given, Intake, Route};
use crate::shape::{Field, Shape};
use crate::table::ROUTES;
use crate::vocabulary::{IDEMPOTENCY_KEY, NAMED};

static TEXT: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(document().to_string()));

/// The document as text; made once.
pub(crate) fn text() -> Bytes {
    TEXT.clone()
}

/// The document.
pub(crate) fn document() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tollgate",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "One API for payments at every provider.",
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [
            {"name": "platform", "description": "For apps, providers and anybody."},
            {"name": "admin", "description": "For operators; off unless it is configured."},
        ],
        "paths": paths(),
        "components": {
            "schemas": NAMED.iter().map(schema).collect::<Map<_, _>>(),
            "headers": headers(),
            "securitySchemes": {"apiKey": {
                "type": "http", "scheme": "bearer", "bearerFormat": "tgk_<app>_<secret>",
            }, "adminToken": {
                "type": "http", "scheme": "bearer",
                "description": "The token that [admin] of the configuration names.",
            }},
        },
    })
}

const ABOUT: &str = "JSON is read strictly: unknown fields and names that \
stand twice are refused. `Accept` is read by the feed of events alone: every other answer is JSON. \
Every POST that can move money needs an `Idempotency-Key`: repeat the very same request under the \
same key until it is answered, and money moves once.";

fn schema((name, shape): &(&str, &'static Shape)) -> (String, Value) {
    ((*name).to_owned(), shape.schema())
}

fn paths() -> Map<String, Value> {
    let mut paths = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(route.method.to_lowercase(), operation(route));
        }
    }
    paths
}

fn operation(route: &Route) -> Value {
    let mut operation = Map::from_iter([
        ("operationId".to_owned(), json!(route.id)),
        ("summary".to_owned(), json!(route.title)),
        ("parameters".to_owned(), json!(parameters(route))),
        ("responses".to_owned(), responses(route)),
    ]);
    if !route.about.is_empty() {
        operation.insert("description".to_owned(), json!(route.about));
    }
    let security = match route.call {
        Call::Open(_) => json!([]),
        Call::App(_) | Call::Ask(_) => {
            let scopes: Vec<&str> = route.scope.iter().map(|scope| scope.word()).collect();
            json!([{"apiKey": scopes}])
        }
        Call::Admin(_) => json!([{"adminToken": []}]),
    };
    let tag = if matches!(route.call, Call::Admin(_)) { "admin" } else { "platform" };
    operation.insert("tags".to_owned(), json!([tag]));
    operation.insert("security".to_owned(), security);
    if let Some(body) = request_body(route.intake) {
        operation.insert("requestBody".to_owned(), body);
    }
    Value::Object(operation)
}

fn parameters(route: &Route) -> Vec<Value> {
    let mut all: Vec<Value> = route.parameters.iter().map(|f| parameter("path", f)).collect();
    all.extend(route.query.iter().map(|field| parameter("query", field)));
    if matches!(route.call, Call::Ask(_)) {
        all.push(json!({
            "name": "Idempotency-Key",
            "in": "header",
            "required": true,
            "description": "Drawn by you, new for each operation, the same for each repetition.",
            "schema": IDEMPOTENCY_KEY.schema(),
            "example": "5f1f0a52-7d1c-4c0e-9a57-3c8f8e6a2b11",
        }));
    }
    all
}

fn parameter(place: &str, field: &Field) -> Value {
    json!({
        "name": field.name,
        "in": place,
        "required": field.required,
        "description": field.about,
        "schema": field.shape.schema(),
    })
}

fn request_body(intake: Intake) -> Option<Value> {
    match intake {
        Intake::None => None,
        Intake::Json { name, required, example, .. } => {
            let example: Value = serde_json::from_str(example).unwrap_or_default();
            let content = json!({"schema": reference(name), "example": example});
            Some(json!({"required": required, "content": {"application/json": content}}))
        }
        Intake::Raw => Some(json!({
            "required": false,
            "description": "Whatever the provider sends.",
            "content": {"*/*": {}},
        })),
    }
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn responses(route: &Route) -> Value {
    let mut responses = Map::new();
    for given in route.given {
        let status = given.status.to_string();
        match responses.get_mut(&status) {
            Some(there) => merge(there, success(route, given)),
            None => drop(responses.insert(status, success(route, given))),
        }
    }
    let mut problems: Vec<&'static Code> = route.problems().collect();
    problems.sort_by_key(|code| code.status);
    for group in problems.chunk_by(|one, next| one.status == next.status) {
        let Some(first) = group.first() else { continue };
        let refused = refusal(group);
        match responses.get_mut(&first.status.to_string()) {
            Some(given) => merge(given, refused),
            None => {
                responses.insert(first.status.to_string(), refused);
            }
        }
    }
    if matches!(route.intake, Intake::Raw) {
        // Without `content`: each provider wants its own media type, and many want no body.
        let about = "What the provider expects to hear, in its own form.";
        responses.insert("default".to_owned(), json!({"description": about, "headers": common()}));
    }
    Value::Object(responses)
}

fn success(route: &Route, given: &Given) -> Value {
    let mut headers = common();
    if matches!(route.call, Call::Ask(_)) {
        headers.insert("Location".to_owned(), header("Location"));
        headers.insert("Idempotency-Replayed".to_owned(), header("Idempotency-Replayed"));
    }
    let content = match given.body {
        Some((name, shape)) => json!({media_type(shape): {"schema": reference(name)}}),
        None => json!({"text/html": {}, "text/css": {}}),
    };
    json!({"description": given.about, "headers": headers, "content": content})
}

fn media_type(shape: &Shape) -> &'static str {
    match shape {
        Shape::Stream => "text/event-stream",
        _ => "application/json",
    }
}

/// One status of which several problems make use.
fn refusal(group: &[&'static Code]) -> Value {
    let mut headers = common();
    let codes: Vec<&str> = group.iter().map(|code| code.code).collect();
    if group.iter().any(|code| code.retry.after_s().is_some()) {
        headers.insert("Retry-After".to_owned(), header("Retry-After"));
    }
    if group.iter().any(|code| code.status == 401) {
        headers.insert("WWW-Authenticate".to_owned(), header("WWW-Authenticate"));
    }
    let examples: Map<String, Value> = group.iter().map(|code| example(code)).collect();
    let titles: Vec<&str> = group.iter().map(|code| code.title).collect();
    let mut schema = reference("Problem");
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("properties".to_owned(), json!({"code": {"enum": codes}}));
    }
    json!({
        "description": format!("{}.", titles.join("; ")),
        "headers": headers,
        "content": {"application/problem+json": {"schema": schema, "examples": examples}},
    })
}

fn example(code: &'static Code) -> (String, Value) {
    (code.code.to_owned(), json!({"value": Problem::new(code, code.cause).json()}))
}

/// A status that says two things: an answer, and a problem in place of one.
fn merge(given: &mut Value, refused: Value) {
    let (Some(given), Value::Object(refused)) = (given.as_object_mut(), refused) else { return };
    for (name, more) in refused {
        match (given.get_mut(&name), more) {
            (Some(Value::Object(there)), Value::Object(more)) => there.extend(more),
            (Some(Value::String(there)), Value::String(more)) => *there = format!("{there} {more}"),
            _ => {}
        }
    }
}

fn common() -> Map<String, Value> {
    ["Request-Id", "Cache-Control"].iter().map(|name| ((*name).to_owned(), header(name))).collect()
}

fn header(name: &str) -> Value {
    json!({"$ref": format!("#/components/headers/{name}")})
}

fn headers() -> Value {
    let text = |about: &str, example: &str| {
        json!({"description": about, "required": true, "schema": {"type": "string"},
               "example": example})
    };
    let replayed = json!({
        "description": "True when this is the answer of an earlier request with the same key.",
        "required": false,
        "schema": {"type": "string", "const": "true"},
    });
    json!({
        "Request-Id": text("Name it when you ask the operator.", "req_0f1e2d3c4b5a697800000001"),
        "Cache-Control": text("Nothing may be kept by caches.", "no-store"),
        "Location": text("The payment.", "/v1/payments/pay_01jd8ze5p2m3q4r5s6t7v8w9xa"),
        "Retry-After": {
            "description": "Seconds to wait before asking again.",
            "required": false,
            "schema": {"type": "string", "pattern": "^[0-9]+$"},
        },
        "WWW-Authenticate": text("RFC 6750.", "Bearer realm=\"tollgate\""),
        "Idempotency-Replayed": replayed,
    })
}
