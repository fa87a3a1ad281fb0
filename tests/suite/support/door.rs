//! One address that leads to whichever process of a host runs now: what a provider is told.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A relay. It hangs up while there is no host.
pub struct Door {
    address: SocketAddr,
    host: watch::Sender<Option<SocketAddr>>,
    open: JoinHandle<()>,
}

impl Door {
    /// Opens it, leading nowhere yet.
    pub async fn open() -> Door {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let host = watch::Sender::new(None);
        let leads = host.subscribe();
        let open = tokio::spawn(async move {
            while let Ok((from, _)) = listener.accept().await {
                tokio::spawn(relay(from, *leads.borrow()));
            }
        });
        Door { address, host, open }
    }

    /// Leads to this process from now on.
    pub fn lead_to(&self, host: SocketAddr) {
        self.host.send_replace(Some(host));
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.open.abort();
    }
}

async fn relay(mut from: TcpStream, host: Option<SocketAddr>) {
    let Some(host) = host else { return };
    if let Ok(mut to) = TcpStream::connect(host).await {
        // Either side may hang up at any time; that is what it is for.
        let _ = copy_bidirectional(&mut from, &mut to).await;
    }
}
