//! The platform towards its apps: its name, the keys it proves itself with, and what it takes for
//! proof.
//!
//! A request names its target by `Host`, and a signature covers it. So that a request signed for
//! another host is no good here, only these are answered when signed: the authority of the public
//! URL, and, without TLS, the address that is listened on and the loopback names with its port. A
//! proxy in front passes `Host` on as it came.

use std::net::SocketAddr;
use std::sync::Arc;

use engine::{Clock, Entropy, SystemClock, SystemEntropy};
use http::HeaderMap;
use vault::{Key, Published};

use crate::signature::{Algorithm, Authority, Policy};

/// What a key of the platform is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// Signs answers: Ed25519, P-256 or RSA.
    Sign,
    /// Opens encrypted requests: RSA.
    Decrypt,
}

/// A key of the platform.
#[derive(Debug)]
pub struct PlatformKey {
    /// Its name for everybody: `keyid` of a signature, `kid` of a JWE.
    pub id: String,
    /// What it is for.
    pub usage: Usage,
    /// A private key.
    pub key: Key,
}

impl PlatformKey {
    /// The algorithm it signs by, or none when it cannot.
    pub fn algorithm(&self) -> Option<Algorithm> {
        match self.key.published()? {
            Published::Rsa { .. } => Some(Algorithm::RsaPssSha512),
            Published::P256 { .. } => Some(Algorithm::EcdsaP256Sha256),
            Published::Ed25519 { .. } => Some(Algorithm::Ed25519),
        }
    }
}

/// The platform.
#[derive(Clone)]
pub struct Platform {
    /// A name for people.
    pub name: String,
    /// Scheme and authority of the public URL.
    pub public: Option<Authority>,
    /// The keys; the first of a use is current, the others still open and are still published.
    pub keys: Arc<[PlatformKey]>,
    /// How old a signature may be.
    pub policy: Policy,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where nonces, IVs and content keys come from.
    pub entropy: Arc<dyn Entropy>,
}

impl Default for Platform {
    fn default() -> Platform {
        Platform {
            name: "Tollgate".to_owned(),
            public: None,
            keys: Arc::new([]),
            policy: Policy::default(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
        }
    }
}

impl std::fmt::Debug for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Platform").field("name", &self.name).field("keys", &self.keys).finish()
    }
}

impl Platform {
    /// The current key for this use.
    pub(crate) fn current(&self, usage: Usage) -> Option<&PlatformKey> {
        self.keys.iter().find(|key| key.usage == usage)
    }

    /// The key for this use of this name.
    pub(crate) fn named(&self, usage: Usage, id: &str) -> Option<&PlatformKey> {
        self.keys.iter().find(|key| key.usage == usage && key.id == id)
    }

    /// Seconds of Unix time.
    pub(crate) fn now_s(&self) -> i64 {
        i64::try_from(self.clock.now_ms() / 1000).unwrap_or(i64::MAX)
    }

    /// Unpredictable bytes.
    pub(crate) fn random<const LENGTH: usize>(&self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        self.entropy.fill(&mut bytes);
        bytes
    }

    /// The target's authority as the client wrote it, and whether it is one of this host.
    pub(crate) fn authority(&self, headers: &HeaderMap, listen: SocketAddr) -> (Authority, bool) {
        let host = headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
        if let Some(public) = &self.public {
            let asked = Authority::new(public.scheme(), host);
            if asked == *public {
                return (asked, true);
            }
        }
        let asked = Authority::new("http", host);
        let port = listen.port();
        let loopback = ["127.0.0.1", "localhost", "[::1]"];
        let mut own = loopback.iter().map(|name| Authority::new("http", &format!("{name}:{port}")));
        let known =
            own.any(|own| own == asked) || asked == Authority::new("http", &listen.to_string());
        (asked, known)
    }
}
