//! Webhooks: proven by the host, then interpreted by the plugin, then compared with the ledger.
//!
//! There is no way to interpret a delivery that was not proven: [`Proven`] is made in one place.
//! A delivery that is refused changes nothing; why stands in the operator's log, and the provider
//! hears only that it was not accepted.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::{Anomaly, AnomalyKind, Entry, Id, Kind, Payment, TimestampMs};
use sandbox::contract as wit;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::{Batch, Expected};

use crate::account::Account;
use crate::call::surroundings;
use crate::converse::words;
use crate::record::{self, Found, Operation};
use crate::tell::note_anomaly;
use crate::translate::{self, Outcome};
use crate::{Engine, Error};

/// A webhook as it arrived.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// `POST`.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Untouched.
    pub body: Vec<u8>,
}

/// What the provider hears back.
#[derive(Clone, Debug)]
pub struct Acknowledgement {
    /// The HTTP status.
    pub status: u16,
    /// Header names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// A delivery whose signature, age and plugin recipe held.
struct Proven(wit::Delivery);

/// Why a delivery was refused; for the operator's log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("the plugin failed: {0}")]
    Fault(String),
    #[error("the plugin cannot read it: {0}")]
    Unreadable(String),
    #[error("it carries no signature")]
    Unsigned,
    #[error("no key of slot `{0}` fits what it names")]
    NoKey(String),
    #[error("none of its signatures holds")]
    Forged,
    #[error("it was signed {seconds} s from now, and {most} s are taken")]
    Stale { seconds: u64, most: u64 },
}

/// A webhook event that was acted on.
#[derive(Serialize, Deserialize)]
pub(crate) struct Acted {
    at_ms: TimestampMs,
    entry: Option<Id>,
}

impl Engine {
    /// A webhook for an account. Always answers something the provider understands; an error is
    /// only for an account that does not exist, or a store that does not answer.
    pub async fn deliver(
        &self,
        account: &str,
        delivery: Delivery,
    ) -> Result<Acknowledgement, Error> {
        let account = self.account(account)?;
        let accepted = match self.prove(&account, delivery).await {
            Ok(proven) => self.interpret(&account, proven).await?,
            Err(why) => Err(why),
        };
        if let Err(why) = &accepted {
            tracing::warn!(account = account.name, %why, "a delivery was refused");
        }
        let said = account.plugin.acknowledge(accepted.is_ok()).await;
        let said = said.map_err(Error::from)?;
        let wit::HttpResponse { status, headers, body } = said.answer;
        Ok(Acknowledgement { status, headers, body })
    }

    async fn prove(&self, account: &Account, delivery: Delivery) -> Result<Proven, Refused> {
        let now = self.0.clock.now_ms();
        let digest = Sha256::digest(&delivery.body).into();
        let Delivery { method, path, headers, body } = delivery;
        let delivery = wit::Delivery { method, path, headers, body };
        let around = surroundings(account, Arc::new(BTreeMap::new()), digest, now);
        let called = account.plugin.prove(around, delivery.clone()).await;
        let called = called.map_err(|fault| Refused::Fault(fault.to_string()))?;
        let proof = called.answer.map_err(|failure| Refused::Unreadable(words(&failure)))?;
        check(account, &proof, now / 1000)?;
        Ok(Proven(delivery))
    }

    async fn interpret(
        &self,
        account: &Account,
        Proven(delivery): Proven,
    ) -> Result<Result<(), Refused>, Error> {
        let now = self.0.clock.now_ms();
        let digest = Sha256::digest(&delivery.body).into();
        let around = surroundings(account, self.kept(account, now).await?, digest, now);
        let events = match account.plugin.interpret(around, delivery).await {
            Err(fault) => return Ok(Err(Refused::Fault(fault.to_string()))),
            Ok(called) => match called.answer {
                Err(failure) => return Ok(Err(Refused::Unreadable(words(&failure)))),
                Ok(events) => events,
            },
        };
        for event in events {
            self.act(account, event).await?;
        }
        Ok(Ok(()))
    }

    /// Acts on one event, once.
    async fn act(&self, account: &Account, event: wit::Event) -> Result<(), Error> {
        let key = record::delivery_key(&account.name, &event.id);
        if self.acted_on(&key).await? {
            let (account, event) = (&account.name, &event.id);
            tracing::info!(account, event, "a webhook event was repeated");
            return Ok(());
        }
        let entry = self.entry_of(account, &event).await?;
        let acted = Acted { at_ms: self.0.clock.now_ms(), entry: entry.clone() };
        let mut batch = self.batch();
        batch.expect(record::DELIVERY, key.clone(), Expected::Absent);
        batch.put(record::DELIVERY, key.clone(), record::encode(&acted));
        let operation = match &entry {
            Some(entry) => self.read_operation(entry).await?,
            None => None,
        };
        let told = match (operation, translate::outcome(event.outcome.clone())) {
            (Some(operation), Ok(Outcome::Told(verdict))) => {
                let operation: Operation = operation.value;
                self.conclude(&operation, &verdict, batch).await.map(drop)
            }
            (Some(_), Ok(Outcome::Absent) | Err(_)) | (None, _) => {
                self.orphan(account, &event, batch).await
            }
        };
        match told {
            // The same event arrived twice at once, and the other one was first.
            Err(Error::Busy) if self.acted_on(&key).await? => Ok(()),
            told => told,
        }
    }

    async fn acted_on(&self, key: &[u8]) -> Result<bool, Error> {
        Ok(self.0.store.read(record::DELIVERY, key).await?.is_some())
    }

    /// The entry that an event is about.
    async fn entry_of(&self, account: &Account, event: &wit::Event) -> Result<Option<Id>, Error> {
        let Some(kind) = translate::kind(event.kind) else { return Ok(None) };
        let named = event.entry.as_deref().and_then(|entry| entry.parse::<Id>().ok());
        if let Some(entry) = named
            && let Some(operation) = self.read_operation(&entry).await?
        {
            let found = Found::new(&operation.value.payment, &entry);
            return self.entry_in(account, &found, event).await;
        }
        let Some(told) = &event.references else { return Ok(None) };
        for known in [Some(&told.provider), told.secondary.as_ref()].into_iter().flatten() {
            for of_kind in [kind, Kind::Authorize] {
                let key = record::reference_key(&account.name, of_kind, known);
                let found = record::read::<Found>(&*self.0.store, record::REFERENCE, &key).await?;
                if let Some(found) = found {
                    return self.entry_in(account, &found.value, event).await;
                }
            }
        }
        Ok(None)
    }

    /// The named entry where it is of the event's kind; otherwise the newest of that kind: an event
    /// about a capture often names only what was authorised.
    async fn entry_in(
        &self,
        account: &Account,
        found: &Found,
        event: &wit::Event,
    ) -> Result<Option<Id>, Error> {
        let payment = self.read_payment(&found.payment).await?.map(|read| read.value);
        // Another account's provider has nothing to say about it.
        let Some(payment) = payment.filter(|payment| payment.account == account.name) else {
            return Ok(None);
        };
        let says = event.merchant_reference.as_ref();
        if says.is_some_and(|says| *says != payment.merchant_reference) {
            return Ok(None);
        }
        let kind = translate::kind(event.kind);
        let entry = kind.and_then(|kind| entry_of_kind(&payment, &found.entry, kind));
        Ok(entry.map(|entry| entry.id.clone()))
    }

    /// Something the provider tells and the ledger does not know.
    async fn orphan(
        &self,
        account: &Account,
        event: &wit::Event,
        mut batch: Batch,
    ) -> Result<(), Error> {
        let now = self.0.clock.now_ms();
        let anomaly = Anomaly {
            id: Id::anomaly(now, self.random()),
            account: account.name.clone(),
            payment: None,
            entry: None,
            kind: AnomalyKind::Orphan { told: described(event) },
            noticed_at_ms: now,
            closed: None,
        };
        note_anomaly(&mut batch, &anomaly);
        batch.finishing = true;
        match self.0.store.commit(batch).await {
            Err(error) if !error.is_conflict() => Err(error.into()),
            _ => Ok(()),
        }
    }
}

/// Checks the recipe with the account's own keys, in constant time, and the age.
fn check(account: &Account, proof: &wit::Proof, now_seconds: u64) -> Result<(), Refused> {
    holds(&account.keyring, account.delivery_age_seconds_max, proof, now_seconds)
}

/// The same with these keys, and at most so many seconds from now.
pub(crate) fn holds(
    keyring: &vault::Keyring,
    most: u64,
    proof: &wit::Proof,
    now_seconds: u64,
) -> Result<(), Refused> {
    if proof.evidence.is_empty() {
        return Err(Refused::Unsigned);
    }
    let fits = |key: &&vault::Key| match &proof.key_id {
        Some(id) => key.id() == Some(id),
        None => true,
    };
    let keys: Vec<_> = keyring.versions(&proof.slot).iter().filter(fits).collect();
    if keys.is_empty() {
        return Err(Refused::NoKey(proof.slot.clone()));
    }
    let legacy = keyring.legacy();
    let holds = |key: &vault::Key, evidence: &[u8]| match proof.scheme {
        wit::Scheme::Mac(by) => {
            key.verify_mac(translate::mac(by), &proof.message, evidence, legacy).is_ok()
        }
        wit::Scheme::Signature(by) => {
            key.verify(translate::signature(by), &proof.message, evidence, legacy).is_ok()
        }
    };
    let any = keys.iter().any(|key| proof.evidence.iter().any(|evidence| holds(key, evidence)));
    if !any {
        return Err(Refused::Forged);
    }
    match proof.signed_at.map(|at| at.abs_diff(now_seconds)) {
        Some(seconds) if seconds > most => Err(Refused::Stale { seconds, most }),
        _ => Ok(()),
    }
}

fn entry_of_kind<'a>(payment: &'a Payment, named: &Id, kind: Kind) -> Option<&'a Entry> {
    let named = payment.entry(named).filter(|entry| entry.kind == kind);
    let of_kind = || payment.entries.iter().rev().filter(|entry| entry.kind == kind);
    named.or_else(|| of_kind().find(|entry| entry.state.is_open())).or_else(|| of_kind().next())
}

fn described(event: &wit::Event) -> String {
    let wit::Event { id, kind, entry, references, outcome, .. } = event;
    let text = format!("{id}: {kind:?} {entry:?} {references:?} {outcome:?}");
    text.chars().take(1024).collect()
}
