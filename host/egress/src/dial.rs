//! Opening a connection: resolve once, check every address, connect to one that was checked, shake
//! hands. Not here: what travels on it.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use crate::allowed::Channel;
use crate::clock;
use crate::connect::{Connect, Opened, Probe, Stream};
use crate::error::{Error, Kind};
use crate::host::Host;
use crate::target::Target;
use crate::wire::{Meter, Wire};

/// What a resolver answers with.
pub type Addresses<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Where names become addresses. Asked once for each new connection; what it answers is checked
/// and connected to, and never asked for again in between.
pub trait Resolve: Send + Sync {
    /// The addresses of `host`, a name in lower-case ASCII, best first.
    fn resolve<'a>(&'a self, host: &'a str) -> Addresses<'a>;
}

/// The system's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str) -> Addresses<'a> {
        Box::pin(async move {
            Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
        })
    }
}

/// Where names become addresses, and addresses streams.
pub(crate) struct Ways {
    pub(crate) resolver: Arc<dyn Resolve>,
    pub(crate) connector: Arc<dyn Connect>,
}

/// An open connection on which nothing but a TLS handshake has travelled.
pub(crate) struct Dialled {
    pub(crate) stream: Box<dyn Stream>,
    pub(crate) meter: Meter,
    /// Tells whether the other side is still there.
    pub(crate) probe: Box<dyn Probe>,
}

impl fmt::Debug for Dialled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dialled({:?})", self.meter)
    }
}

/// Opens a connection to `target` within `connect_ms_max`.
pub(crate) async fn dial(
    ways: &Ways,
    target: &Target,
    config: &Arc<ClientConfig>,
    connect_ms_max: u64,
) -> Result<Dialled, Error> {
    let deadline = clock::after(connect_ms_max);
    let open = async {
        let addresses = resolve(&*ways.resolver, target).await?;
        let opened = connect(&*ways.connector, target, &addresses, deadline).await?;
        shake_hands(target, opened, config).await
    };
    timeout_at(deadline, open).await.unwrap_or_else(|_| {
        let what = format!("no connection to {target} within {connect_ms_max} ms");
        Err(Error::new(Kind::Timeout, what))
    })
}

/// The addresses to try, all of them checked: one bad address among good ones refuses the name.
pub(crate) async fn resolve(resolver: &dyn Resolve, target: &Target) -> Result<Vec<IpAddr>, Error> {
    let addresses = match &target.host {
        Host::Address(address) => vec![*address],
        Host::Name(name) => look_up(resolver, name).await?,
    };
    match addresses.iter().find_map(|address| target.reach.refusal(&target.host, *address)) {
        Some(refused) => Err(refused),
        None => Ok(addresses),
    }
}

async fn look_up(resolver: &dyn Resolve, name: &str) -> Result<Vec<IpAddr>, Error> {
    let addresses = resolver.resolve(name).await.map_err(|source| {
        Error::from_source(Kind::Resolve, format!("`{name}` cannot be resolved"), source)
    })?;
    match addresses.is_empty() {
        true => Err(Error::new(Kind::Resolve, format!("`{name}` has no address"))),
        false => Ok(addresses),
    }
}

/// One address after the other, each with a fair share of the time that is left.
async fn connect(
    connector: &dyn Connect,
    target: &Target,
    addresses: &[IpAddr],
    deadline: Instant,
) -> Result<Opened, Error> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for (index, address) in addresses.iter().enumerate() {
        let left = u32::try_from(addresses.len().saturating_sub(index)).unwrap_or(u32::MAX).max(1);
        let share = deadline.saturating_duration_since(Instant::now()) / left;
        let attempt = connector.connect(SocketAddr::new(*address, target.port));
        match tokio::time::timeout(share, attempt).await {
            Ok(Ok(opened)) => return Ok(opened),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::Error::from(io::ErrorKind::TimedOut),
        }
    }
    let kind = match last.kind() {
        io::ErrorKind::TimedOut => Kind::Timeout,
        _ => Kind::Connect,
    };
    Err(Error::from_source(kind, format!("{target} cannot be connected to"), last))
}

async fn shake_hands(
    target: &Target,
    opened: Opened,
    config: &Arc<ClientConfig>,
) -> Result<Dialled, Error> {
    let Opened { stream, probe } = opened;
    let (wire, meter) = Wire::new(stream);
    if target.channel != Channel::Tls {
        return Ok(Dialled { stream: Box::new(wire), meter, probe });
    }
    let failed = |source: io::Error| {
        let what = format!("TLS with {target} failed");
        Error::from_source(Kind::Tls, what, source)
    };
    let name = server_name(&target.host).map_err(failed)?;
    let stream =
        TlsConnector::from(Arc::clone(config)).connect(name, wire).await.map_err(failed)?;
    Ok(Dialled { stream: Box::new(stream), meter, probe })
}

fn server_name(host: &Host) -> io::Result<ServerName<'static>> {
    match host {
        Host::Address(address) => Ok(ServerName::from(*address)),
        Host::Name(name) => ServerName::try_from(name.clone()).map_err(io::Error::other),
    }
}
