//! Days of the simulation, in short: by chance, by the seeds that found something once, and one day
//! stopped at every single call that can be seen outside. The long form is `tests/simulate`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use tollgate_simulation::{Report, Shape, Sweep, day, quiet};

/// Days by chance.
const DAYS: u64 = 60;

fn good(report: &Report, what: &str) {
    assert!(report.wrong.is_empty(), "seed {}, {what}: {:#?}", report.seed, report.wrong);
}

#[test]
fn in_no_day_of_chance_do_the_two_books_differ() {
    let first = std::env::var("TOLLGATE_SEED").map_or(100_000, |text| text.parse().unwrap());
    let days = Sweep::of(first..first + DAYS, false, |_| {});
    assert!(days.wrong.is_empty(), "{:#?}", days.wrong);
    let faults = days.tally.faults();
    assert!(faults > DAYS * 20, "only {faults} faults in {DAYS} days");
}

#[test]
fn no_day_that_went_wrong_once_goes_wrong_again() {
    let lines = include_str!("../seeds.txt").lines().filter(|line| !line.starts_with('#'));
    let seeds: Vec<u64> =
        lines.filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect();
    assert!(!seeds.is_empty());
    for seed in seeds {
        good(&day(seed, Shape::of(seed)), "a day that went wrong once");
    }
}

#[test]
fn the_same_seed_is_the_same_day_to_the_last_call() {
    // One of them is on the journal, whose threads must not show.
    for seed in 5..=8 {
        let (one, other) = (day(seed, Shape::of(seed)), day(seed, Shape::of(seed)));
        assert_eq!(one.digest, other.digest, "seed {seed}");
        assert_eq!(one.tally, other.tally, "seed {seed}");
    }
    assert_ne!(day(5, Shape::of(5)).digest, day(6, Shape::of(6)).digest);
}

#[test]
fn a_quiet_day_settles_every_entry_without_an_anomaly() {
    let report = day(1, quiet(30));
    good(&report, "a quiet day");
    let figure = |what: &str| report.tally.figure(what);
    assert_eq!((report.tally.faults(), figure("anomalies")), (0, 0));
    assert_eq!(figure("entries"), figure("entries settled"), "{}", report.tally);
    assert!(figure("commands acknowledged") > 10, "{}", report.tally);
}

#[test]
fn a_process_that_dies_at_any_call_is_followed_by_one_that_brings_the_books_together() {
    let days = Sweep::of_every_call(14);
    assert!(days.wrong.is_empty(), "{:#?}", days.wrong);
    assert!(days.runs > 200, "{}", days.runs);
}

#[test]
fn a_disk_that_dies_at_any_write_is_followed_by_a_store_that_has_all_that_was_acknowledged() {
    let days = Sweep::of_every_write(14);
    assert!(days.wrong.is_empty(), "{:#?}", days.wrong);
    assert!(days.runs > 100, "{}", days.runs);
}
