//! When an endpoint that keeps failing is tried, and what is given up with it.

use super::bench::{Bench, Door, options};
use crate::notify::{Circuit, Health, Replay, Stage};

/// An endpoint that has failed twice and is left alone, and so many notifications for it.
async fn left_alone(waits_ms: &[u64], count: u8) -> (Bench, Door, ledger::Id) {
    let (bench, door) = (Bench::new(options(waits_ms)), Door::open().await);
    let endpoint = bench.endpoint(&door).await;
    for n in 0..count {
        bench.happens(n).await;
    }
    bench.working(bench.failed(&endpoint, 2)).await;
    assert!(matches!(bench.health(&endpoint).await, Health::LeftAlone { .. }));
    assert_eq!(door.count(), 2, "the others are not tried");
    (bench, door, endpoint)
}

/// Another app's endpoint that is well: what it is told last was told after everything else that
/// the deliverer had to do.
struct Well {
    bench: Bench,
    door: Door,
    endpoint: ledger::Id,
}

impl Well {
    async fn beside(bench: &Bench) -> Well {
        let (bench, door) = (bench.of_app(9), Door::open().await);
        door.answers(204);
        let endpoint = bench.endpoint(&door).await;
        Well { bench, door, endpoint }
    }

    /// Lets the deliverer work until this has come about and it has drawn every consequence.
    async fn after(&self, bench: &Bench, comes: impl Future<Output = ()>) {
        let told = self.door.count();
        let of_app = Bench { app: self.bench.app.clone(), ..bench.clone() };
        let all = async {
            comes.await;
            of_app.happens(u8::try_from(told).unwrap()).await;
            of_app.stand(&self.endpoint, Stage::Delivered, told + 1).await;
        };
        bench.working(all).await;
    }
}

#[tokio::test]
async fn what_waited_while_its_endpoint_failed_a_whole_schedule_is_given_up_and_the_rest_is_not() {
    let (bench, door, endpoint) = left_alone(&[400, 400], 20).await;
    let well = Well::beside(&bench).await;
    bench.advance(400);
    bench.happens(100).await;
    well.after(&bench, bench.failed(&endpoint, 3)).await;
    assert_eq!(bench.count(&endpoint, Stage::Dead).await, 0, "two of three tries have failed");
    bench.advance(400);
    bench.until(&endpoint, Stage::Dead, 20).await;
    assert_eq!(bench.count(&endpoint, Stage::Waiting).await, 1, "it was not there for all tries");
    assert_eq!(door.count(), 4, "one probe a try, and no more for the dead");
    // Replayed, all of them arrive once it is well.
    door.answers(204);
    let replayed = bench.engine.replay(&bench.app, &endpoint, &Replay::Dead).await;
    assert_eq!(replayed.unwrap(), 20);
    bench.advance(1_000);
    bench.until(&endpoint, Stage::Delivered, 21).await;
    assert_eq!(door.count(), 25);
}

#[tokio::test]
async fn a_pause_of_the_host_is_no_try_and_gives_nothing_up() {
    let (bench, door, endpoint) = left_alone(&[400, 400], 20).await;
    // It rests for many schedules, and one probe fails when it is back.
    let (well, back) = (Well::beside(&bench).await, bench.restarted());
    back.advance(27 * 800);
    well.after(&back, back.failed(&endpoint, 3)).await;
    assert_eq!((back.count(&endpoint, Stage::Dead).await, door.count()), (0, 3));
    // Tries that follow each other more quickly than a schedule has them do not count.
    for failures in 4..7 {
        back.advance(100);
        well.after(&back, back.failed(&endpoint, failures)).await;
    }
    assert_eq!(back.count(&endpoint, Stage::Dead).await, 0);
    assert_eq!(back.count(&endpoint, Stage::Waiting).await, 20);
    // The third try of three, a whole wait after the second.
    back.advance(100);
    back.until(&endpoint, Stage::Dead, 20).await;
    assert_eq!(door.count(), 7);
}

#[tokio::test]
async fn an_open_circuit_survives_a_restart_and_nothing_is_sent_before_its_time() {
    let (bench, door, endpoint) = left_alone(&[400, 400], 20).await;
    let before = bench.circuit(&endpoint).await;
    assert!(before.open_until_ms.is_some() && before.trial.is_some(), "{before:?}");
    let bench = bench.restarted();
    assert_eq!(bench.circuit(&endpoint).await, before);
    bench.advance(99);
    let well = Well::beside(&bench).await;
    well.after(&bench, async {}).await;
    well.after(&bench, async {}).await;
    assert_eq!(door.count(), 2, "it is left alone for 100 ms");
    bench.advance(1);
    well.after(&bench, bench.failed(&endpoint, 3)).await;
    assert_eq!(door.count(), 3, "one probe");
}

#[tokio::test]
async fn what_the_host_cannot_sign_is_no_try_of_the_endpoint_and_is_never_given_up_for_it() {
    let (bench, door) = (Bench::new(options(&[400])), Door::open().await);
    let endpoint = bench.endpoint(&door).await;
    bench.happens(0).await;
    let keyless = bench.restarted_by_another_key();
    let well = Well::beside(&keyless).await;
    for _ in 0..10 {
        keyless.advance(24 * 3_600_000);
        well.after(&keyless, async {}).await;
        well.after(&keyless, async {}).await;
    }
    assert_eq!(bench.circuit(&endpoint).await, Circuit::default());
    assert_eq!((bench.count(&endpoint, Stage::Waiting).await, door.count()), (1, 0));
    // With its key again it sends what has waited.
    let back = bench.restarted();
    door.answers(204);
    back.until(&endpoint, Stage::Delivered, 1).await;
    assert_eq!(door.count(), 1);
}

#[test]
fn the_circuit_of_an_earlier_version_is_read_and_its_trial_begins_with_the_next_failure() {
    let kept = br#"{"failures":9,"failing_since_ms":5,"open_until_ms":7,"openings":2,"why":"no"}"#;
    let mut circuit: Circuit = serde_json::from_slice(kept).unwrap();
    let options = options(&[10, 10]);
    for (now, hopeless) in [(1_000, None), (2_000, None), (3_000, Some(1_000))] {
        circuit.failed(now, "no", true, &options.fuse());
        assert_eq!(circuit.hopeless_since_ms, hopeless);
    }
}
