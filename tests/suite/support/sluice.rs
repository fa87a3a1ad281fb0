//! A way to a provider that can be shut: what is sent waits in it, for as long as a test wants.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::patience::eventually;

/// A relay, shut until it is opened.
pub struct Sluice {
    address: SocketAddr,
    open: watch::Sender<bool>,
    held: watch::Receiver<usize>,
    relaying: JoinHandle<()>,
}

impl Sluice {
    /// Before the server at this URL.
    pub async fn before(url: &str) -> Sluice {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server: SocketAddr = url.strip_prefix("http://").unwrap().parse().unwrap();
        let (open, held) = (watch::Sender::new(false), watch::Sender::new(0));
        let (opened, holds) = (open.subscribe(), held.subscribe());
        let relaying = tokio::spawn(async move {
            while let Ok((from, _)) = listener.accept().await {
                tokio::spawn(relay(from, server, opened.clone(), held.clone()));
            }
        });
        Sluice { address, open, held: holds, relaying }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets everything through that waits, and whatever comes.
    pub fn open(&self) {
        self.open.send_replace(true);
    }

    /// From now on everything waits; connections that were let through are closed.
    pub fn shut(&self) {
        self.open.send_replace(false);
    }

    /// Waits until so many connections wait in it.
    pub async fn holds(&self, count: usize) {
        let what = format!("{count} connections wait for the provider");
        eventually(&what, async || (*self.held.borrow() == count).then_some(())).await;
    }
}

impl Drop for Sluice {
    fn drop(&mut self) {
        self.relaying.abort();
    }
}

async fn relay(
    mut from: TcpStream,
    server: SocketAddr,
    mut open: watch::Receiver<bool>,
    held: watch::Sender<usize>,
) {
    held.send_modify(|count| *count += 1);
    let opened = open.wait_for(|open| *open).await.is_ok();
    held.send_modify(|count| *count -= 1);
    if !opened {
        return;
    }
    if let Ok(mut to) = TcpStream::connect(server).await {
        // Either side may hang up at any time; that is what it is for.
        tokio::select! {
            _ = copy_bidirectional(&mut from, &mut to) => {}
            _ = open.wait_for(|open| !*open) => {}
        }
    }
}
