//! The contract, over every implementation of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::sync::Arc;

use common::{ALPHA, BETA, batch, commit, contents, keys, open, put, sequence, try_put};
use store::{
    BATCH_BYTES_MAX, Batch, Expected, KEY_BYTES_MAX, Kind, Model, Range, Space, Store,
    VALUE_BYTES_MAX, append_key,
};

type Shared = Arc<dyn Store>;

/// Each case, once over the model and once over a store on disk.
macro_rules! over_every_store {
    ($($case:ident)*) => {
        mod model {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                super::$case(std::sync::Arc::new(store::Model::new())).await;
            })*
        }
        mod journal {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                let dir = tempfile::tempdir().expect("a directory");
                super::$case(std::sync::Arc::new(crate::common::open(dir.path()))).await;
            })*
        }
    };
}

over_every_store! {
    a_record_is_absent_until_it_is_put
    a_version_is_the_sequence_of_the_commit_that_wrote_it
    sequences_rise_by_one
    an_expected_absence_refuses_a_record_that_is_there
    an_expected_version_refuses_every_other
    a_refused_batch_changes_nothing_and_takes_no_sequence
    a_batch_of_preconditions_alone_is_a_commit
    a_later_change_of_a_batch_wins
    the_same_key_in_two_spaces_is_two_records
    an_empty_key_and_an_empty_value_are_a_key_and_a_value
    of_many_writers_that_expect_the_same_one_wins
    appended_keys_are_completed_by_the_commit
    a_reader_that_goes_on_after_its_last_key_misses_no_append
    a_scan_sees_whole_commits_only
    a_scan_keeps_to_prefix_bounds_limit_and_direction
    a_prefix_of_the_highest_bytes_is_scanned_to_the_end
    an_empty_range_gives_nothing
    large_values_come_back_whole
    a_large_value_that_shrinks_leaves_nothing_behind
    what_is_over_a_limit_is_refused
    subscribers_see_the_last_commit
    any_bytes_are_a_key_and_a_value
}

async fn a_record_is_absent_until_it_is_put(store: Shared) {
    assert_eq!(store.read(ALPHA, b"k").await.unwrap(), None);
    commit(&*store, put(ALPHA, "k", "v")).await;
    assert_eq!(store.read(ALPHA, b"k").await.unwrap().unwrap().value, b"v");
    commit(&*store, batch(|it| it.remove(ALPHA, "k").remove(ALPHA, "never"))).await;
    assert_eq!(store.read(ALPHA, b"k").await.unwrap(), None);
}

async fn a_version_is_the_sequence_of_the_commit_that_wrote_it(store: Shared) {
    let first = commit(&*store, put(ALPHA, "a", "1")).await;
    let second = commit(&*store, put(ALPHA, "b", "1")).await;
    let third = commit(&*store, put(ALPHA, "a", "2")).await;
    assert!(first < second && second < third);
    assert_eq!(store.read(ALPHA, b"a").await.unwrap().unwrap().version, third);
    let rows = store.scan(Range::all(ALPHA)).await.unwrap();
    let versions: Vec<_> = rows.iter().map(|row| row.version).collect();
    assert_eq!(versions, [third, second]);
}

async fn sequences_rise_by_one(store: Shared) {
    for due in 1..=20 {
        assert_eq!(commit(&*store, put(ALPHA, "k", &due.to_string())).await, due);
    }
}

async fn an_expected_absence_refuses_a_record_that_is_there(store: Shared) {
    try_put(&*store, "k", Expected::Absent, "1").await.unwrap();
    let refused = try_put(&*store, "k", Expected::Absent, "2").await.unwrap_err();
    assert_eq!(*refused.kind(), Kind::Conflict { space: ALPHA, key: b"k".to_vec() });
    assert!(refused.to_string().contains("alpha `k`: expected none, found version 1"), "{refused}");
    assert_eq!(store.read(ALPHA, b"k").await.unwrap().unwrap().value, b"1");
}

async fn an_expected_version_refuses_every_other(store: Shared) {
    let version = try_put(&*store, "k", Expected::Absent, "1").await.unwrap().sequence;
    for wrong in [0, version - 1, version + 1, u64::MAX] {
        let refused = try_put(&*store, "k", Expected::Version(wrong), "2").await.unwrap_err();
        assert!(refused.is_conflict());
    }
    let refused = try_put(&*store, "none", Expected::Version(version), "2").await.unwrap_err();
    assert!(refused.is_conflict());
    try_put(&*store, "k", Expected::Version(version), "2").await.unwrap();
}

async fn a_refused_batch_changes_nothing_and_takes_no_sequence(store: Shared) {
    let last = commit(&*store, put(ALPHA, "k", "1")).await;
    let before = contents(&*store).await;
    let asked = batch(|it| {
        it.put(ALPHA, "x", "1").remove(ALPHA, "k").append(BETA, "feed/", "event");
        it.expect(ALPHA, "other", Expected::Absent).expect(ALPHA, "k", Expected::Absent)
    });
    assert!(store.commit(asked).await.unwrap_err().is_conflict());
    assert_eq!(contents(&*store).await, before);
    assert_eq!(sequence(&*store), last);
    assert_eq!(commit(&*store, put(ALPHA, "y", "1")).await, last + 1);
}

async fn a_batch_of_preconditions_alone_is_a_commit(store: Shared) {
    let asked = batch(|it| it.expect(ALPHA, "k", Expected::Absent));
    assert_eq!(commit(&*store, asked).await, 1);
    assert_eq!(commit(&*store, Batch::at(0)).await, 2);
    assert_eq!(keys(&*store, Range::all(ALPHA)).await, [""; 0]);
}

async fn a_later_change_of_a_batch_wins(store: Shared) {
    let asked = batch(|it| {
        it.put(ALPHA, "a", "1").put(ALPHA, "a", "2").put(ALPHA, "b", "1").remove(ALPHA, "b");
        it.remove(ALPHA, "c").put(ALPHA, "c", "3")
    });
    commit(&*store, asked).await;
    assert_eq!(store.read(ALPHA, b"a").await.unwrap().unwrap().value, b"2");
    assert_eq!(store.read(ALPHA, b"b").await.unwrap(), None);
    assert_eq!(store.read(ALPHA, b"c").await.unwrap().unwrap().value, b"3");
}

async fn the_same_key_in_two_spaces_is_two_records(store: Shared) {
    let (short, long) = (Space::named("a"), Space::named("aa"));
    let asked = batch(|it| it.put(short, "ak", "short").put(long, "k", "long"));
    commit(&*store, asked).await;
    assert_eq!(store.read(short, b"ak").await.unwrap().unwrap().value, b"short");
    assert_eq!(store.read(long, b"k").await.unwrap().unwrap().value, b"long");
    assert_eq!(store.read(short, b"k").await.unwrap(), None);
    assert_eq!(keys(&*store, Range::all(short)).await, ["ak"]);
    assert_eq!(keys(&*store, Range::all(long)).await, ["k"]);
}

async fn an_empty_key_and_an_empty_value_are_a_key_and_a_value(store: Shared) {
    commit(&*store, put(ALPHA, "", "")).await;
    assert_eq!(store.read(ALPHA, b"").await.unwrap().unwrap().value, b"");
    assert_eq!(store.read(BETA, b"").await.unwrap(), None);
    assert_eq!(keys(&*store, Range::all(ALPHA)).await, [""]);
}

async fn of_many_writers_that_expect_the_same_one_wins(store: Shared) {
    let tries = (0..32).map(|writer: u32| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            try_put(&*store, "k", Expected::Absent, &writer.to_string()).await.map(|_| writer)
        })
    });
    let (mut winners, mut refused) = (Vec::new(), 0);
    for attempt in tries.collect::<Vec<_>>() {
        match attempt.await.unwrap() {
            Ok(writer) => winners.push(writer),
            Err(e) => refused += u32::from(e.is_conflict()),
        }
    }
    assert_eq!((winners.len(), refused), (1, 31));
    let won = store.read(ALPHA, b"k").await.unwrap().unwrap();
    assert_eq!((won.version, won.value), (1, winners[0].to_string().into_bytes()));
    assert_eq!(sequence(&*store), 1);
}

async fn appended_keys_are_completed_by_the_commit(store: Shared) {
    let asked = batch(|it| {
        it.append(BETA, "f/", "0").put(ALPHA, "k", "v").append(BETA, "f/", "1");
        it.append(BETA, "g/", "2")
    });
    let at = commit(&*store, asked).await;
    let rows = store.scan(Range::all(BETA)).await.unwrap();
    let found: Vec<_> = rows.into_iter().map(|row| (row.key, row.value)).collect();
    let due = [(append_key(b"f/", at, 0), "0"), (append_key(b"f/", at, 1), "1")];
    let due = due.into_iter().chain([(append_key(b"g/", at, 2), "2")]);
    assert_eq!(found, due.map(|(key, value)| (key, value.into())).collect::<Vec<_>>());
    let by_hand = [b"f/".as_slice(), &at.to_be_bytes(), &[0, 1]].concat();
    assert_eq!(append_key(b"f/", at, 1), by_hand);
}

async fn a_reader_that_goes_on_after_its_last_key_misses_no_append(store: Shared) {
    const WRITERS: usize = 8;
    const EACH: usize = 25;
    let writers = (0..WRITERS).map(|writer| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for event in 0..EACH {
                let event = format!("{writer}/{event}");
                commit(&*store, batch(|it| it.append(BETA, "feed/", event))).await;
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let (mut seen, mut cursor) = (Vec::new(), b"feed/".to_vec());
    let mut commits = store.subscribe();
    while seen.len() < WRITERS * EACH {
        let rows = store.scan(Range::under(BETA, "feed/").after(cursor.clone()).limit(7)).await;
        let rows = rows.unwrap();
        match rows.last() {
            Some(last) => cursor = last.key.clone(),
            None => commits.changed().await.unwrap(),
        }
        seen.extend(rows.into_iter().map(|row| String::from_utf8(row.value).unwrap()));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    // Nothing missed, nothing twice, and each writer's events in the order they were written.
    for writer in 0..WRITERS {
        let own = seen.iter().filter(|event| event.starts_with(&format!("{writer}/")));
        let due = (0..EACH).map(|event| format!("{writer}/{event}"));
        assert!(own.eq(due.collect::<Vec<_>>().iter()));
    }
}

async fn a_scan_sees_whole_commits_only(store: Shared) {
    let writer = Arc::clone(&store);
    let writing = tokio::spawn(async move {
        for round in 0..60 {
            let value = round.to_string();
            let asked =
                batch(|it| (0..40).fold(it, |it, key| it.put(ALPHA, format!("{key:02}"), &*value)));
            commit(&*writer, asked).await;
        }
    });
    while !writing.is_finished() {
        let rows = store.scan(Range::all(ALPHA)).await.unwrap();
        assert!(rows.is_empty() || rows.len() == 40);
        assert!(
            rows.iter().all(|row| row.value == rows[0].value && row.version == rows[0].version)
        );
    }
    writing.await.unwrap();
}

async fn a_scan_keeps_to_prefix_bounds_limit_and_direction(store: Shared) {
    let asked = batch(|it| {
        let keys = ["a", "a/1", "a/2", "a/3", "a0", "b/1", "b/2"];
        keys.into_iter().fold(it, |it, key| it.put(ALPHA, key, "")).put(BETA, "a/9", "")
    });
    commit(&*store, asked).await;
    let all = || Range::all(ALPHA);
    let under = |prefix: &str| Range::under(ALPHA, prefix);
    for (range, due) in [
        (all(), "a a/1 a/2 a/3 a0 b/1 b/2"),
        (all().reverse(), "b/2 b/1 a0 a/3 a/2 a/1 a"),
        (all().limit(2), "a a/1"),
        (all().reverse().limit(2), "b/2 b/1"),
        (all().limit(0), ""),
        (under("a/"), "a/1 a/2 a/3"),
        (under("a/").reverse().limit(1), "a/3"),
        (under("a/").from("a/2"), "a/2 a/3"),
        (under("a/").after("a/2"), "a/3"),
        (under("a/").after("a/3"), ""),
        (under("a/").to("a/2"), "a/1"),
        (under("a/").from("a/2").to("a/3"), "a/2"),
        (under("a/").from("a").to("z"), "a/1 a/2 a/3"),
        (under("a/").from("a/2").reverse(), "a/3 a/2"),
        (all().from("a0"), "a0 b/1 b/2"),
        (all().to("a/2").reverse(), "a/1 a"),
        (under("c"), ""),
    ] {
        assert_eq!(keys(&*store, range.clone()).await.join(" "), due, "{range:?}");
    }
}

async fn a_prefix_of_the_highest_bytes_is_scanned_to_the_end(store: Shared) {
    let all: [&[u8]; 4] = [&[0xfe], &[0xff], &[0xff, 0x00], &[0xff, 0xff, 0xff]];
    let asked =
        batch(|it| all.iter().fold(it, |it, key| it.put(ALPHA, *key, "")).put(BETA, "", ""));
    commit(&*store, asked).await;
    let rows = store.scan(Range::under(ALPHA, [0xff])).await.unwrap();
    assert_eq!(rows.iter().map(|row| &*row.key).collect::<Vec<_>>(), all[1..]);
    let rows = store.scan(Range::under(ALPHA, [0xff, 0xff]).reverse()).await.unwrap();
    assert_eq!(rows.iter().map(|row| &*row.key).collect::<Vec<_>>(), all[3..]);
}

async fn an_empty_range_gives_nothing(store: Shared) {
    commit(&*store, put(ALPHA, "k", "v")).await;
    for range in [
        Range::all(ALPHA).from("z").to("a"),
        Range::all(ALPHA).from("k").to("k"),
        Range::under(ALPHA, "a").from("z"),
        Range::under(ALPHA, "z").to("a").reverse(),
    ] {
        assert_eq!(keys(&*store, range).await, [""; 0]);
    }
}

async fn large_values_come_back_whole(store: Shared) {
    let sizes = [0, 1, 4_095, 4_096, 4_097, 8_192, 65_536, 65_537, VALUE_BYTES_MAX];
    for (seed, size) in (0..).zip(sizes) {
        let value = common::Seeded(seed).bytes(size);
        commit(&*store, batch(|it| it.put(ALPHA, format!("{size:08}"), &*value))).await;
    }
    let rows = store.scan(Range::all(ALPHA)).await.unwrap();
    assert_eq!(rows.len(), sizes.len());
    for ((seed, size), row) in (0..).zip(sizes).zip(rows) {
        let value = common::Seeded(seed).bytes(size);
        assert!(row.value == value, "{size} bytes, scanned");
        let read = store.read(ALPHA, &row.key).await.unwrap().unwrap();
        assert!(read.value == value, "{size} bytes, read");
    }
}

async fn a_large_value_that_shrinks_leaves_nothing_behind(store: Shared) {
    for size in [100_000, 10, 50_000, 20_000, 0] {
        let value = vec![7; size];
        commit(&*store, batch(|it| it.put(ALPHA, "k", &*value).put(ALPHA, "k2", "next"))).await;
        assert!(store.read(ALPHA, b"k").await.unwrap().unwrap().value == value);
    }
    commit(&*store, batch(|it| it.put(ALPHA, "k", vec![1; 9_000]).remove(ALPHA, "k"))).await;
    assert_eq!(keys(&*store, Range::all(ALPHA)).await, ["k2"]);
}

async fn what_is_over_a_limit_is_refused(store: Shared) {
    let key = |bytes| vec![b'k'; bytes];
    let value = |bytes| vec![0; bytes];
    let over = [
        batch(|it| it.put(ALPHA, key(KEY_BYTES_MAX + 1), "")),
        batch(|it| it.remove(ALPHA, key(KEY_BYTES_MAX + 1))),
        batch(|it| it.expect(ALPHA, key(KEY_BYTES_MAX + 1), Expected::Absent)),
        batch(|it| it.append(ALPHA, key(KEY_BYTES_MAX - 9), "")),
        batch(|it| it.put(ALPHA, "k", value(VALUE_BYTES_MAX + 1))),
        batch(|it| {
            let count = BATCH_BYTES_MAX / VALUE_BYTES_MAX;
            (0..count).fold(it, |it, _| it.put(ALPHA, "k", value(VALUE_BYTES_MAX)))
        }),
        batch(|it| (0..=65_536).fold(it, |it, _| it.append(ALPHA, "", ""))),
    ];
    for asked in over {
        assert_eq!(*store.commit(asked).await.unwrap_err().kind(), Kind::TooLarge);
    }
    assert_eq!(sequence(&*store), 0);
    let most = batch(|it| {
        it.append(ALPHA, key(KEY_BYTES_MAX - 10), "").put(ALPHA, key(KEY_BYTES_MAX), "")
    });
    commit(&*store, most).await;
}

async fn subscribers_see_the_last_commit(store: Shared) {
    let mut early = store.subscribe();
    assert_eq!(*early.borrow_and_update(), 0);
    let at = commit(&*store, put(ALPHA, "k", "v")).await;
    early.changed().await.unwrap();
    assert_eq!(*early.borrow(), at);
    assert_eq!(*store.subscribe().borrow(), at);
}

async fn any_bytes_are_a_key_and_a_value(store: Shared) {
    let mut seeded = common::Seeded(1);
    let pairs: Vec<_> = (0..50).map(|it| (seeded.bytes(it), seeded.bytes(50 - it))).collect();
    for (key, value) in &pairs {
        commit(&*store, batch(|it| it.put(ALPHA, &**key, &**value))).await;
    }
    for (key, value) in &pairs {
        assert_eq!(store.read(ALPHA, key).await.unwrap().unwrap().value, *value);
    }
}

#[tokio::test]
async fn a_model_that_was_told_to_stop_keeps_what_it_has() {
    let store = Model::new();
    store.stop_after(1);
    commit(&store, put(ALPHA, "k", "v")).await;
    let stopped = store.commit(put(ALPHA, "k", "w")).await.unwrap_err();
    assert_eq!(*stopped.kind(), Kind::Stopped);
    assert_eq!(*store.read(ALPHA, b"k").await.unwrap_err().kind(), Kind::Stopped);
    store.revive();
    assert_eq!(store.read(ALPHA, b"k").await.unwrap().unwrap().value, b"v");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_on_disk_opens_with_everything_it_had() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..4_u64 {
        let store = open(dir.path());
        assert_eq!(sequence(&store), round * 2);
        commit(&store, put(ALPHA, &round.to_string(), "v")).await;
        commit(&store, batch(|it| it.append(BETA, "f/", vec![1; 30_000]))).await;
        let before = contents(&store).await;
        // Once with and once without a checkpoint.
        if round % 2 == 0 {
            store.close().await.unwrap();
            assert_eq!(*store.commit(Batch::at(0)).await.unwrap_err().kind(), Kind::Stopped);
            assert_eq!(*store.read(ALPHA, b"0").await.unwrap_err().kind(), Kind::Stopped);
        }
        drop(store);
        assert_eq!(contents(&open(dir.path())).await, before);
    }
}
