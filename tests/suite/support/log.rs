//! The host's log as it comes, line by line.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::sync::watch;
use tokio::time::timeout;

use super::patience::LONG;

/// All lines so far; shared by its clones.
#[derive(Clone)]
pub struct Log {
    lines: Arc<Mutex<Vec<String>>>,
    /// How many there are; closed when the process has ended.
    count: watch::Receiver<usize>,
}

impl Log {
    /// Reads a process's standard error until it ends.
    pub fn of(stream: impl AsyncRead + Unpin + Send + 'static) -> Log {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (counted, count) = watch::channel(0);
        let kept = lines.clone();
        tokio::spawn(async move {
            let mut stream = BufReader::new(stream).lines();
            while let Ok(Some(line)) = stream.next_line().await {
                let mut kept = kept.lock().unwrap();
                kept.push(line);
                counted.send_replace(kept.len());
            }
        });
        Log { lines, count }
    }

    /// The first line from number `from` on of which `fits` holds; none when the process ended
    /// without it.
    pub async fn line(&self, from: usize, fits: impl Fn(&Value) -> bool) -> Option<Value> {
        let (mut count, mut next) = (self.count.clone(), from);
        let wait = async {
            loop {
                let lines = self.from(next);
                next += lines.len();
                let values = lines.iter().filter_map(|line| serde_json::from_str(line).ok());
                if let Some(found) = values.into_iter().find(|value| fits(value)) {
                    return Some(found);
                }
                if count.changed().await.is_err() && self.from(next).is_empty() {
                    return None;
                }
            }
        };
        let found = timeout(LONG, wait).await;
        found.unwrap_or_else(|_| panic!("no such line was logged:\n{}", self.tail()))
    }

    /// How many lines there are.
    pub fn length(&self) -> usize {
        self.lines.lock().unwrap().len()
    }

    /// The lines from number `from` on.
    pub fn from(&self, from: usize) -> Vec<String> {
        self.lines.lock().unwrap().get(from..).unwrap_or_default().to_vec()
    }

    /// The newest lines, for a test that stops.
    pub fn tail(&self) -> String {
        self.from(self.length().saturating_sub(40)).join("\n")
    }
}
