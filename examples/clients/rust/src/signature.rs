//! HTTP message signatures (RFC 9421): ours on what is asked, the platform's on what is answered.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use httpsig::prelude::message_component::{HttpMessageComponent, HttpMessageComponentId};
use httpsig::prelude::{
    AlgorithmName, HttpSignatureBase, HttpSignatureHeaders, HttpSignatureParams, PublicKey,
    SecretKey, VerifyingKey,
};
use rsa::sha2::{Digest, Sha256};
use serde_json::Value;

use crate::Error;

/// Our signature's label, which the answer's signature names.
const LABEL: &str = "app";

/// A request.
pub struct Asked {
    pub method: &'static str,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Asked {
    pub fn new(method: &'static str, url: String) -> Asked {
        Asked { method, url, headers: Vec::new(), body: Vec::new() }
    }

    pub fn header(mut self, name: &str, value: &str) -> Asked {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// An answer.
pub struct Answered {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answered {
    pub fn field(&self, name: &str) -> Option<&str> {
        field(&self.headers, name)
    }
}

fn field<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

/// The value of `Content-Digest` (RFC 9530).
pub fn digest(body: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(body)))
}

/// Signs what is asked, with an Ed25519 key.
pub struct Signer {
    key_id: String,
    key: SecretKey,
}

impl Signer {
    pub fn new(key_id: String, pem: &str) -> Result<Signer, Error> {
        Ok(Signer { key_id, key: SecretKey::from_pem(&AlgorithmName::Ed25519, pem)? })
    }

    /// Everything that decides about the request is covered; the nonce makes it good once.
    pub fn sign(&self, asked: Asked) -> Result<Asked, Error> {
        let fields = asked.headers.iter().map(|(name, _)| name.as_str());
        let names: Vec<&str> = ["@method", "@target-uri"].into_iter().chain(fields).collect();
        let lines = names.iter().map(|name| {
            let value = match *name {
                "@method" => asked.method,
                "@target-uri" => &asked.url,
                name => field(&asked.headers, name).unwrap_or_default(),
            };
            HttpMessageComponent::try_from(format!("\"{name}\": {value}").as_str())
        });
        let lines = lines.collect::<Result<Vec<_>, _>>()?;
        let ids: Vec<HttpMessageComponentId> = lines.iter().map(|line| line.id.clone()).collect();
        let mut parameters = HttpSignatureParams::try_new(&ids)?;
        let parameters = parameters.set_random_nonce().set_tag("tollgate");
        let parameters = parameters.set_keyid(&self.key_id).set_alg(&AlgorithmName::Ed25519);
        let base = HttpSignatureBase::try_new(&lines, parameters)?;
        let signed = base.build_signature_headers(&self.key, Some(LABEL))?;
        let asked = asked.header("signature-input", &signed.signature_input_header_value());
        Ok(asked.header("signature", &signed.signature_header_value()))
    }
}

/// The platform's published keys.
pub struct Platform {
    keys: Vec<Value>,
}

impl Platform {
    pub fn new(set: Value) -> Platform {
        Platform { keys: set["keys"].as_array().cloned().unwrap_or_default() }
    }

    /// The platform's current key to encrypt to: the first.
    pub fn encryption_key(&self) -> Result<&Value, Error> {
        let key = self.keys.iter().find(|key| key["use"] == "enc");
        key.ok_or_else(|| "the platform publishes no key to encrypt to".into())
    }

    /// That the host answered this, to this very request.
    pub fn verify(&self, asked: &Asked, answered: &Answered) -> Result<(), Error> {
        let wrong = |what: &str| Error::from(format!("the answer is not proven: {what}"));
        let sent = |name: &str| answered.field(name).ok_or_else(|| wrong("it is not signed"));
        let (input, signature) = (sent("signature-input")?, sent("signature")?);
        let claims = HttpSignatureHeaders::try_parse(signature, input)?;
        let (label, claim) =
            claims.first().filter(|_| claims.len() == 1).ok_or("several signatures")?;
        let parameters = claim.signature_params();
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        if parameters.tag.as_deref() != Some("tollgate-response") {
            return Err(wrong("it is signed for something else"));
        }
        if parameters.created.is_none_or(|made| made.abs_diff(now) > 300) {
            return Err(wrong("it is too old"));
        }
        // As they were written: a server may order the parameters otherwise than this crate.
        let written = input.strip_prefix(&format!("{label}=")).ok_or("several signatures")?;
        let mut base = String::new();
        let mut covered = Vec::new();
        for id in &parameters.covered_components {
            let id = id.to_string();
            let value = value(&id, asked, answered).ok_or_else(|| wrong(&id))?;
            base.push_str(&format!("{id}: {value}\n"));
            covered.push(id);
        }
        base.push_str(&format!("\"@signature-params\": {written}"));
        require(&covered, answered)?;
        let key = self.signing_key(parameters.keyid.as_deref().unwrap_or_default())?;
        let bytes = STANDARD.decode(claim.signature().to_string())?;
        key.verify(base.as_bytes(), &bytes).map_err(|_| wrong("the signature does not hold"))
    }

    fn signing_key(&self, kid: &str) -> Result<PublicKey, Error> {
        let jwk = self.keys.iter().find(|key| key["kid"] == kid && key["use"] == "sig");
        let jwk = jwk.ok_or("the answer is signed by a key that is not the platform's")?;
        let part = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap_or_default());
        match jwk["crv"].as_str() {
            Some("Ed25519") => Ok(PublicKey::from_bytes(&AlgorithmName::Ed25519, &part("x")?)?),
            Some("P-256") => {
                let point = [&[4][..], &part("x")?, &part("y")?].concat();
                Ok(PublicKey::from_bytes(&AlgorithmName::EcdsaP256Sha256, &point)?)
            }
            _ => Err("this example verifies Ed25519 and P-256".into()),
        }
    }
}

/// The value of a covered component; none where this client would not know what it means.
fn value(id: &str, asked: &Asked, answered: &Answered) -> Option<String> {
    match id {
        "\"@status\"" => Some(answered.status.to_string()),
        "\"@method\";req" => Some(asked.method.to_owned()),
        "\"@target-uri\";req" => Some(asked.url.clone()),
        _ if id == of_our_signature() => {
            let ours = field(&asked.headers, "signature")?;
            ours.strip_prefix(&format!("{LABEL}=")).map(str::to_owned)
        }
        _ => match id.strip_prefix('"')?.split_once('"')? {
            (name, "") => answered.field(name).map(str::to_owned),
            (name, ";req") => field(&asked.headers, name).map(str::to_owned),
            _ => None,
        },
    }
}

fn of_our_signature() -> String {
    format!("\"signature\";req;key=\"{LABEL}\"")
}

/// That nothing which matters is left out, and that the body is the one of the digest.
fn require(covered: &[String], answered: &Answered) -> Result<(), Error> {
    let mut needed = vec!["\"@status\"", "\"@method\";req", "\"@target-uri\";req"];
    if !answered.body.is_empty() {
        needed.extend(["\"content-type\"", "\"content-digest\""]);
        if answered.field("content-digest") != Some(&digest(&answered.body)) {
            return Err("the body is not the one that was signed".into());
        }
    }
    let ours = of_our_signature();
    let missing =
        needed.into_iter().chain([ours.as_str()]).find(|id| !covered.iter().any(|one| one == id));
    missing.map_or(Ok(()), |id| Err(format!("the answer's signature does not cover {id}").into()))
}
