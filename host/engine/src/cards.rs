//! Cards: taken once, kept sealed, paid with by a token, gone when asked for or when their time is
//! over.
//!
//! The record of a card holds what may be shown (brand, last four digits, expiry) beside the sealed
//! rest. The security code is in no record at all: it waits in the memory of this process until its
//! first use or for fifteen minutes, since a journal that forgets nothing must never have known it
//! (PCI DSS 4.0, requirement 3.3.1). The rest is sealed under a key of the card's own that lies
//! outside of the journal (`keys`); erasing destroys it, and with it every copy of what it sealed.
//! The fingerprint is sealed along: with its key, which the journal has, a number could be found by
//! trying all.
//!
//! Not here: how a number is judged (`number`), how a card reaches a provider (`egress`).

mod codes;
mod keys;
pub(crate) mod number;
mod open;
mod sealed;

use std::fmt;

use aws_lc_rs::hmac;
use ledger::{Id, TimestampMs};
use serde::{Deserialize, Serialize};
use store::{Batch, Expected};
use vault::{Secret, Vaulted};
use zeroize::Zeroizing;

pub(crate) use codes::Codes;
pub(crate) use keys::{CardKeys, key_place, renew_page};
pub use keys::{
    KeysSettled, abandon_card_keys, card_keys_under, cards_without_key, open_card_keys,
    settle_card_keys,
};
pub(crate) use open::OpenCard;
use sealed::Sealed;
pub(crate) use sealed::is_within;

use crate::record::{self, Read};
use crate::{Engine, Error};

/// How many cards one round of expiry takes.
const DUE_ROWS_MAX: usize = 1_000;

/// A card as an app hands it over.
pub struct NewCard {
    /// The primary account number: 12 to 19 digits.
    pub number: Secret,
    /// 1 to 12.
    pub expiry_month: u8,
    /// Four digits.
    pub expiry_year: u16,
    /// CVC, CVV or CID: 3 or 4 digits.
    pub security_code: Option<Secret>,
    /// The holder's name as it stands on the card.
    pub holder: Option<Secret>,
}

/// Shows nothing of the card.
impl fmt::Debug for NewCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewCard")
    }
}

/// Why a card is not taken: a field, the rule it breaks, and what is right. Never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {detail}")]
pub struct CardFault {
    /// A JSON pointer into what was sent.
    pub field: &'static str,
    /// The rule's name.
    pub rule: &'static str,
    /// What is right.
    pub detail: &'static str,
}

/// What has become of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CardState {
    /// It can be paid with.
    Active,
    /// The app had it erased.
    Erased,
    /// Its time was over, and it was erased.
    Expired,
}

impl CardState {
    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            CardState::Active => "active",
            CardState::Erased => "erased",
            CardState::Expired => "expired",
        }
    }
}

/// What may be known about a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// The token: `card_…`.
    pub id: Id,
    /// Whose it is.
    pub app: Id,
    /// By its first digits, as `visa`; `unknown` where they say nothing.
    pub brand: String,
    /// The last four digits of the number.
    pub last4: String,
    /// 1 to 12.
    pub expiry_month: u8,
    /// Four digits.
    pub expiry_year: u16,
    /// The same for the same number at the same app, and telling nothing else about it; gone with
    /// the card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Whether a holder's name came along.
    pub holder: bool,
    /// Whether a security code came along that was not used yet; only this process knows.
    #[serde(skip)]
    pub security_code: bool,
    /// Whether it can be paid with.
    pub state: CardState,
    /// When it was handed over.
    pub created_at_ms: TimestampMs,
    /// When it will be erased by itself.
    pub keep_until_ms: TimestampMs,
}

/// The record of a card.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Kept {
    #[serde(flatten)]
    card: Card,
    /// Base64 of number, holder and fingerprint under the card's own key; gone when erased.
    #[serde(default)]
    apart: Option<String>,
    /// The same as earlier versions kept it: the key, wrapped, in the record itself, and therefore
    /// in the journal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<Vaulted>,
}

/// The place that a card's sealed data is bound to.
fn place(card: &Id) -> String {
    format!("card/{card}/data")
}

impl Engine {
    /// Takes a card and gives its token.
    ///
    /// # Errors
    /// `CardRefused` for a number or an expiry that no card has; `Vault` when nothing can be
    /// sealed.
    pub async fn tokenise(&self, app: &Id, new: NewCard) -> Result<Card, Error> {
        let now = self.0.clock.now_ms();
        let digits = number::digits(&new)?;
        let valid_until_ms = number::valid_until_ms(&new, now)?;
        let keep_until_ms = valid_until_ms.min(now.saturating_add(self.0.options.card_keep_ms));
        let card = Card {
            id: Id::card(now, self.random()),
            app: app.clone(),
            brand: number::brand(&digits).to_owned(),
            last4: digits.get(digits.len().saturating_sub(4)..).unwrap_or_default().to_owned(),
            expiry_month: new.expiry_month,
            expiry_year: new.expiry_year,
            fingerprint: Some(self.fingerprint(app, &digits).await?),
            holder: new.holder.is_some(),
            security_code: new.security_code.is_some(),
            state: CardState::Active,
            created_at_ms: now,
            keep_until_ms,
        };
        let sealed = Sealed::of(digits, new.holder.as_ref(), card.fingerprint.clone());
        let apart = self.seal_apart(&card.id, &sealed).await?;
        let recorded = Card { fingerprint: None, ..card.clone() };
        let kept = Kept { card: recorded, apart: Some(apart), sealed: None };
        if let Err(error) = self.begin_card(&kept).await {
            // No record needs the key; after a stop only the next start knows.
            self.0.card_keys.doom(&card.id);
            return Err(error);
        }
        if let Some(code) = new.security_code {
            self.0.codes.keep(&card.id, code, now);
        }
        Ok(card)
    }

    async fn begin_card(&self, kept: &Kept) -> Result<(), Error> {
        let mut batch = self.batch();
        self.0.card_keys.bind(&*self.0.store, &mut batch).await?;
        let id = kept.card.id.as_str();
        batch.expect(record::CARD, id, Expected::Absent);
        batch.put(record::CARD, id, record::encode(kept));
        let due = record::due_key(kept.card.keep_until_ms, &kept.card.id);
        batch.put(record::CARD_DUE, due, Vec::new());
        self.0.store.commit(batch).await?;
        Ok(())
    }

    /// A card of the app.
    pub async fn card(&self, app: &Id, card: &Id) -> Result<Card, Error> {
        let kept = self.kept_card(app, card).await?.value;
        let fingerprint = match kept.card.state {
            CardState::Active => self.fingerprint_of(&kept),
            CardState::Erased | CardState::Expired => None,
        };
        Ok(Card { fingerprint, ..kept.card })
    }

    /// Erases a card's sealed data, its key and its security code: when this answers, no copy of
    /// what the store keeps of it opens for anybody. Repeating it is harmless.
    pub async fn erase_card(&self, app: &Id, card: &Id) -> Result<Card, Error> {
        let read = self.kept_card(app, card).await?;
        self.erased(read, CardState::Erased).await
    }

    /// Erases the cards whose time is over; how many.
    pub(crate) async fn expire_cards(&self) -> Result<usize, Error> {
        let now = self.0.clock.now_ms();
        self.0.codes.forget_before(now);
        self.0.card_keys.finish(&*self.0.store).await?;
        let until = now.saturating_add(1).to_be_bytes();
        let range = store::Range::all(record::CARD_DUE).to(until).limit(DUE_ROWS_MAX);
        let rows = self.0.store.scan(range).await?;
        for row in &rows {
            let id = row.key.get(8..).unwrap_or_default();
            match record::read::<Kept>(&*self.0.store, record::CARD, id).await? {
                Some(read) => drop(self.erased(read, CardState::Expired).await?),
                None => {
                    let mut batch = self.batch();
                    batch.remove(record::CARD_DUE, row.key.clone());
                    self.0.store.commit(batch).await?;
                }
            }
        }
        Ok(rows.len())
    }

    async fn erased(&self, read: Read<Kept>, state: CardState) -> Result<Card, Error> {
        let Read { value: mut kept, version } = read;
        self.0.codes.forget(&kept.card.id);
        kept.card.security_code = false;
        let due = record::due_key(kept.card.keep_until_ms, &kept.card.id);
        let mut batch = self.batch();
        if kept.apart.take().is_some() | kept.sealed.take().is_some() {
            kept.card = Card { state, fingerprint: None, ..kept.card };
            let id = kept.card.id.as_str();
            batch.expect(record::CARD, id, Expected::Version(version));
            batch.put(record::CARD, id, record::encode(&kept));
        }
        batch.remove(record::CARD_DUE, due);
        // Whoever asked may go away before the end: the next round of expiry finishes it then.
        self.0.card_keys.doom(&kept.card.id);
        match self.0.store.commit(batch).await {
            Err(error) if error.is_conflict() => {
                self.0.card_keys.spare(&kept.card.id);
                return Err(Error::Busy);
            }
            Err(error) => return Err(error.into()),
            Ok(_) => {}
        }
        self.0.card_keys.destroy(std::slice::from_ref(&kept.card.id)).await?;
        Ok(kept.card)
    }

    /// Before the host serves: finishes the erasures that a stop interrupted.
    pub(crate) async fn finish_erasures(&self) -> Result<(), Error> {
        let slots = self.0.card_keys.slots();
        let KeysSettled { destroyed, strays } =
            settle_card_keys(&*self.0.store, slots, false).await?;
        if destroyed > 0 {
            tracing::warn!(destroyed, "keys of erased cards were still there, and are destroyed");
        }
        if strays > 0 {
            tracing::warn!(
                strays,
                "there are keys of cards that the store does not know, of cards that were not \
                 taken after all or of a later state of the store; `tollgate vault card-keys \
                 tidy` destroys them"
            );
        }
        Ok(())
    }

    /// The card that an operation is paid with, to be shown to a plugin; with its security code,
    /// which is nobody else's from now on.
    pub(crate) async fn pay_with(&self, app: &Id, card: &Id) -> Result<OpenCard, Error> {
        let kept = self.kept_card(app, card).await?.value;
        let code = self.0.codes.take(&kept.card.id, self.0.clock.now_ms());
        self.opened(&kept, code)
    }

    /// The card of a recorded operation once more, without its security code; none once erased.
    pub(crate) async fn card_again(&self, card: &Id) -> Result<Option<OpenCard>, Error> {
        let key = card.as_str().as_bytes();
        let read = record::read::<Kept>(&*self.0.store, record::CARD, key).await?;
        let Some(read) = read else { return Ok(None) };
        match self.opened(&read.value, None) {
            Err(Error::CardGone(..)) => Ok(None),
            opened => opened.map(Some),
        }
    }

    /// Gives a security code back that was not used after all.
    pub(crate) fn unused(&self, card: &OpenCard) {
        if let Some(code) = card.unspent_code() {
            self.0.codes.keep(card.id(), code.clone(), self.0.clock.now_ms());
        }
    }

    fn opened(&self, kept: &Kept, code: Option<Secret>) -> Result<OpenCard, Error> {
        let card = &kept.card;
        let late = card.keep_until_ms <= self.0.clock.now_ms();
        let state = if late { CardState::Expired } else { card.state };
        let gone = |state| Error::CardGone(card.id.clone(), state);
        if state != CardState::Active {
            return Err(gone(state));
        }
        let data = self.unseal(kept)?.ok_or_else(|| gone(CardState::Erased))?;
        Ok(OpenCard::new(card, &data.number, data.holder.as_deref().map(String::as_str), code))
    }

    async fn kept_card(&self, app: &Id, card: &Id) -> Result<Read<Kept>, Error> {
        let key = card.as_str().as_bytes();
        let read = record::read::<Kept>(&*self.0.store, record::CARD, key).await?;
        let own = read.filter(|read| read.value.card.app == *app);
        let mut own = own.ok_or_else(|| Error::NoSuchCard(card.clone()))?;
        own.value.card.security_code = self.0.codes.holds(card, self.0.clock.now_ms());
        let keyless = own.value.apart.is_some() && !self.0.card_keys.slots().holds(card.as_str());
        if keyless && own.value.card.state == CardState::Active {
            own.value.card.state = CardState::Erased;
        }
        Ok(own)
    }

    /// HMAC-SHA-256 of the number under a key of the app: without the key it cannot be tried out,
    /// and two apps cannot compare what they hold.
    async fn fingerprint(&self, app: &Id, digits: &str) -> Result<String, Error> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.fingerprint_key(app).await?.expose());
        let tag = hmac::sign(&key, digits.as_bytes());
        Ok(hex::encode(tag.as_ref().get(..16).unwrap_or_default()))
    }

    async fn fingerprint_key(&self, app: &Id) -> Result<Secret, Error> {
        let place = format!("card-key/{app}");
        let id = app.as_str().as_bytes();
        // Twice: another request may make the app's key at the same time.
        for _ in 0..2 {
            if let Some(read) = record::read(&*self.0.store, record::CARD_KEY, id).await? {
                return Ok(self.0.at_rest.open(&place, &read.value)?);
            }
            let key = Zeroizing::new(self.random::<32>());
            let sealed = self.0.at_rest.seal(&place, &*key)?;
            let mut batch: Batch = self.batch();
            batch.expect(record::CARD_KEY, id, Expected::Absent);
            batch.put(record::CARD_KEY, id, record::encode(&sealed));
            match self.0.store.commit(batch).await {
                Err(error) if !error.is_conflict() => return Err(error.into()),
                _ => {}
            }
        }
        let read = record::read(&*self.0.store, record::CARD_KEY, id).await?;
        let read = read.ok_or(Error::Busy)?;
        Ok(self.0.at_rest.open(&place, &read.value)?)
    }
}

#[cfg(test)]
mod tests;
