//! The admin interface: apps and their keys, changed while the host runs.
//!
//! Off unless the operator names a token for it. The same functions serve the command line; here is
//! only how they are asked, and who may. Secrets are in one answer each, and nowhere after.

use std::net::IpAddr;

use engine::{Apps, IpNet, Shown, Unchanged};
use http::{HeaderMap, HeaderValue, StatusCode};
use ledger::Id;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::answer::Answer;
use crate::auth;
use crate::catalogue as known;
use crate::forms;
use crate::payments::page;
use crate::problem::{Fault, Place, Problem};
use crate::route::Visit;

mod apply;
pub(crate) mod books;
pub(crate) mod plugins;
pub(crate) mod reconcile;
pub(crate) mod routes;
pub(crate) mod shapes;
mod view;

use apply::{ChangeForm, KeyForm, NewAppForm, RotationForm};
use view::app as view;

type Outcome = Result<Answer, Problem>;

/// Who may use the admin interface.
#[derive(Clone)]
pub struct AdminAccess {
    token_sha256: [u8; 32],
    networks: Vec<IpNet>,
}

impl std::fmt::Debug for AdminAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AdminAccess({:?})", self.networks)
    }
}

impl AdminAccess {
    /// Whoever holds this token and asks from one of these networks.
    pub fn new(token: &[u8], networks: Vec<IpNet>) -> AdminAccess {
        AdminAccess { token_sha256: Sha256::digest(token).into(), networks }
    }

    /// Whether a request from this address may be looked at.
    pub(crate) fn check_origin(&self, origin: IpAddr) -> Result<(), Problem> {
        match self.networks.iter().any(|network| network.contains(&origin)) {
            true => Ok(()),
            false => Err(Problem::new(&known::NETWORK_REFUSED, "not from this network")),
        }
    }

    /// Whether it carries the token. Only digests are compared, and always the whole of them.
    pub(crate) fn check_token(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let sent = crate::head::authorization(headers).and_then(|value| value.split_once(' '));
        let sent = sent.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let digest: [u8; 32] = Sha256::digest(sent.map_or("", |(_, token)| token.trim())).into();
        match bool::from(digest.ct_eq(&self.token_sha256)) && sent.is_some() {
            true => Ok(()),
            false => Err(auth::refused(&known::ADMIN_TOKEN_WRONG, auth::CHALLENGE)),
        }
    }
}

/// Whether somebody says to ask for somebody else, and so may stand between us and anybody.
pub(crate) fn is_forwarded(headers: &HeaderMap) -> bool {
    ["forwarded", "x-forwarded-for", "x-real-ip", "via"]
        .iter()
        .any(|name| headers.contains_key(*name))
}

pub(super) async fn add(visit: Visit) -> Outcome {
    let form: NewAppForm = forms::read(visit.json.clone())?;
    let (change, key) = form.read()?;
    let (app, shown) = apps(&visit)?.add(&change, key.as_ref()).await?;
    let place = format!("/admin/v1/apps/{}", app.id);
    let body = json!({ "app": view(&app), "key": shown.as_ref().map(key_view) });
    let mut answer = Answer::json(StatusCode::CREATED, &body);
    if let Ok(place) = HeaderValue::from_str(&place) {
        answer.set("location", place);
    }
    Ok(answer)
}

pub(super) async fn list(visit: Visit) -> Outcome {
    let (cursor, limit) = page(&visit.query);
    let no_such = || Problem::new(&known::NO_SUCH_CURSOR, known::NO_SUCH_CURSOR.cause);
    let after = cursor.map(|cursor| cursor.parse::<Id>().map_err(|_| no_such())).transpose()?;
    let mut found = apps(&visit)?.list(after.as_ref(), limit + 1).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let cursor = found.last().filter(|_| more).map(|app| app.id.to_string());
    let all: Vec<Value> = found.iter().map(view).collect();
    Ok(Answer::json(StatusCode::OK, &json!({ "apps": all, "cursor": cursor })))
}

/// The lines of the audit trail, to the byte as they are chained; the cursor is a line's number.
pub(super) async fn audit(visit: Visit) -> Outcome {
    let (cursor, limit) = page(&visit.query);
    let no_such = || Problem::new(&known::NO_SUCH_CURSOR, known::NO_SUCH_CURSOR.cause);
    let after = cursor.map_or(Ok(0), |cursor| cursor.parse().map_err(|_| no_such()))?;
    let lines = visit.payments.audit_lines(after, limit).await?;
    let cursor = lines.last().map_or(after, |line| line.seq).to_string();
    Ok(Answer::json(StatusCode::OK, &json!({ "lines": lines, "cursor": cursor })))
}

pub(super) async fn read(visit: Visit) -> Outcome {
    shown(&apps(&visit)?.show(visit.named()).await?)
}

pub(super) async fn set(visit: Visit) -> Outcome {
    let form: ChangeForm = forms::read(visit.json.clone())?;
    shown(&apps(&visit)?.set(visit.named(), &form.read()?).await?)
}

pub(super) async fn revoke(visit: Visit) -> Outcome {
    shown(&apps(&visit)?.revoke(visit.named()).await?)
}

pub(super) async fn add_key(visit: Visit) -> Outcome {
    let form: KeyForm = forms::read(visit.json.clone())?;
    let (id, key) = form.read();
    let (app, made) = apps(&visit)?.add_key(visit.named(), id.as_deref(), &key).await?;
    with_key(&app, &made)
}

pub(super) async fn rotate_key(visit: Visit) -> Outcome {
    let form: RotationForm = forms::read(visit.json.clone())?;
    let (apps, app, key) = (apps(&visit)?, visit.named(), visit.also_named());
    let rotated = apps.rotate_key(app, key, form.overlap_ms(), form.public_key());
    let (app, made) = rotated.await?;
    with_key(&app, &made)
}

pub(super) async fn revoke_key(visit: Visit) -> Outcome {
    shown(&apps(&visit)?.revoke_key(visit.named(), visit.also_named()).await?)
}

fn apps(visit: &Visit) -> Result<Apps, Problem> {
    visit.payments.apps().ok_or_else(|| Problem::new(&known::NOTHING_HERE, "there are no apps"))
}

fn shown(app: &engine::App) -> Outcome {
    Ok(Answer::json(StatusCode::OK, &view(app)))
}

fn with_key(app: &engine::App, made: &Shown) -> Outcome {
    let body = json!({ "app": view(app), "key": key_view(made) });
    Ok(Answer::json(StatusCode::CREATED, &body))
}

fn key_view(made: &Shown) -> Value {
    json!({ "id": made.id, "secret": made.secret })
}

impl From<Unchanged> for Problem {
    fn from(why: Unchanged) -> Problem {
        let said = why.to_string();
        match why {
            Unchanged::NoSuchApp(_) => Problem::new(&known::NO_SUCH_APP, said),
            Unchanged::NoSuchKey(_) => Problem::new(&known::NO_SUCH_KEY, said),
            Unchanged::AppRevoked => Problem::new(&known::APP_REVOKED, said),
            Unchanged::KeyEnded(_) => Problem::new(&known::KEY_ENDED, said),
            Unchanged::KeyExists(_) => Problem::new(&known::KEY_EXISTS, said),
            Unchanged::Vault(_) => Problem::new(&known::VAULT_CLOSED, said),
            Unchanged::Busy => Problem::new(&known::APP_BUSY, said),
            Unchanged::Store(error) => engine::Error::Store(error).into(),
            Unchanged::Unfit { field, remedy } => {
                let fault = Fault::new(Place::Body, format!("/{field}"), "format", remedy);
                Problem::with_faults(&known::FIELDS_INVALID, vec![fault])
            }
        }
    }
}
