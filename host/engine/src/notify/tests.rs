//! The pure part by a hand clock: order, schedule, circuit, patterns, and rows of one commit.

use ledger::Id;

use super::circuit::{Admission, Circuit, Fuse, Health};
use super::lanes::{Lanes, Waiting};
use super::pattern::{means, patterns_refused};
use super::schedule::Schedule;

mod bench;
mod faults;
mod places;
mod sending;
mod trials;

pub(crate) use bench::notifying;

const HOUR_MS: u64 = 3_600_000;

fn payment(n: u8) -> Id {
    Id::payment(1, [n; 10])
}

fn waiting(key: u8, of: u8, due_at_ms: u64) -> Waiting {
    Waiting { key: vec![key], version: 1, payment: payment(of), due_at_ms, queued_at_ms: 0 }
}

fn lanes(rows: &[(u8, u8, u64)]) -> Lanes {
    let mut lanes = Lanes::default();
    rows.iter().for_each(|(key, of, due)| lanes.insert(waiting(*key, *of, *due)));
    lanes
}

fn taken(lanes: &mut Lanes, now: u64) -> Option<u8> {
    lanes.take(now).map(|waiting| waiting.key[0])
}

#[test]
fn only_the_oldest_of_a_payment_is_sent_and_the_next_waits_until_it_has_ended() {
    let mut lanes = lanes(&[(2, 1, 0), (1, 1, 0), (3, 2, 0)]);
    assert_eq!(taken(&mut lanes, 0), Some(1));
    assert_eq!(taken(&mut lanes, 0), Some(3), "another payment is not kept");
    assert_eq!(taken(&mut lanes, 0), None, "2 is behind 1, which is on its way");
    lanes.ended(&payment(1), &[1]);
    assert_eq!(taken(&mut lanes, 0), Some(2));
    lanes.ended(&payment(1), &[2]);
    lanes.ended(&payment(2), &[3]);
    assert_eq!((lanes.len(), lanes.on_their_way()), (0, 0));
}

#[test]
fn what_is_put_off_keeps_its_payment_waiting_and_no_other() {
    let mut lanes = lanes(&[(1, 1, 0), (2, 1, 0), (3, 2, 0)]);
    let first = lanes.take(0).unwrap();
    lanes.put_off(Waiting { due_at_ms: 50, ..first });
    assert_eq!(taken(&mut lanes, 10), Some(3));
    assert_eq!(taken(&mut lanes, 10), None, "2 is due, but behind 1");
    assert_eq!(lanes.next_due_ms(), Some(50));
    assert_eq!(taken(&mut lanes, 50), Some(1));
}

#[test]
fn a_replayed_notification_goes_back_before_the_later_ones_of_its_payment() {
    let mut lanes = lanes(&[(5, 1, 0)]);
    lanes.insert(waiting(4, 1, 0));
    assert_eq!(taken(&mut lanes, 0), Some(4));
    assert_eq!(taken(&mut lanes, 0), None);
}

#[test]
fn what_is_read_anew_while_one_is_on_its_way_is_not_sent_twice() {
    let mut lanes = lanes(&[(1, 1, 0), (2, 1, 0)]);
    assert_eq!(taken(&mut lanes, 0), Some(1));
    lanes.clear();
    lanes.insert(waiting(1, 1, 0));
    lanes.insert(waiting(2, 1, 0));
    assert_eq!(taken(&mut lanes, 0), None);
    lanes.ended(&payment(1), &[1]);
    assert_eq!(taken(&mut lanes, 0), Some(2));
}

#[test]
fn however_attempts_end_every_payment_is_told_in_order() {
    // Every way that eight attempts in a row can end, over three rows of one payment and one of
    // another.
    for ways in 0..256_u32 {
        let mut lanes = lanes(&[(1, 1, 0), (2, 1, 0), (3, 1, 0), (4, 2, 0)]);
        let (mut told, mut now) = (Vec::new(), 0);
        for step in 0..8 {
            let Some(one) = lanes.take(now) else { break };
            match ways >> step & 1 {
                1 => lanes.put_off(Waiting { due_at_ms: now + 10, ..one }),
                _ => {
                    told.push(one.key[0]);
                    lanes.ended(&one.payment, &one.key);
                }
            }
            now = now.max(lanes.next_due_ms().unwrap_or(now));
        }
        let of_one: Vec<u8> = told.into_iter().filter(|key| *key != 4).collect();
        assert!(of_one.is_sorted(), "{ways:b}: {of_one:?}");
        assert_eq!(of_one, (1..).take(of_one.len()).collect::<Vec<u8>>(), "{ways:b}: a gap");
    }
}

#[test]
fn the_standard_schedule_lasts_a_day_at_least_and_jitter_only_adds() {
    let schedule = Schedule::default();
    let span_ms: u64 = schedule.waits_ms.iter().sum();
    assert!(span_ms >= 24 * HOUR_MS, "{span_ms}");
    let (mut least, mut most) = (0, 0);
    for failures in 1..=schedule.waits_ms.len() as u32 {
        let next = |chance| schedule.next(failures, 0, None, chance).unwrap();
        let times: Vec<u64> = (0..1_000).map(|n| next(n * 7_919)).collect();
        let wait = schedule.waits_ms[failures as usize - 1];
        assert!(times.iter().all(|time| (wait..=wait + wait / 5).contains(time)), "{failures}");
        assert!(times.iter().max() > times.iter().min(), "{failures}: no jitter");
        least += times.iter().min().unwrap();
        most += times.iter().max().unwrap();
    }
    assert!(least >= 24 * HOUR_MS && most <= 32 * HOUR_MS, "{least} {most}");
    let waits = &schedule.waits_ms;
    assert!(waits.is_sorted() && waits.windows(2).all(|pair| pair[1] <= 6 * pair[0]));
}

#[test]
fn after_the_last_wait_a_notification_is_given_up() {
    let schedule = Schedule { waits_ms: vec![10, 20], jitter_percent: 0 };
    assert_eq!(schedule.next(1, 100, None, 99), Some(110));
    assert_eq!(schedule.next(2, 100, None, 99), Some(120));
    assert_eq!(schedule.next(3, 100, None, 99), None);
    assert_eq!(schedule.next(0, 100, None, 99), None);
}

#[test]
fn what_an_endpoint_asks_for_is_heeded_up_to_an_hour() {
    let schedule = Schedule { waits_ms: vec![10_000], jitter_percent: 0 };
    assert_eq!(schedule.next(1, 0, Some(60_000), 0), Some(60_000));
    assert_eq!(schedule.next(1, 0, Some(1_000), 0), Some(10_000), "never sooner");
    assert_eq!(schedule.next(1, 0, Some(u64::MAX), 0), Some(HOUR_MS));
}

const FUSE: Fuse<'_> =
    Fuse { failures_max: 3, open_ms: 100, open_ms_max: 350, waits_ms: &[100, 200, 400] };

fn broken() -> Circuit {
    let mut circuit = Circuit::default();
    (1..=3).for_each(|now| circuit.failed(now, "no", false, &FUSE));
    circuit
}

#[test]
fn a_circuit_opens_after_failures_in_a_row_and_one_that_is_taken_begins_the_count_anew() {
    let mut circuit = Circuit::default();
    for now in 0..10 {
        circuit.failed(now, "no", false, &FUSE);
        circuit.failed(now, "no", false, &FUSE);
        assert_eq!(circuit.admits(now), Admission::Any);
        circuit.taken();
    }
    assert_eq!(broken().admits(3), Admission::NotBefore(103));
    assert_eq!(broken().admits(103), Admission::Probe);
}

#[test]
fn one_probe_decides_whether_an_open_circuit_closes_or_stays_open_twice_as_long() {
    let mut circuit = broken();
    let mut now = 3;
    for open_ms in [100, 200, 350, 350] {
        assert_eq!(circuit.admits(now), Admission::NotBefore(now + open_ms));
        now += open_ms;
        assert_eq!(circuit.admits(now), Admission::Probe);
        circuit.probing = true;
        assert_eq!(circuit.admits(now), Admission::NotYet, "one at a time");
        circuit.failed(now, "still no", true, &FUSE);
    }
    let Health::LeftAlone { since_ms, why, .. } = circuit.health() else { panic!("{circuit:?}") };
    assert_eq!((since_ms, why.as_str()), (1, "still no"));
    circuit.probing = true;
    circuit.taken();
    assert_eq!((circuit.admits(now), circuit.health()), (Admission::Any, Health::Taking));
}

#[test]
fn what_was_sent_before_a_circuit_opened_does_not_keep_it_open_longer() {
    let mut circuit = broken();
    circuit.failed(90, "late", false, &FUSE);
    assert_eq!(circuit.admits(90), Admission::NotBefore(103));
}

#[test]
fn a_pattern_means_the_events_it_says_and_a_misspelt_one_is_refused() {
    for (pattern, name, fits) in [
        ("*", "refund.succeeded", true),
        ("*.*", "refund.succeeded", true),
        ("refund.*", "refund.not-sent", true),
        ("refund.*", "capture.succeeded", false),
        ("*.succeeded", "capture.succeeded", true),
        ("*.succeeded", "capture.declined", false),
        ("capture.declined", "capture.declined", true),
        ("capture.declined", "capture.decline", false),
    ] {
        assert_eq!(means(pattern, name), fits, "{pattern} {name}");
        assert_eq!(patterns_refused(&[pattern.to_owned()]), [0; 0], "{pattern}");
    }
    let bad = ["", "refund", "refund.", ".succeeded", "refunds.*", "*.suceeded", "a.b.c", "**"];
    let bad = bad.map(str::to_owned);
    assert_eq!(patterns_refused(&bad), (0..bad.len()).collect::<Vec<_>>());
}
