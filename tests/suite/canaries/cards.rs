//! A vaulted card, from the app to the provider's books: the engine itself in this process, with a
//! store on disk, real plugins in a watched sandbox and a simulated Stripe that judges the number.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use egress::{Egress, Gate, Grant, Granted, Place};
use engine::{
    AccountParts, Ask, Card, CardState, Done, Engine, Error, Instrument, NewCard, NewPayment,
    Notifying, Parts, SystemClock, SystemEntropy,
};
use ledger::{Currency, Id, Money, Status};
use simulators::{Fault, FaultRule, MovementKind, StripeOptions, StripeSimulator};
use store::{JournalStore, Options};
use tempfile::TempDir;
use vault::{AtRest, Key, Keyring, Legacy, Master, Secret};

use super::memory::Watched;
use super::{Canary, Scan};

const HOLDER: &str = "Canary Holderson";
const API_KEY: &str = "sk_test_simulator";

struct Stage {
    engine: Engine,
    store: Arc<JournalStore>,
    stripe: StripeSimulator,
    watched: Watched,
    folder: TempDir,
    app: Id,
    asked: AtomicU64,
}

fn secret(name: &str, value: &str) -> Secret {
    Secret::new(name, value.as_bytes().to_vec())
}

fn account(watched: &Watched, url: &str, grants: Vec<Grant>) -> AccountParts {
    let mut keyring = Keyring::new(Legacy::none());
    keyring.add(Key::symmetric("webhook", None, &secret("webhook", "whsec_test")).unwrap());
    AccountParts {
        name: "shop-eu".to_owned(),
        plugin: Arc::new(watched.load("stripe")),
        keyring,
        settings: BTreeMap::from([("base-url".to_owned(), url.to_owned())]),
        secrets: BTreeMap::from([("api-key".to_owned(), secret("api-key", API_KEY))]),
        gate: Gate { hosts: vec![url.parse().unwrap()], grants, ..Gate::default() },
        notify_url: "https://pay.example/v1/deliveries/test".to_owned(),
        delivery_age_seconds_max: 300,
        mode: engine::Mode::Test,
    }
}

fn granted(value: Granted, place: Place) -> Grant {
    Grant { value, places: vec![place], hosts: None }
}

impl Stage {
    async fn set() -> Stage {
        Stage::granting(true).await
    }

    async fn granting(cards: bool) -> Stage {
        let stripe = StripeSimulator::start(StripeOptions::default()).await.unwrap();
        let (watched, folder) = (Watched::new(), tempfile::tempdir().unwrap());
        let store = JournalStore::open(Options::new(folder.path())).unwrap();
        let store = Arc::new(store);
        let key = Granted::Secret("api-key".to_owned());
        let mut grants = vec![granted(key, Place::Header("authorization".to_owned()))];
        if cards {
            grants.push(granted(Granted::Card, Place::Body));
        }
        let fresh = Master::fresh().unwrap();
        let master = Master::read("1", &secret("1", fresh.as_str())).unwrap();
        let engine = Engine::new(Parts {
            store: store.clone(),
            egress: Egress::new(egress::Options::default()).unwrap(),
            at_rest: AtRest::new(vec![master]).unwrap(),
            card_keys: Arc::new(store::Slots::in_memory()),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            notifying: Notifying {
                egress: Egress::new(egress::Options::default()).unwrap(),
                outside: Default::default(),
                render: |_| Vec::new(),
                options: Default::default(),
            },
            accounts: vec![account(&watched, &stripe.base_url(), grants)],
            options: engine::Options::default(),
        });
        let engine = engine.unwrap_or_else(|unfit| panic!("{:?}", unfit.0));
        let change = engine::AppChange { name: Some("shop".to_owned()), ..Default::default() };
        let app = engine.apps().add(&change, None).await.unwrap().0.id;
        let asked = AtomicU64::new(0);
        Stage { engine, store, stripe, watched, folder, app, asked }
    }

    async fn hand_over(&self, number: &str, code: Option<&str>) -> Card {
        let card = NewCard {
            number: secret("number", number),
            expiry_month: 12,
            expiry_year: 2031,
            security_code: code.map(|code| secret("code", code)),
            holder: Some(secret("holder", HOLDER)),
        };
        self.engine.tokenise(&self.app, card).await.unwrap()
    }

    async fn pay(&self, card: &Id) -> Result<Done, Error> {
        let n = self.asked.fetch_add(1, Ordering::SeqCst);
        let ask = Ask {
            app: self.app.clone(),
            key: "test".to_owned(),
            idempotency_key: format!("k{n}"),
            digest: [0; 32],
        };
        let new = NewPayment {
            account: "shop-eu".to_owned(),
            amount: Money::new(1999, Currency::from_code("EUR").unwrap()).unwrap(),
            merchant_reference: format!("order-P{n}"),
            instrument: Instrument::Card(card.clone()),
            capture: true,
            description: String::new(),
            return_url: Some("https://shop.example/back".to_owned()),
            customer_ip: None,
            extra: BTreeMap::new(),
        };
        self.engine.pay(ask, new).await
    }

    /// Every byte of the store, once it is closed.
    async fn files(self) -> Vec<u8> {
        let Stage { engine, store, folder, .. } = self;
        engine.stop().await;
        drop(engine);
        store.close().await.unwrap();
        let mut all = Vec::new();
        gather(folder.path(), &mut all);
        all
    }
}

fn gather(folder: &Path, all: &mut Vec<u8>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => gather(&path, all),
            false => all.extend(std::fs::read(&path).unwrap()),
        }
    }
}

fn canaries(number: &str) -> Vec<Canary> {
    vec![
        Canary::new("the card number", number),
        Canary::new("all but its last four digits", &number[..number.len() - 4]),
        Canary::new("the holder", HOLDER),
        Canary::new("the API key", API_KEY),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vaulted_card_pays_at_stripe_and_its_number_is_nowhere_else() {
    let number = "4000056655665556";
    let stage = Stage::set().await;
    stage.watched.look_for(&canaries(number));
    let card = stage.hand_over(number, Some("739")).await;
    let done = stage.pay(&card.id).await.unwrap();
    assert_eq!(done.payment.status(), Status::Captured, "{:#?}", done.payment);
    let books = stage.stripe.books();
    assert_eq!(books.total(MovementKind::Capture, "EUR"), 1999);
    // The security code is used up, and the card pays without it.
    assert!(!stage.engine.card(&stage.app, &card.id).await.unwrap().security_code);
    assert_eq!(stage.pay(&card.id).await.unwrap().payment.status(), Status::Captured);
    let (calls, held, found) = stage.watched.seen();
    assert!(found.is_empty(), "{found:#?}");
    assert!(calls == held && calls >= 6, "{held} of {calls}");
    let files = stage.files().await;
    let found = Scan::of(&canaries(number)).find(&files);
    assert!(found.is_empty(), "{found:#?}");
    let token = Scan::of(&[Canary::new("the token", card.id.as_str())]);
    assert!(!token.find(&files).is_empty(), "the operation names its card by the token");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_issuer_judges_the_number_that_was_handed_over() {
    let stage = Stage::set().await;
    for (number, code, expected) in [
        ("4000000000000002", Some("123"), "generic_decline"),
        ("4000000000009995", Some("123"), "insufficient_funds"),
        ("4000000000000069", None, "expired_card"),
        ("4000000000000127", Some("123"), "incorrect_cvc"),
        ("4539148803436467", None, "incorrect_number"),
    ] {
        let card = stage.hand_over(number, code).await;
        let payment = stage.pay(&card.id).await.unwrap().payment;
        let decline = payment.entries[0].decline.clone().unwrap_or_else(|| panic!("{payment:#?}"));
        assert_eq!(decline.provider_code, expected);
    }
    let challenged = stage.hand_over("4000000000003220", Some("123")).await;
    let payment = stage.pay(&challenged.id).await.unwrap().payment;
    assert_eq!(payment.status(), Status::NeedsAction);
    assert_eq!(stage.stripe.books().total(MovementKind::Capture, "EUR"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_is_erased_or_not_granted_pays_nothing() {
    let stage = Stage::set().await;
    let card = stage.hand_over("4242424242424242", None).await.id;
    stage.engine.erase_card(&stage.app, &card).await.unwrap();
    let refused = stage.pay(&card).await.map(|done| done.payment);
    assert!(matches!(refused, Err(Error::CardGone(_, CardState::Erased))), "{refused:?}");
    let closed = Stage::granting(false).await;
    let card = closed.hand_over("4242424242424242", Some("123")).await.id;
    let refused = closed.pay(&card).await.map(|done| done.payment);
    assert!(matches!(refused, Err(Error::Misconfigured(_))), "{refused:?}");
    // Nothing was sent: the code still waits for its use.
    assert!(closed.engine.card(&closed.app, &card).await.unwrap().security_code);
    assert!(closed.stripe.books().movements.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_to_a_card_payment_is_found_out_without_the_card() {
    let stage = Stage::set().await;
    let card = stage.hand_over("4242424242424242", Some("123")).await.id;
    stage.stripe.fault(FaultRule::next(Fault::Reset, "/v1/payment_intents"));
    let lost = stage.pay(&card).await.unwrap().payment;
    assert_eq!(lost.status(), Status::Unknown, "{lost:#?}");
    // The number was in the request before: sent again are the same bytes, with the same key.
    let found = stage.engine.sync(&stage.app, &lost.id).await.unwrap();
    assert_eq!(found.status(), Status::Captured, "{found:#?}");
    assert_eq!(stage.stripe.books().doubled(), vec![]);
}
