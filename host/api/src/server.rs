//! The accept loop: connections within their limits, and a stop that answers what is in hand.
//!
//! Not here: TLS, which ends before this server, and HTTP/2.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use engine::IpNet;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::admin::AdminAccess;
use crate::connection;
use crate::contract::Payments;
use crate::edge::Edge;
use crate::limits::Limits;
use crate::platform::Platform;

/// How long to wait when the system gives no more sockets.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);
/// How many refused connections are given an answer at once; more are closed without.
const REFUSALS_MAX: usize = 256;

/// Where to listen, and what to allow.
#[derive(Clone, Debug)]
pub struct Options {
    /// The address; port 0 takes any free port.
    pub listen: SocketAddr,
    /// The limits.
    pub limits: Limits,
    /// Proxies that are believed when they say, by `X-Forwarded-For`, for whom they ask.
    pub proxies: Vec<IpNet>,
    /// Who may use the admin interface; where nobody may, there is none.
    pub admin: Option<AdminAccess>,
    /// Its keys, and what it takes for proof.
    pub platform: Platform,
}

/// Why the server cannot listen.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}")]
pub struct BindError {
    /// Where it was to listen.
    pub address: SocketAddr,
    /// What the system says.
    pub source: std::io::Error,
}

/// A server that listens, and answers once [`Server::serve`] is called.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    edge: Arc<Edge>,
    refusals: Arc<Semaphore>,
    /// Told when the host stops.
    stop: watch::Sender<bool>,
    /// Ends when no operation is left that has begun.
    begun: mpsc::Receiver<()>,
}

impl Server {
    /// Begins to listen.
    pub async fn bind(options: Options, payments: Arc<dyn Payments>) -> Result<Server, BindError> {
        let wanted = options.listen;
        let failed = |source| BindError { address: wanted, source };
        let listener = TcpListener::bind(options.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (hold, begun) = mpsc::channel(1);
        let (stop, stopped) = watch::channel(false);
        crate::proof::prepare();
        let options = Options { listen: address, ..options };
        let edge = Arc::new(Edge::new(payments, options, (hold, stopped)));
        let refusals = Arc::new(Semaphore::new(REFUSALS_MAX));
        Ok(Server { listener, address, edge, refusals, stop, begun })
    }

    /// Where it listens.
    pub fn local_address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `until` is done. Then it says that it is not ready, for as long as the limits
    /// say, takes no more connections, answers the requests in hand, and waits for the operations
    /// that have begun, all within the limit for draining. True when nothing was left.
    pub async fn serve(self, until: impl Future<Output = ()>) -> bool {
        let stopped = self.stop.subscribe();
        let mut connections = JoinSet::new();
        let load = self.edge.load.clone();
        let mut until = pin!(async {
            until.await;
            load.stop();
            sleep(load.limits.lame_duck).await;
        });
        loop {
            tokio::select! {
                () = until.as_mut() => break,
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => self.admit(&mut connections, (stream, peer), &stopped),
                    Err(error) => pause(&error).await,
                },
                Some(_) = connections.join_next() => {}
            }
        }
        self.stop.send_replace(true);
        self.drain(connections).await
    }

    fn admit(
        &self,
        connections: &mut JoinSet<()>,
        (stream, peer): (TcpStream, SocketAddr),
        stopped: &watch::Receiver<bool>,
    ) {
        let edge = self.edge.clone();
        let _ = stream.set_nodelay(true);
        let bounded = !edge.is_proxy(peer.ip());
        if let Some(seat) = edge.load.connections.seat(peer.ip(), 1, bounded) {
            let stopped = stopped.clone();
            connections.spawn(async move {
                let _seat = seat;
                connection::serve((stream, peer.ip()), edge, stopped).await;
            });
        } else if let Ok(permit) = self.refusals.clone().try_acquire_owned() {
            connections.spawn(async move {
                let _permit = permit;
                connection::refuse(stream, &edge).await;
            });
        }
    }

    async fn drain(self, mut connections: JoinSet<()>) -> bool {
        let Server { listener, edge, mut begun, .. } = self;
        drop(listener);
        let most = edge.load.limits.drain_timeout;
        drop(edge);
        let drained = timeout(most, async {
            while connections.join_next().await.is_some() {}
            // The last sender goes with the last operation.
            while begun.recv().await.is_some() {}
        });
        let all = drained.await.is_ok();
        connections.shutdown().await;
        if !all {
            tracing::warn!("the host stopped before every request was answered");
        }
        all
    }
}

/// Out of sockets, or a connection that went away before it was taken: the next may do better.
async fn pause(error: &std::io::Error) {
    tracing::warn!(%error, "a connection could not be taken");
    sleep(ACCEPT_PAUSE).await;
}
