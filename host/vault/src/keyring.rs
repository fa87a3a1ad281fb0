//! The keys of one account, by slot; a slot may hold several, told apart by id.

use std::collections::BTreeMap;

use crate::{Error, Key, Legacy};

/// The key slots of one account and the legacy primitives granted to it.
#[derive(Debug, Default)]
pub struct Keyring {
    slots: BTreeMap<String, Vec<Key>>,
    legacy: Legacy,
}

impl Keyring {
    /// A ring without keys.
    pub fn new(legacy: Legacy) -> Keyring {
        Keyring { slots: BTreeMap::new(), legacy }
    }

    /// Adds a key to its slot. The first key of a slot is its current one.
    pub fn add(&mut self, key: Key) {
        self.slots.entry(key.slot().to_owned()).or_default().push(key);
    }

    /// The current key of a slot.
    pub fn open(&self, slot: &str) -> Result<&Key, Error> {
        self.versions(slot).first().ok_or_else(|| Error::NoSuchKey(format!("slot `{slot}`")))
    }

    /// The slot's key with this id.
    pub fn open_version(&self, slot: &str, id: &str) -> Result<&Key, Error> {
        let of_id = |key: &&Key| key.id() == Some(id);
        self.versions(slot)
            .iter()
            .find(of_id)
            .ok_or_else(|| Error::NoSuchKey(format!("slot `{slot}`, id `{id}`")))
    }

    /// Every key of a slot, the current one first; none when the slot is empty.
    pub fn versions(&self, slot: &str) -> &[Key] {
        self.slots.get(slot).map_or(&[], Vec::as_slice)
    }

    /// The legacy primitives granted.
    pub fn legacy(&self) -> &Legacy {
        &self.legacy
    }
}
