//! The keys of cards: one for each, outside of the journal, destroyed with the card.
//!
//! A card's record holds its data under a key that lies in a slot (`store::Slots`), wrapped by the
//! master key. Whoever has the journal, a checkpoint or an export, and the master key besides, has
//! nothing of a card whose slot was blanked. In this order:
//! - taking a card: the key is durable, then the record; a crash between leaves a key to nothing;
//! - erasing it: the record says so, durably, then the key is blanked, and only then it is
//!   answered; a crash between is finished before the host serves again.
//!
//! An active card without a key counts as erased: it was, after the backup that the store was
//! restored from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ledger::Id;
use serde::{Deserialize, Serialize};
use store::{Batch, Expected, Kind, SlotOptions, Slots, Store};
use tokio::task::spawn_blocking;
use vault::at_rest::WrappedKey;

use super::{CardState, Kept, place};
use crate::record;

/// The key of the record that says which file the keys are in.
const FILE: &[u8] = b"file";

/// Which file of slots the keys of this store's cards are in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct KeyFile {
    id: String,
}

/// The slots, and what is left to do in them.
pub(crate) struct CardKeys {
    slots: Arc<Slots>,
    /// Cards whose record is about to say that they are gone; until their key is.
    doomed: Mutex<BTreeSet<Id>>,
}

/// What was found when keys were compared with records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeysSettled {
    /// Keys of cards that are erased or expired; none is left.
    pub destroyed: usize,
    /// Keys of cards that the store does not know.
    pub strays: usize,
}

impl CardKeys {
    pub fn new(slots: Arc<Slots>) -> CardKeys {
        CardKeys { slots, doomed: Mutex::default() }
    }

    pub fn slots(&self) -> &Arc<Slots> {
        &self.slots
    }

    /// The key of a card; none once it is destroyed.
    pub fn read(&self, card: &Id) -> Result<Option<WrappedKey>, store::Error> {
        let Some(bytes) = self.slots.read(card.as_str())? else { return Ok(None) };
        let damaged = || {
            let what = format!("the key of {card} is not what it should be");
            store::Error::new(Kind::Damaged, what)
        };
        WrappedKey::from_bytes(&bytes).map(Some).ok_or_else(damaged)
    }

    /// Makes a card's key durable.
    pub async fn keep(&self, card: &Id, key: &WrappedKey) -> Result<(), store::Error> {
        let (slots, name, key) = (self.slots.clone(), card.to_string(), key.to_bytes());
        blocking(move || slots.put(&name, &key)).await
    }

    /// From now on the key goes as soon as the record says that the card is gone.
    pub fn doom(&self, card: &Id) {
        self.doomed().insert(card.clone());
    }

    /// Blanks keys, durably.
    pub async fn destroy(&self, cards: &[Id]) -> Result<usize, store::Error> {
        let (slots, names) = (self.slots.clone(), cards.to_vec());
        let destroy = move || slots.erase(&names.iter().map(Id::as_str).collect::<Vec<_>>());
        let destroyed = blocking(destroy).await?;
        cards.iter().for_each(|card| self.spare(card));
        Ok(destroyed)
    }

    /// Takes [`CardKeys::doom`] back.
    pub fn spare(&self, card: &Id) {
        self.doomed().remove(card);
    }

    /// Destroys the keys of doomed cards that a request left behind.
    pub async fn finish(&self, store: &dyn Store) -> Result<(), store::Error> {
        let doomed: Vec<Id> = self.doomed().iter().cloned().collect();
        for card in doomed {
            match standing(store, &card).await? {
                // Its commit is still to come.
                Standing::Needed => {}
                Standing::Gone | Standing::Unknown => drop(self.destroy(&[card]).await?),
            }
        }
        Ok(())
    }

    /// Adds to a commit which file the keys are in, unless the store knows.
    pub async fn bind(&self, store: &dyn Store, batch: &mut Batch) -> Result<(), store::Error> {
        match record::read::<KeyFile>(store, record::CARD_FILE, FILE).await? {
            Some(known) if known.value.id == self.slots.id() => {}
            Some(known) => return Err(another_file(&self.slots, &known.value)),
            None => {
                let file = KeyFile { id: self.slots.id() };
                batch.put(record::CARD_FILE, FILE, record::encode(&file));
            }
        }
        Ok(())
    }

    fn doomed(&self) -> MutexGuard<'_, BTreeSet<Id>> {
        self.doomed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens the keys of the cards of a store.
///
/// # Errors
/// What [`Slots::open`] says; `Foreign` where the store's cards have their keys in another file, or
/// in one that is missing, with what to do.
pub async fn open_card_keys(
    store: &dyn Store,
    options: &SlotOptions,
) -> Result<Slots, store::Error> {
    let bound = record::read::<KeyFile>(store, record::CARD_FILE, FILE).await?;
    let bound = bound.map(|read| read.value);
    if let Some(file) = bound.as_ref().filter(|_| !options.exists()) {
        let (dir, id) = (options.dir.display(), &file.id);
        let what =
            format!("{dir}: the keys of the store's cards are missing (file {id}); {REMEDY}");
        return Err(store::Error::new(Kind::Foreign, what));
    }
    let options = options.clone();
    let slots = blocking(move || Slots::open(&options)).await?;
    match bound.filter(|file| file.id != slots.id()) {
        Some(file) => Err(another_file(&slots, &file)),
        None => Ok(slots),
    }
}

/// What to do about keys that are not there.
const REMEDY: &str = "put them back by `tollgate vault card-keys import --from EXPORT`; if they \
                      are lost for good, `tollgate vault card-keys abandon` gives those cards up, \
                      which then count as erased";

fn another_file(slots: &Slots, due: &KeyFile) -> store::Error {
    let (path, found, due) = (slots.path().display(), slots.id(), &due.id);
    let what = format!("{path} is the file {found}; the keys of the store's cards are in {due}");
    store::Error::new(Kind::Foreign, format!("{what}: move this one away, and {REMEDY}"))
}

/// Gives up the keys that a store's cards had: the next start begins with the file that is there,
/// or a new one. Whether there were any.
///
/// # Errors
/// What the store says.
pub async fn abandon_card_keys(store: &dyn Store, now_ms: u64) -> Result<bool, store::Error> {
    let Some(known) = record::read::<KeyFile>(store, record::CARD_FILE, FILE).await? else {
        return Ok(false);
    };
    let mut batch = Batch::at(now_ms);
    batch.expect(record::CARD_FILE, FILE, Expected::Version(known.version));
    batch.remove(record::CARD_FILE, FILE);
    store.commit(batch).await.map(|_| true)
}

/// Compares every key with its card: destroys those whose card is gone, and counts those that the
/// store does not know, or destroys them too (`tidy`). They are left of cards that were not taken
/// after all, or belong to a later state of the store than this one.
///
/// # Errors
/// What the store or the disk says.
pub async fn settle_card_keys(
    store: &dyn Store,
    slots: &Arc<Slots>,
    tidy: bool,
) -> Result<KeysSettled, store::Error> {
    let mut settled = KeysSettled::default();
    let mut next = (slots.count() > 0).then_some(0);
    while let Some(from) = next {
        let (page, mut gone) = (page(slots, from).await?, Vec::new());
        for (name, _) in page.held {
            let standing = match name.parse() {
                Ok(card) => standing(store, &card).await?,
                Err(_) => Standing::Unknown,
            };
            match standing {
                Standing::Needed => continue,
                Standing::Gone => settled.destroyed += 1,
                Standing::Unknown => settled.strays += 1,
            }
            if tidy || matches!(standing, Standing::Gone) {
                gone.push(name);
            }
        }
        let slots = slots.clone();
        blocking(move || slots.erase(&gone.iter().map(String::as_str).collect::<Vec<_>>())).await?;
        next = page.next;
    }
    Ok(settled)
}

/// How many keys are under which master key.
///
/// # Errors
/// What the disk says.
pub async fn card_keys_under(slots: &Arc<Slots>) -> Result<BTreeMap<String, usize>, store::Error> {
    let (mut under, mut next) = (BTreeMap::new(), Some(0));
    while let Some(from) = next {
        let page = page(slots, from).await?;
        for key in page.held.iter().filter_map(|(_, value)| WrappedKey::from_bytes(value)) {
            *under.entry(key.key_id().to_owned()).or_insert(0) += 1;
        }
        next = page.next;
    }
    Ok(under)
}

/// How many active cards have no key: they count as erased.
///
/// # Errors
/// What the store says.
pub async fn cards_without_key(store: &dyn Store, slots: &Slots) -> Result<usize, store::Error> {
    let (mut count, mut after) = (0, None);
    loop {
        let range = store::Range::all(record::CARD);
        let rows = store.scan(after.take().into_iter().fold(range, store::Range::after)).await?;
        let Some(last) = rows.last() else { return Ok(count) };
        after = Some(last.key.clone());
        for row in &rows {
            let kept: Kept = record::decode(record::CARD, &row.key, &row.value)?;
            let apart = kept.apart.is_some() && kept.card.state == CardState::Active;
            count += usize::from(apart && !slots.holds(kept.card.id.as_str()));
        }
    }
}

/// The keys of one page under the current master key, by `anew`; how many.
pub(crate) async fn renew_page(
    slots: &Arc<Slots>,
    from: u32,
    anew: impl FnMut((String, Vec<u8>)) -> Option<(String, Vec<u8>)>,
) -> Result<(usize, Option<u32>), store::Error> {
    let page = page(slots, from).await?;
    let renewed: Vec<_> = page.held.into_iter().filter_map(anew).collect();
    let slots = slots.clone();
    let done = blocking(move || slots.renew(&renewed)).await?;
    Ok((done, page.next))
}

/// What a key's place is, by the name of its slot.
pub(crate) fn key_place(name: &str) -> Option<String> {
    name.parse().ok().map(|card| place(&card))
}

enum Standing {
    Needed,
    Gone,
    Unknown,
}

/// Whether a card still needs its key.
async fn standing(store: &dyn Store, card: &Id) -> Result<Standing, store::Error> {
    let read = record::read::<Kept>(store, record::CARD, card.as_str().as_bytes()).await?;
    Ok(match read.map(|read| read.value) {
        None => Standing::Unknown,
        Some(kept) if kept.card.state == CardState::Active => Standing::Needed,
        Some(_) => Standing::Gone,
    })
}

async fn page(slots: &Arc<Slots>, from: u32) -> Result<store::SlotPage, store::Error> {
    let slots = slots.clone();
    blocking(move || slots.page(from)).await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, store::Error> + Send + 'static,
) -> Result<T, store::Error> {
    let ended = |error| store::Error::new(Kind::Stopped, format!("the work was ended: {error}"));
    spawn_blocking(work).await.map_err(ended)?
}
