//! Problems: what the host answers when it did not do what was asked (RFC 9457).
//!
//! Which problems there are stands in [`catalogue`](crate::CATALOGUE). A problem never holds a key,
//! a body or a whole value that was sent: text of others is cut.

use engine::holds_secret;
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};

use crate::answer::Answer;

/// What a client may do after a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Retry {
    /// Asking again cannot help.
    Never,
    /// The same request again, under the same idempotency key where it has one.
    SameKey,
    /// Change what the problem names, then ask under a new idempotency key.
    NewKey,
    /// The same request, under the same key, after `Retry-After`.
    Later,
}

impl Retry {
    /// The words, as they stand in an answer.
    pub const WORDS: [&str; 4] = ["never", "same-key", "new-key", "later"];

    /// How long to wait before asking again, in seconds: between these two.
    pub fn after_s(self) -> Option<(u64, u64)> {
        match self {
            Retry::Never | Retry::NewKey => None,
            Retry::SameKey => Some((1, 1)),
            Retry::Later => Some((2, 8)),
        }
    }

    /// The value of `Retry-After`: by chance, so that clients that were refused together do not
    /// come back together.
    pub(crate) fn drawn_after_s(self) -> Option<u64> {
        use std::hash::{BuildHasher, Hasher, RandomState};
        let (least, most) = self.after_s()?;
        Some(least + RandomState::new().build_hasher().finish() % (most - least + 1))
    }
}

/// One line of the catalogue.
#[derive(Debug, Serialize)]
pub struct Code {
    /// The stable word; never changes its meaning.
    pub code: &'static str,
    /// The HTTP status it comes with.
    pub status: u16,
    /// What a client may do.
    pub retry: Retry,
    /// A short summary, the same for every occurrence.
    pub title: &'static str,
    /// What brings it about.
    pub cause: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

impl Code {
    pub(crate) const fn new(
        code: &'static str,
        status: u16,
        retry: Retry,
        [title, cause, remedy]: [&'static str; 3],
    ) -> Code {
        Code { code, status, retry, title, cause, remedy }
    }

    /// The URI reference that names the problem, and that answers its line of the catalogue.
    pub fn reference(&self) -> String {
        format!("/problems/{}", self.code)
    }
}

/// Which part of the request a fault is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// The JSON body; the field is a JSON pointer (RFC 6901).
    Body,
    /// The query; the field is the parameter's name.
    Query,
    /// A header; the field is its name.
    Header,
}

/// One thing that is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Where it stands.
    #[serde(rename = "in")]
    pub place: Place,
    /// Which field.
    pub field: String,
    /// The rule it breaks, one of [`RULES`].
    pub rule: &'static str,
    /// The class of what stood there, one of [`CLASSES`], where that is known; never the value: it
    /// may be secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<&'static str>,
    /// What to write instead.
    pub detail: String,
}

/// Every class of a JSON value that a fault can name.
pub const CLASSES: [&str; 10] = [
    "absent",
    "null",
    "boolean",
    "integer",
    "number",
    "empty-string",
    "string",
    "empty-list",
    "list",
    "object",
];

impl Fault {
    /// A fault of this field against this rule.
    pub fn new(
        place: Place,
        field: impl Into<String>,
        rule: &'static str,
        detail: impl Into<String>,
    ) -> Fault {
        Fault { place, field: field.into(), rule, found: None, detail: detail.into() }
    }

    /// The same, with the class of what stands at its field of this body.
    pub(crate) fn in_body(mut self, body: &Value) -> Fault {
        self.found = match body.pointer(&self.field) {
            Some(value) => Some(class(value)),
            None => (self.rule == "required").then_some("absent"),
        };
        self
    }
}

fn class(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(text) if text.is_empty() => "empty-string",
        Value::String(_) => "string",
        Value::Array(list) if list.is_empty() => "empty-list",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

/// Every rule a fault can name.
pub const RULES: [&str; 17] = [
    "characters",
    "check-digit",
    "choice",
    "depth",
    "duplicate",
    "exists",
    "expired",
    "format",
    "max-length",
    "max-properties",
    "maximum",
    "min-items",
    "min-length",
    "minimum",
    "required",
    "type",
    "unknown",
];

/// A problem as it is answered.
#[derive(Clone, Debug)]
pub struct Problem {
    /// Its line of the catalogue.
    pub code: &'static Code,
    /// What happened this time, for people.
    pub detail: String,
    /// What is wrong with the request, as far as single fields are to blame.
    pub errors: Vec<Fault>,
    /// Of a spending limit: what is left, and when the next day begins.
    pub limit: Option<Box<Value>>,
    /// Headers of this problem alone, such as `Allow`.
    pub headers: Vec<(&'static str, String)>,
}

impl Problem {
    /// A problem of this code.
    pub fn new(code: &'static Code, detail: impl Into<String>) -> Problem {
        Problem {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            limit: None,
            headers: Vec::new(),
        }
    }

    /// A problem with single fields.
    pub fn with_faults(code: &'static Code, errors: Vec<Fault>) -> Problem {
        let detail = match errors.as_slice() {
            [only] => format!("{}: {}", only.field, only.detail),
            many => format!("{} faults were found; `errors` lists them.", many.len()),
        };
        Problem { errors, ..Problem::new(code, detail) }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Problem {
        self.headers.push((name, value.into()));
        self
    }

    /// The body.
    pub fn json(&self) -> Value {
        let mut body = json!({
            "type": self.code.reference(),
            "title": self.code.title,
            "status": self.code.status,
            "detail": self.detail,
            "code": self.code.code,
            "retry": self.code.retry,
        });
        if let (Some(fields), false) = (body.as_object_mut(), self.errors.is_empty()) {
            fields.insert("errors".to_owned(), json!(self.errors));
        }
        if let (Some(fields), Some(limit)) = (body.as_object_mut(), &self.limit) {
            fields.insert("limit".to_owned(), Value::clone(limit));
        }
        body
    }

    pub(crate) fn answer(&self) -> Answer {
        let status = StatusCode::from_u16(self.code.status);
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut answer = Answer::json(status, &self.json());
        answer.set("content-type", HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.code.retry.drawn_after_s() {
            answer.set("retry-after", HeaderValue::from(seconds));
        }
        for (name, value) in &self.headers {
            if let Ok(value) = HeaderValue::from_str(value) {
                answer.set(name, value);
            }
        }
        answer.code = Some(self.code.code);
        answer
    }
}

/// At most the first 48 characters of what somebody else wrote, without control characters; nothing
/// of it where it holds a card number or a key.
pub(crate) fn cut(text: &str) -> String {
    if holds_secret(text) {
        return "…".to_owned();
    }
    let mut short: String = text.chars().filter(|c| !c.is_control()).take(48).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
