//! An app's endpoint: it keeps what it is told, and answers as the test wants.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use vault::{Key, Legacy, MacAlgorithm, Secret};

use super::patience::eventually;

/// How an endpoint answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Manner {
    /// With this status.
    Status(u16),
    /// With a redirect to this place.
    Redirect(String),
    /// Never.
    Silence,
}

/// One thing that was told.
#[derive(Clone, Debug)]
pub struct Told {
    /// `webhook-id`
    pub id: String,
    /// `webhook-timestamp`
    pub timestamp: String,
    /// `webhook-signature`
    pub signature: String,
    /// `content-type`
    pub content_type: String,
    /// Untouched.
    pub body: Bytes,
    /// Whether it was answered with a status that says it was taken.
    pub taken: bool,
}

impl Told {
    /// The body.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Whether one of its signatures is made with this secret (Standard Webhooks 1.0.0).
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let key = BASE64.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let key = Key::symmetric("webhook", None, &Secret::new("test", key)).unwrap();
        let text = String::from_utf8(self.body.to_vec()).unwrap();
        let message = format!("{}.{}.{text}", self.id, self.timestamp);
        let tag = key.mac(MacAlgorithm::HmacSha256, message.as_bytes(), &Legacy::none()).unwrap();
        let wanted = format!("v1,{}", BASE64.encode(tag));
        self.signature.split(' ').any(|one| one == wanted)
    }

    /// How many signatures it has.
    pub fn signatures(&self) -> usize {
        self.signature.split(' ').count()
    }
}

/// What is asked what it answers to something.
type Answering = Box<dyn Fn(&Told) -> Manner + Send>;

struct Inner {
    told: Mutex<Vec<Told>>,
    answering: Mutex<Answering>,
    connections: AtomicUsize,
}

/// The endpoint.
pub struct Ear {
    address: SocketAddr,
    inner: Arc<Inner>,
    open: JoinHandle<()>,
}

impl Ear {
    /// Opens one that takes everything.
    pub async fn open() -> Ear {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let inner = Arc::new(Inner {
            told: Mutex::default(),
            answering: Mutex::new(Box::new(|_| Manner::Status(204))),
            connections: AtomicUsize::new(0),
        });
        let open = tokio::spawn(listen(listener, inner.clone()));
        Ear { address, inner, open }
    }

    /// Answers so from now on.
    pub fn answer(&self, manner: impl Fn(&Told) -> Manner + Send + 'static) {
        *self.inner.answering.lock().unwrap() = Box::new(manner);
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}/told", self.address)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Everything it was told, in the order it came.
    pub fn told(&self) -> Vec<Told> {
        self.inner.told.lock().unwrap().clone()
    }

    /// What it has taken, in the order it came.
    pub fn taken(&self) -> Vec<Told> {
        self.told().into_iter().filter(|told| told.taken).collect()
    }

    /// How often it was connected to.
    pub fn connections(&self) -> usize {
        self.inner.connections.load(Ordering::SeqCst)
    }

    /// Waits until it was told so many things.
    pub async fn hears(&self, count: usize) -> Vec<Told> {
        let told = || Some(self.told()).filter(|told| told.len() >= count);
        eventually(&format!("{count} notifications"), async || told()).await
    }

    /// Waits until it has taken so many things.
    pub async fn takes(&self, count: usize) -> Vec<Told> {
        let taken = || Some(self.taken()).filter(|taken| taken.len() >= count);
        eventually(&format!("{count} notifications taken"), async || taken()).await
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.open.abort();
    }
}

async fn listen(listener: TcpListener, inner: Arc<Inner>) {
    while let Ok((stream, _)) = listener.accept().await {
        inner.connections.fetch_add(1, Ordering::SeqCst);
        let inner = inner.clone();
        let service = service_fn(move |request| hear(inner.clone(), request));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn hear(
    inner: Arc<Inner>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let text = |name: &str| {
        let value = head.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let mut told = Told {
        id: text("webhook-id"),
        timestamp: text("webhook-timestamp"),
        signature: text("webhook-signature"),
        content_type: text("content-type"),
        body: body.collect().await?.to_bytes(),
        taken: false,
    };
    let manner = inner.answering.lock().unwrap()(&told);
    told.taken = matches!(manner, Manner::Status(200..300));
    inner.told.lock().unwrap().push(told);
    let answer = Response::builder();
    let answer = match manner {
        Manner::Status(status) => answer.status(status),
        Manner::Redirect(to) => answer.status(307).header("location", to),
        Manner::Silence => std::future::pending().await,
    };
    Ok(answer.body(Full::default()).unwrap())
}
