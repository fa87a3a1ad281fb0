//! Who gets the places. No time passes here but by hand: an endpoint is slow because it does not
//! answer before it is let.

use egress::Timeouts;
use ledger::Id;
use store::Store;

use super::bench::{Bench, Door};
use crate::notify::pace::{Pace, QUICK_MS_MAX, SLOW_MS};
use crate::notify::{Circuit, Health, NotifyOptions, Stage};

const HALF: usize = 4;

fn options() -> NotifyOptions {
    let ten_minutes = 600_000;
    let timeouts = Timeouts {
        connect_ms_max: ten_minutes,
        first_byte_ms_max: ten_minutes,
        total_ms_max: ten_minutes,
    };
    NotifyOptions { concurrency_max: 2 * HALF, timeouts, ..NotifyOptions::default() }
}

/// An endpoint of the app that takes what it is told, and is known to be quick.
async fn quick(bench: &Bench, door: &Door) -> Id {
    door.answers(204);
    door.release(1);
    let endpoint = bench.endpoint(door).await;
    bench.happens(0).await;
    bench.until(&endpoint, Stage::Delivered, 1).await;
    assert_eq!(pace(bench, &endpoint).await, Pace::Quick);
    endpoint
}

async fn pace(bench: &Bench, endpoint: &Id) -> Pace {
    let now = crate::clock::Clock::now_ms(&*bench.clock);
    bench.circuit(endpoint).await.pace(now)
}

/// Endpoints of many apps at one door that answers nothing before it is let, each with four
/// notifications.
async fn slow_ones(bench: &Bench, door: &Door) {
    door.answers(204);
    for app in 100..110 {
        let of_app = bench.of_app(app);
        for _ in 0..2 {
            of_app.endpoint(door).await;
        }
        for n in 0..4 {
            of_app.happens(n).await;
        }
    }
}

#[tokio::test]
async fn however_many_slow_endpoints_there_are_a_quick_one_is_told_at_once() {
    let (bench, well, slow) = (Bench::new(options()), Door::open().await, Door::held().await);
    let endpoint = quick(&bench, &well).await;
    slow_ones(&bench, &slow).await;
    // Over a restart, too: what is quick is known.
    let bench = bench.restarted();
    bench
        .working(async {
            for round in 1..=6 {
                slow.asked(round * HALF).await;
                let n = u8::try_from(round).unwrap();
                bench.happens(n).await;
                bench.stand(&endpoint, Stage::Delivered, round + 1).await;
                assert_eq!(slow.count(), round * HALF, "as many as they may have, and no answer");
                // They answer after 19 seconds, and the next of them take their places.
                bench.advance(19_000);
                slow.release(HALF);
            }
        })
        .await;
}

#[tokio::test]
async fn an_endpoint_that_has_become_slow_gives_the_places_of_quick_ones_back_unanswered() {
    let (bench, well, turned) = (Bench::new(options()), Door::open().await, Door::held().await);
    let others = bench.of_app(9);
    let was_quick = quick(&others, &turned).await;
    let endpoint = quick(&bench, &well).await;
    for n in 1..=4 {
        others.happens(n).await;
    }
    bench
        .working(async {
            turned.asked(1 + HALF).await;
            bench.advance(QUICK_MS_MAX + 1);
            bench.happens(1).await;
            bench.stand(&endpoint, Stage::Delivered, 2).await;
            assert_eq!(turned.count(), 1 + HALF, "none was answered");
            turned.release(HALF);
            bench.stand(&endpoint, Stage::Delivered, 2).await;
            others.stand(&was_quick, Stage::Delivered, 1 + HALF).await;
        })
        .await;
    let (bench, others) = (bench.restarted(), others.restarted());
    assert_eq!(pace(&others, &was_quick).await, Pace::Slow, "kept over a restart");
    assert_eq!(pace(&bench, &endpoint).await, Pace::Quick);
}

#[tokio::test]
async fn an_endpoint_of_which_nothing_is_known_comes_before_all_that_are_slow() {
    let (bench, new, slow) = (Bench::new(options()), Door::open().await, Door::held().await);
    new.answers(204);
    slow_ones(&bench, &slow).await;
    bench
        .working(async {
            // Every one of them has answered once, slowly.
            for round in 1..=5 {
                slow.asked(round * HALF).await;
                bench.advance(19_000);
                slow.release(HALF);
            }
            slow.asked(6 * HALF).await;
            let endpoint = bench.endpoint(&new).await;
            bench.happens(0).await;
            // One place becomes free, and twenty endpoints wait for it.
            slow.release(1);
            bench.stand(&endpoint, Stage::Delivered, 1).await;
            assert!(slow.count() <= 6 * HALF + 1, "{}", slow.count());
        })
        .await;
}

#[tokio::test]
async fn an_endpoint_that_said_it_is_gone_holds_its_places_until_what_it_was_sent_has_ended() {
    let (bench, door, well) = (Bench::new(options()), Door::held().await, Door::open().await);
    let other = bench.of_app(9);
    let (endpoint, told) = (bench.endpoint(&door).await, quick(&other, &well).await);
    for n in 0..8 {
        bench.happens(n).await;
    }
    let most = options().concurrency_per_endpoint_max;
    let mut changes = bench.store.subscribe();
    bench
        .working(async {
            door.asked(most).await;
            door.answers(410);
            door.release(1);
            while !matches!(bench.health(&endpoint).await, Health::Disabled { .. }) {
                changes.changed().await.unwrap();
            }
            bench.engine.enable_endpoint(&bench.app, &endpoint).await.unwrap();
            // The place of the one that was answered is taken anew, and no other.
            door.asked(most + 1).await;
            other.happens(1).await;
            other.stand(&told, Stage::Delivered, 2).await;
            assert_eq!(door.count(), most + 1);
            door.answers(204);
            door.release(8);
            bench.stand(&endpoint, Stage::Delivered, 8).await;
        })
        .await;
    assert_eq!(door.count(), 8 + 1, "one was told that it is gone, and each was taken once");
}

#[test]
fn an_endpoint_is_quick_once_it_was_and_slow_for_ten_minutes_after_it_was_not() {
    let mut circuit = Circuit::default();
    assert_eq!(circuit.pace(0), Pace::Unknown);
    circuit.took(0, QUICK_MS_MAX);
    assert_eq!(circuit.pace(0), Pace::Quick);
    circuit.took(1, QUICK_MS_MAX + 1);
    assert_eq!((circuit.pace(1), circuit.pace(SLOW_MS)), (Pace::Slow, Pace::Slow));
    circuit.took(2, 1);
    assert_eq!(circuit.pace(SLOW_MS), Pace::Slow, "a quick answer in between changes nothing");
    circuit.taken();
    assert_eq!(circuit.pace(SLOW_MS), Pace::Slow);
    assert_eq!(circuit.pace(SLOW_MS + 1), Pace::Unknown, "it has to prove itself anew");
    circuit.took(SLOW_MS + 1, 1);
    assert_eq!(circuit.pace(SLOW_MS + 1), Pace::Quick);
    // What a clock noted that was a year ahead does not hold for a year.
    circuit.took(31_536_000_000, QUICK_MS_MAX + 1);
    assert_eq!(circuit.pace(SLOW_MS + 2), Pace::Unknown);
}

#[test]
fn the_two_halves_are_all_places_and_none_is_empty() {
    for concurrency_max in 0..9 {
        let options = NotifyOptions { concurrency_max, ..NotifyOptions::default() };
        let (quick, others) = (options.places_at(Pace::Quick), options.places_at(Pace::Slow));
        assert_eq!(quick + others, options.places());
        assert!(quick >= 1 && others >= 1 && options.places() >= concurrency_max);
        assert_eq!(options.places_at(Pace::Unknown), others);
    }
}
