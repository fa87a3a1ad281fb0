use std::sync::Arc;
use std::sync::atomic::Ordering;

use egress::Egress;
use ledger::{Currency, Entry, Id, Kind, Money, Payment, State};
use store::{Model, Store};
use vault::AtRest;

use super::*;
use crate::apps::tests::Hand;
use crate::clock::SystemEntropy;
use crate::notify::tests::notifying;
use crate::{Options, Parts};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

struct Bench {
    engine: Engine,
    store: Arc<Model>,
    clock: Arc<Hand>,
}

fn bench() -> Bench {
    let (store, clock) = (Arc::new(Model::new()), Arc::new(Hand((100 * DAY_MS).into())));
    let engine = Engine::new(Parts {
        store: store.clone(),
        egress: Egress::new(egress::Options::default()).unwrap(),
        at_rest: AtRest::new(Vec::new()).unwrap(),
        card_keys: Arc::new(store::Slots::in_memory()),
        notifying: notifying(),
        clock: clock.clone(),
        entropy: Arc::new(SystemEntropy),
        accounts: Vec::new(),
        options: Options { idempotency_keep_ms: 30 * DAY_MS, ..Options::default() },
    });
    Bench { engine: engine.unwrap(), store, clock }
}

impl Bench {
    /// A payment that was asked for under this key, as an operation leaves it.
    async fn asked(&self, n: u32, state: State) {
        let now = self.engine.0.clock.now_ms();
        let mut random = [0; 10];
        random[..4].copy_from_slice(&n.to_be_bytes());
        let amount = Money::new(1, Currency::from_code("EUR").unwrap()).unwrap();
        let entry = Entry {
            id: Id::entry(now, random),
            kind: Kind::Authorize,
            amount,
            capture: true,
            state,
            references: None,
            next: None,
            decline: None,
            why: None,
            resolution: None,
            created_at_ms: now,
            changed_at_ms: now,
        };
        let idempotent = Idempotent {
            digest: String::new(),
            payment: Id::payment(now, random),
            entry: entry.id.clone(),
            answer: None,
        };
        let payment = Payment {
            id: idempotent.payment.clone(),
            app: Id::app(1, [7; 10]),
            account: "a".to_owned(),
            merchant_reference: "r".to_owned(),
            amount,
            entries: vec![entry],
            created_at_ms: now,
        };
        let (mut batch, key) = (self.engine.batch(), format!("app/{n}"));
        let id = payment.id.as_str().as_bytes();
        batch.put(record::PAYMENT, id, record::encode(&payment));
        batch.put(record::IDEMPOTENCY, key.as_bytes(), record::encode(&idempotent));
        batch.put(record::KEY_DUE, record::key_due(now, key.as_bytes()), Vec::new());
        self.store.commit(batch).await.unwrap();
    }

    async fn count(&self, space: store::Space) -> usize {
        self.store.scan(Range::all(space).limit(usize::MAX)).await.unwrap().len()
    }

    fn days_later(&self, days: u64) {
        self.clock.0.fetch_add(days * DAY_MS, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_key_is_forgotten_after_its_time_and_not_before() {
    let bench = bench();
    for n in 0..3 {
        bench.asked(n, State::Succeeded).await;
    }
    bench.days_later(20);
    bench.asked(3, State::Declined).await;
    assert_eq!(bench.engine.expire().await.unwrap(), 0);
    bench.days_later(10);
    assert_eq!(bench.engine.expire().await.unwrap(), 0, "on the very day it is still known");
    bench.clock.0.fetch_add(1, Ordering::SeqCst);
    assert_eq!(bench.engine.expire().await.unwrap(), 3);
    assert_eq!(
        (bench.count(record::IDEMPOTENCY).await, bench.count(record::KEY_DUE).await),
        (1, 1)
    );
}

#[tokio::test]
async fn the_key_of_an_entry_that_is_open_is_never_forgotten() {
    let bench = bench();
    for (n, state) in
        (0..).zip([State::Unknown, State::Pending, State::NeedsAction, State::Sending])
    {
        bench.asked(n, state).await;
    }
    for _ in 0..5 {
        bench.days_later(31);
        assert_eq!(bench.engine.expire().await.unwrap(), 0);
    }
    assert_eq!(
        (bench.count(record::IDEMPOTENCY).await, bench.count(record::KEY_DUE).await),
        (4, 4)
    );
}

#[tokio::test]
async fn more_than_one_commit_holds_are_forgotten_in_one_round() {
    let bench = bench();
    let count = 2 * ROWS_MAX + 1;
    for n in 0..count {
        bench.asked(u32::try_from(n).unwrap(), State::Succeeded).await;
    }
    bench.days_later(31);
    let before = *bench.store.subscribe().borrow();
    assert_eq!(bench.engine.expire().await.unwrap(), count);
    assert_eq!(*bench.store.subscribe().borrow() - before, 3, "so many in a commit");
    assert_eq!(
        (bench.count(record::IDEMPOTENCY).await, bench.count(record::KEY_DUE).await),
        (0, 0)
    );
}
