//! Several payers at one host, who note what they were answered and repeat what was not answered:
//! the load of every campaign that takes the host away under it. Not here: who takes it away, and
//! the comparison afterwards (`audit`).

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::client::{Client, Reply};
use super::random::Random;
use super::stage::charge;

/// An answer that an app was given: what it may rely on for ever.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    /// What was asked.
    pub path: String,
    /// Under which idempotency key; of a payment also the merchant's reference.
    pub key: String,
    /// With which body.
    pub body: Value,
    /// The payment as it was answered.
    pub answer: Value,
}

/// Payers, and the host they pay at.
pub struct Street {
    shared: Arc<Shared>,
    host: watch::Sender<Option<Client>>,
    payers: JoinSet<()>,
}

struct Shared {
    /// The host's process of now; none while there is none.
    host: watch::Receiver<Option<Client>>,
    acknowledged: Mutex<Vec<Acknowledged>>,
    /// Requests whose connection broke, and that were repeated.
    broken: AtomicUsize,
    closing: AtomicBool,
}

impl Street {
    /// So many payers begin to pay at this host.
    pub fn open(client: Client, payers: u64, random: &mut Random) -> Street {
        let host = watch::Sender::new(Some(client));
        let shared = Arc::new(Shared {
            host: host.subscribe(),
            acknowledged: Mutex::default(),
            broken: AtomicUsize::new(0),
            closing: AtomicBool::new(false),
        });
        let mut street = Street { shared, host, payers: JoinSet::new() };
        for number in 0..payers {
            let payer = Payer { street: street.shared.clone(), number, asked: 0 };
            street.payers.spawn(payer.pay(Random::seeded(random.next())));
        }
        street
    }

    /// From now on the payers wait.
    pub fn host_is_gone(&self) {
        self.host.send_replace(None);
    }

    /// From now on they pay at this process, and first repeat what was not answered.
    pub fn host_is_back(&self, client: Client) {
        self.host.send_replace(Some(client));
    }

    /// Everything that was answered so far, in order.
    pub fn acknowledged(&self) -> Vec<Acknowledged> {
        self.shared.acknowledged.lock().unwrap().clone()
    }

    /// How many requests were cut off and repeated.
    pub fn broken(&self) -> usize {
        self.shared.broken.load(Ordering::Relaxed)
    }

    /// Lets every payer end what it is at; without a host there is nothing to end.
    pub async fn close(&mut self) {
        self.shared.closing.store(true, Ordering::Relaxed);
        if self.host.borrow().is_none() {
            self.payers.abort_all();
            while self.payers.join_next().await.is_some() {}
        }
        while let Some(payer) = self.payers.join_next().await {
            payer.unwrap();
        }
    }
}

impl Shared {
    /// Asks until it is answered, under one key, as a careful app does.
    async fn ask(&self, path: &str, key: &str, body: &Value) -> Reply {
        let mut host = self.host.clone();
        loop {
            let client = host.wait_for(Option::is_some).await.unwrap().clone().unwrap();
            match client.try_post(path, key, body).await {
                Ok(reply) if reply.status == 409 && says(&reply, "request-in-progress") => {}
                Ok(reply) if reply.status >= 500 => {}
                Ok(reply) => {
                    self.note(path, key, body, &reply);
                    return reply;
                }
                Err(_) => drop(self.broken.fetch_add(1, Ordering::Relaxed)),
            }
            // Not as fast as the machine can: the process may be gone for a while.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn note(&self, path: &str, key: &str, body: &Value, reply: &Reply) {
        if reply.status == 201 {
            let (path, key, body) = (path.to_owned(), key.to_owned(), body.clone());
            let answer = reply.json();
            self.acknowledged.lock().unwrap().push(Acknowledged { path, key, body, answer });
        }
    }
}

fn says(reply: &Reply, code: &str) -> bool {
    reply.json()["code"] == code
}

/// Charges, some of them declined, holds that are captured, cancelled or left, and refunds.
struct Payer {
    street: Arc<Shared>,
    number: u64,
    asked: u64,
}

impl Payer {
    async fn pay(mut self, mut random: Random) {
        while !self.street.closing.load(Ordering::Relaxed) {
            self.asked += 1;
            self.pay_once(&mut random).await;
        }
    }

    async fn pay_once(&self, random: &mut Random) {
        let name = format!("payer-{}-{}", self.number, self.asked);
        let card =
            if random.between(0, 9) == 0 { "pm_card_chargeDeclined" } else { "pm_card_visa" };
        let mut body = charge(card, random.between(100, 9_999));
        body["merchant_reference"] = json!(name);
        let manual = random.between(0, 2) == 0;
        if manual {
            body["capture"] = json!("manual");
        }
        let paid = self.street.ask("/v1/payments", &name, &body).await.with(201);
        let on = |what: &str| format!("/v1/payments/{}/{what}", paid["id"].as_str().unwrap());
        let part = json!({ "amount": { "minor": 1, "currency": "EUR" } });
        let (what, key, body) = match (manual, random.between(0, 3)) {
            (true, 0) => (on("cancellation"), format!("{name}-x"), json!({})),
            (true, 1) => (on("captures"), format!("{name}-c"), json!({})),
            (true, 2) => (on("captures"), format!("{name}-c"), part),
            (false, 0) => (on("refunds"), format!("{name}-r"), part),
            _ => return,
        };
        // Refused when the payment was declined, or is unknown still.
        self.street.ask(&what, &key, &body).await;
    }
}
