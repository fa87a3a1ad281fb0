//! Stripe's errors: <https://docs.stripe.com/api/errors> and <https://docs.stripe.com/error-codes>.

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::exchange::Answer;

/// A request that was not carried out, in Stripe's words.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    error: Map<String, Value>,
    /// Whether the endpoint had begun to execute: only then is the answer kept under the
    /// idempotency key.
    pub began: bool,
}

impl Refusal {
    /// A request whose form is wrong; nothing began.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request_error", message)
    }

    /// A well-formed request the state of things forbids.
    pub fn forbidden_by_state(message: impl Into<String>) -> Self {
        Self { began: true, ..Self::invalid(message) }
    }

    /// A card the issuer refused.
    pub fn card(message: &str) -> Self {
        Self { began: true, ..Self::new(StatusCode::PAYMENT_REQUIRED, "card_error", message) }
    }

    pub fn unauthorized(message: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "invalid_request_error", message)
    }

    pub fn unrecognized(message: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "invalid_request_error", message)
    }

    pub fn key_reused(message: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "idempotency_error", message)
    }

    pub fn key_in_use(key: &str) -> Self {
        let message = format!(
            "There is currently another in-progress request using this Idempotent Key (that \
             probably means you submitted twice, and the other request is still going through): \
             {key}. Please try again later."
        );
        Self::new(StatusCode::CONFLICT, "invalid_request_error", message)
            .code("idempotency_key_in_use")
    }

    pub fn failed(status: StatusCode) -> Self {
        Self::new(status, "api_error", "An unknown error occurred")
    }

    /// An object that does not exist; 404 where it is named by the path, 400 in a parameter.
    pub fn missing(status: StatusCode, what: &str, id: &str, param: &str) -> Self {
        let message = format!("No such {what}: '{id}'");
        Self::new(status, "invalid_request_error", message).code("resource_missing").param(param)
    }

    pub fn unknown_parameters(names: &[String]) -> Self {
        let plural = if names.len() == 1 { "" } else { "s" };
        let first = names.first().cloned().unwrap_or_default();
        Self::invalid(format!("Received unknown parameter{plural}: {}", names.join(", ")))
            .code("parameter_unknown")
            .param(&first)
    }

    fn new(status: StatusCode, kind: &str, message: impl Into<String>) -> Self {
        let mut error = Map::new();
        error.insert("message".into(), Value::String(message.into()));
        error.insert("type".into(), json!(kind));
        Self { status, error, began: false }
    }

    pub fn code(self, code: &str) -> Self {
        let link = format!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-"));
        self.field("code", json!(code)).field("doc_url", json!(link))
    }

    pub fn param(self, param: &str) -> Self {
        self.field("param", json!(param))
    }

    pub fn field(mut self, name: &str, value: Value) -> Self {
        self.error.insert(name.to_owned(), value);
        self
    }

    /// The error object itself, which is also kept as `last_payment_error`.
    pub fn error(&self) -> Value {
        Value::Object(self.error.clone())
    }

    pub fn answer(&self) -> Answer {
        let answer = Answer::json(self.status, &json!({ "error": self.error }));
        match self.status {
            StatusCode::UNAUTHORIZED => answer.with("www-authenticate", "Basic realm=\"Stripe\""),
            StatusCode::CONFLICT => answer.with("stripe-should-retry", "true"),
            StatusCode::PAYMENT_REQUIRED => answer.with("stripe-should-retry", "false"),
            _ => answer,
        }
    }
}
