//! A new master key under a host that serves: everything comes under it while payments go on, and
//! then the old one is needed no more. And erasing a card on a real host: what it leaves.

use http::Method;
use serde_json::{Value, json};
use vault::{AtRest, Master, Secret, Vaulted};

use crate::support::signer::{Outline, direct, opened};
use crate::support::{ACCOUNT, Account, Config, Ear, PlatformStage, charge};

const NUMBER: &str = "4242424242424242";
const OTHER: &str = "5555555555554444";

/// A platform whose cards, keys of apps and endpoint secrets are sealed under the master key `1`.
struct Stage {
    platform: PlatformStage,
    ear: Ear,
    secret: String,
    cards: Vec<Value>,
    asked: usize,
}

impl Stage {
    async fn set() -> Stage {
        let (platform, ear) = (PlatformStage::set().await, Ear::open().await);
        let cards = Vec::new();
        let mut stage = Stage { platform, ear, secret: String::new(), cards, asked: 0 };
        stage.restart(&["1"]).await;
        let body = json!({ "url": stage.ear.url(), "events": ["*"] });
        let request = stage.platform.client().request(Method::POST, "/v1/endpoints");
        let request = request.header("content-type", "application/json");
        let added = request.send(body.to_string()).await.with(201);
        stage.secret = added["secret"].as_str().unwrap().to_owned();
        stage
    }

    /// Stops the host and starts it with these master keys, the first one current.
    async fn restart(&mut self, masters: &[&str]) {
        self.platform.host.stop().await;
        self.configure(masters);
        self.platform.host.run().await;
    }

    fn configure(&self, masters: &[&str]) {
        let of = |id: &&str| {
            let file = if *id == "1" { "master".to_owned() } else { format!("master-{id}") };
            format!("{{ id = \"{id}\", file = \"{file}\" }}")
        };
        let masters: Vec<String> = masters.iter().map(of).collect();
        let mut config = Config::of([Account::stripe(ACCOUNT, &self.platform.stripe.base_url())]);
        config.more = format!(
            "\n[vault]\nmaster = [{}]\n\
             \n[[platform.key]]\nuse = \"sign\"\nid = \"s1\"\nfile = \"sign.pem\"\n\
             \n[[platform.key]]\nuse = \"decrypt\"\nid = \"d1\"\nfile = \"decrypt.pem\"\n\
             \n[notifications]\nallow_networks = [\"127.0.0.0/8\"]\nallow_http = true\n",
            masters.join(", ")
        );
        self.platform.host.configure(&config);
    }

    /// A request of the app, encrypted by its AES key and signed by its HMAC key; and the answer.
    async fn sealed(&self, method: &str, target: &str, body: &Value) -> (u16, Value) {
        let platform = &self.platform;
        let (kid, key) = &platform.aes;
        let body = match body {
            Value::Null => String::new(),
            body => direct(kid, key, body.to_string().as_bytes()),
        };
        let host = platform.host.address().to_string();
        let outline = Outline::new(&platform.signers[0], &host, (method, target), body.as_bytes());
        let media_type = (!body.is_empty()).then(|| "application/jose".to_owned());
        let reply = platform.carry(&Outline { media_type, ..outline }).await;
        match reply.header("content-type") {
            "application/jose" => {
                let opened = opened(&reply.body, key);
                (reply.status, serde_json::from_slice(&opened).unwrap())
            }
            _ => (reply.status, reply.json()),
        }
    }

    /// Hands a card over.
    async fn hand_over(&self, number: &str) -> Value {
        let card = json!({
            "number": number, "expiry_month": 12, "expiry_year": 2031, "holder": "Ada Lovelace",
        });
        let (status, made) = self.sealed("POST", "/v1/cards", &card).await;
        assert_eq!(status, 201, "{made:#}");
        made
    }

    /// Pays by a card, in a signed and encrypted request.
    async fn pay_by(&self, card: &Value) -> (u16, Value) {
        let mut payment = charge("", 1999);
        payment["instrument"] = json!({ "type": "card", "card": card["id"] });
        self.sealed("POST", "/v1/payments", &payment).await
    }

    /// Everything that needs something sealed: signed and encrypted requests, a card that was
    /// handed over before, what an endpoint is told.
    async fn everything_serves(&mut self) {
        for card in &self.cards {
            let (status, paid) = self.pay_by(card).await;
            assert_eq!((status, &paid["status"]), (201, &json!("captured")), "{paid:#}");
            let (status, read) = self.read(card).await;
            assert_eq!((status, &read["fingerprint"]), (200, &card["fingerprint"]), "{read:#}");
        }
        self.asked += self.cards.len();
        let told = self.ear.takes(self.asked).await;
        assert!(told.iter().all(|told| told.is_signed_with(&self.secret)));
    }

    async fn read(&self, card: &Value) -> (u16, Value) {
        self.sealed("GET", &path(card), &Value::Null).await
    }

    async fn erase(&self, card: &Value) -> Value {
        let request = self.platform.client().request(Method::DELETE, &path(card));
        request.send("").await.with(200)
    }

    fn file(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.platform.host.folder().join(name)).unwrap()
    }
}

fn path(card: &Value) -> String {
    format!("/v1/cards/{}", card["id"].as_str().unwrap())
}

#[tokio::test]
async fn under_a_new_master_key_a_host_serves_while_it_reseals_and_then_without_the_old_one() {
    let mut stage = Stage::set().await;
    for n in 0..12 {
        let card = stage.hand_over(if n % 2 == 0 { NUMBER } else { OTHER }).await;
        stage.cards.push(card);
    }
    let erased = stage.hand_over(NUMBER).await;
    stage.erase(&erased).await;
    stage.everything_serves().await;

    // Too early without the old one: it serves what needs nothing sealed, and says what is wrong.
    stage.platform.host.stop().await;
    let fresh = stage.platform.host.command(&["vault", "key"]).await;
    let folder = stage.platform.host.folder();
    std::fs::write(folder.join("master-2"), fresh.answered()).unwrap();
    stage.configure(&["2"]);
    let status = stage.platform.host.command(&["vault", "status"]).await;
    status.refused(&["add their master keys to [vault]"]);
    assert!(status.out.contains("under 1, which [vault] does not name"), "{status:?}");
    stage.platform.host.run().await;
    stage.platform.host.log_line(0, &["under other master keys", "\"left\":"]).await;
    let client = stage.platform.client();
    client.pay("plain", &charge("pm_card_visa", 700)).await.with(201);
    let mut payment = charge("", 1999);
    payment["instrument"] = json!({ "type": "card", "card": stage.cards[0]["id"] });
    client.pay("by-card", &payment).await.problem(409, "vault-closed");
    stage.platform.host.log_line(0, &["master key `1`", "add it after the current one"]).await;

    // Both: everything is served from the first moment on, while it comes under the new one.
    stage.restart(&["2", "1"]).await;
    // The plain payment was not told meanwhile: its secret did not open.
    stage.asked += 1;
    let begun = stage.platform.host.logged();
    stage.everything_serves().await;
    let done = stage.platform.host.log_line(0, &["no record needs an older master key"]).await;
    assert_eq!(done["current"], "2", "{done}, after {begun} lines");
    // By the same numbers the same fingerprints: the app's key for them opens.
    let again = stage.hand_over(NUMBER).await;
    assert_eq!(again["fingerprint"], stage.cards[0]["fingerprint"]);
    stage.platform.host.stop().await;
    let status = stage.platform.host.command(&["vault", "status"]).await;
    let status = status.answered();
    assert!(status.contains("sealed   0 under 1: needed no more"), "{status}");
    assert!(status.contains("cards    13 have their key"), "{status}");

    // Without the old one, which is gone from the disk too.
    std::fs::remove_file(stage.platform.host.folder().join("master")).unwrap();
    stage.configure(&["2"]);
    stage.platform.host.run().await;
    stage.everything_serves().await;
    let (_, read) = stage.read(&erased).await;
    assert_eq!((&read["state"], &read["fingerprint"]), (&json!("erased"), &Value::Null));
    assert_eq!(stage.platform.stripe.books().doubled(), vec![]);
}

#[tokio::test]
async fn an_erased_card_is_in_no_export_or_file_of_a_host_for_whoever_has_the_master_key() {
    let mut stage = Stage::set().await;
    let kept = stage.hand_over(OTHER).await;
    let erased = stage.hand_over(NUMBER).await;
    let folder = stage.platform.host.folder().to_owned();
    let typed = async |arguments: &[&str]| {
        crate::support::tollgate(arguments, &folder).await.answered().to_owned()
    };
    typed(&["store", "export", "--out", "before"]).await;
    let keys = typed(&["vault", "card-keys", "export", "--out", "keys-before"]).await;
    assert!(keys.contains("keys         2\n"), "{keys}");
    let gone = stage.erase(&erased).await;
    assert_eq!((&gone["state"], &gone["fingerprint"]), (&json!("erased"), &Value::Null));
    // Answered is done, whatever comes: the process has no time to tidy up.
    stage.platform.host.kill().await;
    typed(&["store", "export", "--out", "after"]).await;
    let keys = typed(&["vault", "card-keys", "verify"]).await;
    assert!(keys.contains("keys         1\nunreadable   0"), "{keys}");
    stage.platform.host.run().await;
    assert_eq!(stage.pay_by(&kept).await.0, 201);
    assert_eq!(stage.pay_by(&erased).await.1["code"], "card-gone");
    stage.platform.host.stop().await;

    let master = Secret::new("master", stage.file("master"));
    let at_rest = AtRest::new(vec![Master::read("1", &master).unwrap()]).unwrap();
    let mut all = [stage.file("before"), stage.file("after")].concat();
    gather(&folder.join("store"), &mut all);
    let (opened, apart) = everything_sealed(&at_rest, &all);
    // What the keys of this host do open: an app's key, by which the search is shown to search.
    assert!(opened > 0, "nothing of all that is sealed was opened");
    assert!(apart >= 2, "{apart}");
    let slots = stage.file("store-card-keys/slots");
    for (card, there) in [(&kept, true), (&erased, false)] {
        let id = card["id"].as_str().unwrap().as_bytes();
        assert_eq!(slots.windows(id.len()).any(|window| window == id), there, "{card}");
    }

    // With its keys, as they were, it is there again: that is why they are exported apart.
    std::fs::remove_dir_all(folder.join("store")).unwrap();
    std::fs::remove_dir_all(folder.join("store-card-keys")).unwrap();
    typed(&["store", "import", "--from", "before"]).await;
    let refused = crate::support::tollgate(&["serve"], &folder).await;
    refused.refused(&["keys of the store's cards are missing", "card-keys import", "abandon"]);
    typed(&["vault", "card-keys", "import", "--from", "keys-before"]).await;
    stage.platform.host.run().await;
    assert_eq!(stage.pay_by(&kept).await.0, 201);
    assert_eq!(stage.pay_by(&erased).await.0, 201);
}

fn gather(folder: &std::path::Path, all: &mut Vec<u8>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => gather(&path, all),
            false => all.extend(std::fs::read(&path).unwrap()),
        }
    }
}

/// Tries to open every sealed value in these bytes, by the master key and at every place that an
/// object around it names: how many opened, none of them a card; and how many cards there are.
fn everything_sealed(at_rest: &AtRest, bytes: &[u8]) -> (usize, usize) {
    let (mut opened, mut cards) = (0, 0);
    for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == b'{') {
        let mut values = serde_json::Deserializer::from_slice(&bytes[at..]).into_iter();
        let Some(Ok(value)) = values.next() else { continue };
        let value: Value = value;
        cards += usize::from(value["apart"].is_string());
        // The object that holds a sealed value, or the app around that.
        let mut places = Vec::new();
        let id = value["id"].as_str().unwrap_or_default();
        places.push(format!("card/{id}/data"));
        for key in value["keys"].as_array().into_iter().flatten() {
            let key = key["id"].as_str().unwrap_or_default();
            places.push(engine::key_place(&id.parse().unwrap(), key));
        }
        for sealed in sealed_in(&value) {
            for place in &places {
                let Ok(plain) = at_rest.open(place, &sealed) else { continue };
                assert!(!String::from_utf8_lossy(plain.expose()).contains("number"), "{place}");
                opened += 1;
            }
        }
    }
    (opened, cards)
}

fn sealed_in(value: &Value) -> Vec<Vaulted> {
    match value {
        Value::Object(fields) if fields.contains_key("vaulted") => {
            serde_json::from_value(value.clone()).into_iter().collect()
        }
        Value::Object(fields) => fields.values().flat_map(sealed_in).collect(),
        Value::Array(items) => items.iter().flat_map(sealed_in).collect(),
        _ => Vec::new(),
    }
}
