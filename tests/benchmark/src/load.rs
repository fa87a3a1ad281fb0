//! Payments a second through the whole host, and the time it adds to the provider's own.
//!
//! The same payers do the same number of payments twice in one run: through the host, and straight
//! at the simulator with the request the plugin would have made.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use simulators::{Delay, StripeOptions, StripeSimulator};
use tokio::net::TcpStream;
use tokio::time::interval_at;

use crate::host::Host;
use crate::{LOAD, millis, percentile};

/// Runs the load on both ways and prints them side by side.
pub async fn compare(root: &Path, component: &Path, name: &str, delay: Delay, payers: usize) {
    let options = StripeOptions { answer_delay: delay, ..StripeOptions::default() };
    let simulator = StripeSimulator::start(options).await.unwrap();
    let provider = simulator.base_url();
    let host = Host::start(root, component, &provider);
    let (address, key) = (host.address.clone(), host.key.clone());
    let through = run(&address, payers, None, move |n| payment(&key, n)).await;
    let straight = run(provider.trim_start_matches("http://"), payers, None, intent).await;
    println!("{name}, {payers} payers:");
    println!("  through the host    {}", through.line());
    println!("  at the provider     {}", straight.line());
    let added = |share| millis(through.at(share)) - millis(straight.at(share));
    let ratio = through.per_second() / straight.per_second();
    println!("  added p50 {:.2} ms, p99 {:.2} ms; ratio {ratio:.2}\n", added(0.5), added(0.99));
    simulator.stop().await;
}

pub struct Figures {
    sorted: Vec<Duration>,
    took: Duration,
}

impl Figures {
    fn per_second(&self) -> f64 {
        self.sorted.len() as f64 / self.took.as_secs_f64()
    }

    pub fn at(&self, share: f64) -> Duration {
        percentile(&self.sorted, share)
    }

    pub fn line(&self) -> String {
        let (p50, p99) = (millis(self.at(0.5)), millis(self.at(0.99)));
        format!("{:7.0} payments/s, p50 {p50:8.2} ms, p99 {p99:8.2} ms", self.per_second())
    }
}

/// So many payers, each with one request after the other, for as long as a load runs; with a pace,
/// each begins one only so often.
pub async fn run(
    address: &str,
    payers: usize,
    pace: Option<Duration>,
    request: impl Fn(u64) -> Request<Full<Bytes>> + Send + Sync + 'static,
) -> Figures {
    let (request, next) = (Arc::new(request), Arc::new(AtomicU64::new(0)));
    let start = tokio::time::Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for payer in 0..payers {
        let mut connection = connect(address).await;
        let (request, next) = (request.clone(), next.clone());
        tasks.spawn(async move {
            let mut times = Vec::new();
            let mut pace = pace.map(|pace| interval_at(start + spread(pace, payer, payers), pace));
            while start.elapsed() < LOAD {
                if let Some(pace) = &mut pace {
                    pace.tick().await;
                }
                let request = request(next.fetch_add(1, Ordering::Relaxed));
                let asked = Instant::now();
                let answer = connection.send_request(request).await.unwrap();
                let status = answer.status();
                let body = answer.into_body().collect().await.unwrap().to_bytes();
                assert!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&body));
                times.push(asked.elapsed());
            }
            times
        });
    }
    let mut sorted: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    let took = start.elapsed();
    sorted.sort_unstable();
    Figures { sorted, took }
}

/// So that they do not all begin at once.
fn spread(pace: Duration, payer: usize, payers: usize) -> Duration {
    pace.mul_f64(payer as f64 / payers as f64)
}

pub async fn connect(address: &str) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

fn payment(key: &str, n: u64) -> Request<Full<Bytes>> {
    order(key, "cards", &format!("order-{n}"))
}

/// A payment by this account.
pub fn order(key: &str, account: &str, reference: &str) -> Request<Full<Bytes>> {
    let body = format!(
        r#"{{"account":"{account}","amount":{{"minor":1999,"currency":"EUR"}},
        "merchant_reference":"{reference}",
        "instrument":{{"type":"token","token":"pm_card_visa"}}}}"#
    );
    Request::post("/v1/payments")
        .header("host", "127.0.0.1")
        .header("authorization", format!("Bearer {key}"))
        .header("idempotency-key", reference)
        .header("content-type", "application/json")
        .body(Full::from(body))
        .unwrap()
}

fn intent(n: u64) -> Request<Full<Bytes>> {
    let body = "amount=1999&currency=eur&payment_method=pm_card_visa&confirm=true\
                &automatic_payment_methods[enabled]=true\
                &automatic_payment_methods[allow_redirects]=never";
    Request::post("/v1/payment_intents")
        .header("host", "127.0.0.1")
        .header("authorization", "Bearer sk_test_simulator")
        .header("idempotency-key", format!("straight-{n}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Full::from(body))
        .unwrap()
}
