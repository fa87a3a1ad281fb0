//! The one way out: a request is checked and filled, its intent made durable while the connection
//! is opened, and only then does its first byte leave.

use std::future::Future;
use std::sync::Arc;

use rustls::RootCertStore;
use vault::Secret;

use crate::error::{Error, Failed};
use crate::fill::Fill;
use crate::gate::Gate;
use crate::reply::Reply;
use crate::request::Request;
use crate::tls::{self, Configs, Identity};

/// What the operator decides for the whole process.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// PEM certificates to believe beside the public web's roots.
    pub extra_roots_pem: Vec<Vec<u8>>,
}

/// All sockets towards providers. One a process; shared by reference.
pub struct Egress {
    roots: Arc<RootCertStore>,
    anonymous: Configs,
}

impl Egress {
    /// With no connection open yet. Fails with `Kind::Settings` on an unusable certificate.
    pub fn new(options: Options) -> Result<Egress, Error> {
        let roots = tls::roots(&options.extra_roots_pem)?;
        let anonymous = tls::anonymous(&roots)?;
        Ok(Egress { roots, anonymous })
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

    /// Sends `request` once and gives its whole answer.
    ///
    /// `intent` makes the request durable. It is begun only when the request may be sent at all,
    /// runs while the connection is opened, is always driven to its end, and no byte of the request
    /// leaves before it has answered `Ok`.
    pub async fn send<E>(
        &self,
        gate: &Gate,
        fill: &dyn Fill,
        request: &Request,
        intent: impl Future<Output = Result<(), E>> + Send,
    ) -> Result<Reply, Failed<E>> {
        let _ = (gate, fill, request, &self.anonymous);
        intent.await.map_err(Failed::Intent)?;
        Err(Failed::NotSent(Error::new(crate::Kind::Connect, "no transport yet")))
    }
}
