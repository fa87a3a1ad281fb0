//! Erasing: what the store ever wrote of a card that is gone opens for nobody, whoever has the
//! master key and every backup of the store; whenever the power goes; and after a restore.

#[allow(dead_code, reason = "the tests of the store use the rest of it")]
#[path = "../../../../store/tests/common/faulty.rs"]
mod faulty;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use faulty::{Fault, Faulty};
use serde_json::Value;
use store::{JournalStore, SlotOptions};
use tempfile::TempDir;
use vault::at_rest::WrappedKey;

use super::*;

const ERASED: &str = "5555555555554444";
const EXPIRED: &str = "378282246310005";

/// What `faulty` draws from.
pub struct Seeded(pub u64);

impl Seeded {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (self.0 >> 33) % bound
    }
}

/// A host's disk, and the host.
struct House {
    folder: TempDir,
    at_rest: AtRest,
    clock: Still,
}

struct Open {
    engine: Engine,
    store: Arc<JournalStore>,
    keys: Arc<Slots>,
}

impl House {
    fn built() -> House {
        let memory = Path::new("/dev/shm");
        let folder = match memory.is_dir() {
            true => tempfile::tempdir_in(memory).unwrap(),
            false => tempfile::tempdir().unwrap(),
        };
        House { folder, at_rest: AtRest::new(vec![master("1")]).unwrap(), clock: Still::default() }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn slots(&self) -> SlotOptions {
        SlotOptions::new(self.path("keys"))
    }

    async fn open(&self) -> Open {
        self.try_open(None).await.unwrap()
    }

    async fn try_open(&self, disk: Option<&Faulty>) -> Result<Open, store::Error> {
        let mut options = store::Options::new(self.path("store"));
        let mut slots = self.slots();
        // Small, so that the card passes from segment to segment and through checkpoints.
        options.checkpoint_frames = 3;
        options.segment_bytes_max = 2_000;
        options.cache_bytes = 1 << 20;
        if let Some(disk) = disk {
            (options.disk, slots.disk) = (Arc::new(disk.clone()), Arc::new(disk.clone()));
        }
        let store = Arc::new(JournalStore::open(options)?);
        let keys = Arc::new(open_card_keys(&*store, &slots).await?);
        let engine = engine(self.at_rest.clone(), store.clone(), keys.clone(), &self.clock);
        engine.recover().await.map_err(|error| match error {
            Error::Store(error) => error,
            other => panic!("{other}"),
        })?;
        Ok(Open { engine, store, keys })
    }

    fn export(&self, name: &str) {
        store::export(&self.path("store"), &self.path(name)).unwrap();
    }
}

impl Open {
    async fn close(self) {
        drop(self.engine);
        self.store.close().await.unwrap();
    }

    fn wrapped(&self, card: &Id) -> Vec<u8> {
        self.keys.read(card.as_str()).unwrap().unwrap()
    }
}

/// Every byte of these files and folders.
fn bytes_of(paths: &[&Path]) -> Vec<u8> {
    let mut all = Vec::new();
    for path in paths {
        match path.is_dir() {
            false => all.extend(fs::read(path).unwrap()),
            true => {
                let inner: Vec<_> =
                    fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
                all.extend(bytes_of(&inner.iter().map(|path| path.as_path()).collect::<Vec<_>>()));
            }
        }
    }
    all
}

/// Somebody with the master key, bytes of the store from any time, and keys of cards.
struct Thief<'a> {
    at_rest: &'a AtRest,
    cards: &'a [Id],
    keys: Vec<WrappedKey>,
}

impl Thief<'_> {
    /// Every card number that can be had from the bytes.
    fn numbers(&self, bytes: &[u8]) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == b'{') {
            let mut values = serde_json::Deserializer::from_slice(&bytes[at..]).into_iter();
            if let Some(Ok(value)) = values.next() {
                self.look(&value, &mut found);
            }
        }
        found
    }

    fn look(&self, value: &Value, found: &mut BTreeSet<String>) {
        let mut openings: Vec<Secret> = Vec::new();
        for card in self.cards {
            let place = place(card);
            if let Ok(vaulted) = serde_json::from_value::<Vaulted>(value.clone()) {
                openings.extend(self.at_rest.open(&place, &vaulted).ok());
            }
            let apart = value.get("apart").and_then(Value::as_str);
            let apart = apart.and_then(base64_of).unwrap_or_default();
            let keys = self.keys.iter();
            let keys = keys.filter_map(|key| self.at_rest.unwrap_key(&place, key).ok());
            openings.extend(keys.filter_map(|key| key.open(&place, &apart).ok()));
        }
        for opened in openings {
            let data: Value = serde_json::from_slice(opened.expose()).unwrap();
            found.insert(data["number"].as_str().unwrap().to_owned());
        }
        match value {
            Value::Object(fields) => fields.values().for_each(|field| self.look(field, found)),
            Value::Array(items) => items.iter().for_each(|item| self.look(item, found)),
            _ => {}
        }
    }
}

fn base64_of(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}

/// The keys in a file of slots, as they stand there.
fn keys_in(file: &Path, cards: &[Id]) -> Vec<WrappedKey> {
    let bytes = fs::read(file).unwrap();
    let slots = bytes.chunks(256).skip(1);
    let named =
        |slot: &&[u8]| cards.iter().any(|card| slot[16..].starts_with(card.as_str().as_bytes()));
    slots.filter(named).filter_map(|slot| WrappedKey::from_bytes(&slot[80..80 + 63])).collect()
}

fn numbers(of: &[&str]) -> BTreeSet<String> {
    of.iter().map(|number| (*number).to_owned()).collect()
}

#[tokio::test]
async fn no_copy_of_an_erased_card_opens_for_whoever_has_the_master_key() {
    let house = House::built();
    let open = house.open().await;
    let mut cards = Vec::new();
    for number in [NUMBER, ERASED, EXPIRED] {
        let mut new = new(number);
        new.expiry_year += u16::from(number != EXPIRED);
        cards.push(open.engine.tokenise(&app(1), new).await.unwrap());
    }
    let ids: Vec<Id> = cards.iter().map(|card| card.id.clone()).collect();
    house.export("before");
    store::export_slots(&house.path("keys"), &house.path("keys-before")).unwrap();
    open.engine.erase_card(&app(1), &ids[1]).await.unwrap();
    let over = cards[2].keep_until_ms - NOW;
    assert!(cards[0].keep_until_ms - NOW > over);
    house.clock.0.store(over, Ordering::SeqCst);
    assert_eq!(open.engine.expire_cards().await.unwrap(), 1);
    house.export("after");
    open.close().await;

    // All there is: exports, journal, checkpoints, state, and the keys as they stand now.
    let [before, after, store] = ["before", "after", "store"].map(|name| house.path(name));
    assert!(fs::read_dir(store.join("checkpoint")).unwrap().count() > 0);
    assert!(fs::read_dir(store.join("journal")).unwrap().count() > 1);
    let keys = keys_in(&house.path("keys/slots"), &ids);
    assert_eq!(keys.len(), 1);
    let thief = |keys| Thief { at_rest: &house.at_rest, cards: &ids, keys };
    for place in [&before, &after, &store] {
        let bytes = bytes_of(&[place]);
        assert_eq!(thief(Vec::new()).numbers(&bytes), numbers(&[]), "without any key");
        assert_eq!(thief(keys.clone()).numbers(&bytes), numbers(&[NUMBER]), "{place:?}");
        // Nor is there what a number could be found by trying all.
        for card in &cards {
            let print = card.fingerprint.clone().unwrap();
            let found = bytes.windows(print.len()).any(|window| window == print.as_bytes());
            assert!(!found, "the fingerprint of {} in {place:?}", card.id);
        }
    }
    // A backup of the keys does open what was erased later, as its description says; so this would
    // have found a number.
    let old = keys_in(&house.path("keys-before"), &ids);
    let all = numbers(&[NUMBER, ERASED, EXPIRED]);
    assert_eq!(thief(old.clone()).numbers(&bytes_of(&[&before])), all);
    assert_eq!(thief(old).numbers(&bytes_of(&[&store.join("journal")])), all);
}

#[tokio::test]
async fn a_card_of_an_earlier_version_still_opens_and_gets_a_key_of_its_own() {
    let house = House::built();
    let open = house.open().await;
    let id = Id::card(NOW, [9; 10]);
    let data = format!(r#"{{"number":"{NUMBER}","holder":"Ada Lovelace"}}"#);
    let sealed = house.at_rest.seal(&place(&id), data.as_bytes()).unwrap();
    // As it was written then, field by field.
    let record = serde_json::json!({
        "id": id, "app": app(1), "brand": "visa", "last4": "4242", "expiry_month": 12,
        "expiry_year": 2027, "fingerprint": "00ff", "holder": true, "state": "active",
        "created_at_ms": NOW, "keep_until_ms": NOW + 1_000_000, "sealed": sealed,
    });
    let mut batch = Batch::at(NOW);
    batch.put(record::CARD, id.as_str(), record::encode(&record));
    open.store.commit(batch).await.unwrap();
    let number =
        |card: &OpenCard| card.field(egress::CardField::Number).map(|it| it.expose().to_vec());
    let before = open.engine.pay_with(&app(1), &id).await.unwrap();
    assert_eq!(number(&before), Some(NUMBER.into()));
    assert_eq!(open.engine.reseal().await.unwrap(), crate::Resealed { done: 1, left: 0 });
    assert_eq!(open.engine.reseal().await.unwrap(), crate::Resealed::default());
    assert_eq!(open.keys.count(), 1);
    let kept = open.store.read(record::CARD, id.as_str().as_bytes()).await.unwrap().unwrap();
    let kept = String::from_utf8(kept.value).unwrap();
    assert!(!kept.contains("vaulted") && !kept.contains("00ff"), "{kept}");
    let after = open.engine.pay_with(&app(1), &id).await.unwrap();
    assert_eq!(number(&after), Some(NUMBER.into()));
    assert_eq!(open.engine.card(&app(1), &id).await.unwrap().fingerprint, Some("00ff".to_owned()));
    open.engine.erase_card(&app(1), &id).await.unwrap();
    assert_eq!(open.keys.count(), 0);
    open.close().await;
}

/// What was answered before the power went.
#[derive(Default)]
struct Answered {
    taken: Vec<Id>,
    /// Erased cards, and what their slot held.
    erased: Vec<(Id, Vec<u8>)>,
    /// Cards that were being erased.
    erasing: Vec<(Id, Vec<u8>)>,
}

/// Takes three cards and erases two, one of them by its expiry; stops where something fails.
async fn a_day(open: &Open, answered: &mut Answered) -> Result<(), Error> {
    for number in [NUMBER, ERASED, EXPIRED] {
        answered.taken.push(open.engine.tokenise(&app(1), new(number)).await?.id);
    }
    for n in [1, 0] {
        let card = answered.taken[n].clone();
        let key = open.wrapped(&card);
        answered.erasing.push((card.clone(), key.clone()));
        open.engine.erase_card(&app(1), &card).await?;
        answered.erased.push((card, key));
    }
    answered.taken.push(open.engine.tokenise(&app(1), new(ERASED)).await?.id);
    Ok(())
}

/// Whether any part of a key is in the file of keys.
fn remains(house: &House, key: &[u8]) -> bool {
    let bytes = fs::read(house.path("keys/slots")).unwrap();
    // From its nonce on: what stands before is the master key's name.
    key[3..].windows(12).any(|part| bytes.windows(12).any(|window| window == part))
}

#[tokio::test]
async fn whenever_the_power_goes_taken_cards_pay_and_erased_ones_are_gone() {
    let (mut cuts, mut finished) = (0, 0);
    for fault_at in 1.. {
        let house = House::built();
        let disk = Faulty::new(fault_at, fault_at, Fault::PowerCut);
        let mut answered = Answered::default();
        let done = match house.try_open(Some(&disk)).await {
            Err(_) => false,
            Ok(open) => a_day(&open, &mut answered).await.is_ok(),
        };
        disk.lose_power();
        let case = format!("cut at {fault_at}");
        let open = house.open().await;
        for card in &answered.taken {
            let known = open.engine.card(&app(1), card).await.unwrap();
            let erasing = answered.erasing.iter().any(|(erasing, _)| erasing == card);
            match known.state {
                CardState::Active => {
                    assert!(!answered.erased.iter().any(|(erased, _)| erased == card), "{case}");
                    open.engine.pay_with(&app(1), card).await.unwrap_or_else(|error| {
                        panic!("{case}: a card that was taken does not pay: {error}")
                    });
                }
                _ => assert!(erasing, "{case}: {known:?}"),
            }
        }
        for (card, key) in &answered.erasing {
            // Whether it was answered or not: what the record says is finished.
            if open.engine.card(&app(1), card).await.unwrap().state != CardState::Active {
                assert!(
                    !remains(&house, key),
                    "{case}: of the key of an erased card something is left"
                );
                finished += usize::from(!answered.erased.iter().any(|(erased, _)| erased == card));
            }
        }
        open.close().await;
        if done {
            break;
        }
        cuts += 1;
    }
    assert!(cuts > 40 && finished > 0, "{cuts} cuts, {finished} erasures finished at the start");
}

#[tokio::test]
async fn a_restored_backup_has_the_cards_whose_keys_are_there_and_no_erased_one() {
    let house = House::built();
    let open = house.open().await;
    let kept = open.engine.tokenise(&app(1), new(NUMBER)).await.unwrap().id;
    let erased = open.engine.tokenise(&app(1), new(ERASED)).await.unwrap().id;
    house.export("backup");
    store::export_slots(&house.path("keys"), &house.path("keys-backup")).unwrap();
    open.engine.erase_card(&app(1), &erased).await.unwrap();
    open.close().await;

    // The store alone is restored: the keys are where they were.
    let restore = || {
        fs::remove_dir_all(house.path("store")).unwrap();
        let into = store::Options::new(house.path("store"));
        store::import(&house.path("backup"), &into).unwrap();
    };
    restore();
    let open = house.open().await;
    assert!(open.engine.pay_with(&app(1), &kept).await.is_ok());
    assert_eq!(open.engine.card(&app(1), &erased).await.unwrap().state, CardState::Erased);
    let gone = open.engine.pay_with(&app(1), &erased).await.map(drop);
    assert!(matches!(gone, Err(Error::CardGone(_, CardState::Erased))), "{gone:?}");
    assert_eq!(cards_without_key(&*open.store, &open.keys).await.unwrap(), 1);
    // Erasing it again writes it down.
    open.engine.erase_card(&app(1), &erased).await.unwrap();
    open.close().await;

    // The keys are lost: it is said, and nothing is made anew in their place.
    fs::remove_dir_all(house.path("keys")).unwrap();
    let refused = house.try_open(None).await.err().unwrap().to_string();
    assert!(refused.contains("card-keys import") && refused.contains("abandon"), "{refused}");
    assert!(!house.path("keys").exists());

    // From their backup all cards open, those too that were erased since; but for those that the
    // store knows to be erased.
    store::import_slots(&house.path("keys-backup"), &house.slots()).unwrap();
    assert_eq!(store::verify_slots(&house.path("keys")).unwrap().count, 2);
    let open = house.open().await;
    assert_eq!(open.keys.count(), 1);
    assert!(open.engine.pay_with(&app(1), &kept).await.is_ok());
    open.close().await;
    restore();
    fs::remove_dir_all(house.path("keys")).unwrap();
    store::import_slots(&house.path("keys-backup"), &house.slots()).unwrap();
    let open = house.open().await;
    assert!(open.engine.pay_with(&app(1), &erased).await.is_ok(), "a backup of keys un-erases");
    open.close().await;

    // Given up, they are gone.
    fs::remove_dir_all(house.path("keys")).unwrap();
    let store = JournalStore::open(store::Options::new(house.path("store"))).unwrap();
    assert!(abandon_card_keys(&store, NOW).await.unwrap());
    store.close().await.unwrap();
    drop(store);
    let open = house.open().await;
    assert_eq!(open.engine.card(&app(1), &kept).await.unwrap().state, CardState::Erased);
    open.engine.tokenise(&app(1), new(NUMBER)).await.unwrap();
    open.close().await;
}

#[tokio::test]
async fn keys_of_unknown_cards_are_left_until_they_are_tidied_away() {
    let house = House::built();
    let open = house.open().await;
    let known = open.engine.tokenise(&app(1), new(NUMBER)).await.unwrap().id;
    open.keys.put(Id::card(NOW, [1; 10]).as_str(), &open.wrapped(&known)).unwrap();
    open.close().await;
    let open = house.open().await;
    assert_eq!(open.keys.count(), 2);
    let settled = settle_card_keys(&*open.store, &open.keys, true).await.unwrap();
    assert_eq!(settled, KeysSettled { destroyed: 0, strays: 1 });
    assert_eq!(open.keys.count(), 1);
    assert!(open.engine.pay_with(&app(1), &known).await.is_ok());
    open.close().await;
}
