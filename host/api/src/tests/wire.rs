//! A host on a loopback port, and a client that writes bytes and reads answers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::double::{Double, KEY};
use crate::limits::Limits;
use crate::platform::Platform;
use crate::problem::Place;
use crate::route::Route;
use crate::server::{Options, Server};
use crate::shape::{Faults, Shape};
use crate::table::ROUTES;
use crate::vocabulary::PROBLEM;

/// Long past what any answer takes: a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running host.
pub(super) struct Host {
    pub(super) address: SocketAddr,
    pub(super) engine: Arc<Double>,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<bool>,
}

/// An answer as it was read.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Host {
    pub(super) async fn start() -> Host {
        Host::with(Limits::default()).await
    }

    pub(super) async fn with(limits: Limits) -> Host {
        let engine = Arc::new(Double::new());
        let listen = "127.0.0.1:0".parse().unwrap();
        let platform = Platform::default();
        let options = Options { listen, limits, proxies: Vec::new(), admin: None, platform };
        let server = Server::bind(options, engine.clone()).await.unwrap();
        let address = server.local_address();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(server.serve(async {
            let _ = stopped.await;
        }));
        Host { address, engine, stop: Some(stop), serving }
    }

    /// Asks the host to stop, without waiting.
    pub(super) fn tell_to_stop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
    }

    /// Whether everything was answered when the host stopped.
    pub(super) async fn stopped(self) -> bool {
        timeout(PATIENCE, self.serving).await.expect("the host did not stop").unwrap()
    }

    pub(super) async fn connect(&self) -> Client {
        Client { stream: TcpStream::connect(self.address).await.unwrap(), left: Vec::new() }
    }

    /// One request on a connection of its own, held to what the operation's route says.
    pub(super) async fn exchange(&self, request: &Asked) -> Heard {
        let mut client = self.connect().await;
        client.write(&request.bytes()).await;
        let heard = client.read(request.method == "HEAD").await;
        request.hold(&heard);
        heard
    }
}

/// A connection.
pub(super) struct Client {
    stream: TcpStream,
    left: Vec<u8>,
}

impl Client {
    pub(super) async fn write(&mut self, bytes: &[u8]) {
        // The host may have answered and closed before it took everything.
        self.try_write(bytes).await;
    }

    /// Whether the host let everything be written.
    pub(super) async fn try_write(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).await.is_ok()
    }

    /// The next answer; fails the test where the connection ends before it.
    pub(super) async fn read(&mut self, head_only: bool) -> Heard {
        let heard = timeout(PATIENCE, self.try_read(head_only)).await;
        heard.expect("no answer in time").expect("the connection ended before the answer")
    }

    async fn try_read(&mut self, head_only: bool) -> Option<Heard> {
        let end = loop {
            if let Some(end) = self.left.windows(4).position(|four| four == b"\r\n\r\n") {
                break end;
            }
            self.more().await?;
        };
        let head = String::from_utf8(self.left.drain(..end + 4).collect()).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().unwrap();
        let header = |line: &str| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_ascii_lowercase(), value.trim().to_owned())
        };
        let headers: Vec<_> = lines.map(header).collect();
        if status == 100 {
            return Box::pin(self.try_read(head_only)).await;
        }
        let mut heard = Heard { status, headers, body: Vec::new() };
        if !head_only {
            let length = heard.header("content-length").expect("a length").parse().unwrap();
            while self.left.len() < length {
                self.more().await?;
            }
            heard.body = self.left.drain(..length).collect();
        }
        Some(heard)
    }

    async fn more(&mut self) -> Option<()> {
        let mut buffer = [0; 4096];
        let count = self.stream.read(&mut buffer).await.ok().filter(|count| *count > 0)?;
        self.left.extend_from_slice(&buffer[..count]);
        Some(())
    }

    /// Waits for the host to close; what it still sent.
    pub(super) async fn closed(mut self) -> Vec<u8> {
        let closed = timeout(PATIENCE, async { while self.more().await.is_some() {} }).await;
        closed.expect("the connection stayed open");
        self.left
    }
}

impl Heard {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.0 == name).map(|header| header.1.as_str())
    }

    pub(super) fn json(&self) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text:?}"))
    }

    pub(super) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or("-").to_owned()
    }

    /// The faults as `in field rule`.
    pub(super) fn faults(&self) -> Vec<String> {
        let json = self.json();
        let list = json["errors"].as_array().cloned().unwrap_or_default();
        let text = |fault: &Value, name: &str| fault[name].as_str().unwrap().to_owned();
        let line = |fault: &Value| {
            format!("{} {} {}", text(fault, "in"), text(fault, "field"), text(fault, "rule"))
        };
        list.iter().map(line).collect()
    }
}

/// A request.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) method: &'static str,
    pub(super) target: String,
    pub(super) headers: Vec<(&'static str, Vec<u8>)>,
    pub(super) body: Vec<u8>,
}

impl Asked {
    pub(super) fn get(target: &str) -> Asked {
        let headers = vec![
            ("host", b"localhost".to_vec()),
            ("authorization", format!("Bearer {KEY}").into_bytes()),
        ];
        Asked { method: "GET", target: target.to_owned(), headers, body: Vec::new() }
    }

    /// A request with JSON under an idempotency key.
    pub(super) fn post(target: &str, key: &str, body: impl Into<Vec<u8>>) -> Asked {
        let mut asked = Asked { method: "POST", body: body.into(), ..Asked::get(target) };
        asked.headers.push(("content-type", b"application/json".to_vec()));
        asked.headers.push(("idempotency-key", key.as_bytes().to_vec()));
        asked
    }

    pub(super) fn method(mut self, method: &'static str) -> Asked {
        self.method = method;
        self
    }

    pub(super) fn without(mut self, name: &str) -> Asked {
        self.headers.retain(|header| header.0 != name);
        self
    }

    pub(super) fn also(mut self, name: &'static str, value: impl Into<Vec<u8>>) -> Asked {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn with(self, name: &'static str, value: impl Into<Vec<u8>>) -> Asked {
        self.without(name).also(name, value)
    }

    pub(super) fn head(&self) -> Vec<u8> {
        let mut bytes = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.head();
        let framed = |name: &str| self.headers.iter().any(|header| header.0 == name);
        if !framed("content-length") && !framed("transfer-encoding") && !self.body.is_empty() {
            let length = format!("content-length: {}\r\n", self.body.len());
            bytes.extend_from_slice(length.as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Holds an answer to what is documented.
    pub(super) fn hold(&self, heard: &Heard) {
        let asked = format!("{} {} -> {heard:?}", self.method, self.target);
        assert_eq!(heard.header("cache-control"), Some("no-store"), "{asked}");
        assert!(heard.header("request-id").is_some_and(|id| id.starts_with("req_")), "{asked}");
        let path = self.target.split('?').next().unwrap();
        let method = if self.method == "HEAD" { "GET" } else { self.method };
        let route = ROUTES.iter().find(|one| one.method == method && one.fit(path).is_some());
        if heard.header("content-type") == Some("application/problem+json") {
            hold_problem(route, heard, self.method == "HEAD");
        } else if self.method != "HEAD" {
            hold_given(route.expect("an answer without a route"), heard);
        }
    }
}

fn hold_problem(route: Option<&Route>, heard: &Heard, head_only: bool) {
    if head_only {
        return;
    }
    hold_shape(&PROBLEM, heard);
    let (json, code) = (heard.json(), heard.code());
    assert_eq!(json["status"], heard.status);
    assert_eq!(json["type"], format!("/problems/{code}"));
    let waits = matches!(json["retry"].as_str(), Some("same-key" | "later"));
    assert_eq!(heard.header("retry-after").is_some(), waits, "{heard:?}");
    assert_eq!(heard.header("www-authenticate").is_some(), heard.status == 401, "{heard:?}");
    assert_eq!(heard.header("allow").is_some(), heard.status == 405, "{heard:?}");
    if let Some(route) = route {
        let known = |one: &&crate::Code| one.code == code && one.status == heard.status;
        assert!(route.problems().any(|one| known(&one)), "{} hides {heard:?}", route.id);
    } else {
        assert!(crate::CATALOGUE.iter().any(|one| one.code == code), "{heard:?}");
    }
}

fn hold_given(route: &Route, heard: &Heard) {
    let given = route.given.iter().find(|given| given.status == heard.status);
    match given.and_then(|given| given.body) {
        Some((_, shape)) => hold_shape(shape, heard),
        // A page, or what a plugin wants to be answered.
        None => assert!(given.is_some() || route.given.is_empty(), "{} hides {heard:?}", route.id),
    }
}

fn hold_shape(shape: &Shape, heard: &Heard) {
    let mut faults = Faults::of(Place::Body);
    shape.check(&heard.json(), "", &mut faults);
    assert_eq!(faults.into_list(), [], "{heard:?}");
}

impl Client {
    /// The status of an interim answer.
    pub(super) async fn informed(&mut self) -> u16 {
        while !self.left.windows(4).any(|four| four == b"\r\n\r\n") {
            timeout(PATIENCE, self.more()).await.expect("no answer in time").unwrap();
        }
        let line = String::from_utf8(std::mem::take(&mut self.left)).unwrap();
        line.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// Whether the host has closed.
    pub(super) fn is_closed(&self) -> bool {
        matches!(self.stream.try_read(&mut [0; 1]), Ok(0))
            || self
                .stream
                .try_read(&mut [0; 1])
                .is_err_and(|error| error.kind() != std::io::ErrorKind::WouldBlock)
    }

    /// Writes until the host has had enough; fails the test where it never has.
    pub(super) async fn write_all_or_fail(&mut self, bytes: &[u8], most: Duration) {
        let written = timeout(most, async {
            loop {
                if self.stream.write_all(bytes).await.is_err() {
                    return;
                }
            }
        });
        written.await.expect("the host waits for ever");
    }
}
