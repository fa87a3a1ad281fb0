//! Re-sealing: what the store keeps under an older master key comes under the current one, while
//! the host serves.
//!
//! A sealed value is an object in a record, whose field `vaulted` is its version: every record of
//! the spaces that may hold one is looked through, at whatever depth it stands. A record that
//! somebody changes meanwhile is left to the next round. The keys of cards, which lie apart, are
//! wrapped anew in their slots, and the cards of earlier versions get such a key.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use store::{Batch, Expected, Range, Row, Store};
use vault::at_rest::WrappedKey;
use vault::{AtRest, Vaulted};

use crate::cards::{is_within, key_place, renew_page};
use crate::record::{self, SEALED};
use crate::{Engine, Error};

/// Records read at once.
const ROWS: usize = 200;
/// How long until a round is repeated that left something.
const AGAIN_AFTER: Duration = Duration::from_secs(60);

/// How one round of re-sealing went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Values that came under the current master key.
    pub done: usize,
    /// Values that are still under another one.
    pub left: usize,
}

impl Engine {
    /// Re-seals until nothing needs an older master key; with a closed vault there is nothing to
    /// do. Drop the future to stop.
    pub async fn keep_sealed(&self) {
        let Some(current) = self.0.at_rest.current().map(str::to_owned) else { return };
        loop {
            match self.reseal().await {
                Ok(Resealed { done, left: 0 }) => {
                    tracing::info!(current, done, "no record needs an older master key");
                    return;
                }
                Ok(Resealed { done, left }) => {
                    tracing::warn!(current, done, left, "records are under other master keys");
                }
                Err(error) => tracing::error!(%error, "re-sealing broke off"),
            }
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }

    /// One round over every record that may hold something sealed, and every key of a card.
    pub async fn reseal(&self) -> Result<Resealed, Error> {
        let mut all = Resealed::default();
        let mut next = Some(0);
        while let Some(from) = next {
            let slots = self.0.card_keys.slots();
            let mut left = 0;
            let renew = |key| key_anew(&self.0.at_rest, key, &mut left);
            let (done, beyond) = renew_page(slots, from, renew).await?;
            all = Resealed { done: all.done + done, left: all.left + left };
            next = beyond;
        }
        for space in SEALED {
            let mut after = None;
            while let Some(rows) = page(&*self.0.store, *space, &mut after).await? {
                for row in rows {
                    let one = self.reseal_row(*space, row).await?;
                    all = Resealed { done: all.done + one.done, left: all.left + one.left };
                }
            }
        }
        Ok(all)
    }

    async fn reseal_row(&self, space: store::Space, row: Row) -> Result<Resealed, Error> {
        if space == record::CARD && is_within(&row) {
            let done = usize::from(self.move_card(row).await?);
            return Ok(Resealed { done, left: 1 - done });
        }
        let Ok(mut value) = serde_json::from_slice::<Value>(&row.value) else {
            return Ok(Resealed::default());
        };
        let mut one = Resealed::default();
        each_sealed(&mut value, &mut |sealed| anew(&self.0.at_rest, sealed, &mut one));
        if one.done == 0 {
            return Ok(one);
        }
        let mut batch: Batch = self.batch();
        batch.expect(space, row.key.clone(), Expected::Version(row.version));
        batch.put(space, row.key, record::encode(&value));
        match self.0.store.commit(batch).await {
            Err(error) if error.is_conflict() => {
                Ok(Resealed { done: 0, left: one.done + one.left })
            }
            Err(error) => Err(error.into()),
            Ok(_) => Ok(one),
        }
    }
}

/// How many sealed values are under which master key.
pub async fn sealed_under(store: &dyn Store) -> Result<BTreeMap<String, usize>, store::Error> {
    let mut under = BTreeMap::new();
    for space in SEALED {
        let mut after = None;
        while let Some(rows) = page(store, *space, &mut after).await? {
            for row in rows {
                let Ok(mut value) = serde_json::from_slice::<Value>(&row.value) else { continue };
                each_sealed(&mut value, &mut |sealed| {
                    if let Ok(vaulted) = Vaulted::deserialize(&*sealed) {
                        *under.entry(vaulted.key_id().to_owned()).or_insert(0) += 1;
                    }
                });
            }
        }
    }
    Ok(under)
}

/// The rows after the last one seen; none at the end.
async fn page(
    store: &dyn Store,
    space: store::Space,
    after: &mut Option<Vec<u8>>,
) -> Result<Option<Vec<Row>>, store::Error> {
    let range = Range::all(space).limit(ROWS);
    let range = match after.take() {
        Some(key) => range.after(key),
        None => range,
    };
    let rows = store.scan(range).await?;
    *after = rows.last().map(|row| row.key.clone());
    Ok(after.is_some().then_some(rows))
}

/// One sealed value, under the current master key where that can be done.
fn anew(at_rest: &AtRest, sealed: &mut Value, count: &mut Resealed) {
    let Ok(vaulted) = Vaulted::deserialize(&*sealed) else {
        count.left += 1;
        return;
    };
    match at_rest.reseal(&vaulted).map(|new| new.map(serde_json::to_value)) {
        Ok(None) => {}
        Ok(Some(Ok(new))) => {
            *sealed = new;
            count.done += 1;
        }
        Ok(Some(Err(_))) | Err(_) => count.left += 1,
    }
}

/// A card's key, under the current master key where that is to be and can be done.
fn key_anew(
    at_rest: &AtRest,
    (name, key): (String, Vec<u8>),
    left: &mut usize,
) -> Option<(String, Vec<u8>)> {
    let wrapped = WrappedKey::from_bytes(&key).zip(key_place(&name));
    match wrapped.map(|(wrapped, place)| at_rest.rewrap(&place, &wrapped)) {
        Some(Ok(None)) => None,
        Some(Ok(Some(anew))) => Some((name, anew.to_bytes())),
        Some(Err(_)) | None => {
            *left += 1;
            None
        }
    }
}

/// Calls `with` for every sealed value in a record.
fn each_sealed(value: &mut Value, with: &mut dyn FnMut(&mut Value)) {
    match value {
        Value::Object(fields) if fields.contains_key("vaulted") => with(value),
        Value::Object(fields) => fields.values_mut().for_each(|field| each_sealed(field, with)),
        Value::Array(list) => list.iter_mut().for_each(|item| each_sealed(item, with)),
        _ => {}
    }
}
