//! Whose a provider's reference is: it names the thing of one payment, and of no other.
//!
//! A reply that names what is another payment's was not meant for this one: it came over a crossed
//! line, or a plugin took the wrong one. Believed, one charge would settle two payments. The second
//! identifier that some providers give need not be unique: it finds the payment that had it first.

use ledger::{Entry, Id, Kind, Payment};
use store::{Batch, Expected};

use crate::Engine;
use crate::record::{self, Found, Operation, Read};

impl Engine {
    /// The entry of another payment at the same account that `named` is the reference of. Where
    /// there is none, `batch` holds only as long as that stays so.
    pub(crate) async fn taken(
        &self,
        batch: &mut Batch,
        operation: &Operation,
        named: Option<&str>,
    ) -> Result<Option<Id>, store::Error> {
        let Some(named) = named else { return Ok(None) };
        for kind in kinds(operation.kind) {
            let key = record::reference_key(&operation.account, *kind, named);
            let read = self.reference(&key).await?;
            let expected =
                read.as_ref().map_or(Expected::Absent, |read| Expected::Version(read.version));
            batch.expect(record::REFERENCE, key, expected);
            if let Some(found) = read.map(|read| read.value)
                && found.payment != operation.payment
            {
                return Ok(Some(found.entry));
            }
        }
        Ok(None)
    }

    /// The way back from the entry's references, which are its own.
    pub(crate) async fn note_references(
        &self,
        batch: &mut Batch,
        payment: &Payment,
        entry: &Entry,
    ) -> Result<(), store::Error> {
        let Some(known) = &entry.references else { return Ok(()) };
        let found = Found { payment: payment.id.clone(), entry: entry.id.clone() };
        let key = record::reference_key(&payment.account, entry.kind, &known.provider);
        batch.put(record::REFERENCE, key, record::encode(&found));
        let Some(secondary) = &known.secondary else { return Ok(()) };
        let key = record::reference_key(&payment.account, entry.kind, secondary);
        let read = self.reference(&key).await?;
        if read.is_none_or(|read| read.value.payment == payment.id) {
            batch.put(record::REFERENCE, key, record::encode(&found));
        }
        Ok(())
    }

    async fn reference(&self, key: &[u8]) -> Result<Option<Read<Found>>, store::Error> {
        record::read(&*self.0.store, record::REFERENCE, key).await
    }
}

/// As which kinds of things a reply about this kind may name something.
fn kinds(kind: Kind) -> &'static [Kind] {
    match kind {
        Kind::Authorize => &[Kind::Authorize],
        // What is captured or cancelled is what was authorised, and often bears its name.
        Kind::Capture => &[Kind::Capture, Kind::Authorize],
        Kind::Cancel => &[Kind::Cancel, Kind::Authorize],
        Kind::Refund => &[Kind::Refund],
        Kind::Payout => &[Kind::Payout],
    }
}
