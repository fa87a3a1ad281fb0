//! `tollgate sign`: signs a request as an app does, shows the headers, and sends it if wanted.
//!
//! For trying things out, and as the second opinion when a signature of your own is refused: it
//! prints what it signed, line by line.

mod exchange;
mod sealing;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use api::content_digest;
use api::signature::{
    Algorithm, Component, Draft, Message, Parameters, REQUEST_TAG, Request, Signed,
};
use clap::Args;
use engine::{Clock, Entropy, SystemClock, SystemEntropy};
use http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;
use vault::{Encoding, Key, Published, Secret};

use super::{Failure, Outcome};
use crate::config::authority;
use sealing::Sealing;

/// Sign a request as an app does, and print its headers.
#[derive(Args)]
pub struct SignCommand {
    /// The method.
    method: String,
    /// The absolute URL.
    url: Url,
    /// The app's key: a private key in PEM, or an HMAC key in base64 as `app key add` shows it.
    #[arg(long)]
    key: PathBuf,
    /// Its name: the app's id, a slash, the key's name.
    #[arg(long)]
    keyid: String,
    /// The algorithm, where the key leaves a choice: `rsa-v1_5-sha256` instead of RSA-PSS.
    #[arg(long)]
    alg: Option<String>,
    /// The body: a file, or `-` for the standard input.
    #[arg(long)]
    body: Option<PathBuf>,
    /// The value of `Idempotency-Key`; one is drawn for a POST with a body when it is left out.
    #[arg(long)]
    idempotency_key: Option<String>,
    #[command(flatten)]
    sealing: Sealing,
    /// Print a line for curl instead of the headers; the body is read from the file that it names.
    #[arg(long)]
    curl: bool,
    /// Send the request, check the answer's digest and signature, and print the answer.
    #[arg(long, conflicts_with = "curl")]
    send: bool,
}

/// A request that was signed.
struct Ready {
    method: String,
    url: Url,
    headers: HeaderMap,
    body: Vec<u8>,
    /// The label of its signature.
    label: &'static str,
}

const LABEL: &str = "sig1";

impl SignCommand {
    /// Does it.
    pub fn run(self) -> Outcome {
        super::store::runtime()?.block_on(async { self.go().await })
    }

    async fn go(self) -> Outcome {
        let plain = self.plain_body()?;
        let ready = self.ready(plain).await?;
        let mut out = std::io::stdout();
        if self.send {
            return exchange::send(&ready, &self.sealing, &mut out).await;
        }
        if self.curl {
            writeln!(out, "{}", curl(&ready)?)?;
            return Ok(());
        }
        for (name, value) in &ready.headers {
            writeln!(out, "{name}: {}", value.to_str()?)?;
        }
        if self.sealing.wanted() {
            writeln!(out, "\n{}", String::from_utf8_lossy(&ready.body))?;
        }
        Ok(())
    }

    fn plain_body(&self) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::new();
        match &self.body {
            None => {}
            Some(path) if path == Path::new("-") => {
                std::io::stdin().read_to_end(&mut body)?;
            }
            Some(path) => {
                body =
                    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
            }
        }
        Ok(body)
    }

    async fn ready(&self, plain: Vec<u8>) -> Result<Ready, Failure> {
        let mut headers = HeaderMap::new();
        let (body, media_type) = match self.sealing.wanted() && !plain.is_empty() {
            true => (self.sealing.seal(&plain).await?, api::jose::MEDIA_TYPE),
            false => (plain, "application/json"),
        };
        if !body.is_empty() {
            headers.insert("content-type", HeaderValue::from_static(media_type));
            let digest = HeaderValue::from_str(&content_digest::of(&body))?;
            headers.insert(content_digest::NAME, digest);
        }
        let method = self.method.to_ascii_uppercase();
        let drawn = (method == "POST" && !body.is_empty()).then(|| random_text("cli-"));
        if let Some(key) = self.idempotency_key.clone().or(drawn) {
            headers.insert("idempotency-key", HeaderValue::from_str(&key)?);
        }
        let mut ready = Ready { method, url: self.url.clone(), headers, body, label: LABEL };
        let signed = self.sign(&ready)?;
        for (name, text) in [("signature-input", signed.input), ("signature", signed.signature)] {
            ready.headers.insert(HeaderName::from_static(name), HeaderValue::from_str(&text)?);
        }
        Ok(ready)
    }

    fn sign(&self, ready: &Ready) -> Result<Signed, Failure> {
        let key = read_key(&self.key)?;
        let by = algorithm(&key, self.alg.as_deref())?;
        let names = ready.headers.keys().map(HeaderName::as_str);
        let names = ["@method", "@target-uri"].into_iter().chain(names);
        let draft = Draft {
            label: LABEL.to_owned(),
            components: names.map(Component::named).collect::<Result<_, _>>()?,
            parameters: Parameters {
                created: Some(i64::try_from(SystemClock.now_ms() / 1000)?),
                nonce: Some(random_text("")),
                keyid: Some(self.keyid.clone()),
                alg: Some(by.name().to_owned()),
                tag: Some(REQUEST_TAG.to_owned()),
                ..Parameters::default()
            },
        };
        let authority = authority(&ready.url).ok_or("the URL names no host")?;
        let request = Request {
            method: &ready.method,
            authority: &authority,
            path: ready.url.path(),
            query: ready.url.query(),
            headers: &ready.headers,
        };
        Ok(draft.sign(&Message::Request(request), &key, by)?)
    }
}

/// A key from a file: PEM, or base64.
fn read_key(path: &Path) -> Result<Key, Failure> {
    let text = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let pem = String::from_utf8_lossy(&text).contains("-----BEGIN");
    let secret = Secret::new(path.display().to_string(), text);
    Ok(match pem {
        true => Key::from_pem("key", None, &secret)?,
        false => Key::from_encoded("key", None, &secret, Encoding::Base64)?,
    })
}

fn algorithm(key: &Key, named: Option<&str>) -> Result<Algorithm, Failure> {
    if let Some(name) = named {
        let all = Algorithm::ALL.map(Algorithm::name).join(", ");
        return Algorithm::named(name).ok_or_else(|| format!("there are {all}").into());
    }
    Ok(match key.published() {
        None => Algorithm::HmacSha256,
        Some(Published::Rsa { .. }) => Algorithm::RsaPssSha512,
        Some(Published::P256 { .. }) => Algorithm::EcdsaP256Sha256,
        Some(Published::Ed25519 { .. }) => Algorithm::Ed25519,
    })
}

/// 32 hexadecimal digits that nobody can guess.
fn random_text(prefix: &str) -> String {
    let mut bytes = [0; 16];
    SystemEntropy.fill(&mut bytes);
    format!("{prefix}{}", hex::encode(bytes))
}

fn curl(ready: &Ready) -> Result<String, Failure> {
    let mut line = format!("curl -X {} {}", ready.method, quoted(ready.url.as_str()));
    for (name, value) in &ready.headers {
        line.push_str(&format!(" \\\n    -H {}", quoted(&format!("{name}: {}", value.to_str()?))));
    }
    if !ready.body.is_empty() {
        let body = std::str::from_utf8(&ready.body)?;
        line.push_str(&format!(" \\\n    --data-raw {}", quoted(body)));
    }
    Ok(line)
}

/// For a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
