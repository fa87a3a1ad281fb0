//! What is sealed of a card, and the two ways in which a record holds it: under a key of its own
//! that lies apart, and as earlier versions kept it, which comes under such a key when it is
//! re-sealed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ledger::Id;
use serde::{Deserialize, Serialize};
use store::{Expected, Kind};
use vault::Secret;
use zeroize::Zeroizing;

use super::{Card, CardState, Kept, place};
use crate::record;
use crate::{Engine, Error};

/// What is sealed of a card. Never shown and wiped when dropped.
#[derive(Serialize, Deserialize)]
pub(super) struct Sealed {
    pub(super) number: Zeroizing<String>,
    #[serde(default)]
    pub(super) holder: Option<Zeroizing<String>>,
    #[serde(default)]
    fingerprint: Option<String>,
}

impl Sealed {
    pub(super) fn of(
        number: Zeroizing<String>,
        holder: Option<&Secret>,
        fingerprint: Option<String>,
    ) -> Sealed {
        let text = |secret: &Secret| String::from_utf8(secret.expose().to_vec()).ok();
        Sealed { number, holder: holder.and_then(text).map(Zeroizing::new), fingerprint }
    }
}

impl Engine {
    /// Seals a card's data under a fresh key, which is durable when this answers.
    pub(super) async fn seal_apart(&self, card: &Id, data: &Sealed) -> Result<String, Error> {
        let place = place(card);
        let (key, wrapped) = self.0.at_rest.fresh_key(&place)?;
        let plain = Zeroizing::new(record::encode(data));
        let sealed = key.seal(&place, &plain)?;
        self.0.card_keys.keep(card, &wrapped).await?;
        Ok(BASE64.encode(sealed))
    }

    /// What is sealed in a record; none where it, or its key, is gone.
    pub(super) fn unseal(&self, kept: &Kept) -> Result<Option<Sealed>, Error> {
        let (card, place) = (&kept.card.id, place(&kept.card.id));
        let plain = match (&kept.apart, &kept.sealed) {
            (Some(apart), _) => {
                let sealed = BASE64.decode(apart).map_err(|_| damaged(card))?;
                let Some(wrapped) = self.0.card_keys.read(card)? else { return Ok(None) };
                self.0.at_rest.unwrap_key(&place, &wrapped)?.open(&place, &sealed)?
            }
            (None, Some(sealed)) => self.0.at_rest.open(&place, sealed)?,
            (None, None) => return Ok(None),
        };
        serde_json::from_slice(plain.expose()).map(Some).map_err(|_| damaged(card))
    }

    /// The fingerprint of an active card; none where its master key is missing.
    pub(super) fn fingerprint_of(&self, kept: &Kept) -> Option<String> {
        if kept.card.fingerprint.is_some() {
            return kept.card.fingerprint.clone();
        }
        match self.unseal(kept) {
            Ok(data) => data?.fingerprint,
            Err(error) => {
                tracing::warn!(card = %kept.card.id, %error, "a card does not open");
                None
            }
        }
    }

    /// Brings a card of an earlier version under a key of its own. Whether its master key is known
    /// and nobody changed it meanwhile.
    pub(crate) async fn move_card(&self, row: store::Row) -> Result<bool, Error> {
        let kept: Kept = record::decode(record::CARD, &row.key, &row.value)?;
        let Ok(Some(data)) = self.unseal(&kept) else { return Ok(false) };
        let data = Sealed { fingerprint: kept.card.fingerprint.clone(), ..data };
        let apart = Some(self.seal_apart(&kept.card.id, &data).await?);
        let card = Card { fingerprint: None, ..kept.card };
        let id = card.id.clone();
        let mut batch = self.batch();
        self.0.card_keys.bind(&*self.0.store, &mut batch).await?;
        batch.expect(record::CARD, row.key.clone(), Expected::Version(row.version));
        batch.put(record::CARD, row.key, record::encode(&Kept { card, apart, sealed: None }));
        match self.0.store.commit(batch).await {
            Err(error) if error.is_conflict() => {
                // It was erased meanwhile.
                self.0.card_keys.destroy(&[id]).await?;
                Ok(false)
            }
            Err(error) => Err(error.into()),
            Ok(_) => Ok(true),
        }
    }
}

/// Whether a record holds a card as earlier versions kept it.
pub(crate) fn is_within(row: &store::Row) -> bool {
    let kept: Result<Kept, _> = record::decode(record::CARD, &row.key, &row.value);
    kept.is_ok_and(|kept| kept.sealed.is_some() && kept.card.state == CardState::Active)
}

fn damaged(card: &Id) -> Error {
    let what = format!("the sealed data of {card} is not what it should be");
    Error::Store(store::Error::new(Kind::Damaged, what))
}
