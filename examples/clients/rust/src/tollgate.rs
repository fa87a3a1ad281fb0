//! One app at one host.

use std::fmt;

use rsa::RsaPrivateKey;
use rsa::pkcs8::DecodePrivateKey;
use serde_json::{Value, json};

use crate::signature::{Answered, Asked, Platform, Signer, digest};
use crate::{Error, jose};

/// The host did not do what was asked (RFC 9457). `code` never changes its meaning.
#[derive(Debug)]
pub struct Problem(pub Value);

impl Problem {
    pub fn code(&self) -> &str {
        self.0["code"].as_str().unwrap_or_default()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self.0["detail"].as_str().unwrap_or_default())
    }
}

impl std::error::Error for Problem {}

pub struct Tollgate {
    url: String,
    signer: Signer,
    opening_key: Option<RsaPrivateKey>,
    platform: Platform,
    http: ureq::Agent,
}

impl Tollgate {
    /// The host, the key `<app>/<key>`, and the files of the private keys, from the environment.
    pub fn from_environment() -> Result<Tollgate, Error> {
        let url = std::env::var("TOLLGATE_URL")?.trim_end_matches('/').to_owned();
        let read = |name: &str| Ok::<_, Error>(std::fs::read_to_string(std::env::var(name)?)?);
        let opening_key = match std::env::var("TOLLGATE_OPENING_KEY") {
            Ok(_) => Some(RsaPrivateKey::from_pkcs8_pem(&read("TOLLGATE_OPENING_KEY")?)?),
            Err(_) => None,
        };
        let http = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
        let set = http.get(format!("{url}/.well-known/jwks.json")).call()?;
        let set = serde_json::from_str(&set.into_body().read_to_string()?)?;
        Ok(Tollgate {
            url,
            signer: Signer::new(std::env::var("TOLLGATE_KEY_ID")?, &read("TOLLGATE_SIGNING_KEY")?)?,
            opening_key,
            platform: Platform::new(set),
            http,
        })
    }

    pub fn get(&self, path: &str) -> Result<Value, Error> {
        self.send(Asked::new("GET", self.url.clone() + path))
    }

    pub fn delete(&self, path: &str) -> Result<Value, Error> {
        self.send(Asked::new("DELETE", self.url.clone() + path))
    }

    /// `key` is the idempotency key: new for each operation, the same when you repeat one.
    pub fn post(&self, path: &str, body: &Value, key: Option<&str>) -> Result<Value, Error> {
        self.send(self.asked(path, key).content("application/json", body.to_string()))
    }

    /// The same, encrypted to the platform.
    pub fn post_encrypted(
        &self,
        path: &str,
        body: &Value,
        key: Option<&str>,
    ) -> Result<Value, Error> {
        let sealed = jose::seal(body.to_string().as_bytes(), self.platform.encryption_key()?)?;
        self.send(self.asked(path, key).content(jose::MEDIA_TYPE, sealed))
    }

    fn asked(&self, path: &str, key: Option<&str>) -> Asked {
        let asked = Asked::new("POST", self.url.clone() + path);
        match key {
            Some(key) => asked.header("idempotency-key", key),
            None => asked,
        }
    }

    fn send(&self, asked: Asked) -> Result<Value, Error> {
        let asked = self.signer.sign(asked)?;
        let mut request = http::Request::builder().method(asked.method).uri(&asked.url);
        for (name, value) in &asked.headers {
            request = request.header(name, value);
        }
        let answer = self.http.run(request.body(asked.body.clone())?)?;
        let (head, body) = answer.into_parts();
        let field = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            Some((name.to_string(), value.to_str().ok()?.to_owned()))
        };
        let headers = head.headers.iter().filter_map(field).collect();
        let mut body = body;
        let answered =
            Answered { status: head.status.as_u16(), headers, body: body.read_to_vec()? };
        self.platform.verify(&asked, &answered)?;
        self.read(&answered)
    }

    fn read(&self, answered: &Answered) -> Result<Value, Error> {
        let encrypted = answered.field("content-type") == Some(jose::MEDIA_TYPE);
        let plain = match (encrypted, &self.opening_key) {
            (false, _) => answered.body.clone(),
            (true, Some(key)) => jose::open(&answered.body, key)?,
            (true, None) => {
                return Err("the answer is encrypted, and there is no key to open it".into());
            }
        };
        let body = if plain.is_empty() { json!(null) } else { serde_json::from_slice(&plain)? };
        if answered.status >= 400 { Err(Problem(body).into()) } else { Ok(body) }
    }
}

impl Asked {
    /// With a body, and the digest over it.
    fn content(self, media_type: &str, body: String) -> Asked {
        let digest = digest(body.as_bytes());
        let mut asked = self.header("content-type", media_type).header("content-digest", &digest);
        asked.body = body.into_bytes();
        asked
    }
}
