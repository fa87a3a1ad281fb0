//! Signed and encrypted requests as RFC 9421, RFC 9530 and RFC 7516 describe them, written here
//! anew and not taken from the host: what both sides misunderstood alike would never show.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use vault::{
    Cipher, DigestAlgorithm, Key, KeyTransport, Legacy, MacAlgorithm, PairKind, Published, Secret,
    SignatureAlgorithm, private_pem,
};

use super::random::Random;

/// A key that signs, by an algorithm of RFC 9421's registry.
#[derive(Clone)]
pub struct Signer {
    /// The app's id, a slash, the key's name.
    pub keyid: String,
    /// The algorithm.
    pub alg: &'static str,
    /// The key.
    pub key: Arc<Key>,
}

impl Signer {
    /// The signature of these bytes.
    pub fn sign(&self, base: &[u8]) -> Vec<u8> {
        let by = match self.alg {
            "hmac-sha256" => {
                return self.key.mac(MacAlgorithm::HmacSha256, base, &Legacy::none()).unwrap();
            }
            alg => algorithm(alg),
        };
        self.key.sign(by, base).unwrap()
    }
}

fn algorithm(alg: &str) -> SignatureAlgorithm {
    match alg {
        "rsa-pss-sha512" => SignatureAlgorithm::RsaPssSha512,
        "rsa-v1_5-sha256" => SignatureAlgorithm::RsaPkcs1Sha256,
        "ecdsa-p256-sha256" => SignatureAlgorithm::EcdsaP256Sha256,
        "ed25519" => SignatureAlgorithm::Ed25519,
        other => panic!("{other}"),
    }
}

/// A request that is to be signed: everything about it can be made otherwise before.
#[derive(Clone)]
pub struct Outline {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// `Host`, and what `@authority` says.
    pub host: String,
    /// The media type of the body.
    pub media_type: Option<String>,
    /// The value of `Content-Digest`; none for the right one.
    pub digest: Option<String>,
    /// The value of `Idempotency-Key`.
    pub idempotency_key: Option<String>,
    /// The body.
    pub body: Vec<u8>,
    /// The identifiers of what is covered.
    pub covered: Vec<String>,
    /// Seconds of Unix time.
    pub created: i64,
    /// Everything after `created`, written as it stands there.
    pub parameters: String,
    /// The label.
    pub label: String,
    /// By whom.
    pub signer: Signer,
}

/// A request as it travels.
#[derive(Clone, Debug)]
pub struct Wire {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The headers, in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Outline {
    /// A request that is right in every way.
    pub fn new(
        signer: &Signer,
        host: &str,
        (method, target): (&str, &str),
        body: &[u8],
    ) -> Outline {
        let mut covered = vec!["\"@method\"", "\"@target-uri\""];
        if !body.is_empty() {
            covered.extend(["\"content-digest\"", "\"content-type\"", "\"idempotency-key\""]);
        }
        let nonce = hex(&Random::drawn::<16>());
        let key = (!body.is_empty()).then(|| format!("key-{nonce}"));
        Outline {
            method: method.to_owned(),
            target: target.to_owned(),
            host: host.to_owned(),
            media_type: (!body.is_empty()).then(|| "application/json".to_owned()),
            digest: None,
            idempotency_key: key,
            body: body.to_vec(),
            covered: covered.into_iter().map(str::to_owned).collect(),
            created: now(),
            parameters: format!(";nonce=\"{nonce}\";keyid=\"{}\"", signer.keyid),
            label: "sig1".to_owned(),
            signer: signer.clone(),
        }
    }

    /// Replaces one text in the parameters by another.
    pub fn parameter(&mut self, from: &str, to: &str) {
        assert!(self.parameters.contains(from), "{}", self.parameters);
        self.parameters = self.parameters.replace(from, to);
    }

    /// Signs it.
    pub fn sign(&self) -> Wire {
        let mut headers = vec![("host".to_owned(), self.host.clone())];
        let mut add = |name: &str, value: Option<String>| {
            headers.extend(value.map(|value| (name.to_owned(), value)));
        };
        add("content-type", self.media_type.clone());
        let digest = self.digest.clone().unwrap_or_else(|| sha256(&self.body));
        add("content-digest", self.media_type.as_ref().map(|_| digest));
        add("idempotency-key", self.idempotency_key.clone());
        let list =
            format!("({});created={}{}", self.covered.join(" "), self.created, self.parameters);
        let mut base = String::new();
        for identifier in &self.covered {
            let value = self.value(identifier, &headers);
            base.push_str(&format!("{identifier}: {value}\n"));
        }
        base.push_str(&format!("\"@signature-params\": {list}"));
        let signature = STANDARD.encode(self.signer.sign(base.as_bytes()));
        headers.push(("signature-input".to_owned(), format!("{}={list}", self.label)));
        headers.push(("signature".to_owned(), format!("{}=:{signature}:", self.label)));
        let (method, target) = (self.method.clone(), self.target.clone());
        Wire { method, target, headers, body: self.body.clone() }
    }

    fn value(&self, identifier: &str, headers: &[(String, String)]) -> String {
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        match identifier.trim_matches('"') {
            "@method" => self.method.clone(),
            "@target-uri" => format!("http://{}{}", self.host, self.target),
            "@authority" => self.host.clone(),
            "@path" => path.to_owned(),
            "@query" => format!("?{query}"),
            name => {
                let found = headers.iter().find(|(known, _)| known == name);
                found.map_or_else(String::new, |(_, value)| value.clone())
            }
        }
    }
}

impl Wire {
    /// Changes a header; it has to be there.
    pub fn edit(&mut self, name: &str, change: impl FnOnce(&str) -> String) {
        let header = self.headers.iter_mut().find(|(known, _)| known == name).unwrap();
        header.1 = change(&header.1);
    }

    /// Takes a header out; it has to be there.
    pub fn strip(&mut self, name: &str) {
        let before = self.headers.len();
        self.headers.retain(|(known, _)| known != name);
        assert!(self.headers.len() < before, "there is no {name}");
    }

    /// Adds a header.
    pub fn add(&mut self, name: &str, value: &str) {
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> &str {
        &self.headers.iter().find(|(known, _)| known == name).unwrap().1
    }
}

/// Seconds of Unix time.
pub fn now() -> i64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_secs().cast_signed()
}

/// `sha-256=:…:` of these bytes.
pub fn sha256(body: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(digest(DigestAlgorithm::Sha256, body)))
}

/// `sha-512=:…:` of these bytes.
pub fn sha512(body: &[u8]) -> String {
    format!("sha-512=:{}:", STANDARD.encode(digest(DigestAlgorithm::Sha512, body)))
}

fn digest(by: DigestAlgorithm, body: &[u8]) -> Vec<u8> {
    vault::digest(by, body, &Legacy::none()).unwrap()
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Base64 of JWE and JWK.
pub fn url64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Bytes of base64url.
pub fn from_url64(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// A key that both sides hold, from standard base64.
pub fn shared(base64: &str) -> Arc<Key> {
    let bytes = STANDARD.decode(base64.trim()).unwrap();
    Arc::new(Key::symmetric("test", None, &Secret::new("test", bytes)).unwrap())
}

/// A private key, for this run of the tests alone.
pub fn private(kind: PairKind) -> Arc<Key> {
    let pem = private_pem("test", kind).unwrap();
    Arc::new(Key::from_pem("test", None, &pem).unwrap())
}

/// Its public half in PEM (RFC 5280, section 4.1).
pub fn public_pem(key: &Key) -> String {
    let der = match key.published().unwrap() {
        Published::Ed25519 { x } => [&ED25519[..], &x].concat(),
        Published::P256 { x, y } => [&P256[..], &x, &y].concat(),
        Published::Rsa { modulus, exponent } => {
            // A number whose first bit is set would be a negative one.
            let sign = |bytes: &[u8]| if bytes[0] > 127 { vec![0] } else { Vec::new() };
            let number = |bytes: &[u8]| der(2, &[&sign(bytes)[..], bytes].concat());
            let key = der(0x30, &[number(&modulus), number(&exponent)].concat());
            let bits = der(3, &[&[0], key.as_slice()].concat());
            der(0x30, &[RSA.to_vec(), bits].concat())
        }
    };
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der))
}

const ED25519: [u8; 12] = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
const P256: [u8; 27] = [
    0x30, 0x59, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 3, 1, 7, 3, 0x42, 0, 4,
];
const RSA: [u8; 15] = [0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let head = match (content.len(), length) {
        (..128, [_, low]) => vec![tag, low],
        (..256, [_, low]) => vec![tag, 0x81, low],
        (_, [high, low]) => vec![tag, 0x82, high, low],
    };
    [head.as_slice(), content].concat()
}

/// A compact JWE: this header, this encrypted key, and the text under the content key.
pub fn jwe(header: &str, wrapped: &[u8], content: &Key, text: &[u8]) -> String {
    let associated = url64(header.as_bytes());
    let iv: [u8; 12] = Random::drawn();
    let none = Legacy::none();
    let sealed = content.seal(Cipher::AesGcm, &iv, associated.as_bytes(), text, &none).unwrap();
    let (ciphertext, tag) = sealed.split_at(sealed.len() - 16);
    let parts = [wrapped, &iv, ciphertext, tag].map(url64);
    format!("{associated}.{}", parts.join("."))
}

/// A JWE by a key that both sides hold.
pub fn direct(kid: &str, key: &Key, text: &[u8]) -> String {
    let header = format!(r#"{{"alg":"dir","enc":"A256GCM","kid":"{kid}","cty":"json"}}"#);
    jwe(&header, &[], key, text)
}

/// A JWE to a public RSA key.
pub fn to_public(kid: &str, key: &Key, text: &[u8]) -> String {
    let header = format!(r#"{{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"{kid}","cty":"json"}}"#);
    let content: [u8; 32] = Random::drawn();
    let by = KeyTransport::RsaOaepSha256;
    let wrapped = key.wrap(by, &content, Random::drawn(), &Legacy::none()).unwrap();
    let content = Key::symmetric("test", None, &Secret::new("test", content.to_vec())).unwrap();
    jwe(&header, &wrapped, &content, text)
}

/// Opens a JWE by a private RSA key or a shared one; checks that it is of our profile.
pub fn opened(jwe: &[u8], key: &Key) -> Vec<u8> {
    let text = std::str::from_utf8(jwe).unwrap();
    let [header, wrapped, iv, ciphertext, tag] = text.split('.').collect::<Vec<_>>()[..] else {
        panic!("{text}");
    };
    let shown: serde_json::Value = serde_json::from_slice(&from_url64(header)).unwrap();
    assert_eq!(shown["enc"], "A256GCM");
    let sealed = [from_url64(ciphertext), from_url64(tag)].concat();
    let open = |key: &Key| {
        let iv = from_url64(iv);
        key.open_sealed(Cipher::AesGcm, &iv, header.as_bytes(), &sealed, &Legacy::none()).unwrap()
    };
    match shown["alg"].as_str().unwrap() {
        "dir" => open(key),
        "RSA-OAEP-256" => {
            let by = KeyTransport::RsaOaepSha256;
            let content = Secret::new("test", key.unwrap(by, &from_url64(wrapped)).unwrap());
            open(&Key::symmetric("test", None, &content).unwrap())
        }
        other => panic!("{other}"),
    }
}
