//! What a comparison may change, where it is asked to: an entry that is proven, and the record of
//! what nobody knows.

use ledger::{Anomaly, AnomalyKind, Entry, Id, Means, Resolution, Settled, Verdict};
use store::Expected;

use super::Movement;
use crate::record;
use crate::tell::{Word, note_anomaly};
use crate::{Engine, Error};

impl Engine {
    /// Settles an entry by a movement that proves it.
    pub(super) async fn settle_by_report(
        &self,
        account: &str,
        entry: &Entry,
        movement: &Movement,
    ) -> Result<bool, Error> {
        let known = entry.references.clone().or_else(|| movement.references.clone());
        let (Some(references), Some(_claim)) = (known, self.claim(entry.id.as_str())) else {
            return Ok(false);
        };
        let Some(operation) = self.read_operation(&entry.id).await? else { return Ok(false) };
        let word = Word {
            verdict: Verdict::Succeeded(Settled { references, amount: entry.amount }),
            resolution: Some(Resolution {
                means: Means::Report,
                by: account.to_owned(),
                reason: format!("booked as {}", movement.id),
                at_ms: self.0.clock.now_ms(),
            }),
            answers: false,
        };
        match self.tell_word(&operation.value, &word, self.batch(), |_, _| ()).await {
            Ok(_) => Ok(true),
            // Somebody was faster, or the ledger knows better: it stays a difference.
            Err(Error::Unsettled(_) | Error::Busy) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Records a movement that no entry explains, once.
    pub(super) async fn note_orphan(
        &self,
        account: &str,
        movement: &Movement,
    ) -> Result<(), Error> {
        let now = self.0.clock.now_ms();
        let key = record::delivery_key(account, &format!("report/{}", movement.id));
        let mut batch = self.batch();
        batch.expect(record::DELIVERY, key.clone(), Expected::Absent);
        batch.put(
            record::DELIVERY,
            key.clone(),
            record::encode(&serde_json::json!({
                "at_ms": now, "entry": null,
            })),
        );
        let anomaly = Anomaly {
            id: Id::anomaly(now, self.random()),
            account: account.to_owned(),
            payment: None,
            entry: None,
            kind: AnomalyKind::Orphan { told: format!("in a report: {}", movement.words()) },
            noticed_at_ms: now,
            closed: None,
        };
        if self.0.store.read(record::DELIVERY, &key).await?.is_some() {
            return Ok(());
        }
        note_anomaly(&mut batch, &anomaly);
        match self.0.store.commit(batch).await {
            Err(error) if !error.is_conflict() => Err(error.into()),
            _ => Ok(()),
        }
    }
}
