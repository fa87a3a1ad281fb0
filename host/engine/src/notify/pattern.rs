//! Patterns of event names: which of an app's events an endpoint is told.

use ledger::{Kind, State};

/// The kinds an event is about.
const KINDS: [Kind; 5] = [Kind::Authorize, Kind::Capture, Kind::Cancel, Kind::Refund, Kind::Payout];
/// The states an event tells; `created` and `sending` are told by none.
const STATES: [State; 7] = [
    State::NeedsAction,
    State::Pending,
    State::Unknown,
    State::Succeeded,
    State::Declined,
    State::NotSent,
    State::Expired,
];

/// Whether an event of this name is one that `pattern` means: `*`, `refund.*`, `*.succeeded` or
/// the name itself.
pub(super) fn means(pattern: &str, name: &str) -> bool {
    let Some((kind, state)) = name.split_once('.') else { return false };
    match pattern.split_once('.') {
        None => pattern == "*",
        Some((of, is)) => (of == "*" || of == kind) && (is == "*" || is == state),
    }
}

/// Those of the patterns that no event can ever have, by their place: a misspelt one would be
/// silent for ever.
pub fn patterns_refused(patterns: &[String]) -> Vec<usize> {
    let bad = patterns.iter().enumerate().filter(|(_, pattern)| !is_pattern(pattern));
    bad.map(|(n, _)| n).collect()
}

fn is_pattern(pattern: &str) -> bool {
    let kind = |word: &str| word == "*" || KINDS.iter().any(|kind| kind.name() == word);
    let state = |word: &str| word == "*" || STATES.iter().any(|state| state.name() == word);
    match pattern.split_once('.') {
        None => pattern == "*",
        Some((of, is)) => kind(of) && state(is),
    }
}
