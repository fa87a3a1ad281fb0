//! What contradicts the ledger: recorded beside it, for a person; it changes no entry.

use serde::{Deserialize, Serialize};

use crate::{Id, Money, State, TimestampMs, Verdict};

/// A contradiction between what the ledger holds and what was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anomaly {
    /// Its identifier.
    pub id: Id,
    /// The account at the provider.
    pub account: String,
    /// The payment, where one was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<Id>,
    /// The entry, where one was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<Id>,
    /// What contradicts.
    #[serde(flatten)]
    pub kind: AnomalyKind,
    /// When it was noticed.
    pub noticed_at_ms: TimestampMs,
    /// Who looked into it; none as long as nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Closed>,
}

/// That a person looked into an anomaly, and what they found. It changes no entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// The person's name.
    pub by: String,
    /// What they found.
    pub reason: String,
    /// When.
    pub at_ms: TimestampMs,
}

/// What contradicts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum AnomalyKind {
    /// Something else was told of an entry that had ended.
    Contradiction {
        /// How the entry had ended.
        state: State,
        /// What was told.
        told: Box<Verdict>,
    },
    /// The state table has no such change.
    OutOfTurn {
        /// The state of the entry.
        state: State,
        /// What was told.
        told: Box<Verdict>,
    },
    /// The provider names another amount or currency.
    AmountDiffers {
        /// What the entry says.
        expected: Money,
        /// What the provider says.
        told: Money,
    },
    /// The provider names another identifier than before.
    ReferenceDiffers {
        /// What the entry says.
        expected: String,
        /// What the provider says.
        told: String,
    },
    /// The provider names what it gave to another entry: the answer may be that one's.
    ReferenceTaken {
        /// The identifier.
        reference: String,
        /// The entry that has it.
        owner: Id,
    },
    /// The provider tells of something the ledger does not know.
    Orphan {
        /// What it told, for people.
        told: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_as_it_was_written() {
        let eur = Money::new(1, crate::Currency::from_code("EUR").unwrap()).unwrap();
        let (id, state) = (Id::anomaly(1, [1; 10]), State::Expired);
        let told = Box::new(Verdict::Lost { why: "w".to_owned() });
        for kind in [
            AnomalyKind::Contradiction { state, told: told.clone() },
            AnomalyKind::OutOfTurn { state, told },
            AnomalyKind::AmountDiffers { expected: eur, told: eur },
            AnomalyKind::ReferenceDiffers { expected: "a".to_owned(), told: "b".to_owned() },
            AnomalyKind::ReferenceTaken { reference: "a".to_owned(), owner: id.clone() },
            AnomalyKind::Orphan { told: "t".to_owned() },
        ] {
            let anomaly = Anomaly {
                id: id.clone(),
                account: "shop".to_owned(),
                payment: Some(id.clone()),
                entry: Some(id.clone()),
                kind,
                noticed_at_ms: 1,
                closed: None,
            };
            let text = serde_json::to_string(&anomaly).unwrap();
            assert_eq!(serde_json::from_str::<Anomaly>(&text).unwrap(), anomaly, "{text}");
        }
    }
}
