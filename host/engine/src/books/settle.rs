//! A person's word about an entry: what may be said, and how it is told to the ledger.

use ledger::{
    Decline, DeclineCode, Id, Kind, Means, References, Resolution, RetryAdvice, Settled,
    Unresolved, Verdict,
};

use super::{Books, EntryRecord};
use crate::Error;
use crate::tell::Word;

/// How somebody says that an entry ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// Done as asked.
    Succeeded,
    /// The provider refused and moved nothing.
    Declined,
    /// The provider never got it.
    NotSent,
    /// The provider closed it unpaid.
    Expired,
}

/// A person's word about an entry.
#[derive(Clone, Debug)]
pub struct Settling {
    /// How it ended.
    pub fate: Fate,
    /// The provider's reference, where the ledger does not know it yet.
    pub reference: Option<String>,
    /// Why, for people: where it was looked up.
    pub reason: String,
    /// Who says so.
    pub by: String,
}

/// Why an entry was not settled by what somebody said. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsettled {
    /// The ledger does not take it.
    #[error(transparent)]
    Ledger(Unresolved),
    /// What succeeded has a reference at the provider.
    #[error("the provider's reference is not known yet: name it")]
    ReferenceMissing,
    /// What never reached the provider has no reference there.
    #[error("what never reached the provider has no reference there")]
    ReferenceUnfit,
    /// The provider knows another payment by this reference.
    #[error("the provider knows the entry {0} of another payment by this reference")]
    ReferenceTaken(Id),
    /// Somebody is at the entry at this moment: it is being sent, or asked about.
    #[error("the entry is being sent or asked about at this moment")]
    InHand,
}

impl Books {
    /// Settles an open entry by a person's word.
    ///
    /// # Errors
    /// See [`Unsettled`]; or there is no such entry, or the store could not do it.
    pub async fn settle(&self, id: &Id, said: &Settling) -> Result<EntryRecord, Error> {
        let _hand = self.0.take_in_hand()?;
        let _claim = self.0.claim(id.as_str()).ok_or(Unsettled::InHand)?;
        let operation = self.0.read_operation(id).await?;
        let operation = operation.ok_or_else(|| Error::NoSuchEntry(id.clone()))?.value;
        let known = self.read(id).await?.ok_or_else(|| Error::NoSuchEntry(id.clone()))?;
        let word = Word {
            verdict: said.verdict(&known)?,
            resolution: Some(Resolution {
                means: Means::Person,
                by: said.by.clone(),
                reason: said.reason.clone(),
                at_ms: self.0.0.clock.now_ms(),
            }),
            answers: false,
        };
        self.0.tell_word(&operation, &word, self.0.batch(), |_, _| ()).await?;
        tracing::warn!(entry = %id, by = said.by, fate = ?said.fate, "settled by a person's word");
        self.entry(id).await
    }
}

impl Settling {
    fn verdict(&self, known: &EntryRecord) -> Result<Verdict, Unsettled> {
        let named = self.reference.clone();
        let named = named.map(|provider| References { provider, secondary: None });
        Ok(match self.fate {
            Fate::Succeeded => Verdict::Succeeded(Settled {
                references: references(known, named).ok_or(Unsettled::ReferenceMissing)?,
                amount: known.entry.amount,
            }),
            Fate::Declined => Verdict::Declined { decline: unexplained(), references: named },
            Fate::Expired => Verdict::Expired { references: named },
            Fate::NotSent if named.is_some() => return Err(Unsettled::ReferenceUnfit),
            Fate::NotSent => Verdict::NotSent { why: self.reason.clone() },
        })
    }
}

/// The reference that is named, as the ledger knows it; or that of the entry; or, of what acts on
/// the authorised payment itself, that of the authorisation.
fn references(known: &EntryRecord, named: Option<References>) -> Option<References> {
    let own = known.entry.references.clone();
    let authorized = || match known.entry.kind {
        Kind::Capture | Kind::Cancel => {
            let mut entries = known.payment.entries.iter().rev();
            entries.find(|entry| entry.kind == Kind::Authorize)?.references.clone()
        }
        Kind::Authorize | Kind::Refund | Kind::Payout => None,
    };
    match (named, own) {
        (Some(named), Some(own)) if named.provider == own.provider => Some(own),
        (Some(named), _) => Some(named),
        (None, own) => own.or_else(authorized),
    }
}

/// A refusal that a person heard of: the provider's own words are not known.
fn unexplained() -> Decline {
    Decline {
        code: DeclineCode::Generic,
        retry: RetryAdvice::Never,
        provider_code: String::new(),
        provider_message: String::new(),
    }
}
