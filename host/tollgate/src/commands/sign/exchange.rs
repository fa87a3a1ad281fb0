//! Sending a signed request, and checking what comes back: the digest of the body, and the
//! platform's signature over the answer and over what was asked.

use std::io::Write;
use std::sync::Arc;

use api::signature::{Claim, Message, RESPONSE_TAG, Request, Response};
use api::{content_digest, jose};
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use url::Url;

use super::super::{Failure, Outcome};
use super::sealing::Sealing;
use super::{Ready, algorithm};
use crate::config::authority;

/// An answer.
struct Heard {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// Sends the request; prints the answer once it has proven itself.
pub(super) async fn send(ready: &Ready, sealing: &Sealing, out: &mut dyn Write) -> Outcome {
    let heard = ask(&ready.method, &ready.url, &ready.headers, ready.body.clone()).await?;
    let keys = read_json(&ready.url.join("/.well-known/jwks.json")?).await?;
    let key = proven(ready, &heard, &keys)?;
    writeln!(out, "{}", heard.status)?;
    writeln!(out, "signed by the platform's key `{key}`: it holds, for this very request")?;
    let encrypted = heard.headers.get("content-type").is_some_and(|of| of == jose::MEDIA_TYPE);
    let body = if encrypted { sealing.open(&heard.body)? } else { heard.body };
    writeln!(out, "\n{}", String::from_utf8_lossy(&body))?;
    Ok(())
}

/// The name of the platform's key that signed the answer to this request.
fn proven(ready: &Ready, heard: &Heard, keys: &Value) -> Result<String, Failure> {
    content_digest::check(&heard.headers, &heard.body)?;
    let claim = Claim::find(&heard.headers, |tag| tag == Some(RESPONSE_TAG))?;
    for needed in ["@status", content_digest::NAME] {
        if !claim.covers(needed) {
            return Err(format!("the answer's signature does not cover {needed}").into());
        }
    }
    let bound = format!("\"signature\";req;key=\"{}\"", ready.label);
    let is_bound = claim.components.iter().any(|component| component.identifier() == bound);
    // A request that was not proven has no signature that an answer could be bound to.
    if heard.status.is_success() && !is_bound {
        return Err("the answer is not bound to the request's signature".into());
    }
    let authority = authority(&ready.url).ok_or("the URL names no host")?;
    let request = Request {
        method: &ready.method,
        authority: &authority,
        path: ready.url.path(),
        query: ready.url.query(),
        headers: &ready.headers,
    };
    let status = heard.status.as_u16();
    let base =
        claim.base(&Message::Response(Response { status, headers: &heard.headers, request }))?;
    let keyid = claim.parameters.keyid.clone().ok_or("the answer's signature names no key")?;
    let known = jose::read_set(keys)?;
    let named = known.iter().find(|(kid, usage, _)| *kid == keyid && usage == "sig");
    let (_, _, key) = named.ok_or("the platform does not publish the key that signed")?;
    let by = algorithm(key, claim.parameters.alg.as_deref())?;
    claim.verify(&base, key, by)?;
    Ok(keyid)
}

/// JSON that anybody may read.
pub(super) async fn read_json(url: &Url) -> Result<Value, Failure> {
    let heard = ask("GET", url, &HeaderMap::new(), Vec::new()).await?;
    if heard.status != StatusCode::OK {
        return Err(format!("{url} answers {}", heard.status).into());
    }
    Ok(serde_json::from_slice(&heard.body)?)
}

async fn ask(
    method: &str,
    url: &Url,
    headers: &HeaderMap,
    body: Vec<u8>,
) -> Result<Heard, Failure> {
    let host = url.host_str().ok_or("the URL names no host")?.to_owned();
    let port = url.port_or_known_default().ok_or("the URL names no port")?;
    let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    let named = authority(url).ok_or("the URL names no host")?;
    let mut request = http::Request::builder()
        .method(method)
        .uri(url.path().to_owned() + &url.query().map_or(String::new(), |q| format!("?{q}")))
        .header("host", named.host());
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(Bytes::from(body)))?;
    match url.scheme() {
        "https" => {
            let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
            let config = ClientConfig::builder().with_root_certificates(roots);
            let connector = TlsConnector::from(Arc::new(config.with_no_client_auth()));
            talk(connector.connect(ServerName::try_from(host)?, stream).await?, request).await
        }
        _ => talk(stream, request).await,
    }
}

async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: http::Request<Full<Bytes>>,
) -> Result<Heard, Failure> {
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let carried = tokio::spawn(connection);
    let (head, body) = sender.send_request(request).await?.into_parts();
    let body = body.collect().await?.to_bytes().to_vec();
    carried.abort();
    Ok(Heard { status: head.status, headers: head.headers, body })
}
