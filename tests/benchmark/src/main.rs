//! `tests/bench`: both sides of every comparison in one run, and the ratio.
//!
//! Not here: any verdict. A machine's figures are its own; what travels are the ratios.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs
)]

mod call;
mod host;
mod load;
mod neighbours;

use std::path::Path;
use std::time::Duration;

use simulators::Delay;

/// How long each load runs.
const LOAD: Duration = Duration::from_secs(10);

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let component = root.join("target/bench/stripe.wasm");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    // `tests/bench neighbours`: that part alone.
    let parts: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|one| one == part);
    runtime.block_on(async {
        if wanted("call") {
            call::compare(&component).await;
        }
        if wanted("neighbours") {
            neighbours::compare(root, &component).await;
        }
        if !wanted("load") {
            return;
        }
        let instant = Delay::None;
        let slow = Delay::LogNormal { median: Duration::from_millis(120), sigma: 0.3, seed: 1 };
        for (name, delay, payers) in [
            ("a provider that answers at once", instant, 1),
            ("a provider that answers at once", instant, 16),
            ("a provider that answers at once", instant, 64),
            ("a provider that takes 120 ms, log-normal", slow, 64),
            ("a provider that takes 120 ms, log-normal", slow, 256),
        ] {
            load::compare(root, &component, name, delay, payers).await;
        }
    });
}

/// The value below which this share of the sorted figures lies.
fn percentile(sorted: &[Duration], share: f64) -> Duration {
    let place = (sorted.len() as f64 * share) as usize;
    sorted.get(place.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
