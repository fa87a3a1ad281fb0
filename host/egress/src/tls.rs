//! TLS as a client: whose certificates are believed, and the certificate we show. TLS 1.2 and 1.3
//! only, never early data. Not here: connecting (`dial`).

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustls::client::WantsClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};
use vault::Secret;

use crate::error::{Error, Kind};

/// A client certificate with its key, for providers that ask for one (mutual TLS). Connections of
/// different identities are never shared. Made by [`crate::Egress::identity`].
#[derive(Clone)]
pub struct Identity {
    name: String,
    serial: u64,
    pub(crate) configs: Configs,
}

/// The configuration for each of the protocols inside TLS; they differ in ALPN.
#[derive(Clone)]
pub(crate) struct Configs {
    pub(crate) http: Arc<ClientConfig>,
    pub(crate) frame: Arc<ClientConfig>,
}

impl Identity {
    /// The name the operator gave.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tells identities apart within this process; 0 is none.
    pub(crate) fn serial(identity: Option<&Identity>) -> u64 {
        identity.map_or(0, |identity| identity.serial)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.name)
    }
}

/// The public web's roots, and those the operator gave.
pub(crate) fn roots(extra_pem: &[Vec<u8>]) -> Result<Arc<RootCertStore>, Error> {
    let mut store = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for pem in extra_pem {
        for certificate in certificates(pem, "a root certificate")? {
            store.add(certificate).map_err(|source| unusable("a root certificate", source))?;
        }
    }
    Ok(Arc::new(store))
}

/// The configurations without a client certificate.
pub(crate) fn anonymous(roots: &Arc<RootCertStore>) -> Result<Configs, Error> {
    Ok(configs(builder(roots)?.with_no_client_auth()))
}

/// The identity made of a certificate chain (leaf first) and its private key, both PEM.
pub(crate) fn identity(
    roots: &Arc<RootCertStore>,
    name: &str,
    chain_pem: &[u8],
    key_pem: &Secret,
) -> Result<Identity, Error> {
    static SERIAL: AtomicU64 = AtomicU64::new(1);
    let what = format!("client certificate `{name}`");
    let chain = certificates(chain_pem, &what)?;
    let key = PrivateKeyDer::from_pem_slice(key_pem.expose())
        .map_err(|_| Error::new(Kind::Settings, format!("{what}: its key is no PEM key")))?;
    let config = builder(roots)?
        .with_client_auth_cert(chain, key)
        .map_err(|source| unusable(&what, source))?;
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    Ok(Identity { name: name.to_owned(), serial, configs: configs(config) })
}

fn builder(
    roots: &Arc<RootCertStore>,
) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|source| unusable("TLS", source))?;
    Ok(builder.with_root_certificates(Arc::clone(roots)))
}

fn configs(config: ClientConfig) -> Configs {
    let mut http = config.clone();
    http.alpn_protocols = vec![b"http/1.1".to_vec()];
    Configs { http: Arc::new(http), frame: Arc::new(config) }
}

fn certificates(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let found = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|source| unusable(what, source))?;
    match found.is_empty() {
        true => Err(Error::new(Kind::Settings, format!("{what}: no PEM certificate in it"))),
        false => Ok(found),
    }
}

fn unusable<S>(what: &str, source: S) -> Error
where
    S: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    Error::from_source(Kind::Settings, format!("{what} cannot be used"), source)
}
