//! How much of the host one account may take: a provider that does not answer keeps its own
//! operations waiting, and nobody else's.
//!
//! Not here: the places of the whole host and of apps (`api`), and those for finding out about open
//! entries (`schedule`).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Options;

/// What is done at an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Work {
    /// A payment or a payout is begun.
    Begin,
    /// Something goes on that was begun, because an app asks: capture, refund, sync.
    GoOn,
}

impl Work {
    fn most(self, options: &Options) -> usize {
        let most = match self {
            Work::Begin => options.payments_per_account_max,
            Work::GoOn => options.operations_per_account_max,
        };
        most.max(1)
    }
}

/// What is in hand at each account.
#[derive(Debug, Default)]
pub(crate) struct Shares(Mutex<HashMap<(String, Work), usize>>);

/// A part of an account's share; given back when dropped.
pub(crate) struct Share {
    shares: Arc<Shares>,
    key: (String, Work),
}

impl Shares {
    /// A part of it; none when the account has all that it may.
    pub(crate) fn take(
        self: &Arc<Shares>,
        account: &str,
        work: Work,
        options: &Options,
    ) -> Option<Share> {
        let key = (account.to_owned(), work);
        let mut held = self.held();
        let count = held.entry(key.clone()).or_default();
        if *count >= work.most(options) {
            return None;
        }
        *count += 1;
        Some(Share { shares: self.clone(), key })
    }

    fn held(&self) -> MutexGuard<'_, HashMap<(String, Work), usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self.shares.held();
        match held.get_mut(&self.key) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(held.remove(&self.key)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_its_share_of_each_kind_of_work_and_takes_no_other_s() {
        let options = Options {
            payments_per_account_max: 2,
            operations_per_account_max: 1,
            ..Options::default()
        };
        let shares = Arc::new(Shares::default());
        let first = shares.take("dead", Work::Begin, &options);
        let _second = shares.take("dead", Work::Begin, &options).unwrap();
        assert!(first.is_some() && shares.take("dead", Work::Begin, &options).is_none());
        let _other = shares.take("dead", Work::GoOn, &options).unwrap();
        let _neighbour = shares.take("quick", Work::Begin, &options).unwrap();
        drop(first);
        assert!(shares.take("dead", Work::Begin, &options).is_some());
    }

    #[test]
    fn nothing_is_remembered_of_an_account_that_has_nothing_in_hand() {
        let shares = Arc::new(Shares::default());
        drop(shares.take("some", Work::Begin, &Options::default()));
        assert!(shares.held().is_empty());
    }
}
