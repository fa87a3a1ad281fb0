use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use ledger::{
    AnomalyKind, Currency, Kind, Means, Money, References, Settled, State, Unresolved, Verdict,
};
use store::Model;
use vault::AtRest;

use super::*;
use crate::apps::tests::Hand;
use crate::clock::{Clock, SystemEntropy};
use crate::record::Recovery;
use crate::schedule::schedule;
use crate::{Options, Parts};

/// An engine without accounts over a store in memory, as the command line has one.
pub(crate) struct Bench {
    pub engine: Engine,
    books: Books,
    clock: Arc<Hand>,
}

impl Bench {
    pub fn new() -> Bench {
        let clock = Arc::new(Hand(1_700_000_000_000.into()));
        let engine = Engine::new(Parts {
            store: Arc::new(Model::new()),
            egress: egress::Egress::new(egress::Options::default()).unwrap(),
            notifying: crate::notify::tests::notifying(),
            at_rest: AtRest::closed(),
            card_keys: std::sync::Arc::new(store::Slots::in_memory()),
            clock: clock.clone(),
            entropy: Arc::new(SystemEntropy),
            accounts: Vec::new(),
            options: Options::default(),
        });
        let engine = engine.unwrap();
        Bench { books: Books::of(&engine), engine, clock }
    }

    pub fn later(&self, ms: u64) {
        self.clock.0.fetch_add(ms, Ordering::SeqCst);
    }

    /// An authorisation that takes at once, whose answer was lost.
    pub async fn unknown_of(&self, account: &str, n: u32) -> Id {
        let payment = self.payment(account, n, &[(Kind::Authorize, State::Unknown)]).await;
        payment.entries[0].id.clone()
    }

    /// A payment of 900 EUR cents with these entries; open ones are on the schedule.
    async fn payment(&self, account: &str, n: u32, entries: &[(Kind, State)]) -> Payment {
        let now = self.clock.now_ms();
        let random = |k: usize| {
            let mut bytes = [k as u8; 10];
            bytes[..4].copy_from_slice(&n.to_be_bytes());
            bytes
        };
        let amount = Money::new(900, Currency::from_code("EUR").unwrap()).unwrap();
        let entry = |(k, (kind, state)): (usize, &(Kind, State))| Entry {
            id: Id::entry(now, random(k)),
            kind: *kind,
            amount,
            capture: entries.len() == 1,
            state: *state,
            references: None,
            next: None,
            decline: None,
            why: None,
            resolution: None,
            created_at_ms: now,
            changed_at_ms: now,
        };
        let payment = Payment {
            id: Id::payment(now, random(99)),
            app: Id::app(1, [7; 10]),
            account: account.to_owned(),
            merchant_reference: "order".to_owned(),
            amount,
            entries: entries.iter().enumerate().map(entry).collect(),
            created_at_ms: now,
        };
        let mut batch = self.engine.batch();
        batch.put(record::PAYMENT, payment.id.as_str(), record::encode(&payment));
        for entry in &payment.entries {
            let mut operation = operation(&payment, entry);
            if entry.state.is_open() {
                schedule(&mut batch, &mut operation, Some(now));
            }
            batch.put(record::OPERATION, entry.id.as_str(), record::encode(&operation));
        }
        self.engine.0.store.commit(batch).await.unwrap();
        payment
    }

    async fn all(&self, listed: Listed) -> Vec<EntryRecord> {
        let (mut all, mut listed) = (Vec::new(), Listed { limit: 3, ..listed });
        loop {
            let page = self.books.open(&listed).await.unwrap();
            all.extend(page.entries);
            listed.cursor = page.cursor;
            if listed.cursor.is_none() {
                return all;
            }
        }
    }
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

fn said(fate: Fate) -> Settling {
    let (reason, by) = ("the dashboard shows it".to_owned(), "ada".to_owned());
    Settling { fate, reference: Some("pi_1".to_owned()), reason, by }
}

#[tokio::test]
async fn a_person_settles_an_entry_and_it_stays_with_the_entry_who_when_and_why() {
    let bench = Bench::new();
    let entry = bench.unknown_of("shop", 1).await;
    bench.later(5);
    let settled = bench.books.settle(&entry, &said(Fate::Succeeded)).await.unwrap();
    assert_eq!(settled.entry.state, State::Succeeded);
    assert_eq!(settled.payment.captured_minor(), 900);
    assert_eq!(settled.next_at_ms, None, "nobody is asked any more");
    let resolution = settled.entry.resolution.unwrap();
    assert_eq!((resolution.means, resolution.by.as_str()), (Means::Person, "ada"));
    assert_eq!(resolution.reason, "the dashboard shows it");
    assert_eq!(resolution.at_ms, 1_700_000_000_005);
    assert_eq!(bench.all(Listed::default()).await.len(), 0);
    let app = Id::app(1, [7; 10]);
    let events = bench.engine.events(&app, None, 10).await.unwrap().events;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].name, "authorize.succeeded");
    assert_eq!(events[0].entry.resolution.as_ref().unwrap().by, "ada", "the feed says so too");
}

#[tokio::test]
async fn a_word_is_taken_where_the_table_has_a_line_and_nowhere_else() {
    use Fate::{Declined, Expired, NotSent, Succeeded};
    let bench = Bench::new();
    let mut n = 0;
    for state in [
        State::Sending,
        State::NeedsAction,
        State::Pending,
        State::Unknown,
        State::Succeeded,
        State::Declined,
        State::NotSent,
        State::Expired,
    ] {
        for fate in [Succeeded, Declined, NotSent, Expired] {
            n += 1;
            let payment = bench.payment("shop", n, &[(Kind::Authorize, state)]).await;
            let reference = (fate != NotSent).then(|| format!("pi_{n}"));
            let said = Settling { reference, ..said(fate) };
            let settled = bench.books.settle(&payment.entries[0].id, &said).await;
            let open = state.is_open();
            let expected =
                open && (fate != NotSent || !matches!(state, State::NeedsAction | State::Pending));
            assert_eq!(settled.is_ok(), expected, "{state:?} {fate:?}: {settled:?}");
            if !expected {
                let refused = Unsettled::Ledger(Unresolved::NotFrom(state));
                assert!(matches!(settled, Err(Error::Unsettled(why)) if why == refused));
                let after = bench.books.entry(&payment.entries[0].id).await.unwrap();
                assert_eq!(after.payment, payment, "a refused word changes nothing");
            }
        }
    }
}

#[tokio::test]
async fn a_reference_is_needed_for_what_succeeded_and_is_not_another_payments() {
    let bench = Bench::new();
    let (one, two) = (bench.unknown_of("shop", 1).await, bench.unknown_of("shop", 2).await);
    let elsewhere = bench.unknown_of("other", 3).await;
    let unnamed = Settling { reference: None, ..said(Fate::Succeeded) };
    let refused = bench.books.settle(&one, &unnamed).await;
    assert!(matches!(refused, Err(Error::Unsettled(Unsettled::ReferenceMissing))), "{refused:?}");
    let refused = bench.books.settle(&one, &said(Fate::NotSent)).await;
    assert!(matches!(refused, Err(Error::Unsettled(Unsettled::ReferenceUnfit))), "{refused:?}");
    bench.books.settle(&one, &said(Fate::Succeeded)).await.unwrap();
    let refused = bench.books.settle(&two, &said(Fate::Succeeded)).await;
    match refused {
        Err(Error::Unsettled(Unsettled::ReferenceTaken(by))) => assert_eq!(by, one),
        other => panic!("one charge settles two payments: {other:?}"),
    }
    bench.books.settle(&elsewhere, &said(Fate::Succeeded)).await.unwrap();
}

#[tokio::test]
async fn a_word_that_contradicts_the_sums_is_refused() {
    let bench = Bench::new();
    let entries = [
        (Kind::Authorize, State::Succeeded),
        (Kind::Cancel, State::Unknown),
        (Kind::Capture, State::Succeeded),
    ];
    let payment = bench.payment("shop", 1, &entries).await;
    let cancel = &payment.entries[1].id;
    let refused = bench.books.settle(cancel, &said(Fate::Succeeded)).await;
    let Err(Error::Unsettled(Unsettled::Ledger(Unresolved::Contradicts(kind)))) = refused else {
        panic!("{refused:?}");
    };
    assert!(matches!(kind, AnomalyKind::Contradiction { .. }), "{kind:?}");
    assert_eq!(bench.books.entry(cancel).await.unwrap().payment, payment);
    let listed = Listed { limit: 10, ..Listed::default() };
    assert_eq!(bench.books.anomalies(&listed).await.unwrap().anomalies, [], "nobody else said it");
}

#[tokio::test]
async fn what_the_provider_says_later_is_compared_with_a_persons_word() {
    let bench = Bench::new();
    let (agrees, contradicts) =
        (bench.unknown_of("shop", 1).await, bench.unknown_of("shop", 2).await);
    bench.books.settle(&agrees, &said(Fate::Succeeded)).await.unwrap();
    let gone = Settling { reference: None, ..said(Fate::NotSent) };
    bench.books.settle(&contradicts, &gone).await.unwrap();
    let amount = bench.books.entry(&agrees).await.unwrap().entry.amount;
    for (entry, reference) in [(&agrees, "pi_1"), (&contradicts, "pi_2")] {
        let operation = bench.engine.read_operation(entry).await.unwrap().unwrap().value;
        let references = References { provider: reference.to_owned(), secondary: None };
        let verdict = Verdict::Succeeded(Settled { references, amount });
        let told = bench.engine.conclude(&operation, &verdict, bench.engine.batch()).await.unwrap();
        assert!(told.entries[0].resolution.is_some(), "the word stays");
    }
    let listed = Listed { limit: 10, ..Listed::default() };
    let found = bench.books.anomalies(&listed).await.unwrap().anomalies;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].entry.as_ref(), Some(&contradicts));
    let after = bench.books.entry(&contradicts).await.unwrap();
    assert_eq!(after.entry.state, State::NotSent, "an anomaly moves nothing");
}

#[tokio::test]
async fn an_entry_that_somebody_is_at_is_not_settled() {
    let bench = Bench::new();
    let entry = bench.unknown_of("shop", 1).await;
    let at_it = bench.engine.claim(entry.as_str());
    let refused = bench.books.settle(&entry, &said(Fate::Succeeded)).await;
    assert!(matches!(refused, Err(Error::Unsettled(Unsettled::InHand))), "{refused:?}");
    drop(at_it);
    bench.books.settle(&entry, &said(Fate::Succeeded)).await.unwrap();
}

#[tokio::test]
async fn open_entries_are_listed_page_by_page_each_once() {
    let bench = Bench::new();
    for n in 0..7 {
        bench.unknown_of(if n % 2 == 0 { "even" } else { "odd" }, n).await;
        bench.later(1);
    }
    bench.payment("odd", 8, &[(Kind::Authorize, State::Pending)]).await;
    bench.payment("odd", 9, &[(Kind::Authorize, State::Succeeded)]).await;
    assert_eq!(bench.all(Listed::default()).await.len(), 8);
    let unknown = Listed { narrowed: true, ..Listed::default() };
    assert_eq!(bench.all(unknown).await.len(), 7);
    let odd = Listed { account: Some("odd".to_owned()), ..Listed::default() };
    let found = bench.all(odd).await;
    assert!(found.iter().all(|read| read.payment.account == "odd"));
    assert_eq!(found.len(), 4);
    let wrong = Listed { cursor: Some("zz".to_owned()), ..Listed::default() };
    assert!(matches!(bench.books.open(&wrong).await, Err(Error::NotACursor(_))));
}

#[tokio::test]
async fn an_anomaly_is_closed_once_and_it_says_by_whom() {
    let bench = Bench::new();
    for n in 0..5 {
        let anomaly = Anomaly {
            id: Id::anomaly(n, [n as u8; 10]),
            account: if n == 4 { "other" } else { "shop" }.to_owned(),
            payment: None,
            entry: None,
            kind: AnomalyKind::Orphan { told: "ch_1".to_owned() },
            noticed_at_ms: n,
            closed: None,
        };
        let mut batch = bench.engine.batch();
        crate::tell::note_anomaly(&mut batch, &anomaly);
        bench.engine.0.store.commit(batch).await.unwrap();
    }
    let first = Id::anomaly(0, [0; 10]);
    let closed = bench.books.close(&first, "ada", "of the old shop").await.unwrap();
    assert_eq!(closed.closed.unwrap().reason, "of the old shop");
    match bench.books.close(&first, "bob", "again").await {
        Err(Error::AnomalyClosed { by, .. }) => assert_eq!(by, "ada"),
        other => panic!("{other:?}"),
    }
    let page = async |listed: Listed| bench.books.anomalies(&listed).await.unwrap();
    let shop = Listed { account: Some("shop".to_owned()), limit: 2, ..Listed::default() };
    let one = page(shop.clone()).await;
    assert_eq!(one.anomalies.len(), 2);
    let two = page(Listed { cursor: one.cursor, ..shop.clone() }).await;
    assert_eq!((two.anomalies.len(), two.cursor), (1, None));
    let all = page(Listed { narrowed: true, limit: 100, ..Listed::default() }).await;
    assert_eq!(all.anomalies.len(), 5);
    let missing = bench.books.close(&Id::anomaly(9, [9; 10]), "ada", "?").await;
    assert!(matches!(missing, Err(Error::NoSuchAnomaly(_))));
}
