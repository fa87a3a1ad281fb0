//! Days of the simulation, in short: by chance, by the seeds that found something once, and one day
//! stopped at every single call that can be seen outside. The long form is `tests/simulate`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use tollgate_simulation::{Ending, FAULTS, Report, Shape, Sweep, day, forgeries, kept, quiet};

/// Days by chance.
const DAYS: u64 = 96;

fn good(report: &Report, what: &str) {
    assert!(report.wrong.is_empty(), "seed {}, {what}: {:#?}", report.seed, report.wrong);
}

#[test]
fn in_no_day_of_chance_do_the_two_books_differ() {
    let first = std::env::var("TOLLGATE_SEED").map_or(100_000, |text| text.parse().unwrap());
    let days = Sweep::of(first..first + DAYS, Shape::of, |_| {});
    assert!(days.wrong.is_empty(), "{:#?}", days.wrong);
    let kinds = days.tally.kinds();
    let never: Vec<_> = FAULTS.iter().filter(|kind| !kinds.contains_key(*kind)).collect();
    assert!(never.is_empty(), "in {DAYS} days these never happened: {never:?}\n{}", days.tally);
    for (forged, refused) in forgeries() {
        assert!(days.tally.figure(refused) > 0, "{forged}: none was refused\n{}", days.tally);
    }
}

#[test]
fn no_day_that_went_wrong_once_goes_wrong_again() {
    let days = kept(include_str!("../seeds.txt"));
    assert!(!days.is_empty());
    for (seed, ending) in days {
        let report = day(seed, ending.map_or_else(|| Shape::of(seed), Ending::shape));
        good(&report, "a day that went wrong once");
        assert!(ending.is_none_or(|ending| ending.happened(&report)), "seed {seed} {ending:?}");
    }
}

#[test]
fn a_kept_day_is_a_seed_and_where_it_is_ended_if_it_is() {
    let text = "# seed  what\n45  a repeat of 3=4\n14 call=37 a\n14 call=37+2\n\n8 write=5 b\n";
    let days = [
        (45, None),
        (14, Some(Ending::Call(37))),
        (14, Some(Ending::CallAndAgain(37, 2))),
        (8, Some(Ending::Write(5))),
    ];
    assert_eq!(kept(text), days);
    for ending in days.into_iter().filter_map(|(_, ending)| ending) {
        assert_eq!(ending.to_string().parse(), Ok(ending));
    }
    for wrong in ["call=", "call=1+", "write=x", "37", "read=1"] {
        assert!(wrong.parse::<Ending>().is_err(), "{wrong}");
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
fn a_process_that_dies_at_any_call_of_its_recovery_too_is_followed_by_one_that_recovers() {
    let days = Sweep::of_every_recovery(14);
    assert!(days.wrong.is_empty(), "{:#?}", days.wrong);
    assert!(days.runs > 50, "{}", days.runs);
}

#[test]
fn a_disk_that_dies_at_any_write_is_followed_by_a_store_that_has_all_that_was_acknowledged() {
    let days = Sweep::of_every_write(14);
    assert!(days.wrong.is_empty(), "{:#?}", days.wrong);
    assert!(days.runs > 100, "{}", days.runs);
}
