//! Plugins of a few lines, at a provider that answers, hangs up, or waits.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use egress::Gate;
use ledger::{AnomalyKind, Currency, Id, Money, State};
use sandbox::Surroundings;
use store::Model;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use vault::{AtRest, Keyring, Legacy};

use super::*;
use crate::apps::tests::Hand;
use crate::books::{Books, Listed};
use crate::clock::SystemEntropy;
use crate::plugin::Calling;
use crate::reconcile::tests::{answered, described, nothing};
use crate::{AccountParts, AppChange, Ask, Instrument, Mode, NewPayment, Options, Parts, Plugin};

/// What a plugin does in the n-th step of an operation.
type Script = fn(u8, &wit::Operation) -> Does;

enum Does {
    Sends { moves_money: bool },
    Done(wit::Outcome),
}

struct Scripted {
    description: wit::Description,
    url: String,
    script: Script,
}

impl Scripted {
    fn step(
        &self,
        step: u8,
        operation: &wit::Operation,
    ) -> Calling<'static, Result<wit::Step, wit::Failure>> {
        let moves_money = match (self.script)(step, operation) {
            Does::Done(outcome) => return answered(Ok(wit::Step::Done(outcome))),
            Does::Sends { moves_money } => moves_money,
        };
        let request = wit::Request::Http(wit::HttpRequest {
            method: wit::Method::Post,
            url: self.url.clone(),
            headers: Vec::new(),
            body: Vec::new(),
        });
        let state = vec![step + 1];
        answered(Ok(wit::Step::Send(wit::Exchange { request, moves_money, state })))
    }
}

impl Plugin for Scripted {
    fn description(&self) -> &wit::Description {
        &self.description
    }
    fn identity(&self) -> String {
        "scripted".to_owned()
    }
    fn start(
        &self,
        _: Surroundings,
        operation: wit::Operation,
    ) -> Calling<'_, Result<wit::Step, wit::Failure>> {
        self.step(0, &operation)
    }
    fn resume(
        &self,
        _: Surroundings,
        operation: wit::Operation,
        state: Vec<u8>,
        _: wit::Reply,
    ) -> Calling<'_, Result<wit::Step, wit::Failure>> {
        self.step(state[0], &operation)
    }
    fn prove(
        &self,
        _: Surroundings,
        _: wit::Delivery,
    ) -> Calling<'_, Result<wit::Proof, wit::Failure>> {
        nothing()
    }
    fn interpret(
        &self,
        _: Surroundings,
        _: wit::Delivery,
    ) -> Calling<'_, Result<Vec<wit::Event>, wit::Failure>> {
        nothing()
    }
    fn acknowledge(&self, _: bool) -> Calling<'_, wit::HttpResponse> {
        answered(wit::HttpResponse { status: 200, headers: Vec::new(), body: Vec::new() })
    }
}

/// Takes one request a connection. Of the first `answers` each is answered, with nothing in it,
/// once there is leave to; at every later one it hangs up.
struct Provider {
    host: String,
    asked: Arc<Semaphore>,
    leave: Arc<Semaphore>,
}

impl Provider {
    async fn new(answers: usize) -> Provider {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = format!("http://{}", listener.local_addr().unwrap());
        let (asked, leave) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let provider = Provider { host, asked: asked.clone(), leave: leave.clone() };
        tokio::spawn(async move {
            for n in 0.. {
                let (mut stream, _) = listener.accept().await.unwrap();
                assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
                asked.add_permits(1);
                if n >= answers {
                    continue;
                }
                leave.acquire().await.unwrap().forget();
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                stream.write_all(answer).await.ok();
            }
        });
        provider
    }

    /// One that answers every request at once.
    async fn willing() -> Provider {
        let provider = Provider::new(usize::MAX).await;
        provider.leave.add_permits(1_000);
        provider
    }
}

struct Bench {
    engine: Engine,
    app: Id,
    asked: std::sync::atomic::AtomicUsize,
}

impl Bench {
    async fn new(provider: &Provider, script: Script) -> Bench {
        Bench::of(provider, script, described()).await
    }

    async fn of(provider: &Provider, script: Script, mut description: wit::Description) -> Bench {
        let host = &provider.host;
        description.operations = vec![
            wit::OperationKind::Authorize,
            wit::OperationKind::Cancel,
            wit::OperationKind::Refund,
        ];
        description.methods = vec!["token".to_owned()];
        description.recovery.idempotent_seconds = Some(86_400);
        let account = AccountParts {
            name: "shop".to_owned(),
            mode: Mode::Test,
            plugin: Arc::new(Scripted { description, url: format!("{host}/more"), script }),
            keyring: Keyring::new(Legacy::none()),
            settings: BTreeMap::new(),
            secrets: BTreeMap::new(),
            gate: Gate { hosts: vec![host.parse().unwrap()], ..Gate::default() },
            notify_url: "https://pay.example/webhooks/shop".to_owned(),
            delivery_age_seconds_max: 300,
        };
        let engine = Engine::new(Parts {
            store: Arc::new(Model::new()),
            egress: egress::Egress::new(egress::Options::default()).unwrap(),
            notifying: crate::notify::tests::notifying(),
            at_rest: AtRest::closed(),
            card_keys: Arc::new(store::Slots::in_memory()),
            clock: Arc::new(Hand(1_700_000_000_000.into())),
            entropy: Arc::new(SystemEntropy),
            accounts: vec![account],
            options: Options { steps_max: 5, ..Options::default() },
        });
        let engine = engine.unwrap();
        let named = AppChange { name: Some("app".to_owned()), ..AppChange::default() };
        let (app, _) = engine.apps().add(&named, None).await.unwrap();
        Bench { engine, app: app.id, asked: 0.into() }
    }

    fn ask(&self) -> Ask {
        let n = self.asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let idempotency_key = format!("k{n}");
        Ask { app: self.app.clone(), key: "key".to_owned(), idempotency_key, digest: [1; 32] }
    }

    /// Without a limit some of the plugins would go on for ever.
    async fn pay(&self) -> Payment {
        self.pay_for("").await
    }

    async fn pay_for(&self, what: &str) -> Payment {
        let new = NewPayment {
            account: "shop".to_owned(),
            amount: Money::new(900, Currency::from_code("EUR").unwrap()).unwrap(),
            merchant_reference: "order".to_owned(),
            instrument: Instrument::Token("tok".to_owned()),
            capture: true,
            description: what.to_owned(),
            return_url: None,
            customer_ip: None,
            extra: BTreeMap::new(),
        };
        let paying = self.engine.pay(self.ask(), new);
        let paid = tokio::time::timeout(Duration::from_secs(60), paying).await;
        paid.expect("it is stopped").unwrap().payment
    }

    async fn sent(&self) -> usize {
        let sent = store::Range::under(record::EXCHANGE, b"");
        self.engine.0.store.scan(sent).await.unwrap().len()
    }

    async fn anomalies(&self) -> Vec<AnomalyKind> {
        let listed = Listed { limit: 10, ..Listed::default() };
        let all = Books::of(&self.engine).anomalies(&listed).await.unwrap().anomalies;
        all.into_iter().map(|anomaly| anomaly.kind).collect()
    }
}

fn order(asked: &wit::Operation) -> &wit::Order {
    match asked {
        wit::Operation::Authorize(order) | wit::Operation::Cancel(order) => order,
        wit::Operation::Sync(order) | wit::Operation::Refund(order) => order,
        other => panic!("{other:?}"),
    }
}

fn succeeded(reference: &str, asked: &wit::Operation) -> Does {
    moved(reference, order(asked).entry.amount.clone())
}

fn moved(reference: &str, amount: wit::Money) -> Does {
    let references = named(reference);
    Does::Done(wit::Outcome::Succeeded(wit::Settled { references, amount }))
}

fn named(reference: &str) -> wit::References {
    wit::References { provider: reference.to_owned(), secondary: None }
}

#[tokio::test]
async fn a_plugin_that_wants_one_request_after_the_other_is_stopped_and_its_entry_is_unknown() {
    let insatiable: Script = |step, _| Does::Sends { moves_money: step == 0 };
    let bench = Bench::new(&Provider::willing().await, insatiable).await;
    let payment = bench.pay().await;
    let entry = &payment.entries[0];
    assert_eq!(entry.state, State::Unknown, "money was asked for");
    let why = entry.why.as_deref().unwrap_or_default();
    assert!(why.contains("the plugin wants more than 5 requests"), "{entry:?}");
    assert_eq!(bench.sent().await, 5, "each that was sent is recorded, and no other");
}

#[tokio::test]
async fn where_money_was_asked_for_a_lost_look_up_that_is_repeated_proves_nothing() {
    // The second request looks up what the first one did.
    let looks_up: Script = |step, _| Does::Sends { moves_money: step == 0 };
    let provider = Provider::new(1).await;
    provider.leave.add_permits(1);
    let bench = Bench::new(&provider, looks_up).await;
    let payment = bench.pay().await;
    assert_eq!(payment.entries[0].state, State::Unknown, "{payment:?}");
    for _ in 0..3 {
        let found = bench.engine.sync(&bench.app, &payment.id).await.unwrap();
        assert_eq!(found.entries[0].state, State::Unknown, "{found:?}");
    }
    assert_eq!(provider.asked.available_permits(), 5, "the look-up was sent again each time");
}

#[tokio::test]
async fn what_was_cancelled_between_two_requests_of_it_is_not_paid() {
    let with_token: Script = |step, asked| match (asked, step) {
        (wit::Operation::Cancel(_), _) => succeeded("closed", asked),
        (_, 0) => Does::Sends { moves_money: false },
        (_, 1) => Does::Sends { moves_money: true },
        _ => succeeded("paid", asked),
    };
    let provider = Provider::new(2).await;
    let bench = Bench::new(&provider, with_token).await;
    let cancelling = async {
        provider.asked.acquire().await.unwrap().forget();
        let page = bench.engine.payments(&bench.app, None, 10).await.unwrap();
        let cancelled = bench.engine.cancel(bench.ask(), page.payments[0].id.clone()).await;
        assert_eq!(cancelled.unwrap().payment.entries[0].state, State::Expired);
        // From here on the provider answers whatever comes.
        provider.leave.add_permits(10);
    };
    let (payment, ()) = tokio::join!(bench.pay(), cancelling);
    assert_eq!(payment.entries[0].state, State::Expired, "{payment:?}");
    assert_eq!(provider.asked.available_permits(), 0, "the request that moves money left");
    assert_eq!(bench.anomalies().await, []);
    let key = record::exchange_key(&payment.entries[0].id, 1);
    let store = &*bench.engine.0.store;
    let held = record::read::<Exchange>(store, record::EXCHANGE, &key).await.unwrap().unwrap();
    assert_eq!(held.value.failed.as_deref(), Some("not sent: the entry was expired by then"));
}

#[tokio::test]
async fn an_answer_that_names_another_payments_charge_settles_nothing() {
    let crossed: Script = |_, asked| succeeded("ch_1", asked);
    let bench = Bench::new(&Provider::willing().await, crossed).await;
    let first = bench.pay().await;
    assert_eq!(first.entries[0].state, State::Succeeded);
    let second = bench.pay().await;
    assert_eq!(second.entries[0].state, State::Unknown, "{second:?}");
    let (reference, owner) = ("ch_1".to_owned(), first.entries[0].id.clone());
    assert_eq!(bench.anomalies().await, [AnomalyKind::ReferenceTaken { reference, owner }]);
    let key = record::reference_key("shop", ledger::Kind::Authorize, "ch_1");
    let store = &*bench.engine.0.store;
    let found = record::read::<record::Found>(store, record::REFERENCE, &key).await.unwrap();
    assert_eq!(found.unwrap().value.payment, first.id, "it leads to whom it is of");
}

#[tokio::test]
async fn a_refund_that_is_answered_with_another_payments_charge_is_not_believed() {
    let crossed: Script = |_, asked| match (asked, order(asked).description.as_str()) {
        (wit::Operation::Refund(_), _) | (_, "second") => succeeded("ch_2", asked),
        _ => succeeded("ch_1", asked),
    };
    let bench = Bench::new(&Provider::willing().await, crossed).await;
    let (first, second) = (bench.pay_for("first").await, bench.pay_for("second").await);
    let owner = second.entries[0].id.clone();
    let refunded = bench.engine.refund(bench.ask(), first.id, None).await.unwrap();
    assert_eq!(refunded.payment.entries[1].state, State::Unknown);
    let reference = "ch_2".to_owned();
    assert_eq!(bench.anomalies().await, [AnomalyKind::ReferenceTaken { reference, owner }]);
    // A refund of the second payment may bear its name.
    let refunded = bench.engine.refund(bench.ask(), second.id, None).await.unwrap();
    assert_eq!(refunded.payment.entries[1].state, State::Succeeded);
}

#[tokio::test]
async fn what_contradicts_the_ledger_each_time_it_is_asked_about_is_one_anomaly() {
    let crossed: Script = |_, asked| succeeded("ch_1", asked);
    let bench = Bench::new(&Provider::willing().await, crossed).await;
    let (_, second) = (bench.pay().await, bench.pay().await);
    for _ in 0..3 {
        let still = bench.engine.sync(&bench.app, &second.id).await.unwrap();
        assert_eq!(still.entries[0].state, State::Unknown);
    }
    assert_eq!(bench.anomalies().await.len(), 1);
}

#[tokio::test]
async fn a_second_identifier_is_nobodys_own_and_finds_whom_it_still_can_be_of() {
    let numbered: Script = |_, asked| {
        let called = |provider: &str, secondary: &str| wit::References {
            provider: provider.to_owned(),
            secondary: Some(secondary.to_owned()),
        };
        let (what, amount) = (order(asked).description.as_str(), order(asked).entry.amount.clone());
        let paid =
            |references| Does::Done(wit::Outcome::Succeeded(wit::Settled { references, amount }));
        match what {
            "refused" => Does::Done(wit::Outcome::Declined(wit::Decline {
                references: Some(called("t0", "order")),
                code: wit::DeclineCode::Generic,
                provider_code: "51".to_owned(),
                provider_message: "no".to_owned(),
                retry: wit::RetryAdvice::Never,
            })),
            "again" => paid(called("t1", "order")),
            "later" => paid(called("t2", "order")),
            _ => paid(called("order", "t1")),
        }
    };
    let bench = Bench::new(&Provider::willing().await, numbered).await;
    let found = async || {
        let key = record::reference_key("shop", ledger::Kind::Authorize, "order");
        let store = &*bench.engine.0.store;
        record::read::<record::Found>(store, record::REFERENCE, &key).await.unwrap().unwrap().value
    };
    let refused = bench.pay_for("refused").await;
    assert_eq!((refused.entries[0].state, found().await.payment), (State::Declined, refused.id));
    let paid = bench.pay_for("again").await;
    assert_eq!((paid.entries[0].state, found().await.payment), (State::Succeeded, paid.id.clone()));
    bench.pay_for("later").await;
    assert_eq!(found().await.payment, paid.id, "it had it first");
    // The same word as somebody's own name is that one's.
    let named = bench.pay_for("named").await;
    assert_eq!((named.entries[0].state, found().await.payment), (State::Succeeded, named.id));
    assert_eq!(bench.anomalies().await, []);
}

/// Lies as the description of the payment says.
fn liar(_: u8, asked: &wit::Operation) -> Does {
    let order = order(asked);
    let due = &order.entry.amount;
    match (asked, order.description.as_str()) {
        (_, "less") => moved("less", wit::Money { minor: due.minor - 1, ..due.clone() }),
        (_, "more") => moved("more", wit::Money { minor: due.minor + 1, ..due.clone() }),
        (_, "other money") => {
            moved("usd", wit::Money { currency: "USD".to_owned(), ..due.clone() })
        }
        (_, "no money") => {
            moved("xxx", wit::Money { currency: "nonsense".to_owned(), ..due.clone() })
        }
        (wit::Operation::Sync(_), "other name") => succeeded("B", asked),
        (_, "other name") => Does::Done(wit::Outcome::Pending(named("A"))),
        (_, "never heard of it") => Does::Done(wit::Outcome::Absent),
        _ => succeeded(&order.entry.id, asked),
    }
}

#[tokio::test]
async fn whatever_a_plugin_lies_about_moves_nothing_and_costs_one_call() {
    let mut description = described();
    description.recovery.query = true;
    let bench = Bench::of(&Provider::willing().await, liar, description).await;
    let mut named = 0;
    for (lie, state, anomaly) in [
        ("less", State::Unknown, true),
        ("more", State::Unknown, true),
        ("other money", State::Unknown, true),
        ("no money", State::Unknown, false),
        ("other name", State::Pending, true),
        ("never heard of it", State::Unknown, false),
    ] {
        let payment = bench.pay_for(lie).await;
        let payment = match lie {
            "other name" => bench.engine.sync(&bench.app, &payment.id).await.unwrap(),
            _ => payment,
        };
        assert_eq!(payment.entries[0].state, state, "{lie}: {payment:?}");
        assert_eq!(payment.captured_minor(), 0, "{lie}");
        named += usize::from(anomaly);
        assert_eq!(bench.anomalies().await.len(), named, "{lie}");
        assert_eq!(bench.pay().await.entries[0].state, State::Succeeded, "after {lie}");
    }
}
