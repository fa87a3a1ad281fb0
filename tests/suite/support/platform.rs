//! A host with keys of its own and two apps with every kind of key, at a simulated provider.

use std::sync::{Arc, OnceLock};

use serde_json::Value;
use simulators::{Books, StripeOptions, StripeSimulator};
use vault::{Key, PairKind, Published};

use super::client::{Client, Reply};
use super::config::{Account, Config};
use super::host::Host;
use super::signer::{Outline, Signer, from_url64, private, public_pem, shared};
use super::stage::{ACCOUNT, charge};

/// The stage.
pub struct PlatformStage {
    /// The provider.
    pub stripe: StripeSimulator,
    /// The host.
    pub host: Host,
    /// The app of `host.client()`; it may also ask by an API key.
    pub app: String,
    /// Its keys that sign.
    pub signers: Vec<Signer>,
    /// A key of it that was revoked.
    pub revoked: Signer,
    /// The AES key of it, and its name.
    pub aes: (String, Arc<Key>),
    /// A key of another app.
    pub rival: Signer,
    /// The AES key of the other app.
    pub rival_aes: (String, Arc<Key>),
    /// An app that has to encrypt; with its private RSA key, which answers are encrypted to.
    pub secretive: (Signer, Arc<Key>),
    /// The platform's key set.
    pub keys: Value,
}

const KINDS: [(&str, PairKind); 3] =
    [("ed", PairKind::Ed25519), ("ec", PairKind::P256), ("rsa", PairKind::Rsa3072)];

impl PlatformStage {
    /// Everything started.
    pub async fn set() -> PlatformStage {
        let stripe = StripeSimulator::start(StripeOptions::default()).await.unwrap();
        let mut config = Config::of([Account::stripe(ACCOUNT, &stripe.base_url())]);
        let mut host = Host::prepare(&config).await;
        let master = host.command(&["vault", "key"]).await;
        std::fs::write(host.folder().join("master"), master.answered()).unwrap();
        for (usage, file) in [("sign", "sign.pem"), ("decrypt", "decrypt.pem")] {
            let made = ["platform", "key", "--use", usage, "--out", file];
            host.command(&made).await.answered();
        }
        config.more.push_str(
            "\n[vault]\nmaster = [{ id = \"1\", file = \"master\" }]\n\
             \n[[platform.key]]\nuse = \"sign\"\nid = \"s1\"\nfile = \"sign.pem\"\n\
             \n[[platform.key]]\nuse = \"decrypt\"\nid = \"d1\"\nfile = \"decrypt.pem\"\n",
        );
        host.configure(&config);
        let app = app_of(host.key());
        let rival = added(&host, &["rival"]).await;
        let secretive = added(&host, &["secretive", "--protection", "encryption"]).await;
        let (aes, rival_aes) = (aes(&host, &app).await, aes(&host, &rival).await);
        let mut signers = vec![hmac(&host, &app, "mac").await];
        for (name, kind) in KINDS {
            signers.push(verified(&host, &app, (name, kind)).await);
        }
        let rsa = signers[3].clone();
        signers.push(Signer { alg: "rsa-v1_5-sha256", ..rsa });
        let revoked = hmac(&host, &app, "old").await;
        host.command(&["app", "key", "revoke", &app, "old"]).await.answered();
        let rival = hmac(&host, &rival, "mac").await;
        let signs = hmac(&host, &secretive, "mac").await;
        let reads = made().last().unwrap().clone();
        key(&host, &secretive, "reads", "encrypt", Some(&public_pem(&reads))).await;
        host.run().await;
        let keys = host.client().nameless(http::Method::GET, "/.well-known/jwks.json");
        let keys = keys.send("").await.with(200);
        PlatformStage {
            stripe,
            host,
            app,
            signers,
            revoked,
            aes,
            rival,
            rival_aes,
            secretive: (signs, reads),
            keys,
        }
    }

    /// A payment of this app, right in every way.
    pub fn payment(&self, signer: &Signer) -> Outline {
        let body = charge("pm_card_visa", 1999).to_string();
        let host = self.host.address().to_string();
        Outline::new(signer, &host, ("POST", "/v1/payments"), body.as_bytes())
    }

    /// A question of this app.
    pub fn question(&self, signer: &Signer, target: &str) -> Outline {
        let host = self.host.address().to_string();
        Outline::new(signer, &host, ("GET", target), b"")
    }

    /// The platform's public RSA key, and its name.
    pub fn decrypts(&self) -> (String, Arc<Key>) {
        let found = self.keys["keys"].as_array().unwrap().iter().find(|key| key["use"] == "enc");
        let bytes = |name: &str| from_url64(found.unwrap()[name].as_str().unwrap());
        let published = Published::Rsa { modulus: bytes("n"), exponent: bytes("e") };
        let key = Key::of_published("test", None, &published).unwrap();
        (found.unwrap()["kid"].as_str().unwrap().to_owned(), Arc::new(key))
    }

    /// The platform's public Ed25519 key.
    pub fn signs(&self) -> Key {
        let found = self.keys["keys"].as_array().unwrap().iter().find(|key| key["use"] == "sig");
        let x = from_url64(found.unwrap()["x"].as_str().unwrap());
        Key::of_published("test", None, &Published::Ed25519 { x }).unwrap()
    }

    /// All there is to lose, and all that was asked of the provider.
    pub async fn everything(&self) -> (Vec<Value>, Vec<Value>, Books) {
        let client = self.host.client();
        (client.payments().await, client.events().await, self.stripe.books())
    }

    /// Sends a request of this stage's making.
    pub async fn carry(&self, outline: &Outline) -> Reply {
        self.client().carry(&outline.sign()).await
    }

    /// A client of the process that runs now.
    pub fn client(&self) -> Client {
        self.host.client()
    }
}

/// The key pairs of the stage, made once a run: of each kind, and one to encrypt to.
fn made() -> &'static [Arc<Key>] {
    static MADE: OnceLock<Vec<Arc<Key>>> = OnceLock::new();
    let kinds = KINDS.iter().map(|(_, kind)| *kind).chain([PairKind::Rsa3072]);
    MADE.get_or_init(|| kinds.map(private).collect())
}

fn app_of(key: &str) -> String {
    format!("app_{}", key.split('_').nth(1).unwrap())
}

async fn added(host: &Host, more: &[&str]) -> String {
    let arguments = [&["app", "add"], more].concat();
    app_of(host.command(&arguments).await.answered())
}

async fn key(host: &Host, app: &str, id: &str, kind: &str, pem: Option<&str>) -> String {
    let mut arguments = vec!["app", "key", "add", app, "--id", id, "--key", kind];
    let file = format!("{app}-{id}.pem");
    if let Some(pem) = pem {
        std::fs::write(host.folder().join(&file), pem).unwrap();
        arguments.extend(["--public", &file]);
    }
    host.command(&arguments).await.answered().to_owned()
}

async fn hmac(host: &Host, app: &str, id: &str) -> Signer {
    let key = shared(&key(host, app, id, "hmac", None).await);
    Signer { keyid: format!("{app}/{id}"), alg: "hmac-sha256", key }
}

async fn aes(host: &Host, app: &str) -> (String, Arc<Key>) {
    (format!("{app}/aes"), shared(&key(host, app, "aes", "aes", None).await))
}

async fn verified(host: &Host, app: &str, (id, kind): (&str, PairKind)) -> Signer {
    let place = KINDS.iter().position(|(_, known)| *known == kind).unwrap();
    let pair = made()[place].clone();
    key(host, app, id, "verify", Some(&public_pem(&pair))).await;
    let alg = match kind {
        PairKind::Ed25519 => "ed25519",
        PairKind::P256 => "ecdsa-p256-sha256",
        PairKind::Rsa3072 => "rsa-pss-sha512",
    };
    Signer { keyid: format!("{app}/{id}"), alg, key: pair }
}
