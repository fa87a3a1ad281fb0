//! One step of the Stripe plugin: in a fresh sandbox instance, and compiled natively.
//!
//! Both make the same first request of the same card payment; the native side has the SDK's test
//! host around it. The sandboxed figure is the time until the answer is back with the caller,
//! handing the call to another thread included.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sandbox::contract as wit;
use sandbox::{Limits, Sandbox, Sensitive, Surroundings};
use sdk::Adapter;

use crate::{micros, percentile};

const CALLS: usize = 20_000;

/// Measures both and prints the ratio.
pub async fn compare(component: &Path) {
    let sandboxed = sandboxed(component).await;
    let native = native();
    println!("one plugin step, median and p99 of {CALLS} calls:");
    for (name, sorted) in [("fresh sandbox instance", &sandboxed), ("compiled natively", &native)] {
        let (p50, p99) = (percentile(sorted, 0.5), percentile(sorted, 0.99));
        println!("  {name:24} {:8.1} us {:8.1} us", micros(p50), micros(p99));
    }
    let ratio = micros(percentile(&sandboxed, 0.5)) / micros(percentile(&native, 0.5));
    println!("  ratio {ratio:.1}\n");
}

async fn sandboxed(component: &Path) -> Vec<Duration> {
    let places = |currency: &str| ledger::Currency::from_code(currency).ok().map(|c| c.places());
    let sandbox = Sandbox::new(Limits::default(), None, places).unwrap();
    let plugin = sandbox.load("stripe", &std::fs::read(component).unwrap(), None).unwrap();
    let around = Surroundings {
        account: "cards".into(),
        keyring: Arc::default(),
        settings: Arc::default(),
        sensitive: Arc::new(Nothing),
        kept: Arc::new(BTreeMap::new()),
        now: (1_800_000_000, 0),
        seed: [7; 32],
    };
    let mut times = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let (around, operation) = (around.clone(), wit::Operation::Authorize(order()));
        let start = Instant::now();
        let called = plugin.start(around, operation).await.unwrap();
        times.push(start.elapsed());
        assert!(matches!(called.answer, Ok(wit::Step::Send(_))));
    }
    times.sort_unstable();
    times
}

fn native() -> Vec<Duration> {
    let host = sdk::test::TestHost::new();
    let operation = sdk::Operation::Authorize(native_order());
    let mut times = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let start = Instant::now();
        let step = stripe::Stripe::start(&host, &operation);
        times.push(start.elapsed());
        assert!(matches!(step, Ok(sdk::Step::Send(_))));
    }
    times.sort_unstable();
    times
}

/// An account without secrets: the step only names one.
struct Nothing;

impl Sensitive for Nothing {
    fn secret(&self, _: &str) -> Option<vault::Secret> {
        None
    }

    fn card(&self, _: wit::CardField) -> Option<vault::Secret> {
        None
    }

    fn encode(&self, _: &vault::Secret, _: wit::Encoding) -> Result<vault::Secret, String> {
        Err("nothing to encode".to_owned())
    }
}

/// The same order in the two sets of generated types, which share names and no crate.
macro_rules! order {
    ($types:ident) => {{
        let amount = $types::Money { minor: 1999, currency: "EUR".into() };
        $types::Order {
            payment: $types::Payment {
                id: "pay_01jd8ze5p2m3q4r5s6t7v8w9xa".into(),
                merchant_reference: "order-1".into(),
                amount: amount.clone(),
                entries: Vec::new(),
            },
            entry: $types::Entry {
                id: "ent_01jd8ze5p2m3q4r5s6t7v8w9xa".into(),
                kind: $types::OperationKind::Authorize,
                amount,
                capture: true,
                state: $types::EntryState::Created,
                references: None,
                created_at: 1_800_000_000,
            },
            instrument: $types::Instrument::Token("pm_card_visa".into()),
            description: "Tea".into(),
            return_url: None,
            notify_url: "https://pay.example/webhooks/cards".into(),
            customer_ip: None,
            beneficiary: None,
            extra: Vec::new(),
        }
    }};
}

fn order() -> wit::Order {
    order!(wit)
}

fn native_order() -> sdk::Order {
    order!(sdk)
}
