//! How quickly an endpoint answers: quick ones have one half of all places and all others share the
//! other half, so that slow endpoints, however many, leave quick ones as many places as ever.
//!
//! An endpoint is quick once it has answered within a second, whatever it answered, and slow for
//! ten minutes after it took longer; then it has to prove itself anew. A sending that takes longer
//! makes its endpoint slow before it has ended.
//!
//! Not here: where this is kept (`circuit`), who counts the places (`deliverer`).

/// An answer within this is quick, in milliseconds: a place of the quick half is free again soon.
pub(super) const QUICK_MS_MAX: u64 = 1_000;
/// How long an endpoint is slow after it has been, in milliseconds: one that is slow every now and
/// then gets the places of quick ones once in this time.
pub(super) const SLOW_MS: u64 = 10 * 60_000;

/// How an endpoint answers, in the order in which the places are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pace {
    /// Within a second.
    Quick,
    /// Not known, or no longer. It has not been slow lately, and comes before those that have.
    Unknown,
    /// Slow lately.
    Slow,
}

impl Pace {
    pub(crate) fn is_quick(self) -> bool {
        self == Pace::Quick
    }
}
