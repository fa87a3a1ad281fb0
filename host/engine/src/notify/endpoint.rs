//! Endpoints: the URLs an app wants to be told at, each with secrets of its own.
//!
//! A secret is 32 random bytes, shown once as `whsec_` and base64, and sealed at rest. Rotating
//! gives the old one an end: until then both sign.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use egress::Kind;
use ledger::{Id, TimestampMs};
use serde::{Deserialize, Serialize};
use store::Expected;
use vault::Secret;
use vault::at_rest::Vaulted;

use super::circuit::{Circuit, Health};
use crate::record::{self, Read};
use crate::{Engine, Error};

/// Bytes of a secret; Standard Webhooks asks for 24 to 64.
const SECRET_BYTES: usize = 32;
/// Secrets of one endpoint that sign at the same time.
const SECRETS_MAX: usize = 4;
/// Rows removed with an endpoint in one commit.
const REMOVED_ROWS_MAX: usize = 500;
/// How often an addition begins anew that was overtaken by another.
const TRIES_MAX: usize = 16;

/// An endpoint to add.
#[derive(Clone, Debug)]
pub struct NewEndpoint {
    /// Where to send: an absolute URL.
    pub url: String,
    /// Which events: `*`, `refund.*`, `*.succeeded`, `capture.declined`.
    pub events: Vec<String>,
}

/// An endpoint as its app sees it.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Its identifier.
    pub id: Id,
    /// Where it is.
    pub url: String,
    /// Which events it is told.
    pub events: Vec<String>,
    /// When it was added.
    pub created_at_ms: TimestampMs,
    /// Its secrets, oldest first, without their values.
    pub secrets: Vec<EndpointSecret>,
    /// How it has been answering.
    pub health: Health,
}

/// A secret of an endpoint, without its value.
#[derive(Clone, Copy, Debug)]
pub struct EndpointSecret {
    /// Since when it signs.
    pub created_at_ms: TimestampMs,
    /// Until when.
    pub not_after_ms: Option<TimestampMs>,
}

/// A secret, shown once.
pub struct ShownSecret(String);

impl ShownSecret {
    /// The secret as the app keeps it. It cannot be shown again.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// What is kept of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Registered {
    pub id: Id,
    pub app: Id,
    pub url: String,
    pub events: Vec<String>,
    pub created_at_ms: TimestampMs,
    pub secrets: Vec<Sealed>,
    /// Since it said that it wants no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<Disabled>,
}

/// That an endpoint is told nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Disabled {
    pub at_ms: TimestampMs,
    pub why: String,
}

/// A sealed secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sealed {
    /// Its number at the endpoint, from 1 on: part of its place.
    pub number: u32,
    pub value: Vaulted,
    pub created_at_ms: TimestampMs,
    #[serde(default)]
    pub not_after_ms: Option<TimestampMs>,
}

impl Registered {
    /// Whether it is told events of this name.
    pub(crate) fn is_told(&self, name: &str) -> bool {
        let means = |pattern: &String| super::pattern::means(pattern, name);
        self.disabled.is_none() && self.events.iter().any(means)
    }

    fn shown(self, circuit: &Circuit) -> Endpoint {
        let secret = |sealed: &Sealed| EndpointSecret {
            created_at_ms: sealed.created_at_ms,
            not_after_ms: sealed.not_after_ms,
        };
        Endpoint {
            secrets: self.secrets.iter().map(secret).collect(),
            id: self.id,
            url: self.url,
            events: self.events,
            created_at_ms: self.created_at_ms,
            health: match self.disabled {
                Some(Disabled { at_ms: since_ms, why }) => Health::Disabled { since_ms, why },
                None => circuit.health(),
            },
        }
    }
}

/// The place a secret is sealed for.
pub(crate) fn place(endpoint: &Id, number: u32) -> String {
    format!("endpoint/{endpoint}/secret/{number}")
}

impl Engine {
    /// Adds an endpoint: its host is resolved and has to be one that may be reached.
    pub async fn add_endpoint(
        &self,
        app: &Id,
        new: NewEndpoint,
    ) -> Result<(Endpoint, ShownSecret), Error> {
        let notifying = &self.0.notifying;
        self.room_for_one_more(app).await?;
        let now = self.0.clock.now_ms();
        let id = Id::endpoint(now, self.random());
        let (sealed, shown) = self.draw_secret(&id, 1)?;
        let admitted = notifying.egress.admit(&new.url, &notifying.outside).await;
        admitted.map_err(|error| refused(&error))?;
        let registered = Registered {
            id: id.clone(),
            app: app.clone(),
            url: new.url,
            events: new.events,
            created_at_ms: now,
            secrets: vec![sealed],
            disabled: None,
        };
        self.register(&registered).await?;
        Ok((registered.shown(&Circuit::default()), shown))
    }

    /// Writes a new endpoint down, if its app may have one more. Every addition rewrites one record
    /// of the app and expects it to be as it was before the count: of two at the same time, the
    /// later one counts anew.
    async fn register(&self, registered: &Registered) -> Result<(), Error> {
        let app = registered.app.as_str().as_bytes();
        let key = record::endpoint_key(&registered.app, &registered.id);
        for _ in 0..TRIES_MAX {
            let last = self.0.store.read(record::ENDPOINT_ADDED, app).await?;
            let expected = last.map_or(Expected::Absent, |last| Expected::Version(last.version));
            self.room_for_one_more(&registered.app).await?;
            let mut batch = self.batch();
            batch.expect(record::ENDPOINT_ADDED, app, expected);
            batch.put(record::ENDPOINT_ADDED, app, Vec::new());
            batch.expect(record::ENDPOINT, key.clone(), Expected::Absent);
            batch.put(record::ENDPOINT, key.clone(), record::encode(registered));
            match self.0.store.commit(batch).await {
                Ok(_) => return Ok(()),
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::EndpointBusy)
    }

    async fn room_for_one_more(&self, app: &Id) -> Result<(), Error> {
        let most = self.0.notifying.options.endpoints_max;
        let fits = self.registered(app).await?.len() < most;
        if fits { Ok(()) } else { Err(Error::TooManyEndpoints(most)) }
    }

    /// The app's endpoints, oldest first.
    pub async fn endpoints(&self, app: &Id) -> Result<Vec<Endpoint>, Error> {
        let mut all = Vec::new();
        for registered in self.registered(app).await? {
            let circuit = self.circuit(&record::endpoint_key(app, &registered.id)).await?;
            all.push(registered.shown(&circuit));
        }
        Ok(all)
    }

    /// One endpoint of the app.
    pub async fn endpoint(&self, app: &Id, endpoint: &Id) -> Result<Endpoint, Error> {
        let registered = self.read_endpoint(app, endpoint).await?.value;
        let circuit = self.circuit(&record::endpoint_key(app, endpoint)).await?;
        Ok(registered.shown(&circuit))
    }

    /// Removes an endpoint and everything that waits for it.
    pub async fn remove_endpoint(&self, app: &Id, endpoint: &Id) -> Result<(), Error> {
        let read = self.read_endpoint(app, endpoint).await?;
        let key = record::endpoint_key(app, endpoint);
        let mut batch = self.batch();
        batch.expect(record::ENDPOINT, key.clone(), Expected::Version(read.version));
        batch.remove(record::ENDPOINT, key.clone());
        batch.remove(record::CIRCUIT, key.clone());
        self.0.store.commit(batch).await.map_err(busy)?;
        for space in [record::OUTBOX, record::DELIVERED, record::DEAD] {
            self.remove_rows(space, &key).await?;
        }
        self.0.desk.ring_anew([key]);
        Ok(())
    }

    /// Removes every row of an endpoint from a space.
    pub(super) async fn remove_rows(&self, space: store::Space, key: &[u8]) -> Result<(), Error> {
        loop {
            let range = store::Range::under(space, record::outbox_prefix(key));
            let rows = self.0.store.scan(range.limit(REMOVED_ROWS_MAX)).await?;
            if rows.is_empty() {
                return Ok(());
            }
            // It frees space, and ends what was begun.
            let mut batch = self.finishing();
            for row in rows {
                batch.remove(space, row.key);
            }
            self.0.store.commit(batch).await?;
        }
    }

    /// Gives the endpoint a new secret. Those before it sign along for `overlap_ms` more.
    pub async fn rotate_endpoint_secret(
        &self,
        app: &Id,
        endpoint: &Id,
        overlap_ms: u64,
    ) -> Result<(Endpoint, ShownSecret), Error> {
        let Read { mut value, version } = self.read_endpoint(app, endpoint).await?;
        let now = self.0.clock.now_ms();
        let end = now.saturating_add(overlap_ms);
        let newest = value.secrets.iter().map(|secret| secret.number).max().unwrap_or(0);
        let (sealed, shown) = self.draw_secret(endpoint, newest.saturating_add(1))?;
        value.secrets.retain(|secret| secret.not_after_ms.is_none_or(|after| after > now));
        for secret in &mut value.secrets {
            secret.not_after_ms = Some(secret.not_after_ms.map_or(end, |after| after.min(end)));
        }
        let surplus = (value.secrets.len() + 1).saturating_sub(SECRETS_MAX);
        value.secrets.drain(..surplus);
        value.secrets.push(sealed);
        let key = record::endpoint_key(app, endpoint);
        let mut batch = self.batch();
        batch.expect(record::ENDPOINT, key.clone(), Expected::Version(version));
        batch.put(record::ENDPOINT, key.clone(), record::encode(&value));
        self.0.store.commit(batch).await.map_err(busy)?;
        Ok((value.shown(&self.circuit(&key).await?), shown))
    }

    /// Tells an endpoint again that had said that it wants no more; what waits for it is sent.
    pub async fn enable_endpoint(&self, app: &Id, endpoint: &Id) -> Result<Endpoint, Error> {
        let Read { mut value, version } = self.read_endpoint(app, endpoint).await?;
        let key = record::endpoint_key(app, endpoint);
        if value.disabled.take().is_some() {
            let mut batch = self.batch();
            batch.expect(record::ENDPOINT, key.clone(), Expected::Version(version));
            batch.put(record::ENDPOINT, key.clone(), record::encode(&value));
            batch.remove(record::CIRCUIT, key.clone());
            self.0.store.commit(batch).await.map_err(busy)?;
            self.0.desk.ring_anew([key.clone()]);
        }
        Ok(value.shown(&self.circuit(&key).await?))
    }

    fn draw_secret(&self, endpoint: &Id, number: u32) -> Result<(Sealed, ShownSecret), Error> {
        let drawn = Secret::new("the secret of an endpoint", self.random::<SECRET_BYTES>().into());
        let sealed = self.0.at_rest.seal(&place(endpoint, number), drawn.expose());
        let value = sealed.map_err(|error| match error {
            vault::at_rest::Error::Closed => Error::NoVault,
            other => Error::Misconfigured(other.to_string()),
        })?;
        let created_at_ms = self.0.clock.now_ms();
        let shown = ShownSecret(format!("whsec_{}", BASE64.encode(drawn.expose())));
        Ok((Sealed { number, value, created_at_ms, not_after_ms: None }, shown))
    }

    /// What is kept of the app's endpoints.
    pub(crate) async fn registered(&self, app: &Id) -> Result<Vec<Registered>, Error> {
        let range = store::Range::under(record::ENDPOINT, format!("{app}/"));
        let rows = self.0.store.scan(range).await?;
        let decoded = rows.iter().map(|row| record::decode(record::ENDPOINT, &row.key, &row.value));
        Ok(decoded.collect::<Result<_, store::Error>>()?)
    }

    pub(super) async fn read_endpoint(
        &self,
        app: &Id,
        endpoint: &Id,
    ) -> Result<Read<Registered>, Error> {
        let key = record::endpoint_key(app, endpoint);
        let read = record::read(&*self.0.store, record::ENDPOINT, &key).await?;
        read.ok_or_else(|| Error::NoSuchEndpoint(endpoint.clone()))
    }

    pub(super) async fn circuit(&self, key: &[u8]) -> Result<Circuit, Error> {
        let read = record::read(&*self.0.store, record::CIRCUIT, key).await?;
        Ok(read.map(|read: Read<Circuit>| read.value).unwrap_or_default())
    }
}

/// What is told of a URL that is refused. Where a name leads is the operator's to know: else an
/// app could ask this host about names of the operator's own network.
fn refused(error: &egress::Error) -> Error {
    tracing::warn!(%error, kind = error.kind.word(), "the URL of an endpoint was refused");
    Error::EndpointRefused(match error.kind {
        Kind::Target | Kind::HostNotAllowed => error.what.clone(),
        _ => "its host cannot be resolved, or is not on the public Internet".to_owned(),
    })
}

fn busy(error: store::Error) -> Error {
    if error.is_conflict() { Error::EndpointBusy } else { error.into() }
}
