//! Calls of a plugin for one operation: the same surroundings for the same step, always.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ledger::{Payment, TimestampMs};
use sandbox::contract as wit;
use sandbox::{Called, Fault, Remembered, Surroundings};
use sha2::{Digest, Sha256};
use store::Batch;

use crate::account::{Account, Values};
use crate::cards::OpenCard;
use crate::record::{self, Kept, Operation};
use crate::translate::{self, Purpose};
use crate::{Engine, Error};

/// One operation of one payment, as a plugin is asked about it.
#[derive(Clone)]
pub(crate) struct Question {
    pub account: Arc<Account>,
    pub purpose: Purpose,
    /// Tells steps of different attempts apart: none of two may share its randomness.
    pub attempt: u32,
    pub operation: Operation,
    /// The card it is paid with, while it is there.
    pub card: Option<Arc<OpenCard>>,
    asked: wit::Operation,
}

/// What a step was answered, or why not.
pub(crate) type Stepped = Result<Called<Result<wit::Step, wit::Failure>>, Fault>;

impl Question {
    /// The question; none where the payment has no such entry.
    pub fn new(
        account: Arc<Account>,
        purpose: Purpose,
        payment: &Payment,
        operation: Operation,
        card: Option<Arc<OpenCard>>,
    ) -> Option<Question> {
        let asked = translate::operation(purpose, payment, &operation, &account.notify_url)?;
        let attempt = match purpose {
            Purpose::Do => 0,
            Purpose::Sync => operation.recovery.syncs + 1,
        };
        Some(Question { account, purpose, attempt, operation, card, asked })
    }

    fn surroundings(&self, kept: Kepts, step: u32, now: TimestampMs) -> Surroundings {
        let mut seed = Sha256::new();
        seed.update(self.operation.seed.as_bytes());
        seed.update([matches!(self.purpose, Purpose::Sync) as u8]);
        seed.update(self.attempt.to_be_bytes());
        seed.update(step.to_be_bytes());
        let values = Values { secrets: self.account.secrets.clone(), card: self.card.clone() };
        let sensitive = Arc::new(values);
        Surroundings { sensitive, ..surroundings(&self.account, kept, seed.finalize().into(), now) }
    }
}

/// What an account keeps, by name.
pub(crate) type Kepts = Arc<BTreeMap<String, Vec<u8>>>;

pub(crate) fn surroundings(
    account: &Account,
    kept: Kepts,
    seed: [u8; 32],
    now: TimestampMs,
) -> Surroundings {
    Surroundings {
        account: account.name.clone(),
        keyring: account.keyring.clone(),
        settings: account.settings.clone(),
        sensitive: Arc::new(Values { secrets: account.secrets.clone(), card: None }),
        kept,
        now: (now / 1000, (now % 1000) as u32 * 1_000_000),
        seed,
    }
}

impl Engine {
    /// The first step.
    pub(crate) async fn start(
        &self,
        question: &Question,
        now: TimestampMs,
    ) -> Result<Stepped, Error> {
        let kept = self.kept(&question.account, now).await?;
        let around = question.surroundings(kept, 0, now);
        Ok(question.account.plugin.start(around, question.asked.clone()).await)
    }

    /// The step after a reply; `step` counts from one.
    pub(crate) async fn resume(
        &self,
        question: &Question,
        step: u32,
        state: Vec<u8>,
        reply: egress::Reply,
    ) -> Result<Stepped, Error> {
        let now = self.0.clock.now_ms();
        let kept = self.kept(&question.account, now).await?;
        let around = question.surroundings(kept, step, now);
        let (asked, reply) = (question.asked.clone(), translate::reply(reply));
        Ok(question.account.plugin.resume(around, asked, state, reply).await)
    }

    /// What plugins asked to remember for the account and what is not expired.
    pub(crate) async fn kept(&self, account: &Account, now: TimestampMs) -> Result<Kepts, Error> {
        let prefix = format!("{}/", account.name);
        let range = store::Range::under(record::KEPT, prefix.as_bytes());
        let mut all = BTreeMap::new();
        for row in self.0.store.scan(range).await? {
            let kept: Kept = record::decode(record::KEPT, &row.key, &row.value)?;
            if kept.until_ms.is_some_and(|until| until <= now) {
                continue;
            }
            let name = String::from_utf8_lossy(row.key.get(prefix.len()..).unwrap_or_default());
            all.insert(name.into_owned(), BASE64.decode(kept.value).unwrap_or_default());
        }
        Ok(Arc::new(all))
    }
}

/// Adds what a plugin asked to remember to a commit.
pub(crate) fn remember(
    batch: &mut Batch,
    account: &Account,
    remembered: &[Remembered],
    now: TimestampMs,
) {
    for one in remembered {
        let until_ms = one.seconds.map(|seconds| now + u64::from(seconds) * 1000);
        let kept = Kept { value: BASE64.encode(&one.value), until_ms };
        let key = record::kept_key(&account.name, &one.name);
        batch.put(record::KEPT, key, record::encode(&kept));
    }
}
