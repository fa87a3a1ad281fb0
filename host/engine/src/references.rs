//! Whose a provider's reference is: it names the thing of one payment, and of no other.
//!
//! A reply that names what is another payment's was not meant for this one: it came over a crossed
//! line, or a plugin took the wrong one. Believed, one charge would settle two payments. The second
//! identifier that some providers give need not be unique: it finds the payment that had it first,
//! and of those that came to nothing the one after.

use ledger::{Entry, Id, Kind, Payment, State};
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
        for kind in KINDS {
            let key = record::reference_key(&operation.account, kind, named);
            let read = self.reference(&key).await?;
            batch.expect(record::REFERENCE, key, expected(read.as_ref()));
            if let Some(Read { value: found, .. }) = read
                && !found.secondary
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
        let found = Found::new(&payment.id, &entry.id);
        let key = record::reference_key(&payment.account, entry.kind, &known.provider);
        batch.put(record::REFERENCE, key, record::encode(&found));
        let Some(second) = known.secondary.as_ref().filter(|name| **name != known.provider) else {
            return Ok(());
        };
        let key = record::reference_key(&payment.account, entry.kind, second);
        let read = self.reference(&key).await?;
        if self.is_free(read.as_ref(), payment).await? {
            batch.expect(record::REFERENCE, key.clone(), expected(read.as_ref()));
            batch.put(record::REFERENCE, key, record::encode(&Found { secondary: true, ..found }));
        }
        Ok(())
    }

    /// Whether a second identifier may lead to this payment: it led nowhere else before, or to what
    /// has come to nothing.
    async fn is_free(
        &self,
        read: Option<&Read<Found>>,
        payment: &Payment,
    ) -> Result<bool, store::Error> {
        let Some(Read { value: found, .. }) = read else { return Ok(true) };
        if !found.secondary || found.payment == payment.id {
            return Ok(found.secondary);
        }
        let key = found.payment.as_str().as_bytes();
        let owner = record::read::<Payment>(&*self.0.store, record::PAYMENT, key).await?;
        let entry = owner.as_ref().and_then(|owner| owner.value.entry(&found.entry));
        Ok(entry.is_none_or(|it| it.state.is_terminal() && it.state != State::Succeeded))
    }

    async fn reference(&self, key: &[u8]) -> Result<Option<Read<Found>>, store::Error> {
        record::read(&*self.0.store, record::REFERENCE, key).await
    }
}

/// As which kinds of things a name may be known.
const KINDS: [Kind; 5] = [Kind::Authorize, Kind::Capture, Kind::Cancel, Kind::Refund, Kind::Payout];

/// The record as it was read.
fn expected(read: Option<&Read<Found>>) -> Expected {
    read.map_or(Expected::Absent, |read| Expected::Version(read.version))
}
