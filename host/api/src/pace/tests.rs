use super::*;

const SECOND: u64 = 1_000_000_000;

/// How many of `asked` requests at this moment pass.
fn passing(buckets: &mut Buckets<u8>, pace: Pace, now_ns: u64, asked: u32) -> u32 {
    (0..asked).map(|_| u32::from(buckets.take(0, pace, now_ns).is_ok())).sum()
}

#[test]
fn a_burst_passes_and_then_as_many_a_second_as_are_allowed() {
    for (per_second, burst) in [(1, 1), (10, 1), (10, 25), (1_000, 3), (7, 7)] {
        let (mut buckets, pace) = (Buckets::new(8), Pace::new(per_second, burst));
        let start = 12_345 * SECOND;
        assert_eq!(passing(&mut buckets, pace, start, burst + 9), burst);
        assert_eq!(
            passing(&mut buckets, pace, start + SECOND, per_second + 9),
            per_second.min(burst)
        );
        assert_eq!(passing(&mut buckets, pace, start + 3_600 * SECOND, burst + 9), burst);
    }
}

#[test]
fn the_wait_that_is_told_is_long_enough_and_no_longer() {
    let (mut buckets, pace) = (Buckets::new(8), Pace::new(3, 2));
    let mut now = SECOND;
    for _ in 0..50 {
        while buckets.take(0, pace, now).is_ok() {}
        let wait = buckets.take(0, pace, now).unwrap_err();
        assert!(buckets.take(0, pace, now + wait - 1).is_err());
        now += wait;
        assert!(buckets.take(0, pace, now).is_ok());
    }
}

#[test]
fn no_story_lets_more_pass_than_the_burst_and_what_has_filled_up_since() {
    let (per_second, burst) = (50, 20);
    let (mut buckets, pace) = (Buckets::new(8), Pace::new(per_second, burst));
    let (mut now, mut drawn, mut passed) = (0u64, 1u64, Vec::new());
    for _ in 0..20_000 {
        drawn =
            drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        now += (drawn >> 33) % 30_000_000;
        if buckets.take(0, pace, now).is_ok() {
            passed.push(now);
        }
    }
    for (first, since) in passed.iter().enumerate().step_by(37) {
        for (last, until) in passed.iter().enumerate().skip(first) {
            let most = u64::from(burst) + (until - since) * u64::from(per_second) / SECOND + 1;
            assert!((last - first + 1) as u64 <= most, "{first} to {last}");
        }
    }
    assert!(passed.len() > 5_000, "{}", passed.len());
}

#[test]
fn one_bucket_takes_nothing_from_another() {
    let (mut buckets, pace) = (Buckets::new(8), Pace::new(1, 1));
    assert_eq!(
        [1, 2, 1, 2].map(|key| buckets.take(key, pace, 5).is_ok()),
        [true, true, false, false]
    );
}

#[test]
fn a_clock_that_goes_back_gives_nothing_away_and_breaks_nothing() {
    let (mut buckets, pace) = (Buckets::new(8), Pace::new(1, 1));
    assert!(buckets.take(0, pace, 10 * SECOND).is_ok());
    assert_eq!(buckets.take(0, pace, 9 * SECOND), Err(2 * SECOND));
    assert!(buckets.take(0, pace, 11 * SECOND).is_ok());
}

#[test]
fn the_table_never_grows_beyond_its_bound_and_room_comes_back() {
    let (mut buckets, pace) = (Buckets::new(100), Pace::new(1, 3));
    let taken = (0..10_000u32).filter(|key| buckets.take(*key, pace, SECOND).is_ok()).count();
    assert_eq!((taken, buckets.full_at_ns.len()), (100, 100));
    assert_eq!(buckets.take(77_777, pace, SECOND), Err(SECOND), "when the first is full again");
    assert!(buckets.take(5, pace, SECOND).is_ok(), "whoever is in it is still served");
    assert!(buckets.take(77_777, pace, 2 * SECOND).is_ok());
    assert!(buckets.full_at_ns.len() <= 100);
}
