//! The one way out: a request is checked and filled, its intent made durable while the connection
//! is opened, and only then does its first byte leave.

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use http::HeaderValue;
use rustls::RootCertStore;
use tokio::time::timeout_at;
use vault::Secret;

use crate::allowed::AllowedHost;
use crate::clock::{self, Deadlines};
use crate::connect::{Connect, Tcp};
use crate::connection::{Bounds, Broken, Connection};
use crate::dial::{Resolve, SystemResolver, Ways, dial, resolve};
use crate::error::{Error, Failed, Kind};
use crate::fill::Fill;
use crate::frame::Framed;
use crate::gate::{Gate, Timeouts};
use crate::head::Prepared;
use crate::outside::Outside;
use crate::pool::{Key, Pool, PoolLimits};
use crate::reply::Reply;
use crate::request::Request;
use crate::strike::Strike;
use crate::target::Target;
use crate::tls::{self, Configs, Identity};

/// What the operator decides for the whole process.
#[derive(Clone)]
pub struct Options {
    /// PEM certificates to believe beside the public web's roots.
    pub extra_roots_pem: Vec<Vec<u8>>,
    /// How connections are kept for further requests.
    pub pool: PoolLimits,
    /// Where names become addresses.
    pub resolver: Arc<dyn Resolve>,
    /// Where addresses become streams.
    pub connector: Arc<dyn Connect>,
    /// Sent where a plugin gives none; some providers refuse requests without.
    pub user_agent: String,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            extra_roots_pem: Vec::new(),
            pool: PoolLimits::default(),
            resolver: Arc::new(SystemResolver),
            connector: Arc::new(Tcp),
            user_agent: concat!("tollgate/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// All sockets towards providers. One a process; shared by reference.
pub struct Egress {
    roots: Arc<RootCertStore>,
    anonymous: Configs,
    ways: Ways,
    user_agent: HeaderValue,
    pool: Pool,
}

impl fmt::Debug for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Egress({} roots)", self.roots.len())
    }
}

impl Egress {
    /// With no connection open yet. Fails with [`Kind::Settings`] on an unusable certificate.
    pub fn new(options: Options) -> Result<Egress, Error> {
        let roots = tls::roots(&options.extra_roots_pem)?;
        let anonymous = tls::anonymous(&roots)?;
        let user_agent = HeaderValue::from_str(&options.user_agent)
            .map_err(|source| Error::from_source(Kind::Settings, "the user agent", source))?;
        let pool = Pool::new(options.pool);
        let ways = Ways { resolver: options.resolver, connector: options.connector };
        Ok(Egress { roots, anonymous, ways, user_agent, pool })
    }

    /// A client certificate chain (leaf first) with its private key, both PEM, for [`Gate`]s.
    pub fn identity(
        &self,
        name: &str,
        chain_pem: &[u8],
        key_pem: &Secret,
    ) -> Result<Identity, Error> {
        tls::identity(&self.roots, name, chain_pem, key_pem)
    }

    /// The host of a URL that somebody else wrote, for a [`Gate`]: its name is resolved now, and
    /// every address it has is one that `outside` allows. Nothing is connected to. What is reached
    /// through the gate later is checked again, address by address, as it is connected to.
    ///
    /// # Errors
    /// [`Kind::Target`], [`Kind::HostNotAllowed`] and [`Kind::AddressRefused`]: not with this URL.
    /// [`Kind::Resolve`] and [`Kind::Timeout`]: not now.
    pub async fn admit(&self, url: &str, outside: &Outside) -> Result<AllowedHost, Error> {
        let host = outside.host(url)?;
        let (target, _) = Target::of_url(url, std::slice::from_ref(&host))?;
        let deadline = clock::after(Timeouts::default().connect_ms_max);
        let resolved = timeout_at(deadline, resolve(&*self.ways.resolver, &target)).await;
        let late = |_| Error::new(Kind::Timeout, format!("{target} was not resolved in time"));
        resolved.map_err(late)?.map(|_| host)
    }

    /// Sends `request` once and gives its whole answer.
    ///
    /// `intent` makes the request durable. It is begun only when the request may be sent at all,
    /// runs while the connection is opened, and no byte of the request leaves before it has
    /// answered `Ok`. Once begun it is driven to its end whatever becomes of the connection, so it
    /// is never left half-way: after a `NotSent` it has succeeded, after `Refused` it never began.
    /// Dropping the returned future drops the intent and the connection with it; what had left
    /// by then is unknown to the caller, as after a crash.
    ///
    /// Whatever sensitive value the answer repeats is struck out of it.
    ///
    /// A reused connection that turns out to be closed before it took a byte is replaced by a new
    /// one; that is the only thing done twice.
    pub async fn send<E>(
        &self,
        gate: &Gate,
        fill: &dyn Fill,
        request: &Request,
        intent: impl Future<Output = Result<(), E>> + Send,
    ) -> Result<Reply, Failed<E>> {
        let reply = self.send_filled(gate, fill, request, intent).await?;
        Ok(Strike::of(request, fill).out_of(reply))
    }

    async fn send_filled<E>(
        &self,
        gate: &Gate,
        fill: &dyn Fill,
        request: &Request,
        intent: impl Future<Output = Result<(), E>> + Send,
    ) -> Result<Reply, Failed<E>> {
        match request {
            Request::Http(request) => {
                let prepared = Prepared::new(gate, fill, request, &self.user_agent)
                    .map_err(Failed::Refused)?;
                self.send_http(gate, &prepared, intent).await
            }
            Request::Frame(request) => {
                let framed = Framed::new(gate, fill, request).map_err(Failed::Refused)?;
                self.send_frame(gate, &framed, intent).await
            }
        }
    }

    async fn send_http<E>(
        &self,
        gate: &Gate,
        prepared: &Prepared,
        intent: impl Future<Output = Result<(), E>> + Send,
    ) -> Result<Reply, Failed<E>> {
        let key = Key::new(&prepared.target, gate);
        let open = async {
            match self.pool.take(&key) {
                Some(connection) => Ok((connection, true)),
                None => Ok((self.connect(gate, &prepared.target).await?, false)),
            }
        };
        let (mut connection, reused) = barrier(open, intent).await?;
        if reused {
            match connection.exchange(prepared.request(), bounds(gate)).await {
                Err(Broken { left: false, error }) => {
                    tracing::debug!(target = %prepared.target, %error, "connecting anew");
                }
                answer => return self.finish(key, connection, answer),
            }
            connection = self.connect(gate, &prepared.target).await.map_err(Failed::NotSent)?;
        }
        let answer = connection.exchange(prepared.request(), bounds(gate)).await;
        self.finish(key, connection, answer)
    }

    fn finish<E>(
        &self,
        key: Key,
        connection: Connection,
        answer: Result<Reply, Broken>,
    ) -> Result<Reply, Failed<E>> {
        let reply = answer.map_err(failed)?;
        self.pool.put(key, connection);
        Ok(reply)
    }

    async fn send_frame<E>(
        &self,
        gate: &Gate,
        framed: &Framed,
        intent: impl Future<Output = Result<(), E>> + Send,
    ) -> Result<Reply, Failed<E>> {
        let config = &self.configs(gate).frame;
        let open = dial(&self.ways, &framed.target, config, gate.timeouts.connect_ms_max);
        let dialled = barrier(open, intent).await?;
        framed.exchange(dialled, bounds(gate)).await.map_err(failed)
    }

    async fn connect(&self, gate: &Gate, target: &Target) -> Result<Connection, Error> {
        let config = &self.configs(gate).http;
        let dialled = dial(&self.ways, target, config, gate.timeouts.connect_ms_max).await?;
        Connection::new(dialled).await
    }

    fn configs<'a>(&'a self, gate: &'a Gate) -> &'a Configs {
        gate.identity.as_ref().map_or(&self.anonymous, |identity| &identity.configs)
    }
}

/// Opens while the intent is recorded, and gives the connection only once both are done. The intent
/// is driven to its end even when opening has failed; a failed intent ends the opening.
async fn barrier<T, E>(
    open: impl Future<Output = Result<T, Error>>,
    intent: impl Future<Output = Result<(), E>>,
) -> Result<T, Failed<E>> {
    let (mut open, mut intent) = (pin!(open), pin!(intent));
    tokio::select! {
        biased;
        recorded = &mut intent => {
            recorded.map_err(Failed::Intent)?;
            open.await.map_err(Failed::NotSent)
        }
        opened = &mut open => {
            intent.await.map_err(Failed::Intent)?;
            opened.map_err(Failed::NotSent)
        }
    }
}

fn bounds(gate: &Gate) -> Bounds {
    Bounds {
        deadlines: Deadlines::start(&gate.timeouts),
        response_bytes_max: gate.response_bytes_max,
    }
}

fn failed<E>(broken: Broken) -> Failed<E> {
    match broken.left {
        true => Failed::NoReply(broken.error),
        false => Failed::NotSent(broken.error),
    }
}
