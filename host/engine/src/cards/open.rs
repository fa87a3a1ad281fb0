//! A card while an operation is paid with it: its fields as values to be filled in, and what a
//! plugin may know.

use std::sync::atomic::{AtomicBool, Ordering};

use egress::CardField;
use ledger::Id;
use vault::Secret;

use super::Card;
use crate::record::Shown;

/// An opened card. It lives as long as the steps of one operation.
pub(crate) struct OpenCard {
    id: Id,
    shown: Shown,
    number: Secret,
    month: Secret,
    year: Secret,
    yymm: Secret,
    holder: Option<Secret>,
    code: Option<Secret>,
    /// Whether the intent to send it was recorded.
    spent: AtomicBool,
}

impl OpenCard {
    pub fn new(card: &Card, number: &str, holder: Option<&str>, code: Option<Secret>) -> OpenCard {
        let secret = |name: &str, text: &str| Secret::new(name, text.as_bytes().to_vec());
        let (month, year) =
            (format!("{:02}", card.expiry_month), format!("{:04}", card.expiry_year));
        let yymm = format!("{}{month}", year.get(2..).unwrap_or_default());
        OpenCard {
            id: card.id.clone(),
            shown: Shown {
                brand: card.brand.clone(),
                last4: card.last4.clone(),
                security_code: code.is_some(),
                holder: holder.is_some(),
            },
            number: secret("card number", number),
            month: secret("card expiry month", &month),
            year: secret("card expiry year", &year),
            yymm: secret("card expiry", &yymm),
            holder: holder.map(|name| secret("card holder", name)),
            code,
            spent: AtomicBool::new(false),
        }
    }

    pub fn id(&self) -> &Id {
        &self.id
    }

    /// What a plugin may know, and the operation's record.
    pub fn shown(&self) -> &Shown {
        &self.shown
    }

    /// Its security code is used from now on, whatever becomes of the request.
    pub fn spend(&self) {
        self.spent.store(true, Ordering::SeqCst);
    }

    /// The security code, as long as it was not used.
    pub fn unspent_code(&self) -> Option<&Secret> {
        self.code.as_ref().filter(|_| !self.spent.load(Ordering::SeqCst))
    }

    /// A field, as it is filled in.
    pub fn field(&self, field: CardField) -> Option<&Secret> {
        match field {
            CardField::Number => Some(&self.number),
            CardField::ExpiryMonth => Some(&self.month),
            CardField::ExpiryYear => Some(&self.year),
            CardField::ExpiryYymm => Some(&self.yymm),
            CardField::SecurityCode => self.code.as_ref(),
            CardField::Holder => self.holder.as_ref(),
        }
    }
}
