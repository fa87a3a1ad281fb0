use std::sync::Arc;
use std::sync::atomic::Ordering;

use ledger::Money;
use store::Model;
use vault::AtRest;

use super::*;
use crate::app::SpendingLimit;
use crate::apps::tests::Hand;
use crate::clock::{Clock, SystemEntropy};
use crate::{AppChange, Options, Parts};

const NOON: TimestampMs = 1_700_006_400_000 + DAY_MS / 2;

struct Bench {
    engine: Engine,
    clock: Arc<Hand>,
    app: Id,
}

fn eur() -> Currency {
    Currency::from_code("EUR").unwrap()
}

fn limit(amount_minor_max: u64) -> AppChange {
    let spending = Some(vec![SpendingLimit { currency: eur(), amount_minor_max }]);
    AppChange { spending, ..AppChange::default() }
}

impl Bench {
    async fn with_limit(amount_minor_max: u64) -> Bench {
        let clock = Arc::new(Hand((NOON - NOON % DAY_MS + DAY_MS / 2).into()));
        let engine = Engine::new(Parts {
            store: Arc::new(Model::new()),
            egress: egress::Egress::new(egress::Options::default()).unwrap(),
            notifying: crate::notify::tests::notifying(),
            at_rest: AtRest::closed(),
            card_keys: Arc::new(store::Slots::in_memory()),
            clock: clock.clone(),
            entropy: Arc::new(SystemEntropy),
            accounts: Vec::new(),
            options: Options::default(),
        });
        let engine = engine.unwrap();
        let change = AppChange { name: Some("shop".to_owned()), ..limit(amount_minor_max) };
        let (app, _) = engine.apps().add(&change, None).await.unwrap();
        Bench { engine, clock, app: app.id }
    }

    fn payment(&self, minor: u64) -> Payment {
        self.of_kind(minor, Kind::Authorize, eur())
    }

    /// A payment whose first request is about to leave.
    fn of_kind(&self, minor: u64, kind: Kind, currency: Currency) -> Payment {
        let now = self.clock.now_ms();
        let amount = Money::new(minor, currency).unwrap();
        let entry = Entry {
            id: Id::entry(now, self.engine.random()),
            kind,
            amount,
            capture: true,
            state: State::Sending,
            references: None,
            next: None,
            decline: None,
            why: None,
            resolution: None,
            created_at_ms: now,
            changed_at_ms: now,
        };
        Payment {
            id: Id::payment(now, self.engine.random()),
            app: self.app.clone(),
            account: "cards".to_owned(),
            merchant_reference: "r".to_owned(),
            amount,
            entries: vec![entry],
            created_at_ms: now,
        }
    }

    /// Begins a payment as an operation would; gives it, or why not.
    async fn begin(&self, minor: u64, kind: Kind, currency: Currency) -> Result<Payment, Error> {
        let payment = self.of_kind(minor, kind, currency);
        loop {
            let mut batch = self.engine.batch();
            let entry = &payment.entries[0];
            let _held = self.engine.note_spending(&mut batch, &payment, entry).await?;
            self.put(&mut batch, &payment);
            match self.engine.0.store.commit(batch).await {
                Ok(_) => return Ok(payment),
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn put(&self, batch: &mut Batch, payment: &Payment) {
        batch.put(record::PAYMENT, payment.id.as_str(), record::encode(payment));
        batch.put(record::LISTED, record::listed_key(&payment.app, &payment.id), Vec::new());
    }

    /// Ends a payment in this state.
    async fn end(&self, payment: &Payment, state: State) {
        let mut ended_payment = payment.clone();
        ended_payment.entries[0].state = state;
        loop {
            let mut batch = self.engine.batch();
            let (old, new) = (&payment.entries[0], &ended_payment.entries[0]);
            let _held = match ended(old, new) {
                true => self.engine.note_unspent(&mut batch, &self.app, new).await.unwrap(),
                false => None,
            };
            self.put(&mut batch, &ended_payment);
            match self.engine.0.store.commit(batch).await {
                Ok(_) => return,
                Err(error) => assert!(error.is_conflict(), "{error}"),
            }
        }
    }

    /// The sum that is kept, if one is, and that of the ledger.
    async fn sums(&self) -> (Option<u64>, u64) {
        let day = Day::of(self.clock.now_ms());
        let key = key(&self.app, day, eur());
        let kept = record::read::<Spent>(&*self.engine.0.store, record::SPENT, &key).await.unwrap();
        let ledger = self.engine.spent_by_ledger(&self.app, day, eur()).await.unwrap();
        (kept.map(|read| read.value.amount_minor), ledger)
    }

    async fn pay(&self, minor: u64) -> Result<Payment, Error> {
        self.begin(minor, Kind::Authorize, eur()).await
    }

    /// What is left, as a refusal tells it.
    async fn left(&self) -> u64 {
        match self.pay(999_999_999).await {
            Err(Error::SpendingLimit { left_minor, .. }) => left_minor,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn the_limit_can_be_reached_and_not_exceeded() {
    let bench = Bench::with_limit(1_000).await;
    bench.pay(400).await.unwrap();
    assert!(bench.pay(601).await.is_err());
    bench.begin(600, Kind::Payout, eur()).await.unwrap();
    assert_eq!(bench.left().await, 0);
    assert!(bench.pay(1).await.is_err());
    let francs = Currency::from_code("CHF").unwrap();
    bench.begin(5_000, Kind::Authorize, francs).await.unwrap();
}

#[tokio::test]
async fn a_refund_a_capture_and_a_cancellation_spend_nothing() {
    let bench = Bench::with_limit(100).await;
    for kind in [Kind::Refund, Kind::Capture, Kind::Cancel] {
        bench.begin(5_000, kind, eur()).await.unwrap();
    }
    assert_eq!(bench.left().await, 100);
}

#[tokio::test]
async fn what_ends_without_moving_money_is_given_back_and_what_is_in_doubt_is_not() {
    for (state, back) in [
        (State::Declined, 400),
        (State::NotSent, 400),
        (State::Expired, 400),
        (State::Succeeded, 0),
        (State::Unknown, 0),
        (State::Pending, 0),
        (State::NeedsAction, 0),
    ] {
        let bench = Bench::with_limit(1_000).await;
        let payment = bench.pay(400).await.unwrap();
        bench.end(&payment, state).await;
        assert_eq!(bench.left().await, 600 + back, "{state:?}");
    }
}

#[tokio::test]
async fn a_day_ends_at_midnight_utc_and_the_next_begins_with_nothing_spent() {
    let bench = Bench::with_limit(1_000).await;
    let late = bench.pay(900).await.unwrap();
    let Err(Error::SpendingLimit { renews_at_ms, .. }) = bench.pay(101).await else { panic!() };
    assert_eq!(renews_at_ms % DAY_MS, 0);
    bench.clock.0.store(renews_at_ms - 1, Ordering::SeqCst);
    assert_eq!(bench.left().await, 100);
    bench.clock.0.store(renews_at_ms, Ordering::SeqCst);
    bench.pay(1_000).await.unwrap();
    assert_eq!(bench.left().await, 0);
    // What a payment of yesterday gives back, it gives back to yesterday.
    bench.end(&late, State::Declined).await;
    assert_eq!(bench.left().await, 0);
}

#[tokio::test]
async fn of_two_that_were_admitted_by_the_same_sum_one_is_not_committed() {
    let bench = Bench::with_limit(1_000).await;
    bench.pay(500).await.unwrap();
    let (one, other) = (bench.payment(400), bench.payment(300));
    let mut batches = Vec::new();
    for payment in [&one, &other] {
        let mut batch = bench.engine.batch();
        let noted = bench.engine.note_spending(&mut batch, payment, &payment.entries[0]).await;
        drop(noted.unwrap());
        bench.put(&mut batch, payment);
        batches.push(batch);
    }
    let mut committed = Vec::new();
    for batch in batches {
        committed.push(bench.engine.0.store.commit(batch).await);
    }
    assert!(committed[0].is_ok());
    assert!(committed[1].as_ref().is_err_and(store::Error::is_conflict), "{committed:?}");
    assert_eq!(bench.sums().await, (Some(900), 900));
}

#[tokio::test]
async fn of_a_payment_and_a_revocation_at_once_one_is_not_committed() {
    let bench = Bench::with_limit(1_000).await;
    let payment = bench.payment(100);
    let mut batch = bench.engine.batch();
    let noted = bench.engine.note_spending(&mut batch, &payment, &payment.entries[0]).await;
    drop(noted.unwrap());
    bench.engine.apps().revoke(bench.app.as_str()).await.unwrap();
    let committed = bench.engine.0.store.commit(batch).await;
    assert!(committed.is_err_and(|error| error.is_conflict()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_never_exceed_the_limit() {
    let bench = Arc::new(Bench::with_limit(1_000).await);
    let payers: Vec<_> = (0..32)
        .map(|_| {
            let bench = bench.clone();
            tokio::spawn(async move { bench.pay(100).await.is_ok() })
        })
        .collect();
    let mut taken = 0;
    for payer in payers {
        taken += u32::from(payer.await.unwrap());
    }
    assert_eq!(taken, 10);
    assert_eq!(bench.sums().await, (Some(1_000), 1_000));
}

#[tokio::test]
async fn a_limit_set_later_counts_what_was_spent_before_it() {
    let bench = Bench::with_limit(1_000).await;
    let id = bench.app.as_str();
    let none = AppChange { spending: Some(Vec::new()), ..AppChange::default() };
    bench.engine.apps().set(id, &none).await.unwrap();
    let declined = bench.pay(5_000).await.unwrap();
    bench.pay(700).await.unwrap();
    assert_eq!(bench.sums().await, (None, 5_700), "no sum is kept without a limit");
    bench.end(&declined, State::Declined).await;
    bench.engine.apps().set(id, &limit(1_000)).await.unwrap();
    assert_eq!(bench.left().await, 300);
}

#[tokio::test]
async fn an_app_that_was_revoked_begins_nothing_more() {
    let bench = Bench::with_limit(1_000).await;
    bench.engine.apps().revoke(bench.app.as_str()).await.unwrap();
    assert!(matches!(bench.pay(1).await, Err(Error::AppRevoked)));
}

#[tokio::test]
async fn whatever_happens_the_sum_that_is_kept_is_that_of_the_ledger() {
    let bench = Bench::with_limit(10_000).await;
    let (mut open, mut drawn) = (Vec::new(), 7_u64);
    let mut draw = |bound: u64| {
        drawn =
            drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (drawn >> 33) % bound
    };
    for step in 0..2_000 {
        match draw(20) {
            0 => {
                let change = limit(5_000 + draw(20_000));
                bench.engine.apps().set(bench.app.as_str(), &change).await.unwrap();
            }
            1 => drop(bench.clock.0.fetch_add(draw(DAY_MS / 40), Ordering::SeqCst)),
            2..=10 => open.extend(bench.pay(1 + draw(3_000)).await.ok()),
            _ if !open.is_empty() => {
                let payment: Payment = open.swap_remove(draw(open.len() as u64) as usize);
                let states = [State::Declined, State::NotSent, State::Succeeded, State::Expired];
                bench.end(&payment, states[draw(4) as usize]).await;
            }
            _ => {}
        }
        let (kept, ledger) = bench.sums().await;
        assert!(kept.is_none_or(|kept| kept == ledger), "step {step}: {kept:?}, {ledger}");
        assert!(ledger <= 25_000, "step {step}");
    }
}
