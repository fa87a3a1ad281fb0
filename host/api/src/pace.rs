//! How often somebody may do something: token buckets, each kept as the moment it is full again.
//!
//! A bucket that is full is the same as none, so the table holds only those who came lately, and
//! never more than it may. Time is passed in. Not here: who is counted, and what happens to them.

use std::collections::HashMap;
use std::hash::Hash;

/// How fast a bucket fills, and how much it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    /// From one token to the next, in nanoseconds; at least 1.
    interval_ns: u64,
    /// How long an empty bucket takes until it is full.
    whole_ns: u64,
}

impl Pace {
    /// So many a second, and as many at once as `burst` says; both at least 1.
    pub(crate) fn new(per_second: u32, burst: u32) -> Pace {
        let interval_ns = (1_000_000_000 / u64::from(per_second.max(1))).max(1);
        Pace { interval_ns, whole_ns: interval_ns.saturating_mul(u64::from(burst.max(1))) }
    }
}

/// The buckets of everybody who came lately.
pub(crate) struct Buckets<K> {
    full_at_ns: HashMap<K, u64>,
    entries_max: usize,
    /// No bucket is full before: until then looking for full ones finds none.
    none_before_ns: u64,
}

impl<K: Hash + Eq> Buckets<K> {
    /// An empty table of at most so many buckets.
    pub(crate) fn new(entries_max: usize) -> Buckets<K> {
        Buckets { full_at_ns: HashMap::new(), entries_max, none_before_ns: 0 }
    }

    /// Takes one token of this bucket, or says how long to wait for one, in nanoseconds. A table
    /// without room refuses whoever is not in it yet.
    pub(crate) fn take(&mut self, key: K, pace: Pace, now_ns: u64) -> Result<(), u64> {
        let held = self.full_at_ns.get(&key).copied();
        if held.is_none() && !self.has_room(now_ns) {
            return Err(self.none_before_ns.saturating_sub(now_ns).max(1));
        }
        let full_at = held.unwrap_or(now_ns).max(now_ns).saturating_add(pace.interval_ns);
        match (full_at - now_ns).checked_sub(pace.whole_ns) {
            None | Some(0) => {
                self.none_before_ns = self.none_before_ns.min(full_at);
                self.full_at_ns.insert(key, full_at);
                Ok(())
            }
            Some(wait_ns) => Err(wait_ns),
        }
    }

    fn has_room(&mut self, now_ns: u64) -> bool {
        if self.full_at_ns.len() >= self.entries_max && self.none_before_ns <= now_ns {
            self.full_at_ns.retain(|_, full_at| *full_at > now_ns);
            self.none_before_ns = self.full_at_ns.values().copied().min().unwrap_or(u64::MAX);
        }
        self.full_at_ns.len() < self.entries_max
    }
}

#[cfg(test)]
mod tests;
