use std::collections::BTreeSet;

use super::*;
use crate::books::tests::Bench;

#[test]
fn a_row_reads_back_whatever_its_time_and_the_rows_of_an_account_are_in_order_of_time() {
    let row = |account: &str, at_ms: u64, n: u8| Due {
        account: account.to_owned(),
        at_ms,
        entry: Id::entry(7, [n; 10]),
    };
    let slash = u64::from_be_bytes(*b"//0//0//");
    for due in [row("a", 0, 1), row("a-b.c", slash, 2), row("z", u64::MAX, 3)] {
        assert_eq!(Due::read(&due.key()), Some(due));
    }
    assert!(row("a", 255, 9).key() < row("a", 256, 0).key());
    assert!(row("a", u64::MAX, 9).key() < row("b", 0, 0).key());
}

#[tokio::test]
async fn every_wait_is_at_least_as_long_as_is_written_and_longer_by_a_quarter_at_most() {
    let bench = Bench::new();
    let waits = bench.engine.0.options.sync_after_ms.clone();
    for asked in 0..10_u32 {
        let least = *waits.get(asked as usize).or(waits.last()).unwrap();
        let drawn: BTreeSet<u64> = (0..50).map(|_| bench.engine.wait_ms(asked)).collect();
        assert!(drawn.iter().all(|wait| (least..=least + least / 4).contains(wait)), "{drawn:?}");
        assert!(drawn.len() > 10, "entries that were lost together stay together: {drawn:?}");
    }
}

#[tokio::test]
async fn every_account_with_an_open_entry_is_found_whatever_the_names() {
    let bench = Bench::new();
    for account in ["a", "a-", "a.b", "ab", "b0", "b"] {
        for n in 0..3 {
            bench.unknown_of(account, n).await;
        }
    }
    let (mut found, mut after) = (Vec::new(), None);
    while let Some(account) = bench.engine.next_account(after.as_deref()).await.unwrap() {
        found.push(account.clone());
        after = Some(account);
    }
    assert_eq!(found, ["a-", "a.b", "a", "ab", "b", "b0"], "each once, by their keys");
}

#[tokio::test]
async fn a_pile_at_one_account_takes_its_own_places_and_keeps_no_other_waiting() {
    let bench = Bench::new();
    for n in 0..2_000 {
        bench.unknown_of("busy", n).await;
    }
    bench.unknown_of("quiet", 0).await;
    bench.later(10_000_000);
    let mut places = Places::new();
    bench.engine.resolve_due(&mut places).await.unwrap();
    // Nothing has run yet: whoever was taken holds its place.
    assert_eq!(places["busy"].available_permits(), 0);
    assert_eq!(places["quiet"].available_permits(), 3, "one of four is taken");
}

#[tokio::test]
async fn rows_of_the_earlier_form_are_found_under_their_accounts() {
    let bench = Bench::new();
    let entry = bench.unknown_of("shop", 1).await;
    let operation = bench.engine.read_operation(&entry).await.unwrap().unwrap().value;
    let at = operation.recovery.due_at_ms.unwrap();
    let mut batch = bench.engine.batch();
    batch.remove(record::DUE, Due::of(&operation, at).key());
    batch.put(record::DUE, record::due_key(at, &entry), Vec::new());
    bench.engine.0.store.commit(batch).await.unwrap();
    bench.engine.recover().await.unwrap();
    let open = bench.engine.open_entries(Some("shop"), None, 10).await.unwrap();
    assert_eq!(open, [Due { account: "shop".to_owned(), at_ms: at, entry }]);
}

/// Its account is not configured, so each question ends without an answer.
#[tokio::test]
async fn an_entry_that_nothing_is_found_out_about_is_asked_about_at_growing_intervals() {
    let bench = Bench::new();
    let entry = bench.unknown_of("shop", 1).await;
    let written = bench.engine.0.options.sync_after_ms.clone();
    let mut waits = Vec::new();
    for asked in 1..=written.len() + 1 {
        let recovery =
            async || bench.engine.read_operation(&entry).await.unwrap().unwrap().value.recovery;
        let due = recovery().await.due_at_ms.unwrap();
        bench.later(due.saturating_sub(bench.engine.0.clock.now_ms()));
        let asked_at = bench.engine.0.clock.now_ms();
        bench.engine.resolve(&entry).await.unwrap();
        let after = recovery().await;
        assert_eq!(after.syncs as usize, asked);
        waits.push(after.due_at_ms.unwrap() - asked_at);
    }
    // What was waited for before the first question is not seen here.
    let due = written.iter().skip(1).chain([written.last().unwrap(); 2]);
    for (wait, least) in waits.iter().zip(due) {
        assert!((*least..=least + least / 4).contains(wait), "{waits:?}");
    }
    assert!(written.is_sorted_by(|a, b| a < b), "{written:?}");
}
