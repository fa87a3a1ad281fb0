//! When a plugin is no longer called, by a clock that the test holds in its hand.

use super::guest::Guest;
use super::world::{around, authorize, limits, loaded};
use crate::quarantine::{Admission, Quarantine, Round, Weight};
use crate::{Kind, Limits, Quarantined, Standing, Thresholds, Until};

const THRESHOLDS: Thresholds = Thresholds {
    faults: 3,
    share_percent: 50,
    window_ms: 800,
    rest_ms: 100,
    rest_ms_max: 350,
    trials_max: 0,
};

/// A quarantine and the time.
struct Hand {
    quarantine: Quarantine,
    now_ms: u64,
}

fn hand() -> Hand {
    Hand { quarantine: Quarantine::new(THRESHOLDS), now_ms: 1_000 }
}

/// One that three faults have just opened.
fn open() -> Hand {
    let mut hand = hand();
    for _ in 0..3 {
        hand.fault();
    }
    assert!(hand.quarantine.reason().is_some());
    hand
}

impl Hand {
    fn admit(&mut self) -> Admission {
        self.quarantine.admit(self.now_ms, Weight::Counted)
    }

    fn go(&mut self) -> Round {
        let Admission::Go(round) = self.admit() else { panic!("not closed") };
        round
    }

    fn test(&mut self) -> Round {
        let Admission::Test(round) = self.admit() else { panic!("nothing to try") };
        round
    }

    fn answer(&mut self) {
        let round = self.go();
        assert!(!self.quarantine.answered(round, self.now_ms));
    }

    /// The reason, if this fault opened it.
    fn fault(&mut self) -> Option<String> {
        let round = self.go();
        let reason = self.quarantine.faulted(round, self.now_ms, "it trapped");
        reason.map(|reason| reason.to_string())
    }

    fn refuses(&mut self) -> bool {
        matches!(self.admit(), Admission::Refused(_))
    }

    fn wait(&mut self, ms: u64) {
        self.now_ms += ms;
    }
}

#[test]
fn faults_close_together_open_it_and_the_reason_is_kept() {
    let mut hand = hand();
    assert_eq!((hand.fault(), hand.fault()), (None, None));
    let reason = hand.fault().expect("that was the third");
    assert_eq!(reason, "3 of 3 calls in 800 ms faulted, last: it trapped");
    assert_eq!(hand.quarantine.reason().as_deref(), Some(reason.as_str()));
    assert_eq!(hand.admit(), Admission::Refused(reason.as_str().into()));
}

/// One that has rested so often, and failed each time it was tried.
fn tried(times: u32, trials_max: u32) -> Hand {
    let thresholds = Thresholds { trials_max, ..THRESHOLDS };
    let mut hand = Hand { quarantine: Quarantine::new(thresholds), now_ms: 1_000 };
    for _ in 0..3 {
        hand.fault();
    }
    for _ in 0..times {
        hand.wait(THRESHOLDS.rest_ms_max);
        let round = hand.test();
        assert!(hand.quarantine.faulted(round, hand.now_ms, "it trapped").is_some());
    }
    hand
}

#[test]
fn after_so_many_trials_that_failed_only_the_operator_ends_it() {
    let mut hand = tried(2, 3);
    let until = |hand: &Hand| hand.quarantine.standing(hand.now_ms).quarantined.unwrap().until;
    assert!(matches!(until(&hand), Until::Rested(_)));
    hand = tried(3, 3);
    assert_eq!(until(&hand), Until::Cleared);
    hand.wait(1_000_000_000);
    assert!(hand.refuses());
    assert!(hand.quarantine.clear(), "it was quarantined");
    assert!(!hand.quarantine.clear(), "it no longer was");
    hand.answer();
    assert_eq!((hand.fault(), hand.fault()), (None, None), "what was counted is forgotten");
}

#[test]
fn a_trial_that_goes_well_begins_the_count_of_trials_anew() {
    let mut hand = tried(2, 3);
    hand.wait(THRESHOLDS.rest_ms_max);
    let round = hand.test();
    assert!(hand.quarantine.answered(round, hand.now_ms));
    for _ in 0..3 {
        hand.fault();
    }
    for _ in 0..2 {
        hand.wait(THRESHOLDS.rest_ms_max);
        let round = hand.test();
        hand.quarantine.faulted(round, hand.now_ms, "it trapped");
    }
    let standing = hand.quarantine.standing(hand.now_ms);
    assert!(matches!(standing.quarantined.unwrap().until, Until::Rested(_)));
}

#[test]
fn one_that_was_quarantined_before_a_restart_begins_so_and_says_why() {
    for (shut, until) in [(false, Until::Rested(100)), (true, Until::Cleared)] {
        let mut hand = hand();
        hand.quarantine.resume(hand.now_ms, "it trapped yesterday", shut);
        assert!(hand.refuses());
        let quarantined = Some(Quarantined { reason: "it trapped yesterday".into(), until });
        let standing = Standing { calls: 0, faults: 0, quarantined };
        assert_eq!(hand.quarantine.standing(hand.now_ms), standing);
        hand.wait(100);
        assert_eq!(hand.refuses(), shut);
    }
}

#[test]
fn calls_and_faults_are_counted_as_long_as_it_is_loaded() {
    let mut hand = hand();
    hand.answer();
    hand.fault();
    hand.wait(1_000_000);
    hand.answer();
    let Standing { calls, faults, quarantined } = hand.quarantine.standing(hand.now_ms);
    assert_eq!((calls, faults, quarantined), (3, 1, None));
}

#[test]
fn faults_far_apart_do_not_open_it() {
    let mut hand = hand();
    for _ in 0..50 {
        assert_eq!(hand.fault(), None);
        hand.wait(450);
    }
    // Without the waiting they do.
    assert!((0..3).any(|_| hand.fault().is_some()));
}

#[test]
fn faults_among_many_answers_do_not_open_it() {
    let mut hand = hand();
    for _ in 0..100 {
        hand.answer();
        hand.answer();
        assert_eq!(hand.fault(), None);
    }
    // But once the good calls have left the window, they do.
    hand.wait(801);
    assert_eq!((hand.fault(), hand.fault()), (None, None));
    assert!(hand.fault().is_some());
}

#[test]
fn one_call_is_tried_after_the_rest_and_only_after_a_self_test() {
    let mut hand = open();
    hand.wait(99);
    assert!(hand.refuses());
    hand.wait(1);
    let round = hand.test();
    assert!(hand.refuses(), "one is enough");
    assert!(hand.quarantine.answered(round, hand.now_ms), "it is over");
    assert_eq!(hand.quarantine.reason(), None);
    // And begins from nothing.
    assert_eq!((hand.fault(), hand.fault()), (None, None));
    assert!(hand.fault().is_some());
}

#[test]
fn each_failed_trial_doubles_the_rest_up_to_the_longest() {
    let mut hand = open();
    // The first rest is that of the opening.
    for (n, rest_ms) in [100, 200, 350, 350].into_iter().enumerate() {
        hand.wait(rest_ms - 1);
        assert!(hand.refuses(), "rest {n}");
        hand.wait(1);
        let round = hand.test();
        let reason = if n % 2 == 0 {
            hand.quarantine.failed(round, hand.now_ms, "no answer")
        } else {
            hand.quarantine.faulted(round, hand.now_ms, "no answer")
        };
        assert!(reason.expect("it opens again").contains("no answer"));
    }
    hand.wait(350);
    let round = hand.test();
    assert!(hand.quarantine.answered(round, hand.now_ms));
    for _ in 0..3 {
        hand.fault();
    }
    hand.wait(100);
    hand.test();
}

#[test]
fn a_trial_that_nobody_hears_of_again_is_followed_by_another() {
    let mut hand = open();
    hand.wait(100);
    let lost = hand.test();
    assert!(hand.refuses());
    hand.wait(200);
    let round = hand.test();
    assert_ne!(lost, round);
    assert!(!hand.quarantine.answered(lost, hand.now_ms), "it comes too late");
    assert!(hand.quarantine.answered(round, hand.now_ms));
}

#[test]
fn what_began_before_says_nothing_about_the_present() {
    let mut hand = hand();
    let old = hand.go();
    for _ in 0..3 {
        hand.fault();
    }
    assert!(!hand.quarantine.answered(old, hand.now_ms));
    assert!(hand.refuses());
    hand.wait(100);
    let round = hand.test();
    assert!(!hand.quarantine.answered(old, hand.now_ms));
    assert_eq!(hand.quarantine.faulted(old, hand.now_ms, "late"), None);
    assert_eq!(hand.quarantine.failed(old, hand.now_ms, "late"), None);
    assert!(hand.quarantine.answered(round, hand.now_ms));
}

#[test]
fn what_anyone_may_send_is_refused_too_but_decides_nothing() {
    let mut hand = open();
    let uncounted = |hand: &mut Hand| hand.quarantine.admit(hand.now_ms, Weight::Uncounted);
    assert!(matches!(uncounted(&mut hand), Admission::Refused(_)));
    hand.wait(100);
    assert!(matches!(uncounted(&mut hand), Admission::Test(_)));
    // It took no turn.
    hand.test();
    assert!(matches!(uncounted(&mut hand), Admission::Refused(_)));
}

/// Traps when the merchant's reference has an `x` in it: `start` of one order, and not of another.
fn touchy() -> Guest<'static> {
    // The operation lies in one block of memory, at the pointer given: order, payment, reference.
    Guest {
        body: "(if (i32.eq (i32.const 120)
          (i32.load8_u (i32.load (i32.add (local.get 0) (i32.const 16))))) (then (unreachable)))",
        more: "",
        ..Guest::default()
    }
}

fn thresholds(rest_ms: u64) -> Limits {
    let quarantine =
        Thresholds { faults: 3, rest_ms, rest_ms_max: rest_ms, ..Thresholds::default() };
    Limits { quarantine, ..limits() }
}

fn order(reference: &str) -> crate::contract::Operation {
    let crate::contract::Operation::Authorize(mut order) = authorize() else {
        unreachable!("it is one")
    };
    order.payment.merchant_reference = reference.to_owned();
    crate::contract::Operation::Authorize(order)
}

#[tokio::test]
async fn a_plugin_that_keeps_failing_is_no_longer_called_and_its_fault_says_why() {
    let generation = loaded(thresholds(3_600_000), &touchy().component());
    let start = |reference| generation.start(around(), order(reference));
    start("good").await.expect("an answer");
    for _ in 0..3 {
        assert_eq!(generation.quarantined(), None);
        let fault = start("x").await.expect_err("a fault");
        assert_eq!(fault.kind, Kind::Trap("unreachable".into()), "{fault:?}");
    }
    let reason = generation.quarantined().expect("a reason");
    assert!(reason.contains("3 of 4 calls") && reason.contains("`start`"), "{reason}");
    let fault = start("good").await.expect_err("it fails closed");
    assert_eq!((fault.kind, &*fault.what), (Kind::Quarantined, &*reason));
    let fault = generation.acknowledge(true).await.expect_err("so does every function");
    assert_eq!(fault.kind, Kind::Quarantined);
}

#[tokio::test]
async fn a_plugin_that_answers_again_is_called_again() {
    let generation = loaded(thresholds(0), &touchy().component());
    for _ in 0..3 {
        generation.start(around(), order("x")).await.expect_err("a fault");
    }
    assert!(generation.quarantined().is_some());
    // It rests for no time at all: the next call is the trial, and fails.
    let fault = generation.start(around(), order("x")).await.expect_err("a fault");
    assert_eq!(fault.kind, Kind::Trap("unreachable".into()), "{fault:?}");
    assert!(generation.quarantined().expect("still").contains("tried again"));
    generation.start(around(), order("good")).await.expect("an answer");
    assert_eq!(generation.quarantined(), None);
}

#[tokio::test]
async fn answers_that_anyone_may_bring_about_hide_no_fault_and_end_no_quarantine() {
    let generation = loaded(thresholds(0), &touchy().component());
    for _ in 0..20 {
        generation.acknowledge(false).await.expect("an answer");
    }
    for _ in 0..3 {
        generation.start(around(), order("x")).await.expect_err("a fault");
    }
    assert!(generation.quarantined().is_some(), "three of three that count");
    // It has rested, so it answers after its self-test; but that settles nothing.
    generation.acknowledge(false).await.expect("an answer");
    assert!(generation.quarantined().is_some());
    generation.start(around(), order("good")).await.expect("an answer");
    assert_eq!(generation.quarantined(), None);
}

#[tokio::test]
async fn faults_over_deliveries_that_are_not_proven_stop_no_payment() {
    let guest = Guest { prove: "(unreachable)", ..Guest::default() };
    let generation = loaded(thresholds(3_600_000), &guest.component());
    let delivery = crate::contract::Delivery {
        method: "POST".to_owned(),
        path: "/".to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    for _ in 0..20 {
        let fault = generation.prove(around(), delivery.clone()).await.expect_err("a fault");
        assert_eq!(fault.kind, Kind::Trap("unreachable".into()));
    }
    assert_eq!(generation.quarantined(), None);
    generation.start(around(), authorize()).await.expect("an answer");
}
