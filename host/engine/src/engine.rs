//! The engine's face: what the API asks of it, and what it is made of.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};

use egress::Egress;
use ledger::{Id, Money, Payment};
use store::{Slots, Store};
use vault::AtRest;

use crate::account::{Account, AccountParts};
use crate::audit::Audit;
use crate::cards::{CardKeys, Codes};
use crate::clock::{Clock, Entropy};
use crate::nonce::Nonces;
use crate::notify::{Desk, Notifying};
use crate::operate::{Plan, Root};
use crate::share::{Share, Shares, Work};
use crate::{Ask, Done, Error, NewPayment, NewPayout};
use crate::{record, spending};

/// What the engine is made of.
pub struct Parts {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// What leaves, leaves here.
    pub egress: Egress,
    /// Seals what the store keeps of secrets and cards; closed, it refuses whatever needs it.
    pub at_rest: AtRest,
    /// The keys of cards, outside of the store's journal; see [`crate::open_card_keys`].
    pub card_keys: Arc<Slots>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where identifiers and nonces come from.
    pub entropy: Arc<dyn Entropy>,
    /// The accounts; names are unique.
    pub accounts: Vec<AccountParts>,
    /// How apps are told.
    pub notifying: Notifying,
    /// Limits and times.
    pub options: Options,
}

/// Limits and times of the engine.
#[derive(Clone, Debug)]
pub struct Options {
    /// Requests one operation may make.
    pub steps_max: u32,
    /// When to ask again about an entry that is open: after so many milliseconds the first time,
    /// the second time, and so on, and up to a quarter more by chance; the last value repeats.
    pub sync_after_ms: Vec<u64>,
    /// A "not found" counts only so long after the last request that may have moved money.
    pub absent_after_ms: u64,
    /// So many late "not found" answers prove that the provider never got it.
    pub absences_min: u32,
    /// How long a card is kept at most, in milliseconds; it goes with its expiry in any case.
    pub card_keep_ms: u64,
    /// Payments and payouts that one account may have in hand.
    pub payments_per_account_max: usize,
    /// Captures, refunds, cancellations and syncs that one account may have in hand.
    pub operations_per_account_max: usize,
    /// How long the first step of an operation may wait for a place in the sandbox and be worked
    /// on, in milliseconds: what waits longer is refused, and nothing of it was recorded.
    pub queue_ms_max: u64,
    /// How long an idempotency key is remembered, in milliseconds; longer than any provider
    /// remembers one.
    pub idempotency_keep_ms: u64,
    /// Entries of one account asked about at the same time.
    pub concurrent_syncs_per_account_max: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            steps_max: 16,
            sync_after_ms: vec![2_000, 10_000, 60_000, 300_000, 900_000, 3_600_000],
            absent_after_ms: 60_000,
            absences_min: 2,
            // 400 days: a subscription of a year, and time to ask for the card again.
            card_keep_ms: 400 * 24 * 60 * 60 * 1000,
            payments_per_account_max: 256,
            operations_per_account_max: 128,
            queue_ms_max: 5_000,
            idempotency_keep_ms: 30 * 24 * 60 * 60 * 1000,
            concurrent_syncs_per_account_max: 4,
        }
    }
}

/// Drives operations. Cheap to clone.
#[derive(Clone)]
pub struct Engine(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub store: Arc<dyn Store>,
    pub egress: Egress,
    pub at_rest: AtRest,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub accounts: BTreeMap<String, Arc<Account>>,
    pub options: Options,
    pub codes: Codes,
    pub card_keys: CardKeys,
    pub notifying: Notifying,
    /// Rung when notifications were written.
    pub desk: Desk,
    pub audit: Audit,
    pub spending: spending::Locks,
    pub nonces: Nonces,
    pub shares: Arc<Shares>,
    /// Idempotency keys and entries being worked on in this process.
    claims: Mutex<HashSet<String>>,
    /// How many operations are in hand; `None` begins nothing new.
    in_hand: tokio::sync::watch::Sender<InHand>,
}

#[derive(Clone, Copy, Default)]
struct InHand {
    operations: usize,
    stopping: bool,
}

/// A page of payments.
#[derive(Clone, Debug)]
pub struct PaymentPage {
    /// Newest first.
    pub payments: Vec<Payment>,
    /// What to ask for next; none on the last page.
    pub cursor: Option<String>,
}

/// Why an engine cannot be made: accounts, by name, and what is wrong with each.
#[derive(Debug, thiserror::Error)]
#[error("{} accounts are not fit to take payments", .0.len())]
pub struct Unfit(pub Vec<(String, String)>);

impl Engine {
    /// Puts the parts together. Nothing runs yet; see [`Engine::recover`] and [`Engine::run`].
    pub fn new(parts: Parts) -> Result<Engine, Unfit> {
        let (mut accounts, mut wrong) = (BTreeMap::new(), Vec::new());
        for account in parts.accounts {
            let name = account.name.clone();
            match Account::new(account) {
                Ok(fit) => {
                    wrong.extend(forgets_too_soon(&fit, &parts.options));
                    drop(accounts.insert(name, Arc::new(fit)));
                }
                Err(why) => wrong.extend(why.into_iter().map(|why| (name.clone(), why))),
            }
        }
        if !wrong.is_empty() {
            return Err(Unfit(wrong));
        }
        let audit = Audit::new(parts.store.clone(), parts.clock.clone());
        Ok(Engine(Arc::new(Inner {
            audit,
            spending: spending::Locks::default(),
            nonces: Nonces::new(parts.store.clone(), parts.clock.clone()),
            store: parts.store,
            egress: parts.egress,
            at_rest: parts.at_rest,
            clock: parts.clock,
            entropy: parts.entropy,
            accounts,
            options: parts.options,
            codes: Codes::default(),
            card_keys: CardKeys::new(parts.card_keys),
            notifying: parts.notifying,
            desk: Desk::default(),
            shares: Arc::default(),
            claims: Mutex::default(),
            in_hand: tokio::sync::watch::Sender::default(),
        })))
    }

    /// Begins a payment and drives it until the provider has answered.
    pub async fn pay(&self, ask: Ask, new: NewPayment) -> Result<Done, Error> {
        let plan = Plan::payment(&new);
        let root = self.root(&ask, new.account, new.merchant_reference, new.amount)?;
        self.operate(ask, root, plan).await
    }

    /// Pays out.
    pub async fn pay_out(&self, ask: Ask, new: NewPayout) -> Result<Done, Error> {
        let plan = Plan::payout(&new);
        let root = self.root(&ask, new.account, new.merchant_reference, new.amount)?;
        self.operate(ask, root, plan).await
    }

    fn root(
        &self,
        ask: &Ask,
        account: String,
        merchant_reference: String,
        amount: Money,
    ) -> Result<Root, Error> {
        self.account(&account)?;
        let now = self.0.clock.now_ms();
        Ok(Root::New(Payment {
            id: Id::payment(now, self.random()),
            app: ask.app.clone(),
            account,
            merchant_reference,
            amount,
            entries: Vec::new(),
            created_at_ms: now,
        }))
    }

    /// Captures this amount, or all that is authorised and not captured.
    pub async fn capture(
        &self,
        ask: Ask,
        payment: Id,
        amount: Option<Money>,
    ) -> Result<Done, Error> {
        self.operate(ask, Root::Known(payment), Plan::capture(amount)).await
    }

    /// Releases an authorisation, or closes a payment that was not paid yet.
    pub async fn cancel(&self, ask: Ask, payment: Id) -> Result<Done, Error> {
        self.operate(ask, Root::Known(payment), Plan::cancel()).await
    }

    /// Refunds this amount, or all that is captured and not refunded.
    pub async fn refund(
        &self,
        ask: Ask,
        payment: Id,
        amount: Option<Money>,
    ) -> Result<Done, Error> {
        self.operate(ask, Root::Known(payment), Plan::refund(amount)).await
    }

    /// One payment of the app.
    pub async fn payment(&self, app: &Id, payment: &Id) -> Result<Payment, Error> {
        let known = self.read_payment(payment).await?.map(|read| read.value);
        let own = known.filter(|known| known.app == *app);
        own.ok_or_else(|| Error::NoSuchPayment(payment.clone()))
    }

    /// The app's payments, newest first; `limit` is between 1 and 100.
    pub async fn payments(
        &self,
        app: &Id,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<PaymentPage, Error> {
        let prefix = format!("{app}/");
        let mut range = store::Range::under(record::LISTED, prefix.as_bytes());
        if let Some(cursor) = cursor {
            let before: Id = cursor.parse().map_err(|_| Error::NotACursor(cursor.to_owned()))?;
            range = range.to(record::listed_key(app, &before));
        }
        let limit = limit.clamp(1, 100);
        let rows = self.0.store.scan(range.reverse().limit(limit + 1)).await?;
        let mut payments = Vec::new();
        for row in rows.iter().take(limit) {
            let id = row.key.get(prefix.len()..).unwrap_or_default();
            let record = self.0.store.read(record::PAYMENT, id).await?;
            let Some(record) = record else { continue };
            payments.push(record::decode(record::PAYMENT, id, &record.value)?);
        }
        let last = payments.last().map(|last: &Payment| last.id.to_string());
        Ok(PaymentPage { payments, cursor: last.filter(|_| rows.len() > limit) })
    }

    /// The audit trail. Whatever it is to tell of may begin once it has answered.
    pub fn audit(&self) -> &Audit {
        &self.0.audit
    }

    /// What keeps the host from taking payments, for the readiness probe; empty when nothing does.
    pub async fn impediments(&self) -> Vec<String> {
        let mut all = Vec::new();
        if self.0.in_hand.borrow().stopping {
            all.push("the host is stopping".to_owned());
        }
        all.extend(self.0.store.impediment());
        if let Err(error) = self.0.store.read(record::APP, b"readiness").await {
            all.push(format!("the store does not answer: {error}"));
        }
        all
    }

    /// Begins nothing new, and waits until what is in hand is recorded.
    pub async fn stop(&self) {
        self.0.in_hand.send_modify(|now| now.stopping = true);
        let mut now = self.0.in_hand.subscribe();
        // The sender lives as long as this engine: waiting cannot fail.
        let _ = now.wait_for(|now| now.operations == 0).await;
    }

    /// An empty commit of this moment.
    pub(crate) fn batch(&self) -> store::Batch {
        store::Batch::at(self.0.clock.now_ms())
    }

    /// An empty commit that finishes what was begun: it is taken though the disk is full for
    /// anything new.
    pub(crate) fn finishing(&self) -> store::Batch {
        store::Batch { finishing: true, ..self.batch() }
    }

    /// A part of what may be in hand at an account.
    pub(crate) fn share(&self, account: &str, work: Work) -> Result<Share, Error> {
        let share = self.0.shares.take(account, work, &self.0.options);
        share.ok_or_else(|| Error::AccountOverloaded(account.to_owned()))
    }

    /// The account of this name.
    pub(crate) fn account(&self, name: &str) -> Result<Arc<Account>, Error> {
        let known = self.0.accounts.get(name).cloned();
        known.ok_or_else(|| Error::NoSuchAccount(name.chars().take(64).collect()))
    }

    /// The account of this name, if it is open to the app; one that is not is told from none by
    /// nobody.
    pub(crate) async fn open_account(&self, app: &Id, name: &str) -> Result<Arc<Account>, Error> {
        let open = self.app(app).await?.is_some_and(|app| app.may_use(name));
        let account = self.account(name)?;
        if open { Ok(account) } else { Err(Error::NoSuchAccount(account.name.clone())) }
    }

    /// Unpredictable bytes.
    pub(crate) fn random<const LENGTH: usize>(&self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        self.0.entropy.fill(&mut bytes);
        bytes
    }

    /// Takes a name for this process alone until the claim is dropped; none when it is taken.
    pub(crate) fn claim(&self, name: &str) -> Option<Claim> {
        let mut claims = self.0.claims.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        claims.insert(name.to_owned()).then(|| Claim(self.clone(), name.to_owned()))
    }

    /// Whether a name is taken now.
    pub(crate) fn is_claimed(&self, name: &str) -> bool {
        let claims = self.0.claims.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        claims.contains(name)
    }

    /// Counts an operation as in hand until the guard is dropped.
    pub(crate) fn take_in_hand(&self) -> Result<Hand, Error> {
        let taken = self.0.in_hand.send_if_modified(|now| {
            now.operations += usize::from(!now.stopping);
            !now.stopping
        });
        if taken { Ok(Hand(self.clone())) } else { Err(Error::Stopping) }
    }
}

/// Why an account cannot be used with keys that are forgotten so soon: the provider would still
/// answer a repeated one with what it did the first time.
fn forgets_too_soon(account: &Account, options: &Options) -> Option<(String, String)> {
    let window_s = account.plugin.description().recovery.idempotent_seconds?;
    let soon = options.idempotency_keep_ms <= u64::from(window_s).saturating_mul(1000);
    let what = format!(
        "its provider remembers idempotency keys for {window_s} s: [limits] \
         idempotency_keep_days has to be longer"
    );
    soon.then(|| (account.name.clone(), what))
}

/// A name taken by [`Engine::claim`].
pub(crate) struct Claim(Engine, String);

impl Drop for Claim {
    fn drop(&mut self) {
        let claims = self.0.0.claims.lock();
        claims.unwrap_or_else(std::sync::PoisonError::into_inner).remove(&self.1);
    }
}

/// An operation in hand, counted by [`Engine::take_in_hand`].
pub(crate) struct Hand(Engine);

impl Drop for Hand {
    fn drop(&mut self) {
        self.0.0.in_hand.send_modify(|now| now.operations -= 1);
    }
}
