//! A reader of the feed as a stream of server-sent events, by the rules of the WHATWG standard.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::patience::LONG;

/// One dispatched event.
#[derive(Clone, Debug, PartialEq)]
pub struct Dispatched {
    /// The last event's identifier.
    pub id: String,
    /// Its type.
    pub event: String,
    /// Its payload.
    pub data: Value,
}

/// An open stream.
pub struct Listening {
    stream: BufReader<TcpStream>,
    /// What was decoded of the chunks and is not yet a line.
    left: String,
    /// Comments that came.
    pub comments: usize,
}

impl Listening {
    /// Opens one after an event, or from the beginning, as soon as the app may have one more: the
    /// place of one that was hung up is free a moment later.
    pub async fn open(address: SocketAddr, key: &str, after: Option<&str>) -> Listening {
        let open = async {
            loop {
                if let Some(open) = Listening::try_open(address, key, after).await {
                    return open;
                }
            }
        };
        timeout(LONG, open).await.expect("a place for a stream")
    }

    async fn try_open(address: SocketAddr, key: &str, after: Option<&str>) -> Option<Listening> {
        let mut stream = BufReader::new(TcpStream::connect(address).await.unwrap());
        let last = after.map(|id| format!("last-event-id: {id}\r\n")).unwrap_or_default();
        let head = format!(
            "GET /v1/events HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\n\
             accept: text/event-stream\r\n{last}\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            timeout(LONG, stream.read_line(&mut line)).await.unwrap().unwrap();
            if line.trim().is_empty() {
                break;
            }
            lines.push(line.to_ascii_lowercase());
        }
        if lines[0].contains(" 429 ") {
            return None;
        }
        assert!(lines[0].contains(" 200 "), "{lines:?}");
        assert!(lines.iter().any(|line| line.trim() == "content-type: text/event-stream"));
        Some(Listening { stream, left: String::new(), comments: 0 })
    }

    /// The next event; none when the stream has ended.
    pub async fn next(&mut self) -> Option<Dispatched> {
        let (mut id, mut event, mut data) = (String::new(), String::new(), String::new());
        loop {
            let line = self.line().await?;
            match line.split_once(':').map(|(field, value)| (field, value.trim_start())) {
                Some(("id", value)) => id = value.to_owned(),
                Some(("event", value)) => event = value.to_owned(),
                Some(("data", value)) => data += value,
                Some(("", _)) => self.comments += 1,
                Some(("retry", value)) => assert!(value.parse::<u64>().is_ok()),
                Some(_) => panic!("`{line}` is no line of an event stream"),
                None if data.is_empty() => {}
                None => {
                    let data = serde_json::from_str(&data).unwrap();
                    return Some(Dispatched { id, event, data });
                }
            }
        }
    }

    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some((line, rest)) = self.left.split_once('\n') {
                let line = line.to_owned();
                self.left = rest.to_owned();
                return Some(line);
            }
            let chunk = timeout(LONG, self.chunk()).await.expect("something in the stream")?;
            self.left += &chunk;
        }
    }

    async fn chunk(&mut self) -> Option<String> {
        let mut size = String::new();
        self.stream.read_line(&mut size).await.ok()?;
        let size = usize::from_str_radix(size.trim(), 16).ok().filter(|size| *size > 0)?;
        let mut bytes = vec![0; size + 2];
        self.stream.read_exact(&mut bytes).await.ok()?;
        bytes.truncate(size);
        Some(String::from_utf8(bytes).unwrap())
    }
}
