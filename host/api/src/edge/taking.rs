//! Taking a body in: its media type, its bytes, their digest, the JWE around it, JSON, its fields.

use bytes::Bytes;
use engine::{Protection, Sender};
use http::HeaderMap;
use http::request::Parts;
use hyper::body::{Body, Incoming};
use serde_json::{Value, json};
use vault::Secret;

use super::Passage;
use crate::catalogue::{CONTENT_DIGEST_MALFORMED, CONTENT_DIGEST_MISMATCH, FIELDS_INVALID};
use crate::problem::{Fault, Place, Problem};
use crate::route::{Intake, Route};
use crate::shape::{Faults, Shape};
use crate::{body, content_digest, head, json, sealed, stray};

/// An opened body: wiped when the last of its `Bytes` is dropped.
struct Wiped(Secret);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        self.0.expose()
    }
}

/// A body that was taken in.
pub(super) struct Taken {
    /// The bytes as they came: all that is kept of a body that holds a card is their digest, and
    /// from that of the opened ones its number could be found by trying all.
    pub(super) sent: Bytes,
    /// The bytes, opened where they were encrypted.
    pub(super) raw: Bytes,
    pub(super) json: Value,
    pub(super) encrypted: bool,
}

impl Passage<'_> {
    pub(super) async fn take_in(
        &mut self,
        route: &Route,
        parts: &Parts,
        body: Incoming,
        sender: Option<&Sender>,
    ) -> Result<Taken, Problem> {
        let limits = &self.edge.load.limits;
        let none =
            Taken { sent: Bytes::new(), raw: Bytes::new(), json: Value::Null, encrypted: false };
        let (shape, required) = match route.intake {
            Intake::None if self.whole => {
                check_digest(&parts.headers, &[])?;
                self.expect_reader(sender)?;
                return Ok(none);
            }
            Intake::None => return Ok(none),
            Intake::Raw => {
                let raw = self.read(parts, body, false).await?;
                return Ok(Taken { sent: raw.clone(), raw, ..none });
            }
            Intake::Json { shape, required, .. } => (shape, required),
        };
        let encrypted = sender.filter(|_| sealed::is_declared(&parts.headers));
        if encrypted.is_none() && (required || !body.is_end_stream()) {
            head::check_media_type(&parts.headers)?;
        }
        let sent = self.read(parts, body, sender.is_some()).await?;
        check_digest(&parts.headers, &sent)?;
        let (raw, encrypted) = match encrypted {
            Some(sender) => (self.open(sender, &sent)?, true),
            None => (sent.clone(), false),
        };
        self.expect_reader(sender)?;
        let json = match raw.is_empty() && !required {
            true => json!({}),
            false => json::read(&raw, limits.json_depth_max)?,
        };
        stray::check_body(route, &json)?;
        checked_fields(shape, json).map(|json| Taken { sent, raw, json, encrypted })
    }

    async fn read(
        &mut self,
        parts: &Parts,
        body: Incoming,
        proven: bool,
    ) -> Result<Bytes, Problem> {
        let (load, peer) = (self.edge.load.clone(), self.peer);
        let proxied = self.edge.admission.is_proxy(peer);
        let room = |bytes| load.room(peer, bytes, (proven, proxied));
        let (bytes, seat) = body::read(&parts.headers, body, &load.limits, room).await?;
        self.whole = true;
        self.hold.body = seat;
        Ok(bytes)
    }

    /// Opens an encrypted body; its answer is encrypted too.
    fn open(&mut self, sender: &Sender, raw: &[u8]) -> Result<Bytes, Problem> {
        let (payments, platform) = (self.edge.payments.as_ref(), &self.edge.platform);
        let (opened, reader) = sealed::open(payments, platform, &sender.app, raw)?;
        if let Some(exchange) = &mut self.exchange {
            exchange.reader = Some(reader);
        }
        Ok(Bytes::from_owner(Wiped(opened)))
    }

    /// Before anything is done: who reads the answer, of an app all of whose bodies are encrypted.
    fn expect_reader(&mut self, sender: Option<&Sender>) -> Result<(), Problem> {
        let Some(sender) = sender.filter(|of| of.app.protection == Protection::Encryption) else {
            return Ok(());
        };
        let (payments, platform) = (self.edge.payments.as_ref(), &self.edge.platform);
        if let Some(exchange) = self.exchange.as_mut().filter(|one| one.reader.is_none()) {
            exchange.reader = Some(sealed::reader(payments, platform, &sender.app)?);
        }
        Ok(())
    }
}

/// Holds the body to the digest that was sent along, where one was.
fn check_digest(headers: &HeaderMap, body: &[u8]) -> Result<(), Problem> {
    content_digest::check(headers, body).map_err(|error| {
        let code = match error {
            content_digest::Error::Mismatch(_) => &CONTENT_DIGEST_MISMATCH,
            _ => &CONTENT_DIGEST_MALFORMED,
        };
        Problem::new(code, error.to_string()).header("want-content-digest", content_digest::WANTED)
    })
}

pub(crate) fn checked_fields(shape: &Shape, json: Value) -> Result<Value, Problem> {
    let mut faults = Faults::of(Place::Body);
    shape.check(&json, "", &mut faults);
    let faults: Vec<Fault> =
        faults.into_list().into_iter().map(|fault| fault.in_body(&json)).collect();
    if faults.is_empty() {
        return Ok(json);
    }
    json::wipe(json);
    Err(Problem::with_faults(&FIELDS_INVALID, faults))
}
