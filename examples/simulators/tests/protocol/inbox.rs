//! The host's side of notifications: takes them, and answers each with the next status it was told.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

#[derive(Clone, Debug)]
pub struct Notification {
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Notification {
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_else(|| panic!("no header {name}"))
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }
}

pub struct Inbox {
    pub address: SocketAddr,
    arrived: mpsc::UnboundedReceiver<Notification>,
}

impl Inbox {
    /// Answers the first notifications with these statuses, all later ones with 200.
    pub async fn open(statuses: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (sender, arrived) = mpsc::unbounded_channel();
        let statuses: Arc<Mutex<Vec<u16>>> =
            Arc::new(Mutex::new(statuses.iter().rev().copied().collect()));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(take(stream, sender.clone(), Arc::clone(&statuses)));
            }
        });
        Self { address, arrived }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hooks", self.address)
    }

    pub async fn next(&mut self) -> Notification {
        self.arrived.recv().await.expect("a notification")
    }

    /// The next notification that matches; others before it are dropped.
    pub async fn find(&mut self, wanted: impl Fn(&Notification) -> bool) -> Notification {
        loop {
            let notification = self.next().await;
            if wanted(&notification) {
                return notification;
            }
        }
    }
}

async fn take(
    mut stream: TcpStream,
    sender: mpsc::UnboundedSender<Notification>,
    statuses: Arc<Mutex<Vec<u16>>>,
) {
    let Some(notification) = read(&mut stream).await else { return };
    let status = statuses.lock().expect("statuses").pop().unwrap_or(200);
    let answer = format!("HTTP/1.1 {status} Some\r\ncontent-length: 0\r\n\r\n");
    stream.write_all(answer.as_bytes()).await.ok();
    stream.shutdown().await.ok();
    sender.send(notification).ok();
}

async fn read(stream: &mut TcpStream) -> Option<Notification> {
    let mut bytes = Vec::new();
    loop {
        if let Some(notification) = parse(&bytes) {
            return Some(notification);
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

fn parse(bytes: &[u8]) -> Option<Notification> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let headers: Vec<(String, String)> = head
        .split("\r\n")
        .skip(1)
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length")?;
    let length: usize = length.1.parse().ok()?;
    let body = bytes.get(end + 4..end + 4 + length)?.to_vec();
    Some(Notification { headers, body })
}
