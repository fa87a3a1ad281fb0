//! A whole comparison over a store in memory, and a plugin whose reports are text: one movement a
//! line, as JSON.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use egress::Gate;
use ledger::{Currency, Kind, Money, References};
use sandbox::{Called, Surroundings};
use serde_json::json;
use store::Model;
use vault::{AtRest, Keyring, Legacy};

use super::*;
use crate::apps::tests::Hand;
use crate::books::Listed;
use crate::clock::SystemEntropy;
use crate::plugin::Calling;
use crate::record::Recovery;
use crate::{AccountParts, Mode, Options, Parts, Plugin};

const NOON: u64 = 1_700_000_000_000;
const HOUR: u64 = 3_600_000;

/// Reads `{"id":…,"kind":…,"entry":…,"minor":…,"at":…}` lines, and fetches nothing.
struct Lines(wit::Description);

pub(crate) fn described() -> wit::Description {
    use wit::OperationKind::{Authorize, Capture, Refund};
    wit::Description {
        name: "lines".to_owned(),
        version: "1".to_owned(),
        operations: Vec::new(),
        methods: Vec::new(),
        currencies: Vec::new(),
        hosts: Vec::new(),
        settings: Vec::new(),
        keys: Vec::new(),
        secrets: Vec::new(),
        legacy: Vec::new(),
        recovery: wit::Recovery { idempotent_seconds: None, query: false, close: false },
        reports: wit::Reports {
            fetched: false,
            read: true,
            operations: vec![Authorize, Capture, Refund],
        },
    }
}

pub(crate) fn answered<T: Send + 'static>(answer: T) -> Calling<'static, T> {
    let (remembered, derived, elapsed) = (Vec::new(), Vec::new(), Duration::ZERO);
    Box::pin(async move { Ok(Called { answer, remembered, derived, elapsed }) })
}

pub(crate) fn nothing<T: Send + 'static>() -> Calling<'static, Result<T, wit::Failure>> {
    answered(Err(wit::Failure::Unsupported(String::new())))
}

impl Plugin for Lines {
    fn description(&self) -> &wit::Description {
        &self.0
    }
    fn identity(&self) -> String {
        "lines".to_owned()
    }
    fn start(
        &self,
        _: Surroundings,
        _: wit::Operation,
    ) -> Calling<'_, Result<wit::Step, wit::Failure>> {
        nothing()
    }
    fn resume(
        &self,
        _: Surroundings,
        _: wit::Operation,
        _: Vec<u8>,
        _: wit::Reply,
    ) -> Calling<'_, Result<wit::Step, wit::Failure>> {
        nothing()
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
    fn read(
        &self,
        _: Surroundings,
        piece: wit::Piece,
    ) -> Calling<'_, Result<wit::Portion, wit::Failure>> {
        let text = [piece.state, piece.bytes].concat();
        let whole = match piece.last {
            true => text.len(),
            false => text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1),
        };
        let lines = text[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let movements = lines.map(|line| told(&serde_json::from_slice(line).unwrap())).collect();
        answered(Ok(wit::Portion { movements, state: text[whole..].to_vec() }))
    }
}

fn told(line: &serde_json::Value) -> wit::Movement {
    let text = |name: &str| line[name].as_str().map(str::to_owned);
    let reference = |provider| wit::References { provider, secondary: None };
    wit::Movement {
        id: text("id").unwrap(),
        kind: match text("kind").as_deref() {
            Some("refund") => wit::MovementKind::Refund,
            Some("reversal") => wit::MovementKind::Reversal,
            Some("other") => wit::MovementKind::Other,
            _ => wit::MovementKind::Payment,
        },
        state: wit::MovementState::Booked,
        entry: text("entry"),
        references: text("reference").map(reference),
        amount: wit::Money {
            minor: line["minor"].as_u64().unwrap_or(900),
            currency: text("currency").unwrap_or("EUR".to_owned()),
        },
        fee: None,
        booked_at: line["at"].as_u64().unwrap_or(NOON / 1000),
    }
}

struct Bench {
    engine: Engine,
    n: std::cell::Cell<u8>,
}

impl Bench {
    fn new() -> Bench {
        let account = AccountParts {
            name: "shop".to_owned(),
            mode: Mode::Test,
            plugin: Arc::new(Lines(described())),
            keyring: Keyring::new(Legacy::none()),
            settings: BTreeMap::new(),
            secrets: BTreeMap::new(),
            gate: Gate::default(),
            notify_url: "https://pay.example/webhooks/shop".to_owned(),
            delivery_age_seconds_max: 300,
        };
        let engine = Engine::new(Parts {
            store: Arc::new(Model::new()),
            egress: egress::Egress::new(egress::Options::default()).unwrap(),
            notifying: crate::notify::tests::notifying(),
            at_rest: AtRest::closed(),
            card_keys: Arc::new(store::Slots::in_memory()),
            clock: Arc::new(Hand((NOON + 48 * HOUR).into())),
            entropy: Arc::new(SystemEntropy),
            accounts: vec![account],
            options: Options::default(),
        });
        Bench { engine: engine.unwrap(), n: 0.into() }
    }

    /// A payment of these entries, at noon, of the account; their identifiers.
    async fn payment(&self, entries: &[(Kind, State)]) -> Vec<String> {
        self.at("shop", NOON, entries).await
    }

    async fn at(&self, account: &str, at_ms: u64, entries: &[(Kind, State)]) -> Vec<String> {
        self.n.set(self.n.get() + 1);
        let random = |k: usize| [self.n.get(), k as u8, 0, 0, 0, 0, 0, 0, 0, 0];
        let amount = Money::new(900, Currency::from_code("EUR").unwrap()).unwrap();
        let made = |(k, (kind, state)): (usize, &(Kind, State))| Entry {
            id: Id::entry(at_ms, random(k)),
            kind: *kind,
            amount,
            capture: entries.len() == 1,
            state: *state,
            references: Some(References {
                provider: format!("pi_{}", self.n.get()),
                secondary: None,
            })
            .filter(|_| *state == State::Succeeded),
            next: None,
            decline: None,
            why: None,
            resolution: None,
            created_at_ms: at_ms,
            changed_at_ms: at_ms,
        };
        let payment = Payment {
            id: Id::payment(at_ms, random(99)),
            app: Id::app(1, [7; 10]),
            account: account.to_owned(),
            merchant_reference: "order".to_owned(),
            amount,
            entries: entries.iter().enumerate().map(made).collect(),
            created_at_ms: at_ms,
        };
        let mut batch = self.engine.batch();
        batch.put(record::PAYMENT, payment.id.as_str(), record::encode(&payment));
        for entry in &payment.entries {
            let operation = operation(&payment, entry);
            batch.put(record::OPERATION, entry.id.as_str(), record::encode(&operation));
            if let Some(known) = &entry.references {
                let found = record::Found::new(&payment.id, &entry.id);
                let key = record::reference_key(account, entry.kind, &known.provider);
                batch.put(record::REFERENCE, key, record::encode(&found));
            }
        }
        self.engine.0.store.commit(batch).await.unwrap();
        payment.entries.iter().map(|entry| entry.id.to_string()).collect()
    }

    async fn compare(&self, lines: &[serde_json::Value], resolve: bool) -> Compared {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        self.compare_files(vec![text], resolve).await
    }

    async fn compare_files(&self, files: Vec<String>, resolve: bool) -> Compared {
        let file = |text: String| -> ReportFile { Box::new(Cursor::new(text)) };
        let asked = Reconciliation {
            account: "shop".to_owned(),
            since_ms: NOON - HOUR,
            until_ms: NOON + HOUR,
            files: files.into_iter().map(file).collect(),
            resolve,
            margin_ms: 24 * HOUR,
            tolerance_ms: HOUR / 2,
            fees: Vec::new(),
        };
        let mut found = Vec::new();
        let mut keep = |one: &Difference| {
            let entry = one.entry.as_ref().map(|(_, id)| id.to_string());
            found.push((one.differs, entry, one.settled));
            Ok(())
        };
        let done = Books::of(&self.engine).reconcile(asked, &mut keep).await.unwrap();
        Compared { done, found }
    }
}

struct Compared {
    done: Reconciled,
    found: Vec<(Differs, Option<String>, bool)>,
}

fn operation(payment: &Payment, entry: &Entry) -> Operation {
    Operation {
        payment: payment.id.clone(),
        entry: entry.id.clone(),
        account: payment.account.clone(),
        kind: entry.kind,
        instrument: None,
        card: None,
        description: String::new(),
        return_url: None,
        customer_ip: None,
        beneficiary: None,
        extra: BTreeMap::new(),
        idempotency: format!("{}/k", payment.app),
        seed: String::new(),
        recovery: Recovery::default(),
        noticed: None,
    }
}

const DONE: (Kind, State) = (Kind::Authorize, State::Succeeded);

#[tokio::test]
async fn what_was_booked_for_every_entry_agrees_however_the_file_is_cut() {
    let bench = Bench::new();
    let mut lines = Vec::new();
    for n in 0..200 {
        let entry = bench.payment(&[DONE]).await.remove(0);
        let padding = "x".repeat(1_000);
        lines.push(json!({ "id": format!("t{n}"), "entry": entry, "padding": padding }));
    }
    // Not ours, not of the span, or nothing that moved money.
    bench.at("other", NOON, &[DONE]).await;
    bench.at("shop", NOON - 5 * HOUR, &[DONE]).await;
    bench.payment(&[(Kind::Authorize, State::Declined)]).await;
    lines.push(json!({ "id": "fee", "kind": "other", "minor": 3 }));
    let compared = bench.compare(&lines, false).await;
    assert_eq!(compared.found, []);
    assert_eq!(compared.done.movements, 201);
    let sums: Vec<_> = compared.done.sums.iter().map(|(kind, _, sum)| (kind, *sum)).collect();
    let both = Sum {
        ledger_count: 200,
        ledger_minor: 180_000,
        provider_count: 200,
        provider_minor: 180_000,
        fee_minor: 0,
    };
    let fees = Sum { provider_count: 1, provider_minor: 3, ..Sum::default() };
    assert_eq!(sums, [("other", fees), ("payment", both)]);
}

#[tokio::test]
async fn missing_unknown_doubled_undone_and_untimely_movements_are_told_apart() {
    let bench = Bench::new();
    let entry = async || bench.payment(&[DONE]).await.remove(0);
    let [missing, doubled, undone, early] =
        [entry().await, entry().await, entry().await, entry().await];
    let early_at = (NOON - 3 * HOUR) / 1000;
    let lines = [
        json!({ "id": "t1", "entry": doubled }),
        json!({ "id": "t2", "entry": doubled }),
        json!({ "id": "t2", "entry": doubled }),
        json!({ "id": "t3", "entry": undone }),
        json!({ "id": "t4", "kind": "reversal", "entry": undone }),
        json!({ "id": "t5", "entry": early, "at": early_at }),
        json!({ "id": "t6", "reference": "pi_stranger" }),
        json!({ "id": "t7", "reference": "pi_of_yesterday", "at": early_at }),
    ];
    let expected = [
        (Differs::Duplicate, Some(doubled.clone()), false),
        (Differs::Duplicate, None, false),
        (Differs::State, Some(undone), false),
        (Differs::Timing, Some(early), false),
        (Differs::UnknownHere, None, false),
        (Differs::MissingAtProvider, Some(missing), false),
    ];
    assert_eq!(bench.compare(&lines, false).await.found, expected);
}

#[tokio::test]
async fn a_file_given_twice_is_read_once() {
    let bench = Bench::new();
    let entry = bench.payment(&[DONE]).await.remove(0);
    let file = format!("{}\n", json!({ "id": "t1", "entry": entry }));
    let compared = bench.compare_files(vec![file.clone(), file], false).await;
    assert_eq!((compared.found, compared.done.movements), (vec![], 1));
}

#[tokio::test]
async fn captures_of_one_payment_are_each_found_by_the_reference_they_share() {
    let bench = Bench::new();
    let capture = (Kind::Capture, State::Succeeded);
    let entries = bench.payment(&[DONE, capture, capture]).await;
    let lines = [
        json!({ "id": "t1", "reference": "pi_1", "entry": entries[0] }),
        json!({ "id": "t2", "reference": "pi_1" }),
    ];
    assert_eq!(bench.compare(&lines, false).await.found, []);
    let third = [&lines[..], &[json!({ "id": "t3", "reference": "pi_1" })]].concat();
    let found = bench.compare(&third, false).await.found;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, Differs::Duplicate);
}

#[tokio::test]
async fn only_what_is_proven_is_settled_and_only_when_it_is_asked() {
    let bench = Bench::new();
    let unknown = (Kind::Authorize, State::Unknown);
    let proven = bench.payment(&[unknown]).await.remove(0);
    let other = bench.payment(&[unknown]).await.remove(0);
    let lines = [
        json!({ "id": "t1", "entry": proven, "reference": "pi_a" }),
        json!({ "id": "t2", "entry": other, "reference": "pi_b", "minor": 899 }),
        json!({ "id": "t3", "reference": "pi_c" }),
    ];
    let state = async |id: &str| {
        Books::of(&bench.engine).entry(&id.parse().unwrap()).await.unwrap().entry.state
    };
    let looked = bench.compare(&lines, false).await;
    assert_eq!((looked.done.differences, looked.done.settled), (4, 0), "{:?}", looked.found);
    assert_eq!(state(&proven).await, State::Unknown, "nothing is changed unasked");

    let settled = bench.compare(&lines, true).await;
    assert_eq!((settled.done.differences, settled.done.settled), (3, 1), "{:?}", settled.found);
    assert_eq!(settled.found[0], (Differs::State, Some(proven.clone()), true));
    assert_eq!(state(&proven).await, State::Succeeded);
    assert_eq!(state(&other).await, State::Unknown, "another amount proves nothing");
    bench.compare(&lines, true).await;
    let listed = Listed { limit: 10, ..Listed::default() };
    let anomalies = Books::of(&bench.engine).anomalies(&listed).await.unwrap().anomalies;
    assert_eq!(anomalies.len(), 1, "an orphan is recorded once: {anomalies:?}");
    let read = Books::of(&bench.engine).entry(&proven.parse().unwrap()).await.unwrap();
    let resolution = read.entry.resolution.unwrap();
    assert_eq!((resolution.means, &*resolution.by), (ledger::Means::Report, "shop"));
    assert_eq!(resolution.reason, "booked as t1");
}

#[tokio::test]
async fn a_span_that_is_not_over_or_a_report_that_is_not_there_is_no_agreement() {
    let bench = Bench::new();
    let asked = |since_ms, until_ms, files| Reconciliation {
        account: "shop".to_owned(),
        since_ms,
        until_ms,
        files,
        resolve: false,
        margin_ms: 0,
        tolerance_ms: 0,
        fees: Vec::new(),
    };
    let file = || -> Vec<ReportFile> { vec![Box::new(Cursor::new(""))] };
    let books = Books::of(&bench.engine);
    let mut none = |_: &Difference| Ok(());
    for (asked, what) in [
        (asked(NOON, NOON + 100 * HOUR, file()), "not over"),
        (asked(NOON, NOON, file()), "before it begins"),
        (asked(NOON, NOON + 1, Vec::new()), "fetches no reports"),
    ] {
        let refused = books.reconcile(asked, &mut none).await.unwrap_err();
        assert!(refused.to_string().contains(what), "{refused}");
    }
}
