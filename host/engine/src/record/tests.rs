//! When a repeat is safe, and when a "not found" counts: by the times alone.

use super::*;

/// Asked at ten seconds, and again at forty.
fn asked_twice() -> Recovery {
    let (asked_at_ms, again_at_ms) = (10_000, 40_000);
    Recovery { money_asked: true, asked_at_ms, again_at_ms, ..Recovery::default() }
}

#[test]
fn not_found_counts_from_the_last_time_the_bytes_were_sent() {
    let recovery = asked_twice();
    assert!(!recovery.is_late(99_999, 60_000), "the repeat may be under way");
    assert!(recovery.is_late(100_000, 60_000));
    assert!(Recovery { again_at_ms: 0, ..recovery }.is_late(70_000, 60_000));
}

#[test]
fn nothing_is_sent_again_that_may_arrive_after_the_window() {
    let recovery = asked_twice();
    // The window counts from the first time: it ends at 130 s.
    assert!(recovery.may_repeat(69_999, 120, 60_000));
    assert!(!recovery.may_repeat(70_000, 120, 60_000));
    assert!(!recovery.may_repeat(11_000, 60, 60_000), "too short a window for any repeat");
    assert!(!Recovery { money_asked: false, ..recovery }.may_repeat(11_000, 120, 60_000));
}
