//! Nonces of signed requests: taken once, remembered as long as a request that bears them could
//! still be fresh, in the store, so that a replay is refused after a restart too.
//!
//! The key begins with the minute the signature was made, so that whatever is out of its time is
//! one range at the beginning of the space.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ledger::Id;
use store::{Batch, Expected, Range, Store};

use crate::clock::Clock;
use crate::record;

/// Keys removed in one commit.
const PRUNED_MAX: usize = 1000;
/// How much longer than needed a nonce is kept, in seconds.
const MARGIN_S: i64 = 60;

/// The nonce of a request whose signature was found to hold.
#[derive(Clone, Copy, Debug)]
pub struct Nonce<'a> {
    /// Whose request.
    pub app: &'a Id,
    /// When it was signed, in seconds of Unix time.
    pub created_s: i64,
    /// What was drawn for it, at most 128 characters.
    pub value: &'a str,
    /// How old a signature may be, in seconds.
    pub age_s_max: i64,
}

/// The nonces that were taken. Cheap to clone.
#[derive(Clone)]
pub struct Nonces {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    /// The minute in which old ones were forgotten last.
    pruned: Arc<AtomicU64>,
}

impl Nonces {
    /// Those kept in this store.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Nonces {
        Nonces { store, clock, pruned: Arc::default() }
    }

    /// Takes the nonce; false when it was taken before. It is durable when this is answered.
    ///
    /// # Errors
    /// The store's.
    pub async fn take(&self, nonce: Nonce<'_>) -> Result<bool, store::Error> {
        self.forget_old(nonce.age_s_max);
        let key = key(nonce);
        // Else nobody who signs could read while the disk is full.
        let mut batch = Batch { finishing: true, ..Batch::at(self.clock.now_ms()) };
        batch.expect(record::NONCE, key.clone(), Expected::Absent);
        batch.put(record::NONCE, key, Vec::new());
        match self.store.commit(batch).await {
            Ok(_) => Ok(true),
            Err(error) if matches!(error.kind(), store::Kind::Conflict { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Forgets what is out of its time, once a minute, beside the request.
    fn forget_old(&self, age_s_max: i64) {
        let now_s = i64::try_from(self.clock.now_ms() / 1000).unwrap_or(i64::MAX);
        let now = minute(now_s);
        if self.pruned.swap(now, Ordering::Relaxed) == now {
            return;
        }
        let nonces = self.clone();
        tokio::spawn(async move {
            let before_s = now_s.saturating_sub(age_s_max).saturating_sub(MARGIN_S);
            if let Err(error) = nonces.forget(before_s).await {
                tracing::warn!(%error, "old nonces were not forgotten; tried again in a minute");
            }
        });
    }

    /// Forgets the nonces of signatures made in the minutes before this time, in seconds.
    ///
    /// # Errors
    /// The store's; what was forgotten stays so.
    pub async fn forget(&self, before_s: i64) -> Result<(), store::Error> {
        let end = minute(before_s).to_be_bytes();
        loop {
            let old = Range::under(record::NONCE, b"").to(end.to_vec()).limit(PRUNED_MAX);
            let rows = self.store.scan(old).await?;
            if rows.is_empty() {
                return Ok(());
            }
            let mut batch = Batch { finishing: true, ..Batch::at(self.clock.now_ms()) };
            for row in rows {
                batch.remove(record::NONCE, row.key);
            }
            self.store.commit(batch).await?;
        }
    }
}

fn minute(seconds: i64) -> u64 {
    u64::try_from(seconds / 60).unwrap_or_default()
}

fn key(nonce: Nonce<'_>) -> Vec<u8> {
    let mut key = minute(nonce.created_s).to_be_bytes().to_vec();
    key.extend_from_slice(format!("/{}/{}", nonce.app, nonce.value).as_bytes());
    key
}

#[cfg(test)]
mod tests;
