//! Payments beside a plugin that means harm: the time of a neighbour's payment while the plugin
//! does harm in each of its calls, against the time it takes while the same calls are answered as
//! they should, and while there are none, on the same host.
//!
//! None, tame and harmful ones in turn, so that a store that grows shows on both. The plugin is never quarantined
//! here, which would end the harm after a few calls.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use http_body_util::BodyExt;
use simulators::{StripeOptions, StripeSimulator};
use tokio::time::MissedTickBehavior;

use crate::host::Host;
use crate::load::{Figures, connect, order, run};
use crate::millis;

/// Who pays by the neighbour, and how often each.
const PAYERS: usize = 16;
const PAYS_EVERY: Duration = Duration::from_millis(500);
/// Who calls the plugin that means harm, and how often each, if it is answered by then.
const CALLERS: usize = 64;
const CALLS_EVERY: Duration = Duration::from_secs(1);

const HARMS: [&str; 4] = ["loop", "grow", "deep", "trap"];

/// Runs the payers beside each kind of harm, and prints both times.
pub async fn compare(root: &Path, component: &Path) {
    let simulator = StripeSimulator::start(StripeOptions::default()).await.unwrap();
    let host = Host::with_rogue(root, component, &simulator.base_url());
    let n = Arc::new(AtomicU64::new(0));
    println!("payments beside a plugin that means harm: {PAYERS} payers, {CALLERS} callers");
    let mut memory = vec![host.resident_kib()];
    // Twice, so that what is kept for the next call is told from what is lost.
    for (round, harm) in [HARMS, HARMS].concat().into_iter().enumerate() {
        let quiet = pay(&host, &n).await;
        println!("  quiet              {}", quiet.line());
        let (tame_calls, tame) = beside(&host, "tame", round, &n).await;
        memory.push(host.resident_kib());
        println!("  tame {tame_calls:8} calls {}", tame.line());
        let (wild_calls, wild) = beside(&host, harm, round, &n).await;
        println!("  {harm} {wild_calls:8} calls {}", wild.line());
        memory.push(host.resident_kib());
        for (to, figures) in [("quiet", &quiet), ("tame", &tame)] {
            let ratio = |share| millis(wild.at(share)) / millis(figures.at(share));
            println!("    to {to:5}: ratio of p50 {:.2}, of p99 {:.2}", ratio(0.5), ratio(0.99));
        }
    }
    println!("  memory of the host, in KiB, at the start and after each: {memory:?}\n");
    simulator.stop().await;
}

/// Payments while the callers ask the plugin for this, under keys of their own.
async fn beside(host: &Host, what: &str, round: usize, n: &Arc<AtomicU64>) -> (u64, Figures) {
    let over = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let name = format!("{what}-{round}-{caller}");
            tokio::spawn(call(host.address.clone(), host.key.clone(), name, over.clone()))
        })
        .collect();
    let figures = pay(host, n).await;
    over.store(true, Ordering::Relaxed);
    let mut calls = 0;
    for caller in callers {
        calls += caller.await.unwrap();
    }
    (calls, figures)
}

async fn pay(host: &Host, n: &Arc<AtomicU64>) -> Figures {
    let (key, n) = (host.key.clone(), n.clone());
    let request = move |_| {
        let n = n.fetch_add(1, Ordering::Relaxed);
        order(&key, "cards", &format!("order-{n}"))
    };
    run(&host.address, PAYERS, Some(PAYS_EVERY), request).await
}

/// Calls until it is over, and says how often.
async fn call(address: String, key: String, name: String, over: Arc<AtomicBool>) -> u64 {
    let mut connection = connect(&address).await;
    let (mut calls, mut pace) = (0, tokio::time::interval(CALLS_EVERY));
    pace.set_missed_tick_behavior(MissedTickBehavior::Skip);
    while !over.load(Ordering::Relaxed) {
        pace.tick().await;
        let answer = connection.send_request(order(&key, "rogue", &format!("{name}-{calls}")));
        let answer = answer.await.unwrap();
        assert!(!answer.status().is_success(), "the harm was not done");
        answer.into_body().collect().await.unwrap();
        calls += 1;
    }
    calls
}
