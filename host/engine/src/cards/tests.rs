mod erasing;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use store::{Model, Range, Slots, Store};
use vault::{AtRest, Master};

use super::*;
use crate::{Clock, Notifying, Options, Parts, SystemEntropy};

const NOW: u64 = 1_795_449_600_000; // 2026-11-23T16:00:00Z
const NUMBER: &str = "4242424242424242";
const CODE: &str = "739";

#[derive(Clone, Default)]
struct Still(Arc<AtomicU64>);

impl Clock for Still {
    fn now_ms(&self) -> u64 {
        NOW + self.0.load(Ordering::SeqCst)
    }
}

struct Stage {
    engine: Engine,
    store: Arc<Model>,
    keys: Arc<Slots>,
    clock: Still,
}

fn master(id: &str) -> Master {
    let fresh = Master::fresh().unwrap();
    Master::read(id, &Secret::new(id, fresh.as_bytes().to_vec())).unwrap()
}

fn stage(at_rest: AtRest) -> Stage {
    with(at_rest, Arc::new(Model::new()), Arc::new(Slots::in_memory()))
}

fn with(at_rest: AtRest, store: Arc<Model>, keys: Arc<Slots>) -> Stage {
    let clock = Still::default();
    let engine = engine(at_rest, store.clone(), keys.clone(), &clock);
    Stage { engine, store, keys, clock }
}

fn engine(at_rest: AtRest, store: Arc<dyn Store>, keys: Arc<Slots>, clock: &Still) -> Engine {
    let engine = Engine::new(Parts {
        store,
        egress: egress::Egress::new(egress::Options::default()).unwrap(),
        at_rest,
        card_keys: keys,
        clock: Arc::new(clock.clone()),
        entropy: Arc::new(SystemEntropy),
        notifying: Notifying {
            egress: egress::Egress::new(egress::Options::default()).unwrap(),
            outside: Default::default(),
            render: |_| Vec::new(),
            options: Default::default(),
        },
        accounts: Vec::new(),
        options: Options::default(),
    });
    engine.unwrap()
}

fn open_stage() -> Stage {
    stage(AtRest::new(vec![master("1")]).unwrap())
}

fn app(n: u8) -> Id {
    Id::app(NOW, [n; 10])
}

fn new(number: &str) -> NewCard {
    let secret = |text: &str| Secret::new("made for tests", text.as_bytes().to_vec());
    NewCard {
        number: secret(number),
        expiry_month: 12,
        expiry_year: 2026,
        security_code: Some(secret(CODE)),
        holder: Some(secret("Ada Lovelace")),
    }
}

async fn everything(store: &Model) -> String {
    let mut all = String::new();
    for space in [record::CARD, record::CARD_DUE, record::CARD_KEY] {
        for row in store.scan(Range::all(space)).await.unwrap() {
            all += &String::from_utf8_lossy(&row.value);
        }
    }
    all
}

#[tokio::test]
async fn a_token_shows_what_a_card_may_show_and_the_store_keeps_the_rest_sealed() {
    let stage = open_stage();
    let card = stage.engine.tokenise(&app(1), new(NUMBER)).await.unwrap();
    assert!(card.id.as_str().starts_with("card_"));
    assert_eq!((card.brand.as_str(), card.last4.as_str()), ("visa", "4242"));
    assert!(card.security_code && card.holder && card.state == CardState::Active);
    assert_eq!(stage.engine.card(&app(1), &card.id).await.unwrap(), card);
    let kept = everything(&stage.store).await;
    assert!(kept.contains("\"last4\":\"4242\""), "{kept}");
    // Three digits stand in base64 by chance: of the code, that there is no field for it.
    for secret in [NUMBER, "42424242", "Lovelace", "code\":\""] {
        assert!(!kept.contains(secret), "`{secret}` is in {kept}");
    }
}

#[tokio::test]
async fn a_card_of_another_app_is_not_there() {
    let stage = open_stage();
    let card = stage.engine.tokenise(&app(1), new(NUMBER)).await.unwrap().id;
    for refused in [
        stage.engine.card(&app(2), &card).await,
        stage.engine.erase_card(&app(2), &card).await,
        stage.engine.pay_with(&app(2), &card).await.map(|_| unreachable!()),
    ] {
        assert!(matches!(refused, Err(Error::NoSuchCard(_))), "{refused:?}");
    }
    assert!(stage.engine.pay_with(&app(1), &card).await.is_ok());
}

#[tokio::test]
async fn a_fingerprint_is_the_same_for_the_same_number_of_one_app_alone() {
    let stage = open_stage();
    let mut prints = Vec::new();
    for (n, number) in [(1, NUMBER), (1, NUMBER), (1, "5555555555554444"), (2, NUMBER)] {
        prints.push(stage.engine.tokenise(&app(n), new(number)).await.unwrap().fingerprint);
    }
    assert_eq!(prints[0], prints[1]);
    assert!(prints[0].is_some());
    assert_ne!(prints[0], prints[2]);
    assert_ne!(prints[0], prints[3]);
}

#[tokio::test]
async fn a_security_code_is_given_to_one_operation_and_waits_fifteen_minutes() {
    let stage = open_stage();
    let card = stage.engine.tokenise(&app(1), new(NUMBER)).await.unwrap().id;
    let first = stage.engine.pay_with(&app(1), &card).await.unwrap();
    let field = |card: &OpenCard, field| card.field(field).map(|it| it.expose().to_vec());
    assert_eq!(field(&first, egress::CardField::SecurityCode), Some(CODE.into()));
    let second = stage.engine.pay_with(&app(1), &card).await.unwrap();
    assert_eq!(field(&second, egress::CardField::SecurityCode), None);
    assert!(!second.shown().security_code);
    assert_eq!(field(&second, egress::CardField::Number), Some(NUMBER.into()));
    assert_eq!(field(&second, egress::CardField::ExpiryYymm), Some("2612".into()));
    // Nothing was sent: the next operation has it. Something was: nobody has.
    stage.engine.unused(&first);
    assert!(stage.engine.card(&app(1), &card).await.unwrap().security_code);
    let third = stage.engine.pay_with(&app(1), &card).await.unwrap();
    third.spend();
    stage.engine.unused(&third);
    assert!(!stage.engine.card(&app(1), &card).await.unwrap().security_code);

    let late = stage.engine.tokenise(&app(1), new(NUMBER)).await.unwrap().id;
    stage.clock.0.store(15 * 60 * 1000, Ordering::SeqCst);
    assert!(!stage.engine.card(&app(1), &late).await.unwrap().security_code);
    let late = stage.engine.pay_with(&app(1), &late).await.unwrap();
    assert_eq!(field(&late, egress::CardField::SecurityCode), None);
}

#[tokio::test]
async fn an_erased_card_leaves_its_name_and_nothing_to_pay_with() {
    let stage = open_stage();
    let card = stage.engine.tokenise(&app(1), new(NUMBER)).await.unwrap().id;
    for _ in 0..2 {
        let erased = stage.engine.erase_card(&app(1), &card).await.unwrap();
        assert_eq!((erased.state, erased.last4.as_str()), (CardState::Erased, "4242"));
        assert!(!erased.security_code);
    }
    assert!(everything(&stage.store).await.contains("\"apart\":null"));
    assert_eq!(stage.keys.count(), 0);
    let gone = stage.engine.pay_with(&app(1), &card).await.map(|_| ());
    assert!(matches!(gone, Err(Error::CardGone(_, CardState::Erased))), "{gone:?}");
    assert!(stage.engine.card_again(&card).await.unwrap().is_none());
    let due = stage.store.scan(Range::all(record::CARD_DUE)).await.unwrap();
    assert!(due.is_empty());
}

#[tokio::test]
async fn a_card_whose_time_is_over_is_erased_by_itself() {
    let stage = open_stage();
    let card = stage.engine.tokenise(&app(1), new(NUMBER)).await.unwrap();
    assert_eq!(card.keep_until_ms, 1_798_804_800_000);
    let until = card.keep_until_ms - NOW;
    stage.clock.0.store(until - 1, Ordering::SeqCst);
    assert_eq!(stage.engine.expire_cards().await.unwrap(), 0);
    stage.clock.0.store(until, Ordering::SeqCst);
    // Before the round has come it cannot be paid with either.
    let gone = stage.engine.pay_with(&app(1), &card.id).await.map(|_| ());
    assert!(matches!(gone, Err(Error::CardGone(_, CardState::Expired))), "{gone:?}");
    assert_eq!(stage.engine.expire_cards().await.unwrap(), 1);
    assert_eq!(stage.engine.expire_cards().await.unwrap(), 0);
    let card = stage.engine.card(&app(1), &card.id).await.unwrap();
    assert_eq!(card.state, CardState::Expired);
    assert!(everything(&stage.store).await.contains("\"apart\":null"));
    assert_eq!((stage.keys.count(), card.fingerprint), (0, None));
}

#[tokio::test]
async fn no_card_is_taken_while_the_vault_is_closed() {
    let stage = stage(AtRest::closed());
    let refused = stage.engine.tokenise(&app(1), new(NUMBER)).await;
    assert!(matches!(refused, Err(Error::Vault(vault::at_rest::Error::Closed))), "{refused:?}");
    assert_eq!(everything(&stage.store).await, "");
}

#[tokio::test]
async fn a_card_sealed_under_an_old_master_is_resealed_and_outlives_it() {
    let (old, new_master) = (master("2025"), master("2026"));
    let first = stage(AtRest::new(vec![old.clone()]).unwrap());
    let card = first.engine.tokenise(&app(1), new(NUMBER)).await.unwrap();
    let both = AtRest::new(vec![new_master.clone(), old]).unwrap();
    let second = with(both, first.store.clone(), first.keys.clone());
    let resealed = second.engine.reseal().await.unwrap();
    assert_eq!((resealed.done, resealed.left), (2, 0), "the card and the app's fingerprint key");
    assert_eq!(second.engine.reseal().await.unwrap().done, 0);
    let alone =
        with(AtRest::new(vec![new_master]).unwrap(), first.store.clone(), first.keys.clone());
    let opened = alone.engine.pay_with(&app(1), &card.id).await.unwrap();
    assert_eq!(opened.field(egress::CardField::Number).unwrap().expose(), NUMBER.as_bytes());
    let again = alone.engine.tokenise(&app(1), new(NUMBER)).await.unwrap();
    assert_eq!(again.fingerprint, card.fingerprint);
}

#[tokio::test]
async fn what_no_master_key_opens_is_counted_and_left_as_it_is() {
    let first = stage(AtRest::new(vec![master("2024")]).unwrap());
    first.engine.tokenise(&app(1), new(NUMBER)).await.unwrap();
    let before = everything(&first.store).await;
    let second =
        with(AtRest::new(vec![master("2026")]).unwrap(), first.store.clone(), first.keys.clone());
    let resealed = second.engine.reseal().await.unwrap();
    assert_eq!((resealed.done, resealed.left), (0, 2));
    assert_eq!(everything(&first.store).await, before);
    let of = |count| [("2024".to_owned(), count)].into();
    assert_eq!(crate::sealed_under(&*first.store).await.unwrap(), of(1));
    assert_eq!(card_keys_under(&first.keys).await.unwrap(), of(1));
}
