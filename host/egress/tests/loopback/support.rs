//! Servers of a few lines, and requests to send them.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use egress::{
    Addresses, CardField, Egress, Failed, Fill, FrameRequest, Framing, Gate, HttpRequest, Kind,
    Method, Options, Part, Reply, Request, Resolve,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use vault::Secret;

pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

pub const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
/// More bytes than the socket buffers of both sides take.
pub const BODY_LARGE: usize = 12 << 20;

/// A listener on a port of its own.
pub async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    (listener, address)
}

/// The next connection.
pub async fn accept(listener: &TcpListener) -> TcpStream {
    listener.accept().await.expect("a connection").0
}

/// One request, whole and to the byte.
pub async fn read_request(stream: &mut (impl Stream + ?Sized)) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(stream.read_u8().await.expect("more of the head"));
    }
    let head = String::from_utf8(bytes).expect("a head in ASCII");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |text| text.parse().expect("a length"))];
    stream.read_exact(&mut body).await.expect("the body");
    head + &String::from_utf8_lossy(&body)
}

/// Everything until the other side closes; a reset counts as closing.
pub async fn read_to_end(stream: &mut (impl Stream + ?Sized)) -> Vec<u8> {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes).await {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
        Err(error) => panic!("{error}"),
    }
    bytes
}

/// Sends all of `bytes`; the other side may have gone.
pub async fn write(stream: &mut (impl Stream + ?Sized), bytes: &[u8]) {
    let _ = stream.write_all(bytes).await;
    let _ = stream.flush().await;
}

/// Closes with a reset instead of a FIN.
pub fn reset(stream: TcpStream) {
    stream.set_zero_linger().expect("lingers for no time");
}

/// Closes, and returns once the other side's kernel has acknowledged the FIN.
#[allow(deprecated)] // It blocks the thread: for one round trip on loopback.
pub fn close_and_wait(stream: TcpStream) {
    stream.set_linger(Some(std::time::Duration::from_secs(20))).expect("lingers");
}

/// Ends a test that would hang for ever otherwise.
pub async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(std::time::Duration::from_secs(30), work).await.expect("it hangs")
}

/// An intent that is durable at once.
pub async fn durable() -> Result<(), String> {
    Ok(())
}

/// The account's values; by default none.
#[derive(Default)]
pub struct Values {
    pub secrets: HashMap<String, Secret>,
    pub card: HashMap<CardField, Secret>,
}

impl Fill for Values {
    fn secret(&self, name: &str) -> Option<&Secret> {
        self.secrets.get(name)
    }
    fn card(&self, field: CardField) -> Option<&Secret> {
        self.card.get(&field)
    }
    fn derived(&self, _: u32) -> Option<&Secret> {
        None
    }
}

/// A resolver that knows `*.test`, and counts how often it is asked.
#[derive(Default)]
pub struct Names {
    pub addresses: Vec<IpAddr>,
    pub asked: AtomicUsize,
}

impl Names {
    pub fn of(addresses: &[IpAddr]) -> Arc<Names> {
        Arc::new(Names { addresses: addresses.to_vec(), asked: AtomicUsize::new(0) })
    }

    pub fn loopback() -> Arc<Names> {
        Names::of(&[IpAddr::V4(Ipv4Addr::LOCALHOST)])
    }
}

impl Resolve for Names {
    fn resolve<'a>(&'a self, host: &'a str) -> Addresses<'a> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let known = host.ends_with(".test");
        let unknown = || io::Error::from(io::ErrorKind::NotFound);
        Box::pin(async move { known.then(|| self.addresses.clone()).ok_or_else(unknown) })
    }
}

pub fn egress() -> Egress {
    Egress::new(Options::default()).expect("usable options")
}

pub fn egress_by(names: &Arc<Names>) -> Egress {
    let resolver: Arc<dyn Resolve> = names.clone();
    Egress::new(Options { resolver, ..Options::default() }).expect("usable options")
}

pub fn gate(hosts: &[String]) -> Gate {
    let hosts = hosts.iter().map(|host| host.parse().expect("a host")).collect();
    Gate { hosts, ..Gate::default() }
}

/// What may reach `address` by plain HTTP and by plain frames.
pub fn plain(address: SocketAddr) -> Gate {
    gate(&[format!("http://{address}"), format!("tcp://{address}")])
}

pub fn request(method: Method, url: String, body: &[u8]) -> HttpRequest {
    let body = match body {
        b"" => Vec::new(),
        bytes => vec![Part::Bytes(bytes.to_vec())],
    };
    HttpRequest { method, url, headers: Vec::new(), body }
}

pub fn get(address: SocketAddr) -> Request {
    Request::Http(request(Method::Get, format!("http://{address}/"), b""))
}

pub fn post(address: SocketAddr, body: &[u8]) -> Request {
    Request::Http(request(Method::Post, format!("http://{address}/pay"), body))
}

pub fn frame(address: SocketAddr, framing: Framing, body: &[u8]) -> Request {
    let body = vec![Part::Bytes(body.to_vec())];
    Request::Frame(FrameRequest { endpoint: address.to_string(), framing, body })
}

/// Sends without secrets, with an intent that is durable at once.
pub async fn send(
    egress: &Egress,
    gate: &Gate,
    request: &Request,
) -> Result<Reply, Failed<String>> {
    soon(egress.send(gate, &Values::default(), request, durable())).await
}

/// The status and body of an HTTP answer.
pub fn http(reply: Result<Reply, Failed<String>>) -> (u16, String) {
    match reply.expect("an answer") {
        Reply::Http { status, body, .. } => (status, String::from_utf8_lossy(&body).into_owned()),
        Reply::Frame(_) => panic!("a frame"),
    }
}

/// How a sending failed, in two words.
pub fn failure(reply: Result<Reply, Failed<String>>) -> (&'static str, Option<Kind>) {
    match reply.expect_err("no answer") {
        Failed::Refused(error) => ("refused", Some(error.kind)),
        Failed::Intent(_) => ("intent", None),
        Failed::NotSent(error) => ("not sent", Some(error.kind)),
        Failed::NoReply(error) => ("no reply", Some(error.kind)),
    }
}
