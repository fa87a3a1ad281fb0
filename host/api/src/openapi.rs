//! The OpenAPI 3.1 document, made of the tables that also decide what is answered.

use std::sync::LazyLock;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::problem::{Code, Problem};
use crate::route::{Call, Given, Intake, Route};
use crate::shape::{Field, Shape};
use crate::table::ROUTES;
use crate::vocabulary::{IDEMPOTENCY_KEY, NAMED};
use crate::{cards, jose};

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
            "securitySchemes": security_schemes(),
        },
    })
}

fn security_schemes() -> Value {
    json!({
        "apiKey": {
            "type": "http", "scheme": "bearer", "bearerFormat": "tgk_<app>_<secret>",
            "description": "For apps whose protection is `bearer`.",
        },
        "signatureInput": {
            "type": "apiKey", "in": "header", "name": "Signature-Input",
            "description": "RFC 9421: over @method, @target-uri, content-type, content-digest and \
                idempotency-key as far as there are, with created, nonce and keyid \
                `<app>/<key>`.",
        },
        "signature": {
            "type": "apiKey", "in": "header", "name": "Signature",
            "description": "RFC 9421, in place of an API key; both together are refused.",
        },
        "adminToken": {
            "type": "http", "scheme": "bearer",
            "description": "The token that [admin] of the configuration names.",
        },
    })
}

const ABOUT: &str = "JSON is read strictly: unknown fields and names that \
stand twice are refused. `Accept` is read by the feed of events alone: every other answer is JSON. \
Every POST that can move money needs an `Idempotency-Key`: repeat the very same request under the \
same key until it is answered, and money moves once. A body sent as `application/jose` is a \
compact JWE (RFC 7516) of the JSON, and its answer is one too.";

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
            json!([{"apiKey": scopes}, {"signatureInput": scopes, "signature": scopes}])
        }
        Call::Admin(_) => json!([{"adminToken": []}]),
    };
    let tag = if matches!(route.call, Call::Admin(_)) { "admin" } else { "platform" };
    operation.insert("tags".to_owned(), json!([tag]));
    operation.insert("security".to_owned(), security);
    if let Some(body) = request_body(route) {
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

fn request_body(route: &Route) -> Option<Value> {
    match route.intake {
        Intake::None => None,
        Intake::Json { name, required, example, .. } => {
            let example: Value = serde_json::from_str(example).unwrap_or_default();
            let content = json!({"schema": reference(name), "example": example});
            let media_types: &[&str] = match route.call {
                _ if cards::holds_card(route) => &[jose::MEDIA_TYPE],
                Call::App(_) | Call::Ask(_) => &["application/json", jose::MEDIA_TYPE],
                Call::Open(_) | Call::Admin(_) => &["application/json"],
            };
            let content: Map<String, Value> =
                media_types.iter().map(|kind| ((*kind).to_owned(), content.clone())).collect();
            Some(json!({"required": required, "content": content}))
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
        let refused = refusal(route, group);
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
        let told = json!({"description": about, "headers": common(route)});
        responses.insert("default".to_owned(), told);
    }
    Value::Object(responses)
}

fn success(route: &Route, given: &Given) -> Value {
    let mut headers = common(route);
    if matches!(route.call, Call::Ask(_)) {
        headers.insert("Location".to_owned(), header("Location"));
        headers.insert("Idempotency-Replayed".to_owned(), header("Idempotency-Replayed"));
    }
    let content = match given.body {
        Some((name, shape)) => {
            let mut content = sealed(route);
            content.insert(media_type(shape).to_owned(), json!({"schema": reference(name)}));
            Value::Object(content)
        }
        // The admin interface has numbers for Prometheus; everybody else is shown pages.
        None if matches!(route.call, Call::Admin(_)) => json!({"text/plain": {}}),
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
fn refusal(route: &Route, group: &[&'static Code]) -> Value {
    let mut headers = common(route);
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
    let mut content = sealed(route);
    let problem = json!({"schema": schema, "examples": examples});
    content.insert("application/problem+json".to_owned(), problem);
    json!({
        "description": format!("{}.", titles.join("; ")),
        "headers": headers,
        "content": content,
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

/// An answer to an app comes encrypted where its request did, or has to.
fn sealed(route: &Route) -> Map<String, Value> {
    let of_app = matches!(route.call, Call::App(_) | Call::Ask(_));
    let jwe = json!({"schema": {"type": "string"}});
    of_app.then(|| (jose::MEDIA_TYPE.to_owned(), jwe)).into_iter().collect()
}

/// What every answer carries, and those to an app.
fn common(route: &Route) -> Map<String, Value> {
    let of_app = matches!(route.call, Call::App(_) | Call::Ask(_));
    let proof: &[&str] =
        if of_app { &["Content-Digest", "Signature-Input", "Signature"] } else { &[] };
    let names = ["Request-Id", "Cache-Control"].iter().chain(proof);
    names.map(|name| ((*name).to_owned(), header(name))).collect()
}

fn header(name: &str) -> Value {
    json!({"$ref": format!("#/components/headers/{name}")})
}

fn headers() -> Value {
    let text = |about: &str, example: &str| {
        json!({"description": about, "required": true, "schema": {"type": "string"},
               "example": example})
    };
    let proof = |about: &str| {
        json!({"description": about, "required": false,
               "schema": {"type": "string"}})
    };
    let replayed = json!({
        "description": "True when this is the answer of an earlier request with the same key.",
        "required": false,
        "schema": {"type": "string", "const": "true"},
    });
    json!({
        "Request-Id": text("Name it when you ask the operator.", "req_0f1e2d3c4b5a697800000001"),
        "Cache-Control": text("Nothing may be kept by caches.", "no-store"),
        "Content-Digest": proof("RFC 9530, SHA-256; not of a stream."),
        "Signature-Input": proof("RFC 9421; where the platform has a key."),
        "Signature": proof("RFC 9421, by a key of /.well-known/jwks.json."),
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
