//! The other side of a connection, in memory: it waits for the first byte, says what it is to say,
//! and hears what comes until nothing more does.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use egress::{Connect, Connecting, Heard, Opened, Probe};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// What it says, and how.
#[derive(Clone, Debug, Default)]
pub struct Saying {
    /// What it sends.
    pub answer: Vec<u8>,
    /// How many bytes at once.
    pub piece_bytes: usize,
    /// Whether it then hangs up; otherwise it says nothing more.
    pub hangs_up: bool,
}

/// A provider. Clones are the same one.
#[derive(Clone, Default)]
pub struct Provider(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    saying: Saying,
    heard: usize,
}

impl Provider {
    /// It says this from now on, and has heard nothing yet.
    pub fn says(&self, saying: Saying) {
        *self.inner() = Inner { saying, heard: 0 };
    }

    /// How many bytes it has heard.
    pub fn heard(&self) -> usize {
        self.inner().heard
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn converse(self, far: DuplexStream) {
        let (mut reading, mut writing) = tokio::io::split(far);
        if reading.read_u8().await.is_err() {
            return;
        }
        self.inner().heard += 1;
        let saying = self.inner().saying.clone();
        let say = async {
            for piece in saying.answer.chunks(saying.piece_bytes.max(1)) {
                if writing.write_all(piece).await.is_err() {
                    return;
                }
                tokio::task::yield_now().await;
            }
            if saying.hangs_up {
                // It may be gone already.
                let _ = writing.shutdown().await;
            }
        };
        let hear = async {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reading.read(&mut buffer).await {
                self.inner().heard += count;
            }
        };
        tokio::join!(say, hear);
    }
}

impl Connect for Provider {
    fn connect(&self, _: SocketAddr) -> Connecting<'_> {
        let (near, far) = tokio::io::duplex(1 << 16);
        tokio::spawn(self.clone().converse(far));
        let opened = Opened { stream: Box::new(near), probe: Box::new(Quiet) };
        Box::pin(async { Ok(opened) })
    }
}

/// Nothing comes before it was asked for.
struct Quiet;

impl Probe for Quiet {
    fn heard(&self) -> Heard {
        Heard::Nothing
    }
}
