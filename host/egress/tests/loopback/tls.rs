//! Whose certificates are believed, which certificate we show, and that TLS cannot be cut short
//! unnoticed. All keys are made by the tests themselves.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use egress::{Egress, Gate, Kind, Method, Options, Request, Resolve};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use vault::Secret;

use crate::support::*;

const NAME: &str = "pay.test";

/// A certificate authority that only its own egress believes.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A server's or client's certificate with its key.
struct Leaf {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Authority {
    pub fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Authority { issuer: CertifiedIssuer::self_signed(params, key).expect("a root") }
    }

    fn leaf(&self, name: &str, years: (i32, i32)) -> Leaf {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
        params.not_before = date_time_ymd(years.0, 1, 1);
        params.not_after = date_time_ymd(years.1, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Leaf { certificate, key }
    }

    fn valid(&self, name: &str) -> Leaf {
        self.leaf(name, (2020, 4000))
    }

    /// An egress that believes this authority, and knows `*.test` as loopback.
    pub fn egress(&self) -> Egress {
        let resolver: Arc<dyn Resolve> = Names::loopback();
        let extra_roots_pem = vec![self.issuer.pem().into_bytes()];
        let options = Options { resolver, extra_roots_pem, ..Options::default() };
        Egress::new(options).expect("usable options")
    }

    /// May reach `pay.test` at the port of `address`.
    pub fn gate(address: SocketAddr) -> Gate {
        let host: egress::AllowedHost = format!("{NAME}:{}", address.port()).parse().expect("host");
        Gate { hosts: vec![host.private()], ..Gate::default() }
    }

    pub fn post(address: SocketAddr, body: &[u8]) -> Request {
        let url = format!("https://{NAME}:{}/pay", address.port());
        Request::Http(request(Method::Post, url, body))
    }

    /// The next connection, as `pay.test`.
    pub async fn accept(&self, listener: &TcpListener) -> io::Result<TlsStream<TcpStream>> {
        accept_as(listener, server(&self.valid(NAME), None, rustls::ALL_VERSIONS)).await
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).expect("a root");
        roots
    }
}

/// A server with this certificate, which asks clients for one of `clients`.
fn server(
    leaf: &Leaf,
    clients: Option<RootCertStore>,
    versions: &[&'static SupportedProtocolVersion],
) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions)
        .expect("versions");
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(roots) => builder.with_client_cert_verifier(
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .expect("a verifier"),
        ),
    };
    let key = PrivateKeyDer::try_from(leaf.key.serialize_der()).expect("a key");
    let mut config =
        builder.with_single_cert(vec![leaf.certificate.der().clone()], key).expect("a certificate");
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

async fn accept_as(
    listener: &TcpListener,
    acceptor: TlsAcceptor,
) -> io::Result<TlsStream<TcpStream>> {
    acceptor.accept(accept(listener).await).await
}

/// What comes of a request to a server that acts so, by an egress that believes `authority`.
async fn outcome(authority: &Authority, acceptor: TlsAcceptor) -> (&'static str, Option<Kind>) {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let mut stream = accept_as(&listener, acceptor).await?;
        read_request(&mut stream).await;
        write(&mut stream, OK).await;
        io::Result::Ok(())
    });
    let request = Authority::post(address, b"{}");
    let reply = send(&authority.egress(), &Authority::gate(address), &request).await;
    let _ = soon(server).await.expect("the server ends");
    match reply {
        Ok(_) => ("reply", None),
        failed => failure(failed),
    }
}

#[tokio::test]
async fn only_a_certificate_that_holds_is_believed() {
    let (authority, other) = (Authority::new(), Authority::new());
    let refused = ("not sent", Some(Kind::Tls));
    for (what, leaf, expected) in [
        ("valid", authority.valid(NAME), ("reply", None)),
        ("for another name", authority.valid("other.test"), refused),
        ("expired", authority.leaf(NAME, (2020, 2021)), refused),
        ("not yet valid", authority.leaf(NAME, (3000, 3001)), refused),
        ("of an unknown authority", other.valid(NAME), refused),
    ] {
        let acceptor = server(&leaf, None, rustls::ALL_VERSIONS);
        assert_eq!(outcome(&authority, acceptor).await, expected, "{what}");
    }
}

#[tokio::test]
async fn both_versions_of_tls_are_spoken() {
    let authority = Authority::new();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let acceptor = server(&authority.valid(NAME), None, &[version]);
        assert_eq!(outcome(&authority, acceptor).await, ("reply", None), "{version:?}");
    }
}

#[tokio::test]
async fn a_server_without_tls_gets_no_request() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let mut stream = accept(&listener).await;
        write(&mut stream, OK).await;
        read_to_end(&mut stream).await
    });
    let request = Authority::post(address, b"canary");
    let reply = send(&Authority::new().egress(), &Authority::gate(address), &request).await;
    assert_eq!(failure(reply), ("not sent", Some(Kind::Tls)));
    let seen = soon(server).await.expect("the server ends");
    assert!(!seen.windows(6).any(|bytes| bytes == b"canary"));
}

#[tokio::test]
async fn a_server_that_hangs_up_within_the_handshake_gets_no_request() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let stream = accept(&listener).await;
        stream.readable().await.expect("the first message");
        reset(stream);
    });
    let request = Authority::post(address, b"{}");
    let reply = send(&Authority::new().egress(), &Authority::gate(address), &request).await;
    assert_eq!(failure(reply), ("not sent", Some(Kind::Tls)));
    soon(server).await.expect("the server ends");
}

#[tokio::test]
async fn a_request_that_left_and_was_reset_gives_no_reply() {
    let authority = Authority::new();
    let (listener, address) = listen().await;
    let (egress, gate) = (authority.egress(), Authority::gate(address));
    let server = tokio::spawn(async move {
        let mut stream = authority.accept(&listener).await.expect("a handshake");
        read_request(&mut stream).await;
        reset(stream.into_inner().0);
    });
    let reply = send(&egress, &gate, &Authority::post(address, b"{}")).await;
    assert_eq!(failure(reply), ("no reply", Some(Kind::Broken)));
    soon(server).await.expect("the server ends");
}

/// An answer without a length, which ends when the connection does.
async fn until_closed(properly: bool) -> Result<egress::Reply, egress::Failed<String>> {
    let authority = Authority::new();
    let (listener, address) = listen().await;
    let (egress, gate) = (authority.egress(), Authority::gate(address));
    let server = tokio::spawn(async move {
        let mut stream = authority.accept(&listener).await.expect("a handshake");
        read_request(&mut stream).await;
        write(&mut stream, b"HTTP/1.1 200 OK\r\n\r\n{\"paid\":1}").await;
        if properly {
            stream.shutdown().await.expect("close_notify");
        }
    });
    let reply = send(&egress, &gate, &Authority::post(address, b"{}")).await;
    soon(server).await.expect("the server ends");
    reply
}

#[tokio::test]
async fn an_answer_cut_short_below_tls_is_no_reply() {
    assert_eq!(http(until_closed(true).await), (200, "{\"paid\":1}".to_owned()));
    assert_eq!(failure(until_closed(false).await), ("no reply", Some(Kind::Broken)));
}

#[tokio::test]
async fn a_client_certificate_is_shown_where_it_is_asked_for() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let egress = authority.egress();
    let leaf = clients.valid("merchant.test");
    let key = Secret::new("merchant-key", leaf.key.serialize_pem().into_bytes());
    let identity = egress
        .identity("merchant", leaf.certificate.pem().as_bytes(), &key)
        .expect("a usable identity");
    assert_eq!(format!("{identity:?}"), "Identity(merchant)");
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let (listener, address) = listen().await;
        let acceptor = server(&authority.valid(NAME), Some(clients.roots()), &[version]);
        let server = tokio::spawn(async move {
            accept_as(&listener, acceptor.clone()).await.expect_err("no certificate was shown");
            let mut stream = accept_as(&listener, acceptor).await.expect("a certificate was shown");
            read_request(&mut stream).await;
            write(&mut stream, OK).await;
            stream.get_ref().1.peer_certificates().expect("certificates")[0].clone()
        });
        let (mut gate, request) = (Authority::gate(address), Authority::post(address, b"{}"));
        assert!(send(&egress, &gate, &request).await.is_err());
        gate.identity = Some(identity.clone());
        assert_eq!(http(send(&egress, &gate, &request).await).0, 200);
        assert_eq!(&soon(server).await.expect("the server ends"), leaf.certificate.der());
    }
}

#[tokio::test]
async fn a_connection_opened_with_a_certificate_is_not_used_without_it() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let egress = authority.egress();
    let leaf = clients.valid("merchant.test");
    let key = Secret::new("merchant-key", leaf.key.serialize_pem().into_bytes());
    let pem = leaf.certificate.pem();
    let identity = |name| egress.identity(name, pem.as_bytes(), &key).expect("usable");
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let mut kept = Vec::new();
        for _ in 0..3 {
            let mut stream = authority.accept(&listener).await.expect("a handshake");
            read_request(&mut stream).await;
            write(&mut stream, OK).await;
            kept.push(stream);
        }
    });
    for identity in [Some(identity("one")), Some(identity("other")), None] {
        let gate = Gate { identity, ..Authority::gate(address) };
        let reply = send(&egress, &gate, &Authority::post(address, b"{}")).await;
        assert_eq!(http(reply).0, 200);
    }
    soon(server).await.expect("the server ends");
}

#[test]
fn unusable_certificates_and_keys_are_refused_and_never_shown() {
    let roots = |pem: &str| Options {
        extra_roots_pem: vec![pem.as_bytes().to_vec()],
        ..Options::default()
    };
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for pem in ["", "canary", broken] {
        assert_eq!(Egress::new(roots(pem)).expect_err(pem).kind, Kind::Settings, "{pem}");
    }
    let (egress, leaf) = (Authority::new().egress(), Authority::new().valid(NAME));
    let (pem, other) = (leaf.certificate.pem(), KeyPair::generate().expect("a key"));
    let key = "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5\n-----END PRIVATE KEY-----\n";
    let cases =
        [("", other.serialize_pem()), (&*pem, "canary".to_owned()), (&*pem, key.to_owned())];
    for (chain, key) in cases.into_iter().chain([(&*pem, other.serialize_pem())]) {
        let key = Secret::new("key", key.into_bytes());
        let error = egress.identity("merchant", chain.as_bytes(), &key).expect_err("unusable");
        assert_eq!(error.kind, Kind::Settings);
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("merchant") && !shown.contains("canary"), "{shown}");
        assert!(!shown.contains("Y2Fu") && !shown.contains("PRIVATE"), "{shown}");
    }
}
