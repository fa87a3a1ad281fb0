//! What an answer to an app carries to prove itself: the digest of its body (RFC 9530) and the
//! platform's signature over it and over what was asked (RFC 9421, section 2.4).

use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Uri};

use crate::answer::Answer;
use crate::catalogue::PROTECTION_REQUIRED;
use crate::content_digest;
use crate::platform::{Platform, PlatformKey, Usage};
use crate::problem::Problem;
use crate::sealed::{self, Reader};
use crate::signature::{
    Authority, Component, Draft, Error, Message, Parameters, RESPONSE_TAG, Request, Response,
};

/// What was asked, kept until the answer leaves.
pub(crate) struct Exchange {
    pub(crate) authority: Authority,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    /// The label of the request's signature, once it is proven.
    pub(crate) label: Option<String>,
    /// Who alone may read the answer.
    pub(crate) reader: Option<Reader>,
}

impl Exchange {
    /// Of this request.
    pub(crate) fn of(parts: &Parts, authority: Authority) -> Exchange {
        let mut headers = HeaderMap::new();
        for name in ["signature", "content-digest"] {
            if let Some(value) = parts.headers.get(name) {
                headers.insert(name, value.clone());
            }
        }
        let (method, uri) = (parts.method.clone(), parts.uri.clone());
        Exchange { authority, method, uri, headers, label: None, reader: None }
    }

    /// Encrypts, digests and signs the answer: in this order, so that whoever carries it can check
    /// all but what it says.
    pub(crate) fn attest(&self, mut answer: Answer, platform: &Platform) -> Answer {
        if let Some(reader) = &self.reader
            && let Err(problem) = sealed(&mut answer, platform, reader)
        {
            answer = problem.answer();
        }
        // A stream has no end to take a digest at; its head is signed all the same.
        if answer.stream.is_none()
            && let Ok(digest) = HeaderValue::from_str(&content_digest::of(&answer.body))
        {
            answer.set(content_digest::NAME, digest);
        }
        if let Some(key) = platform.current(Usage::Sign)
            && let Err(error) = self.sign(&mut answer, platform, key)
        {
            tracing::error!(%error, "an answer could not be signed");
        }
        answer
    }

    fn sign(
        &self,
        answer: &mut Answer,
        platform: &Platform,
        key: &PlatformKey,
    ) -> Result<(), Error> {
        let by = key.algorithm().ok_or(Error::Wrong)?;
        let draft = Draft {
            label: "tollgate".to_owned(),
            components: self.components(answer.stream.is_none())?,
            parameters: Parameters {
                created: Some(platform.now_s()),
                keyid: Some(key.id.clone()),
                alg: Some(by.name().to_owned()),
                tag: Some(RESPONSE_TAG.to_owned()),
                ..Parameters::default()
            },
        };
        let request = Request {
            method: self.method.as_str(),
            authority: &self.authority,
            path: self.uri.path(),
            query: self.uri.query(),
            headers: &self.headers,
        };
        let status = answer.status.as_u16();
        let message = Message::Response(Response { status, headers: &answer.headers, request });
        let signed = draft.sign(&message, &key.key, by)?;
        for (name, text) in [("signature-input", signed.input), ("signature", signed.signature)] {
            let value = HeaderValue::from_str(&text).map_err(|_| Error::Wrong)?;
            answer.set(name, value);
        }
        Ok(())
    }

    fn components(&self, whole: bool) -> Result<Vec<Component>, Error> {
        let mut all = vec![Component::named("@status")?];
        if whole {
            all.push(Component::named(content_digest::NAME)?);
        }
        all.push(Component::named("content-type")?);
        for name in ["@method", "@target-uri"] {
            all.push(Component::named(name)?.of_request()?);
        }
        if let Some(label) = &self.label {
            all.push(Component::named("signature")?.of_request()?.member(label)?);
            if self.headers.contains_key(content_digest::NAME) {
                all.push(Component::named(content_digest::NAME)?.of_request()?);
            }
        }
        Ok(all)
    }
}

/// Encrypts the answer to its reader. A stream cannot be, and is refused to whoever has to have it
/// so.
fn sealed(answer: &mut Answer, platform: &Platform, reader: &Reader) -> Result<(), Problem> {
    match answer.stream.take() {
        None => sealed::seal(answer, platform, reader),
        Some(_) => {
            let detail = "a stream is not encrypted; read the feed by its cursor".to_owned();
            *answer = Problem::new(&PROTECTION_REQUIRED, detail).answer();
            sealed::seal(answer, platform, reader)
        }
    }
}
