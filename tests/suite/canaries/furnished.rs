//! A host with a canary wherever it can keep a secret: both accounts' secrets and keys, a key from
//! the environment, master key, platform keys, admin token, the app's keys of every kind.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};
use simulators::{StripeOptions, StripeSimulator};
use vault::Key;

use super::left::{self, Left, random};
use super::process::TALKATIVE;
use super::{Canary, Scan};
use crate::support::signer::{direct, from_url64, opened, shared, to_public};
use crate::support::{ACCOUNT, Account, Client, Config, Ear, Host, Reply, soon};
use vault::Published;

/// The account at the test provider.
pub const TEST: &str = "test";
/// An account whose key stands in the environment.
pub const FROM_ENVIRONMENT: &str = "from-environment";
const VARIABLE: &str = "CANARY_PAYER";

/// The host, a provider, an endpoint, and all that is secret about them.
pub struct Furnished {
    pub stripe: StripeSimulator,
    pub host: Host,
    pub ear: Ear,
    pub left: Left,
    pub canaries: Vec<Canary>,
    pub admin_token: String,
    pub app: String,
    /// The app's AES key, and its name.
    pub aes: (String, Arc<Key>),
    /// What stood in the host's folder before it ran: its configuration and its secrets.
    known: BTreeSet<String>,
}

/// Bytes and text of a key that was printed in base64.
fn both(name: &str, base64: &str) -> [Canary; 2] {
    let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, base64);
    [Canary::new(format!("{name}, as text"), base64), Canary::new(name, bytes.unwrap())]
}

impl Furnished {
    /// Everything started; the log says all it can.
    pub async fn set() -> Furnished {
        let (api_key, signing) =
            (format!("sk_test_{}", random(32)), format!("whsec_{}", random(32)));
        let (payer, from_environment) = (random(40), random(40));
        let options = StripeOptions {
            api_key: api_key.clone(),
            webhook_secret: signing.clone(),
            retries: soon(),
            ..StripeOptions::default()
        };
        let stripe = StripeSimulator::start(options).await.unwrap();
        let mut at_stripe = Account::stripe(ACCOUNT, &stripe.base_url());
        at_stripe.secrets[0].value = Some(api_key.clone());
        at_stripe.keys[0].value = signing.clone();
        let mut at_test = Account::test_provider(TEST);
        at_test.keys[0].value = payer.clone();
        let mut config = Config::of([at_stripe, at_test]);
        let mut host = Host::prepare(&config).await;
        let mut canaries = vec![
            Canary::new("the API key of Stripe", api_key.clone()),
            Canary::new("the signing secret of Stripe", signing),
            Canary::new("the key of the test provider", payer),
            Canary::new("a key in the environment", from_environment.clone()),
            Canary::new("the app's API key", host.key().rsplit('_').next().unwrap()),
        ];
        let admin_token = format!("admin-{}", random(40));
        canaries.push(Canary::new("the admin token", admin_token.clone()));
        canaries.extend(keys_of_the_platform(&host, &admin_token).await);
        config.more = more();
        host.configure(&config);
        host.knows(VARIABLE, &from_environment);
        let temporary = host.folder().join("tmp");
        std::fs::create_dir(&temporary).unwrap();
        host.knows("TMPDIR", temporary.to_str().unwrap());
        let app = format!("app_{}", host.key().split('_').nth(1).unwrap());
        let aes = added(&host, &app, "aes").await;
        let mac = added(&host, &app, "hmac").await;
        canaries.extend(both("the app's AES key", &aes));
        canaries.extend(both("the app's HMAC key", &mac));
        let known = left::names(host.folder());
        let known = known.into_iter().filter(|name| !name.contains("/store/")).collect();
        host.log_at(TALKATIVE);
        host.run().await;
        stripe.point_webhook(Some(format!("{}/webhooks/{ACCOUNT}", host.url())));
        let aes = (format!("{app}/aes"), shared(&aes));
        let (ear, left) = (Ear::open().await, Left::default());
        Furnished { stripe, host, ear, left, canaries, admin_token, app, aes, known }
    }

    pub fn client(&self) -> Client {
        self.host.client()
    }

    pub fn operator(&self) -> Client {
        self.host.client().with_key(&self.admin_token)
    }

    /// Keeps an answer to be searched, and gives it back.
    pub fn heard(&mut self, place: &str, reply: Reply) -> Reply {
        self.left.add_answer(&format!("the answer to {place}"), &reply);
        reply
    }

    /// Asks, and keeps the answer.
    pub async fn post(&mut self, path: &str, key: &str, body: &Value) -> Reply {
        let reply = self.client().post(path, key, body).await;
        self.heard(&format!("{path} {key}"), reply)
    }

    /// Reads, and keeps the answer.
    pub async fn get(&mut self, path: &str) -> Reply {
        let reply = self.client().get(path).await;
        self.heard(path, reply)
    }

    /// Sends a body by the app's AES key to `/v1/cards`; the answer as it came and as it opens.
    pub async fn seal_and_send(&mut self, text: &str) -> (Reply, Value) {
        let body = direct(&self.aes.0, &self.aes.1, text.as_bytes());
        self.send_card(body).await
    }

    /// The same by the platform's public key.
    pub async fn seal_to_platform(&mut self, text: &str) -> (Reply, Value) {
        let keys = self.client().nameless(Method::GET, "/.well-known/jwks.json").send("").await;
        let keys = keys.json()["keys"].as_array().unwrap().clone();
        let key = keys.iter().find(|key| key["use"] == "enc").unwrap();
        let part = |name: &str| from_url64(key[name].as_str().unwrap());
        let public = Published::Rsa { modulus: part("n"), exponent: part("e") };
        let public = Key::of_published("test", None, &public).unwrap();
        let body = to_public(key["kid"].as_str().unwrap(), &public, text.as_bytes());
        self.send_card(body).await
    }

    async fn send_card(&mut self, body: String) -> (Reply, Value) {
        let draft = self.client().request(Method::POST, "/v1/cards");
        let reply = draft.header("content-type", "application/jose").send(body).await;
        let reply = self.heard("a card", reply);
        let sealed = reply.header("content-type").starts_with("application/jose");
        let text = if sealed { opened(&reply.body, &self.aes.1) } else { reply.body.to_vec() };
        self.left.add("the opened answer to a card", text.clone());
        (reply, serde_json::from_slice(&text).unwrap())
    }

    /// Hands a card over; its token.
    pub async fn card(&mut self, number: &str, code: Option<&str>, holder: &str) -> Value {
        let mut card = json!({
            "number": number, "expiry_month": 12, "expiry_year": 2031, "holder": holder,
        });
        if let Some(code) = code {
            card["security_code"] = json!(code);
        }
        let (reply, made) = match code {
            Some(_) => self.seal_and_send(&card.to_string()).await,
            None => self.seal_to_platform(&card.to_string()).await,
        };
        assert_eq!(reply.status, 201, "{made:#}");
        made["id"].clone()
    }

    /// Gathers what lies around while the process runs: its output, and what the system shows of
    /// it to others.
    pub fn gather_process(&mut self) {
        let (log, printed) = (self.host.log_text(), self.host.printed());
        self.left.add("the log", log);
        self.left.add("the standard output", printed);
        let id = self.host.id();
        for file in ["cmdline", "comm", "status", "maps"] {
            let text = std::fs::read(format!("/proc/{id}/{file}")).unwrap();
            self.left.add(format!("/proc/{file}"), text);
        }
    }

    /// Stops the host, exports what can be exported, and gathers every file.
    pub async fn gather_files(&mut self) {
        let beside = self.host.folder().join("beside.export").display().to_string();
        let arguments = ["--log", TALKATIVE, "store", "export", "--out", &beside];
        let said = self.host.command_beside(&arguments).await;
        self.left.add("a store export beside the host", said.out + &said.err);
        self.host.stop().await;
        for arguments in [
            &["audit", "export", "--out", "audit.jsonl"][..],
            &["audit", "verify"],
            &["store", "export", "--out", "stopped.export"],
            &["store", "verify"],
            &["app", "list"],
            &["notifications", "dead"],
        ] {
            let arguments = [&["--log", TALKATIVE], arguments].concat();
            let said = self.host.command(&arguments).await;
            self.left.add(format!("{arguments:?}"), said.out + &said.err);
        }
        let folder = self.host.folder().to_owned();
        for export in ["beside.export", "stopped.export", "audit.jsonl"] {
            let length = std::fs::metadata(folder.join(export)).map_or(0, |file| file.len());
            assert!(length > 1_000, "{export} has {length} bytes");
        }
        self.left.add_files(&folder, &self.known);
    }

    /// What is found of all canaries.
    pub fn found(&self) -> BTreeSet<String> {
        self.left.find(&Scan::of(&self.canaries))
    }
}

/// Master key, platform keys, admin token: written to the folder of the host.
async fn keys_of_the_platform(host: &Host, admin_token: &str) -> Vec<Canary> {
    let master = host.command(&["vault", "key"]).await.answered().to_owned();
    let mut canaries = both("the master key", &master).to_vec();
    std::fs::write(host.folder().join("master"), master).unwrap();
    std::fs::write(host.folder().join("admin-token"), admin_token).unwrap();
    for usage in ["sign", "decrypt"] {
        let file = format!("{usage}.pem");
        let made = ["platform", "key", "--use", usage, "--out", &file];
        host.command(&made).await.answered();
        let pem = std::fs::read_to_string(host.folder().join(&file)).unwrap();
        let whole: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        canaries.extend(private_parts(usage, &whole));
    }
    canaries
}

/// What is private in a PKCS#8 key: of an Ed25519 key its seed, of an RSA key what follows modulus
/// and exponent, which are published.
fn private_parts(usage: &str, base64: &str) -> Vec<Canary> {
    let der = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, base64).unwrap();
    let name = format!("the platform's key to {usage}");
    match der.len() {
        ..200 => vec![Canary::new(name, &der[16..48])],
        // The private exponent begins after a modulus of 384 bytes and an exponent of three.
        _ => {
            let parts = der[448..].chunks_exact(32).enumerate();
            parts.map(|(n, part)| Canary::new(format!("{name}, part {n}"), part)).collect()
        }
    }
}

/// The tables at the end of the configuration.
fn more() -> String {
    format!(
        "\n[account.{FROM_ENVIRONMENT}]\nplugin = \"sandbox\"\nhosts = []\n\
         [[account.{FROM_ENVIRONMENT}.key]]\nslot = \"payer\"\nform = \"text\"\n\
         env = \"{VARIABLE}\"\n\
         \n[vault]\nmaster = [{{ id = \"1\", file = \"master\" }}]\n\
         \n[admin]\ntoken = {{ file = \"admin-token\" }}\n\
         \n[notifications]\nallow_networks = [\"127.0.0.0/8\"]\nallow_http = true\n\
         \n[[platform.key]]\nuse = \"sign\"\nid = \"s1\"\nfile = \"sign.pem\"\n\
         \n[[platform.key]]\nuse = \"decrypt\"\nid = \"d1\"\nfile = \"decrypt.pem\"\n"
    )
}

/// A key that both sides know, as the command line shows it once.
async fn added(host: &Host, app: &str, kind: &str) -> String {
    let made = ["app", "key", "add", app, "--id", kind, "--key", kind];
    host.command(&made).await.answered().to_owned()
}
