//! A client of the open platform: one connection a request, and no retries of its own.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::patience::LONG;
use super::signer::Wire;

/// An app, at one process of a host.
#[derive(Clone, Debug)]
pub struct Client {
    address: SocketAddr,
    key: String,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Reply {
    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{}: {text}", self.status))
    }

    /// The body of an answer that is expected to have this status.
    #[track_caller]
    pub fn with(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }

    /// Holds that it is the problem of this status and code, and gives it.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Value {
        let body = self.with(status);
        assert_eq!(body["code"], code, "{body:#}");
        assert_eq!(self.headers["content-type"], "application/problem+json");
        body
    }

    /// A header's text; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Client {
    /// The app of this key at this address.
    pub fn new(address: SocketAddr, key: &str) -> Client {
        Client { address, key: key.to_owned() }
    }

    /// The same host with another key.
    pub fn with_key(&self, key: &str) -> Client {
        Client::new(self.address, key)
    }

    /// The key it asks with.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> Reply {
        self.request(Method::GET, path).send("").await
    }

    /// Asks for an operation under an idempotency key.
    pub async fn post(&self, path: &str, key: &str, body: &Value) -> Reply {
        self.try_post(path, key, body).await.unwrap()
    }

    /// The same, when the host may not live to answer.
    pub async fn try_post(&self, path: &str, key: &str, body: &Value) -> Result<Reply, String> {
        let request = self.request(Method::POST, path).header("idempotency-key", key);
        request.header("content-type", "application/json").try_send(body.to_string()).await
    }

    /// Begins a payment.
    pub async fn pay(&self, key: &str, body: &Value) -> Reply {
        self.post("/v1/payments", key, body).await
    }

    /// The payment as it stands.
    pub async fn payment(&self, id: &Value) -> Value {
        self.get(&format!("/v1/payments/{}", id.as_str().unwrap())).await.with(200)
    }

    /// Asks the provider what became of it.
    pub async fn sync(&self, id: &Value) -> Value {
        let path = format!("/v1/payments/{}/sync", id.as_str().unwrap());
        self.request(Method::POST, &path).send("").await.with(200)
    }

    /// An operation on a payment: `captures`, `refunds`, `cancellation`.
    pub async fn on(&self, id: &Value, what: &str, key: &str, body: &Value) -> Reply {
        self.post(&format!("/v1/payments/{}/{what}", id.as_str().unwrap()), key, body).await
    }

    /// All events, page by page, in the order of the feed.
    pub async fn events(&self) -> Vec<Value> {
        let (mut all, mut cursor) = (Vec::new(), String::from("0"));
        loop {
            let page = self.get(&format!("/v1/events?limit=100&cursor={cursor}")).await.with(200);
            let events = page["events"].as_array().unwrap();
            if events.is_empty() {
                return all;
            }
            all.extend(events.iter().cloned());
            cursor = page["cursor"].as_str().unwrap().to_owned();
        }
    }

    /// All payments, page by page, newest first.
    pub async fn payments(&self) -> Vec<Value> {
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("/v1/payments?limit=100{after}")).await.with(200);
            all.extend(page["payments"].as_array().unwrap().iter().cloned());
            match page["cursor"].as_str() {
                Some(cursor) => after = format!("&cursor={cursor}"),
                None => return all,
            }
        }
    }

    /// A request of one's own making.
    pub fn request(&self, method: Method, path: &str) -> Draft {
        let key = format!("Bearer {}", self.key);
        self.nameless(method, path).header("authorization", &key)
    }

    /// The same without the app's key.
    pub fn nameless(&self, method: Method, path: &str) -> Draft {
        let host = self.address.to_string();
        let builder = Request::builder().method(method).uri(path).header("host", host);
        Draft { address: self.address, builder }
    }

    /// Sends this request as it stands, `Host` and all.
    pub async fn carry(&self, wire: &Wire) -> Reply {
        let mut builder = Request::builder().method(wire.method.as_str()).uri(&wire.target);
        for (name, value) in &wire.headers {
            builder = builder.header(name, value);
        }
        Draft { address: self.address, builder }.send(wire.body.clone()).await
    }
}

/// A request that is being written.
pub struct Draft {
    address: SocketAddr,
    builder: http::request::Builder,
}

impl Draft {
    /// One more header.
    pub fn header(mut self, name: &str, value: &str) -> Draft {
        self.builder = self.builder.header(name, value);
        self
    }

    /// Sends it.
    pub async fn send(self, body: impl Into<Bytes>) -> Reply {
        self.try_send(body).await.unwrap()
    }

    /// Sends it to a host that may hang up.
    pub async fn try_send(self, body: impl Into<Bytes>) -> Result<Reply, String> {
        let request = self.builder.body(Full::new(body.into())).unwrap();
        let exchanged = timeout(LONG, exchange(self.address, request)).await;
        exchanged.map_err(|_| "no answer".to_owned())?.map_err(|error| error.to_string())
    }
}

type AnyError = Box<dyn std::error::Error + Send + Sync>;

async fn exchange(address: SocketAddr, request: Request<Full<Bytes>>) -> Result<Reply, AnyError> {
    let stream = TcpStream::connect(address).await?;
    let io = TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await?;
    let driven = tokio::spawn(connection);
    let response = sender.send_request(request).await?;
    let (head, body) = response.into_parts();
    let body = body.collect().await?.to_bytes();
    driven.abort();
    Ok(Reply { status: head.status.as_u16(), headers: head.headers, body })
}
