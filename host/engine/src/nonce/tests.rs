use std::sync::Arc;

use ledger::{Id, TimestampMs};
use store::{Model, Range, Store};

use super::*;

const NOW_S: i64 = 1_800_000_000;

struct Still;

impl Clock for Still {
    fn now_ms(&self) -> TimestampMs {
        NOW_S.unsigned_abs() * 1000
    }
}

fn app(n: u8) -> Id {
    Id::app(1, [n; 10])
}

fn nonce<'a>(app: &'a Id, created_s: i64, value: &'a str) -> Nonce<'a> {
    Nonce { app, created_s, value, age_s_max: 300 }
}

#[tokio::test]
async fn a_nonce_is_taken_once_by_each_app_also_after_a_restart() {
    let store: Arc<dyn Store> = Arc::new(Model::new());
    let nonces = Nonces::new(store.clone(), Arc::new(Still));
    let (one, other) = (app(1), app(2));
    assert!(nonces.take(nonce(&one, NOW_S, "n/1")).await.unwrap());
    assert!(!nonces.take(nonce(&one, NOW_S, "n/1")).await.unwrap());
    assert!(nonces.take(nonce(&one, NOW_S, "n/2")).await.unwrap());
    assert!(nonces.take(nonce(&other, NOW_S, "n/1")).await.unwrap());
    let restarted = Nonces::new(store, Arc::new(Still));
    assert!(!restarted.take(nonce(&one, NOW_S, "n/1")).await.unwrap());
}

#[tokio::test]
async fn of_two_at_the_same_time_one_takes_it() {
    let nonces = Nonces::new(Arc::new(Model::new()), Arc::new(Still));
    let app = app(1);
    let (left, right) =
        tokio::join!(nonces.take(nonce(&app, NOW_S, "n")), nonces.take(nonce(&app, NOW_S, "n")));
    assert!(left.unwrap() != right.unwrap());
}

#[tokio::test]
async fn only_what_is_out_of_its_time_is_forgotten() {
    let store: Arc<dyn Store> = Arc::new(Model::new());
    let nonces = Nonces::new(store.clone(), Arc::new(Still));
    let app = app(1);
    for n in 0..2_500 {
        assert!(nonces.take(nonce(&app, NOW_S - 3_600, &format!("old{n}"))).await.unwrap());
    }
    assert!(nonces.take(nonce(&app, NOW_S - 299, "kept")).await.unwrap());
    nonces.forget(NOW_S - 300 - MARGIN_S).await.unwrap();
    let left = store.scan(Range::under(record::NONCE, b"")).await.unwrap();
    assert_eq!(left.len(), 1);
    assert!(!nonces.take(nonce(&app, NOW_S - 299, "kept")).await.unwrap());
}
