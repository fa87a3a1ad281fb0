//! Cards: taken once, kept sealed, paid with by a token, gone when asked for or when their time is
//! over.
//!
//! The record of a card holds what may be shown (brand, last four digits, expiry) beside the sealed
//! rest. The security code is in no record at all: it waits in the memory of this process until its
//! first use or for fifteen minutes, since a journal that forgets nothing must never have known it
//! (PCI DSS 4.0, requirement 3.3.1). Erasing takes the sealed data out of the record; copies in the
//! journal stay sealed, and end with their master key.
//!
//! Not here: how a number is judged (`number`), how a card reaches a provider (`egress`).

mod codes;
pub(crate) mod number;
mod open;

use std::fmt;

use aws_lc_rs::hmac;
use ledger::{Id, TimestampMs};
use serde::{Deserialize, Serialize};
use store::{Batch, Expected};
use vault::{Secret, Vaulted};
use zeroize::Zeroizing;

pub(crate) use codes::Codes;
pub(crate) use open::OpenCard;

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
    /// The same for the same number at the same app, and telling nothing else about it.
    pub fingerprint: String,
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
struct Kept {
    #[serde(flatten)]
    card: Card,
    /// Number, expiry and holder; gone when erased.
    #[serde(default)]
    sealed: Option<Vaulted>,
}

/// What is sealed of a card. Never shown and wiped when dropped.
#[derive(Serialize, Deserialize)]
struct Sealed {
    number: Zeroizing<String>,
    #[serde(default)]
    holder: Option<Zeroizing<String>>,
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
            fingerprint: self.fingerprint(app, &digits).await?,
            holder: new.holder.is_some(),
            security_code: new.security_code.is_some(),
            state: CardState::Active,
            created_at_ms: now,
            keep_until_ms,
        };
        let kept = Kept { sealed: Some(self.sealed(&card.id, digits, &new)?), card };
        let mut batch = self.batch();
        let id = kept.card.id.as_str();
        batch.expect(record::CARD, id, Expected::Absent);
        batch.put(record::CARD, id, record::encode(&kept));
        batch.put(record::CARD_DUE, record::due_key(keep_until_ms, &kept.card.id), Vec::new());
        self.0.store.commit(batch).await?;
        if let Some(code) = new.security_code {
            self.0.codes.keep(&kept.card.id, code, now);
        }
        Ok(kept.card)
    }

    /// A card of the app.
    pub async fn card(&self, app: &Id, card: &Id) -> Result<Card, Error> {
        Ok(self.kept_card(app, card).await?.value.card)
    }

    /// Erases a card's sealed data and its security code. Repeating it is harmless.
    pub async fn erase_card(&self, app: &Id, card: &Id) -> Result<Card, Error> {
        let read = self.kept_card(app, card).await?;
        self.erased(read, CardState::Erased).await
    }

    /// Erases the cards whose time is over; how many.
    pub(crate) async fn expire_cards(&self) -> Result<usize, Error> {
        let now = self.0.clock.now_ms();
        self.0.codes.forget_before(now);
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
        if kept.sealed.take().is_some() {
            kept.card.state = state;
            let id = kept.card.id.as_str();
            batch.expect(record::CARD, id, Expected::Version(version));
            batch.put(record::CARD, id, record::encode(&kept));
        }
        batch.remove(record::CARD_DUE, due);
        match self.0.store.commit(batch).await {
            Err(error) if error.is_conflict() => Err(Error::Busy),
            Err(error) => Err(error.into()),
            Ok(_) => Ok(kept.card),
        }
    }

    /// The card that an operation is paid with, to be shown to a plugin; with its security code,
    /// which is nobody else's from now on.
    pub(crate) async fn pay_with(&self, app: &Id, card: &Id) -> Result<OpenCard, Error> {
        let Kept { card, sealed } = self.kept_card(app, card).await?.value;
        let code = self.0.codes.take(&card.id, self.0.clock.now_ms());
        self.opened(card, sealed, code)
    }

    /// The card of a recorded operation once more, without its security code; none once erased.
    pub(crate) async fn card_again(&self, card: &Id) -> Result<Option<OpenCard>, Error> {
        let key = card.as_str().as_bytes();
        let read = record::read::<Kept>(&*self.0.store, record::CARD, key).await?;
        let Some(Read { value: Kept { card, sealed }, .. }) = read else { return Ok(None) };
        match self.opened(card, sealed, None) {
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

    fn opened(
        &self,
        card: Card,
        sealed: Option<Vaulted>,
        code: Option<Secret>,
    ) -> Result<OpenCard, Error> {
        let late = card.keep_until_ms <= self.0.clock.now_ms();
        let state = if late { CardState::Expired } else { card.state };
        let sealed = sealed.filter(|_| state == CardState::Active);
        let sealed = sealed.ok_or_else(|| Error::CardGone(card.id.clone(), state))?;
        let plain = self.0.at_rest.open(&place(&card.id), &sealed)?;
        let data: Sealed = serde_json::from_slice(plain.expose()).map_err(|_| {
            let what = format!("the sealed data of {} is not what it should be", card.id);
            Error::Store(store::Error::new(store::Kind::Damaged, what))
        })?;
        Ok(OpenCard::new(&card, &data.number, data.holder.as_deref().map(String::as_str), code))
    }

    async fn kept_card(&self, app: &Id, card: &Id) -> Result<Read<Kept>, Error> {
        let key = card.as_str().as_bytes();
        let read = record::read::<Kept>(&*self.0.store, record::CARD, key).await?;
        let own = read.filter(|read| read.value.card.app == *app);
        let mut own = own.ok_or_else(|| Error::NoSuchCard(card.clone()))?;
        own.value.card.security_code = self.0.codes.holds(card, self.0.clock.now_ms());
        Ok(own)
    }

    fn sealed(
        &self,
        card: &Id,
        digits: Zeroizing<String>,
        new: &NewCard,
    ) -> Result<Vaulted, Error> {
        let text = |secret: &Secret| String::from_utf8(secret.expose().to_vec()).ok();
        let holder = new.holder.as_ref().and_then(text).map(Zeroizing::new);
        let plain = Zeroizing::new(record::encode(&Sealed { number: digits, holder }));
        Ok(self.0.at_rest.seal(&place(card), &plain)?)
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
