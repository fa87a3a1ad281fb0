//! What a route is: everything that is true of one operation, said once. The router, the checks of
//! a request and the OpenAPI document all read it.

use std::sync::Arc;

use bytes::Bytes;
use engine::{Ask, Scope, Sender};
use http::request::Parts;
use ledger::Id;
use serde_json::{Map, Value};

use crate::answer::Answer;
use crate::catalogue as known;
use crate::contract::{Payments, Soon};
use crate::load::Load;
use crate::places::Class;
use crate::platform::Platform;
use crate::problem::{Code, Problem};
use crate::shape::{Field, Shape};
use crate::streams::Streams;

/// How an operation is called, and so who may call it.
pub(crate) enum Call {
    /// Anybody may.
    Open(fn(Visit) -> Reply),
    /// An app, by its API key.
    App(fn(Visit, Id) -> Reply),
    /// An app, under an idempotency key.
    Ask(fn(Visit, Ask) -> Reply),
    /// The operator, by the admin token.
    Admin(fn(Visit) -> Reply),
}

/// An answer on its way.
pub(crate) type Reply = Soon<'static, Result<Answer, Problem>>;

/// What an operation does with a body.
#[derive(Clone, Copy)]
pub(crate) enum Intake {
    /// Takes none; one that is sent is not read.
    None,
    /// JSON of this component of the OpenAPI document, with an example.
    Json { name: &'static str, shape: &'static Shape, required: bool, example: &'static str },
    /// Bytes, whatever they are, and any query.
    Raw,
}

/// What an operation answers when all is well.
pub(crate) struct Given {
    pub(crate) status: u16,
    pub(crate) about: &'static str,
    /// The component of the OpenAPI document and its shape; none where the answer is a page.
    pub(crate) body: Option<(&'static str, &'static Shape)>,
}

/// One operation.
pub(crate) struct Route {
    pub(crate) id: &'static str,
    /// `GET`, `POST`, `PATCH` or `DELETE`.
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) title: &'static str,
    pub(crate) about: &'static str,
    pub(crate) call: Call,
    /// What an app has to be allowed for it; none where anybody may call.
    pub(crate) scope: Option<Scope>,
    pub(crate) parameters: &'static [Field],
    pub(crate) query: &'static [Field],
    pub(crate) intake: Intake,
    pub(crate) given: &'static [Given],
    /// The problems that only this operation has; [`Route::problems`] gives all.
    pub(crate) own_problems: &'static [&'static Code],
}

/// A request that passed every check.
pub(crate) struct Visit {
    pub(crate) payments: Arc<dyn Payments>,
    pub(crate) streams: Arc<Streams>,
    pub(crate) platform: Arc<Platform>,
    /// Who asks; none where anybody may.
    pub(crate) sender: Option<Sender>,
    /// The values of the path's parameters, decoded.
    pub(crate) path: Vec<String>,
    pub(crate) query: Map<String, Value>,
    /// Of an operation with JSON.
    pub(crate) json: Value,
    pub(crate) parts: Parts,
    /// The body as it came, or as it was within the JWE.
    pub(crate) raw: Bytes,
    /// Whether it came in a JWE.
    pub(crate) encrypted: bool,
    /// What is in hand, and the limits.
    pub(crate) load: Arc<Load>,
}

impl Visit {
    /// The first parameter of the path.
    pub(crate) fn named(&self) -> &str {
        self.path.first().map_or("", String::as_str)
    }

    /// The second parameter of the path.
    pub(crate) fn also_named(&self) -> &str {
        self.path.get(1).map_or("", String::as_str)
    }

    /// The payment that the path names.
    pub(crate) fn payment(&self) -> Result<Id, Problem> {
        let id = self.named().parse().ok().filter(|id: &Id| id.as_str().starts_with("pay_"));
        id.ok_or_else(|| Problem::new(&known::NO_SUCH_PAYMENT, "the path names no payment"))
    }
}

impl Visit {
    /// The card that the path names.
    pub(crate) fn card(&self) -> Result<Id, Problem> {
        let id = self.named().parse().ok().filter(|id: &Id| id.as_str().starts_with("card_"));
        id.ok_or_else(|| Problem::new(&known::NO_SUCH_CARD, "the path names no card"))
    }
}

/// What any request can meet.
const EVERYWHERE: &[&Code] = &[
    &known::MALFORMED,
    &known::HEADER_INVALID,
    &known::TARGET_TOO_LONG,
    &known::HEADERS_TOO_LARGE,
    &known::INTERNAL,
    &known::TOO_MANY_CONNECTIONS,
    &known::DEADLINE_PASSED,
];
const WITH_API_KEY: &[&Code] = &[
    &known::API_KEY_MISSING,
    &known::API_KEY_WRONG,
    &known::PROOF_TWICE,
    &known::SIGNATURE_MALFORMED,
    &known::SIGNATURE_MISSING,
    &known::SIGNATURE_COMPONENTS,
    &known::SIGNATURE_STALE,
    &known::SIGNATURE_REPLAYED,
    &known::SIGNATURE_WRONG,
    &known::CONTENT_DIGEST_MALFORMED,
    &known::CONTENT_DIGEST_MISMATCH,
    &known::READER_MISSING,
    &known::VAULT_CLOSED,
    &known::MISDIRECTED,
    &known::SCOPE_MISSING,
    &known::NETWORK_REFUSED,
    &known::PROTECTION_REQUIRED,
    &known::RATE_LIMITED,
    &known::TOO_MUCH_IN_HAND,
    &known::OVERLOADED,
    &known::TOO_MANY_FAILURES,
    &known::STORE_UNAVAILABLE,
    &known::STORAGE_FULL,
];
const WITH_IDEMPOTENCY_KEY: &[&Code] = &[
    &known::IN_PROGRESS,
    &known::KEY_REUSED,
    &known::NO_SUCH_ACCOUNT,
    &known::UNSUPPORTED,
    &known::REFUSED_BY_PLUGIN,
    &known::MISCONFIGURED,
    &known::PLUGIN_FAILED,
    &known::PLUGIN_QUARANTINED,
    &known::ACCOUNT_OVERLOADED,
    &known::PAYMENT_BUSY,
    &known::STOPPING,
];
const WITH_ADMIN_TOKEN: &[&Code] = &[
    &known::ADMIN_TOKEN_WRONG,
    &known::NETWORK_REFUSED,
    &known::TOO_MANY_FAILURES,
    &known::OVERLOADED,
    &known::STORE_UNAVAILABLE,
    &known::STORAGE_FULL,
];
/// Of everybody who is known, and of whose requests something is kept.
const KEEPS: &[&Code] = &[&known::SECRET_MISPLACED];
const WITH_BODY: &[&Code] = &[&known::BODY_TOO_SLOW, &known::BODY_TOO_LARGE];
const WITH_QUERY: &[&Code] = &[&known::QUERY_INVALID];
const WITH_JSON: &[&Code] = &[&known::NOT_JSON, &known::MEDIA_TYPE, &known::FIELDS_INVALID];

/// Of an app, whose body may come encrypted.
const WITH_JWE: &[&Code] = &[
    &known::NOT_JSON,
    &known::MEDIA_TYPE,
    &known::FIELDS_INVALID,
    &known::JWE_MALFORMED,
    &known::JWE_NOT_OPENED,
];

impl Route {
    /// Whether anybody may call.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.call, Call::Open(_))
    }

    /// Whether it may change something, and so leaves a line in the audit trail.
    pub(crate) fn is_audited(&self) -> bool {
        !self.is_open() && self.method != "GET"
    }

    /// What it is to the limits; pages that are made at once have none.
    pub(crate) fn class(&self) -> Option<Class> {
        match (&self.call, self.method) {
            (Call::Admin(_), _) => Some(Class::Admin),
            (Call::Open(_), _) => matches!(self.intake, Intake::Raw).then_some(Class::Webhooks),
            (Call::App(_), "GET") => Some(Class::Reads),
            _ if matches!(self.id, "createPayment" | "createPayout" | "createCard") => {
                Some(Class::Payments)
            }
            (Call::App(_) | Call::Ask(_), _) => Some(Class::Operations),
        }
    }

    /// Every problem the operation can answer.
    pub(crate) fn problems(&self) -> impl Iterator<Item = &'static Code> {
        let (keyed, asked): (&[&Code], &[&Code]) = match self.call {
            Call::Open(_) => (&[], &[]),
            Call::App(_) => (WITH_API_KEY, &[]),
            Call::Ask(_) => (WITH_API_KEY, WITH_IDEMPOTENCY_KEY),
            Call::Admin(_) => (WITH_ADMIN_TOKEN, &[]),
        };
        let kept = if self.is_open() { &[] } else { KEEPS };
        let (body, json): (&[&Code], &[&Code]) = match self.intake {
            Intake::None => (&[], &[]),
            Intake::Json { .. } if matches!(self.call, Call::App(_) | Call::Ask(_)) => {
                (WITH_BODY, WITH_JWE)
            }
            Intake::Json { .. } => (WITH_BODY, WITH_JSON),
            Intake::Raw => (WITH_BODY, &[]),
        };
        let query = if matches!(self.intake, Intake::Raw) { &[] } else { WITH_QUERY };
        let all = [EVERYWHERE, keyed, asked, kept, body, json, query, self.own_problems];
        all.into_iter().flatten().copied()
    }

    /// Whether the path fits; its parameters, still encoded.
    pub(crate) fn fit<'a>(&self, path: &'a str) -> Option<Vec<&'a str>> {
        let mut wanted = self.path.split('/');
        let mut parameters = Vec::new();
        for segment in path.split('/') {
            match wanted.next()? {
                parameter if parameter.starts_with('{') => parameters.push(segment),
                word if word == segment => {}
                _ => return None,
            }
        }
        let whole = wanted.next().is_none() && parameters.iter().all(|value| !value.is_empty());
        whole.then_some(parameters)
    }
}
