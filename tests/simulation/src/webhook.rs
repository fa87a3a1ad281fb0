//! The provider's webhooks: early, late, repeated, out of order, lost; and those that somebody else
//! made up. Not here: how the host proves them.

use engine::Delivery;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::provider::{ACCOUNTS, told};
use crate::world::{Due, State};

/// What the provider and the host know.
pub const KEY: &[u8] = b"the provider signs its webhooks by this";
/// How far from now the time of a delivery may be, in seconds.
pub const AGE_SECONDS_MAX: u64 = 300;

/// How a delivery that is not the provider's was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Forgery {
    OtherKey,
    Altered,
    Unsigned,
    /// Signed well, long ago.
    Stale,
}

/// Each with its name as a fault, and the name of the figure that counts its refusals.
const FORGERIES: [(Forgery, &str, &str); 4] = [
    (Forgery::OtherKey, "webhook signed by another key", "refused: webhook signed by another key"),
    (Forgery::Altered, "webhook altered", "refused: webhook altered"),
    (Forgery::Unsigned, "webhook unsigned", "refused: webhook unsigned"),
    (Forgery::Stale, "webhook signed long ago", "refused: webhook signed long ago"),
];

/// Faults that the host has to refuse, each with the figure that counts its refusals.
pub fn forgeries() -> impl Iterator<Item = (&'static str, &'static str)> {
    FORGERIES.into_iter().map(|(_, fault, refused)| (fault, refused))
}

/// A delivery, to be made as often as it takes.
#[derive(Clone, Debug)]
pub struct Webhook {
    pub account: usize,
    body: Value,
    forgery: Option<Forgery>,
    /// Repeated until it is taken, however long that takes.
    must: bool,
    tries: u64,
    /// Attempts that nobody has answered yet.
    pub under_way: u64,
}

impl Webhook {
    /// As it arrives.
    fn delivery(&self, now_ms: u64) -> Delivery {
        let mut at = now_ms / 1000;
        let mut body = self.body.to_string().into_bytes();
        let mut key = KEY;
        match self.forgery {
            Some(Forgery::OtherKey) => key = b"somebody else's key",
            Some(Forgery::Stale) => at -= AGE_SECONDS_MAX + 60,
            _ => {}
        }
        let tag = hex::encode(tag(key, at, &body));
        if self.forgery == Some(Forgery::Altered) {
            let altered = json!({"id": "evt_altered", "was": self.body});
            body = [altered.to_string().as_bytes(), b" "].concat();
            let fields = self.body.clone();
            if let Value::Object(mut fields) = fields {
                fields.insert("id".to_owned(), json!("evt_altered"));
                body = Value::Object(fields).to_string().into_bytes();
            }
        }
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        if self.forgery != Some(Forgery::Unsigned) {
            headers.push(("x-signature".to_owned(), format!("t={at},v1={tag}")));
        }
        let path = format!("/webhooks/{}", ACCOUNTS[self.account].name);
        Delivery { method: "POST".to_owned(), path, headers, body }
    }
}

fn tag(key: &[u8], at: u64, body: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.update(format!("{at}.").as_bytes());
    mac.update(body);
    mac.finalize().into_bytes().to_vec()
}

impl State {
    /// The provider tells, by webhooks, how something stands.
    pub fn announce(&mut self, number: u64) {
        let object = self.provider.objects[number as usize].clone();
        let must = object.must_tell;
        let mut body = told(&object);
        let event = self.provider.webhooks.len();
        body["id"] = json!(format!("evt_{event}"));
        if !must && self.faulty() && self.provider.chance.permille(200) {
            // By its own reference alone: the host may not know it yet.
            self.tally.fault("webhook names its own reference alone");
            body["entry"] = Value::Null;
        }
        let lost = if ACCOUNTS[object.account].query { 150 } else { 40 };
        if !must && self.fault("webhook lost", lost) {
            return;
        }
        self.post(object.account, body.clone(), None, must);
        if self.fault("webhook repeated", 150) {
            self.post(object.account, body.clone(), None, false);
        }
        if self.faulty() && self.chance.permille(60) {
            let forged = match body["state"].as_str() {
                Some("done") => "refused",
                _ => "done",
            };
            body["state"] = json!(forged);
            body["entry"] = json!(object.entry);
            body["id"] = json!(format!("evt_forged_{event}"));
            let (forgery, what, _) = *self.provider.chance.pick(&FORGERIES);
            self.tally.fault(what);
            self.post(object.account, body, Some(forgery), false);
        }
    }

    fn post(&mut self, account: usize, body: Value, forgery: Option<Forgery>, must: bool) {
        let chance = &mut self.provider.chance;
        let wait = match chance.below(10) {
            // Before the answer.
            0..4 => 0,
            4..8 => chance.scaled(2_000),
            _ => chance.scaled(20_000),
        };
        let number = self.provider.webhooks.len() as u64;
        let webhook = Webhook { account, body, forgery, must, tries: 0, under_way: 0 };
        self.provider.webhooks.push(webhook);
        self.after(wait, Due::Post(number));
    }

    /// A delivery as it arrives now, and its account.
    pub fn delivery(&mut self, number: u64) -> (&'static str, Delivery) {
        let now = self.now_ms();
        let webhook = &mut self.provider.webhooks[number as usize];
        webhook.tries += 1;
        let (account, delivery) = (ACCOUNTS[webhook.account].name, webhook.delivery(now));
        self.tally.add("webhooks delivered", 1);
        self.tell("webhook", &delivery.body);
        (account, delivery)
    }

    /// The process died: what it was being told was not taken.
    pub fn unposted(&mut self) {
        for number in 0..self.provider.webhooks.len() {
            for _ in 0..self.provider.webhooks[number].under_way {
                self.posted(number as u64, None);
            }
        }
    }

    /// What was answered; nothing where the connection broke.
    pub fn posted(&mut self, number: u64, status: Option<u16>) {
        let webhook = &mut self.provider.webhooks[number as usize];
        let (tries, must, forgery) = (webhook.tries, webhook.must, webhook.forgery);
        let taken = status.is_some_and(|status| (200..300).contains(&status));
        webhook.under_way = webhook.under_way.saturating_sub(1);
        let body = webhook.body.to_string();
        self.tell("posted", &status.unwrap_or_default().to_be_bytes());
        match forgery {
            Some(how) if taken => self.wrong(format!("a delivery was taken ({how:?}): {body}")),
            Some(how) => self.refused(how, status),
            None if !taken && (tries < 6 || must) => {
                let wait = self.provider.chance.between(500, 4_000);
                self.after(wait, Due::Post(number));
            }
            None => {}
        }
    }

    /// What came of a forged delivery that was not taken: a refusal, or nobody was there to refuse.
    fn refused(&mut self, how: Forgery, status: Option<u16>) {
        let refused = status.is_some_and(|status| (400..500).contains(&status));
        let figure = FORGERIES.iter().find(|(forgery, ..)| *forgery == how && refused);
        figure.into_iter().for_each(|(.., figure)| self.tally.add(figure, 1));
    }
}
