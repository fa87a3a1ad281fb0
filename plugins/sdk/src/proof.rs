//! Webhooks: the recipe that proves a delivery, and the events a proven one holds.

use crate::{
    Event, MacAlgorithm, OperationKind, Outcome, Proof, References, Scheme, SignatureAlgorithm,
};

/// A recipe over this message, with a key of this slot; add the evidence that came along.
pub fn proof(slot: &str, scheme: impl Into<Scheme>, message: impl Into<Vec<u8>>) -> Proof {
    Proof {
        slot: slot.to_owned(),
        key_id: None,
        scheme: scheme.into(),
        message: message.into(),
        evidence: Vec::new(),
        signed_at: None,
    }
}

impl Proof {
    /// Adds a signature or tag; one that holds is enough.
    #[must_use]
    pub fn evidence(mut self, evidence: impl Into<Vec<u8>>) -> Proof {
        self.evidence.push(evidence.into());
        self
    }

    /// Which key of the slot.
    #[must_use]
    pub fn key_id(mut self, id: impl Into<String>) -> Proof {
        self.key_id = Some(id.into());
        self
    }

    /// When the provider says it signed, in seconds since the Unix epoch.
    #[must_use]
    pub fn signed_at(mut self, seconds: u64) -> Proof {
        self.signed_at = Some(seconds);
        self
    }
}

impl From<MacAlgorithm> for Scheme {
    fn from(algorithm: MacAlgorithm) -> Scheme {
        Scheme::Mac(algorithm)
    }
}
impl From<SignatureAlgorithm> for Scheme {
    fn from(algorithm: SignatureAlgorithm) -> Scheme {
        Scheme::Signature(algorithm)
    }
}

/// What a delivery says about one entry; `id` is the provider's own, acted on once.
pub fn event(id: impl Into<String>, kind: OperationKind, outcome: impl Into<Outcome>) -> Event {
    Event {
        id: id.into(),
        kind,
        entry: None,
        merchant_reference: None,
        references: None,
        outcome: outcome.into(),
    }
}

impl Event {
    /// Our entry's identifier, where the delivery holds it.
    #[must_use]
    pub fn entry(mut self, entry: Option<String>) -> Event {
        self.entry = entry;
        self
    }

    /// The app's own reference, where the delivery holds it.
    #[must_use]
    pub fn merchant_reference(mut self, reference: Option<String>) -> Event {
        self.merchant_reference = reference;
        self
    }

    /// What the provider calls it.
    #[must_use]
    pub fn references(mut self, references: impl Into<References>) -> Event {
        self.references = Some(references.into());
        self
    }
}
