//! Delivers notifications to the host: each until it is accepted, or until the schedule ends.
//!
//! Plain HTTP only. Deliveries are independent of each other and keep no order, as the providers
//! say of theirs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;
use url::Url;

/// The pauses before the second, third, … attempt at a delivery.
#[derive(Clone, Debug, PartialEq)]
pub struct Retries {
    gaps: Vec<Duration>,
}

impl Retries {
    /// The pauses between attempts; an empty list gives one attempt.
    pub fn after(gaps: impl IntoIterator<Item = Duration>) -> Self {
        Self { gaps: gaps.into_iter().collect() }
    }

    /// The same schedule, each pause multiplied: 0.001 turns seconds into milliseconds.
    pub fn scaled(self, factor: f64) -> Self {
        let scaled = |gap: Duration| {
            let seconds = gap.as_secs_f64() * factor;
            Duration::try_from_secs_f64(seconds).unwrap_or(gap)
        };
        Self { gaps: self.gaps.into_iter().map(scaled).collect() }
    }
}

/// One try at a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// The status the host answered, if it answered.
    pub status: Option<u16>,
    /// Why there was no answer.
    pub error: Option<String>,
}

/// A notification and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// The notification's identifier.
    pub id: String,
    /// The provider's word for the event, such as `payment_intent.succeeded`.
    pub event: String,
    /// Where it goes.
    pub url: String,
    /// All tries so far.
    pub attempts: Vec<Attempt>,
    /// Whether the host accepted it.
    pub accepted: bool,
}

/// Whether a delivery is signed as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seal {
    Genuine,
    Broken,
}

/// The headers of one attempt: made anew each time, as they carry the time of sending.
pub(crate) type Stamp = Arc<dyn Fn(&[u8], Seal) -> Vec<(&'static str, String)> + Send + Sync>;

/// A notification to be delivered.
#[derive(Clone)]
pub(crate) struct Letter {
    pub id: String,
    pub event: String,
    pub url: String,
    pub body: Bytes,
    pub stamp: Stamp,
}

/// What the host must do to accept.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub accepted: fn(u16) -> bool,
    pub time_limit: Duration,
    pub retries: Retries,
}

pub(crate) struct Courier {
    terms: Terms,
    runtime: Handle,
    held: watch::Sender<bool>,
    desk: Mutex<Desk>,
    tasks: Mutex<JoinSet<()>>,
}

/// What was handed in, and how many copies of each are sent.
struct Desk {
    letters: HashMap<String, Letter>,
    deliveries: Vec<Delivery>,
    copies: u32,
}

impl Courier {
    /// Must be called within a tokio runtime, on which the deliveries will run.
    pub fn new(terms: Terms) -> Arc<Self> {
        Arc::new(Self {
            terms,
            runtime: Handle::current(),
            held: watch::Sender::new(false),
            desk: Mutex::new(Desk { letters: HashMap::new(), deliveries: Vec::new(), copies: 1 }),
            tasks: Mutex::default(),
        })
    }

    pub fn send(self: &Arc<Self>, letter: Letter) {
        let copies = self.desk().copies;
        for _ in 0..copies {
            self.dispatch(letter.clone(), Seal::Genuine);
        }
    }

    /// Sends a notification once more; `false` when there is none of this identifier.
    pub fn again(self: &Arc<Self>, id: &str, seal: Seal) -> bool {
        let found = self.desk().letters.get(id).cloned();
        match found {
            Some(letter) => {
                self.dispatch(letter, seal);
                true
            }
            None => false,
        }
    }

    /// Keeps notifications back until released; an attempt under way is not stopped.
    pub fn hold(&self, held: bool) {
        self.held.send_replace(held);
    }

    /// Sends each later notification so many times.
    pub fn copy(&self, copies: u32) {
        self.desk().copies = copies;
    }

    pub fn deliveries(&self) -> Vec<Delivery> {
        self.desk().deliveries.clone()
    }

    pub fn stop(&self) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }

    fn desk(&self) -> std::sync::MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn dispatch(self: &Arc<Self>, letter: Letter, seal: Seal) {
        let index = self.file(&letter);
        let courier = Arc::clone(self);
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn_on(async move { courier.deliver(index, letter, seal).await }, &self.runtime);
    }

    fn file(&self, letter: &Letter) -> usize {
        let mut desk = self.desk();
        desk.letters.entry(letter.id.clone()).or_insert_with(|| letter.clone());
        desk.deliveries.push(Delivery {
            id: letter.id.clone(),
            event: letter.event.clone(),
            url: letter.url.clone(),
            attempts: Vec::new(),
            accepted: false,
        });
        desk.deliveries.len() - 1
    }

    async fn deliver(&self, index: usize, letter: Letter, seal: Seal) {
        let mut gaps = self.terms.retries.gaps.iter();
        loop {
            self.released().await;
            if self.attempt(index, &letter, seal).await {
                return;
            }
            match gaps.next() {
                Some(gap) => tokio::time::sleep(*gap).await,
                None => return,
            }
        }
    }

    async fn released(&self) {
        let mut held = self.held.subscribe();
        // Only fails when the sender is gone, and this holds it.
        let _ = held.wait_for(|held| !held).await;
    }

    async fn attempt(&self, index: usize, letter: &Letter, seal: Seal) -> bool {
        let posted = tokio::time::timeout(self.terms.time_limit, post(letter, seal)).await;
        let attempt = match posted {
            Ok(Ok(status)) => Attempt { status: Some(status), error: None },
            Ok(Err(error)) => Attempt { status: None, error: Some(error.to_string()) },
            Err(_) => Attempt { status: None, error: Some("no answer in time".into()) },
        };
        let accepted = attempt.status.is_some_and(self.terms.accepted);
        tracing::debug!(id = letter.id, event = letter.event, ?attempt, "notification");
        if let Some(delivery) = self.desk().deliveries.get_mut(index) {
            delivery.attempts.push(attempt);
            delivery.accepted |= accepted;
        }
        accepted
    }
}

/// Why a notification could not be posted.
#[derive(Debug, thiserror::Error)]
enum PostError {
    #[error("not a plain http address")]
    Address,
    #[error("cannot connect: {0}")]
    Connect(#[from] std::io::Error),
    #[error("the exchange failed: {0}")]
    Exchange(#[from] hyper::Error),
    #[error("cannot make the request: {0}")]
    Request(#[from] http::Error),
}

async fn post(letter: &Letter, seal: Seal) -> Result<u16, PostError> {
    let url = Url::parse(&letter.url).map_err(|_| PostError::Address)?;
    let authority = match (url.scheme(), url.host_str()) {
        ("http", Some(host)) => format!("{host}:{}", url.port_or_known_default().unwrap_or(80)),
        _ => return Err(PostError::Address),
    };
    let stream = TcpStream::connect(&authority).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let answered = sender.send_request(request(letter, seal, &url, &authority)?).await;
    let status = match answered {
        Ok(response) => {
            let status = response.status().as_u16();
            // The body says nothing, but an answer cut off in its middle is no acceptance.
            response.into_body().collect().await?;
            status
        }
        Err(error) => return Err(error.into()),
    };
    driver.abort();
    Ok(status)
}

fn request(
    letter: &Letter,
    seal: Seal,
    url: &Url,
    authority: &str,
) -> Result<Request<Full<Bytes>>, http::Error> {
    let target = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let mut request = Request::builder().method(Method::POST).uri(target).header("host", authority);
    for (name, value) in (letter.stamp)(&letter.body, seal) {
        request = request.header(name, value);
    }
    request.body(Full::new(letter.body.clone()))
}
