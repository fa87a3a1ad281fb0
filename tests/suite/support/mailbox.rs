//! A place a provider's webhooks can be sent to instead of the host, to be handed on by the test as
//! they came, altered, late, or not at all.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::client::{Client, Reply};
use super::patience::eventually;

/// A webhook as it was posted.
#[derive(Clone, Debug)]
pub struct Posted {
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Untouched.
    pub body: Bytes,
}

impl Posted {
    /// Hands it to a host's account.
    pub async fn deliver(&self, client: &Client, account: &str) -> Reply {
        let path = format!("/webhooks/{account}");
        let mut draft = client.nameless(Method::POST, &path);
        for (name, value) in &self.headers {
            if !["host", "content-length"].contains(&name.as_str()) {
                draft = draft.header(name, value);
            }
        }
        draft.send(self.body.clone()).await
    }

    /// The same with one header changed, or left out.
    pub fn with_header(&self, name: &str, change: impl Fn(&str) -> Option<String>) -> Posted {
        let change = |(known, value): &(String, String)| {
            let value = if known == name { change(value)? } else { value.clone() };
            Some((known.clone(), value))
        };
        let headers = self.headers.iter().filter_map(change).collect();
        Posted { headers, body: self.body.clone() }
    }

    /// The same with another body.
    pub fn with_body(&self, change: impl Fn(&str) -> String) -> Posted {
        let body = Bytes::from(change(std::str::from_utf8(&self.body).unwrap()));
        Posted { headers: self.headers.clone(), body }
    }

    /// Whether these words stand in the body.
    pub fn says(&self, words: &str) -> bool {
        String::from_utf8_lossy(&self.body).contains(words)
    }
}

/// Accepts everything and keeps it.
pub struct Mailbox {
    address: SocketAddr,
    letters: Arc<Mutex<Vec<Posted>>>,
    open: JoinHandle<()>,
}

impl Mailbox {
    /// Opens it.
    pub async fn open() -> Mailbox {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let letters = Arc::new(Mutex::new(Vec::new()));
        let kept = letters.clone();
        let open = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = kept.clone();
                let keep = service_fn(move |request| keep(kept.clone(), request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), keep));
            }
        });
        Mailbox { address, letters, open }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// The first letter in which these words stand, once it is there.
    pub async fn letter(&self, words: &str) -> Posted {
        let found = || self.letters.lock().unwrap().iter().find(|one| one.says(words)).cloned();
        eventually(&format!("a webhook that says {words}"), async || found()).await
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        self.open.abort();
    }
}

async fn keep(
    letters: Arc<Mutex<Vec<Posted>>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let text = |value: &http::HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let headers = head.headers.iter().map(|(name, value)| (name.to_string(), text(value)));
    letters.lock().unwrap().push(Posted { headers: headers.collect(), body });
    Ok(Response::new(Full::default()))
}
