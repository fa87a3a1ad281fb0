//! Stories: short conversations with a payment, and every conversation up to a length.

use super::*;
use crate::{Currency, Decline, DeclineCode, NextAction, References, RetryAdvice, Settled};

fn eur(minor: u64) -> Money {
    Money::new(minor, Currency::from_code("EUR").unwrap()).unwrap()
}

fn id(n: u64) -> Id {
    Id::entry(n, [0; 10])
}

fn payment(minor: u64) -> Payment {
    Payment {
        id: Id::payment(0, [0; 10]),
        app: Id::app(0, [0; 10]),
        account: "acme".into(),
        merchant_reference: "order-1".into(),
        amount: eur(minor),
        entries: vec![],
        created_at_ms: 0,
    }
}

fn entry(n: u64, kind: Kind, minor: u64, capture: bool) -> Entry {
    Entry {
        id: id(n),
        kind,
        amount: eur(minor),
        capture,
        state: State::Created,
        references: None,
        next: None,
        decline: None,
        why: None,
        resolution: None,
        created_at_ms: 0,
        changed_at_ms: 0,
    }
}

fn reference(n: u64) -> References {
    References { provider: format!("R{n}"), secondary: None }
}

fn succeeded(n: u64, minor: u64) -> Verdict {
    Verdict::Succeeded(Settled { references: reference(n), amount: eur(minor) })
}

fn declined() -> Verdict {
    let decline = Decline {
        code: DeclineCode::InsufficientFunds,
        retry: RetryAdvice::Later,
        provider_code: "51".into(),
        provider_message: "no funds".into(),
    };
    Verdict::Declined { decline, references: None }
}

fn every_verdict(n: u64, minor: u64) -> Vec<Verdict> {
    vec![
        Verdict::Sending,
        Verdict::NeedsAction {
            references: reference(n),
            next: NextAction::Qr { text: "pay".into() },
        },
        Verdict::Pending { references: reference(n) },
        Verdict::Lost { why: "time-out".into() },
        succeeded(n, minor),
        declined(),
        Verdict::NotSent { why: "refused".into() },
        Verdict::Expired { references: None },
    ]
}

/// An admitted entry that has succeeded.
fn done(payment: &mut Payment, n: u64, kind: Kind, minor: u64, capture: bool) {
    payment.begin(entry(n, kind, minor, capture)).unwrap();
    payment.tell(&id(n), &Verdict::Sending, 1).unwrap();
    payment.tell(&id(n), &succeeded(n, minor), 2).unwrap();
}

#[test]
fn a_card_payment_is_authorised_captured_and_refunded_in_parts() {
    let mut payment = payment(100);
    assert_eq!(payment.status(), Status::Processing);
    done(&mut payment, 1, Kind::Authorize, 100, false);
    assert_eq!(payment.status(), Status::Authorized);
    done(&mut payment, 2, Kind::Capture, 60, false);
    assert_eq!(payment.status(), Status::PartiallyCaptured);
    assert_eq!(payment.admit(Kind::Capture, eur(41)), Err(Refusal::OverCapture));
    done(&mut payment, 3, Kind::Capture, 40, false);
    assert_eq!(payment.status(), Status::Captured);
    done(&mut payment, 4, Kind::Refund, 99, false);
    assert_eq!(payment.status(), Status::PartiallyRefunded);
    assert_eq!(payment.admit(Kind::Refund, eur(2)), Err(Refusal::OverRefund));
    done(&mut payment, 5, Kind::Refund, 1, false);
    assert_eq!(payment.status(), Status::Refunded);
}

#[test]
fn a_refund_in_hand_counts_until_it_is_refused() {
    let mut payment = payment(100);
    done(&mut payment, 1, Kind::Authorize, 100, true);
    payment.begin(entry(2, Kind::Refund, 80, false)).unwrap();
    payment.tell(&id(2), &Verdict::Sending, 1);
    payment.tell(&id(2), &Verdict::Lost { why: "reset".into() }, 2);
    assert_eq!(payment.begin(entry(3, Kind::Refund, 30, false)), Err(Refusal::OverRefund));
    payment.tell(&id(2), &declined(), 3);
    assert_eq!(payment.begin(entry(3, Kind::Refund, 30, false)), Ok(()));
}

#[test]
fn a_cancellation_closes_an_authorisation_that_was_not_paid() {
    let mut payment = payment(100);
    payment.begin(entry(1, Kind::Authorize, 100, true)).unwrap();
    payment.tell(&id(1), &Verdict::Sending, 1);
    let next = NextAction::Qr { text: "weixin://".into() };
    payment.tell(&id(1), &Verdict::NeedsAction { references: reference(1), next }, 2);
    assert_eq!(payment.status(), Status::NeedsAction);
    done(&mut payment, 2, Kind::Cancel, 100, false);
    assert_eq!(payment.status(), Status::Cancelled);
    assert_eq!(payment.entries[0].state, State::Expired);
    let late = payment.tell(&id(1), &succeeded(1, 100), 9);
    assert!(matches!(late, Some(Change::Anomaly(AnomalyKind::Contradiction { .. }))));
    assert_eq!(payment.status(), Status::Cancelled);
}

#[test]
fn another_amount_currency_or_reference_is_an_anomaly_and_changes_nothing() {
    let mut payment = payment(100);
    payment.begin(entry(1, Kind::Authorize, 100, false)).unwrap();
    payment.tell(&id(1), &Verdict::Sending, 1);
    payment.tell(&id(1), &Verdict::Pending { references: reference(1) }, 2);
    let before = payment.clone();
    let jpy = Money::new(100, Currency::from_code("JPY").unwrap()).unwrap();
    let settled = |references, amount| Verdict::Succeeded(Settled { references, amount });
    for wrong in [
        settled(reference(1), eur(99)),
        settled(reference(1), jpy),
        settled(reference(2), eur(100)),
    ] {
        let change = payment.tell(&id(1), &wrong, 3);
        assert!(matches!(change, Some(Change::Anomaly(_))), "{wrong:?}");
        assert_eq!(payment, before);
    }
    assert_eq!(payment.tell(&id(7), &declined(), 3), None);
}

#[test]
fn one_refund_is_not_told_of_two_entries_but_both_may_bear_the_payments_name() {
    let mut payment = payment(100);
    done(&mut payment, 1, Kind::Authorize, 100, true);
    for (n, minor) in [(2, 40), (3, 40)] {
        payment.begin(entry(n, Kind::Refund, minor, false)).unwrap();
        payment.tell(&id(n), &Verdict::Sending, 1);
    }
    payment.tell(&id(2), &succeeded(2, 40), 2);
    let before = payment.clone();
    let (reference, owner) = (reference(2).provider, id(2));
    let taken = Change::Anomaly(AnomalyKind::ReferenceTaken { reference, owner });
    assert_eq!(payment.tell(&id(3), &succeeded(2, 40), 3), Some(taken));
    assert_eq!(payment, before);
    assert_eq!(payment.refunded_minor(), 40);
    payment.tell(&id(3), &succeeded(3, 40), 4);
    assert_eq!(payment.refunded_minor(), 80);
    // Some providers name a refund by what it gives back.
    for n in [4, 5] {
        payment.begin(entry(n, Kind::Refund, 10, false)).unwrap();
        payment.tell(&id(n), &Verdict::Sending, 5);
        payment.tell(&id(n), &succeeded(1, 10), 6);
    }
    assert_eq!(payment.refunded_minor(), 100);
}

#[test]
fn one_capture_is_not_told_of_two_entries_but_both_may_bear_a_name_of_what_they_are_part_of() {
    let mut payment = payment(100);
    payment.begin(entry(1, Kind::Authorize, 100, false)).unwrap();
    payment.tell(&id(1), &Verdict::Sending, 1);
    let references = References { secondary: Some("order".to_owned()), ..reference(1) };
    payment.tell(&id(1), &Verdict::Succeeded(Settled { references, amount: eur(100) }), 1);
    for n in [2, 3] {
        payment.begin(entry(n, Kind::Capture, 40, false)).unwrap();
        payment.tell(&id(n), &Verdict::Sending, 1);
    }
    payment.tell(&id(2), &succeeded(2, 40), 2);
    let change = payment.tell(&id(3), &succeeded(2, 40), 3);
    assert!(matches!(change, Some(Change::Anomaly(AnomalyKind::ReferenceTaken { .. }))));
    assert_eq!(payment.captured_minor(), 40);
    payment.tell(&id(3), &succeeded(1, 40), 4);
    assert_eq!(payment.captured_minor(), 80);
    // By the payment's second name, too.
    for n in [4, 5] {
        payment.begin(entry(n, Kind::Refund, 10, false)).unwrap();
        payment.tell(&id(n), &Verdict::Sending, 6);
        let references = References { provider: "order".to_owned(), secondary: None };
        payment.tell(&id(n), &Verdict::Succeeded(Settled { references, amount: eur(10) }), 7);
    }
    assert_eq!(payment.refunded_minor(), 20);
}

#[test]
fn a_payout_is_one_entry() {
    let mut payout = payment(100);
    done(&mut payout, 1, Kind::Payout, 100, false);
    assert_eq!(payout.status(), Status::PaidOut);
    for kind in [Kind::Payout, Kind::Authorize, Kind::Capture, Kind::Cancel, Kind::Refund] {
        assert_eq!(payout.admit(kind, eur(1)), Err(Refusal::NotForPayouts));
    }
}

#[test]
fn what_is_told_twice_is_known() {
    let mut payment = payment(100);
    done(&mut payment, 1, Kind::Authorize, 100, false);
    let before = payment.clone();
    assert_eq!(payment.tell(&id(1), &succeeded(1, 100), 5), Some(Change::Known));
    let late = Verdict::Pending { references: reference(1) };
    assert_eq!(payment.tell(&id(1), &late, 5), Some(Change::Known));
    assert_eq!(payment, before);
}

#[test]
fn what_was_never_sent_cannot_be_pending_and_whoever_says_so_makes_an_anomaly() {
    let mut payment = payment(100);
    payment.begin(entry(1, Kind::Authorize, 100, false)).unwrap();
    payment.tell(&id(1), &Verdict::Sending, 1);
    payment.tell(&id(1), &Verdict::NotSent { why: "no connection".to_owned() }, 2);
    let before = payment.clone();
    let change = payment.tell(&id(1), &Verdict::Pending { references: reference(1) }, 3);
    let state = State::NotSent;
    assert!(
        matches!(change, Some(Change::Anomaly(AnomalyKind::Contradiction { state: known, .. }))
            if known == state)
    );
    assert_eq!(payment, before);
}

/// Everything that must hold whatever happens.
fn check(payment: &Payment) {
    let live = |kind: Kind| payment.sum(kind, |entry| !entry.moved_nothing());
    assert!(live(Kind::Capture) <= payment.authorized_minor(), "{payment:?}");
    assert!(payment.captured_minor() <= payment.authorized_minor(), "{payment:?}");
    assert!(live(Kind::Refund) <= payment.captured_minor(), "{payment:?}");
    assert!(payment.authorized_minor() <= payment.amount.minor(), "{payment:?}");
    assert!(!(payment.cancelled() && payment.captured_minor() > 0), "{payment:?}");
}

/// Terminal entries of `before` stand unchanged in `after`.
fn check_history(before: &Payment, after: &Payment) {
    for (old, new) in before.entries.iter().zip(&after.entries) {
        assert!(old.state.is_open() || old == new, "{old:?} became {new:?}");
    }
    assert!(before.entries.len() <= after.entries.len());
}

fn every_story(payment: &Payment, events_left: u32, told: &mut u64) {
    *told += 1;
    check(payment);
    if events_left == 0 {
        return;
    }
    for next in every_next(payment) {
        check_history(payment, &next);
        every_story(&next, events_left - 1, told);
    }
}

fn every_next(payment: &Payment) -> Vec<Payment> {
    let mut all = Vec::new();
    let n = payment.entries.len() as u64;
    let asks = [(Kind::Authorize, 2, false), (Kind::Authorize, 2, true), (Kind::Capture, 1, false)]
        .into_iter()
        .chain([(Kind::Capture, 2, false), (Kind::Cancel, 2, false)])
        .chain([(Kind::Refund, 1, false), (Kind::Refund, 2, false)]);
    for (kind, minor, capture) in asks {
        let mut next = payment.clone();
        // Asking is one event: the request leaves with it.
        if next.begin(entry(n, kind, minor, capture)).is_ok() {
            next.tell(&id(n), &Verdict::Sending, 1);
            all.push(next);
        }
    }
    for (n, known) in payment.entries.iter().enumerate() {
        for verdict in every_verdict(n as u64, known.amount.minor()) {
            let mut next = payment.clone();
            next.tell(&id(n as u64), &verdict, 2);
            all.push(next);
        }
    }
    all
}

#[test]
fn no_story_of_up_to_five_events_breaks_a_sum() {
    let mut told = 0;
    every_story(&payment(2), 5, &mut told);
    assert!(told > 30_000, "only {told} stories were told");
}

#[test]
fn a_word_settles_an_entry_by_the_table_alone_and_stays_with_it() {
    let word = |at_ms| Resolution {
        means: crate::Means::Person,
        by: "ada".into(),
        reason: "looked up".into(),
        at_ms,
    };
    let lost = Verdict::Lost { why: "time-out".into() };
    for verdict in every_verdict(1, 900) {
        for before in [vec![], vec![Verdict::Sending], vec![Verdict::Sending, lost.clone()]] {
            let mut story = payment(900);
            story.begin(entry(1, Kind::Authorize, 900, true)).unwrap();
            before.iter().for_each(|told| drop(story.tell(&id(1), told, 1)));
            let untouched = story.clone();
            let from = story.entries[0].state;
            let to = after(from, verdict.told()).filter(|to| to.is_terminal());
            let settled = story.resolve(&id(1), &verdict, word(7));
            match to {
                Some(to) => {
                    assert_eq!(settled, Ok(Change::Moved { from, to }));
                    assert_eq!(story.entries[0].resolution, Some(word(7)));
                    assert_eq!(story.entries[0].changed_at_ms, 7);
                }
                None => {
                    assert_eq!(settled, Err(Unresolved::NotFrom(from)), "{verdict:?}");
                    assert_eq!(story, untouched);
                }
            }
        }
    }
    let missing = payment(900).resolve(&id(9), &lost, word(1));
    assert_eq!(missing, Err(Unresolved::NoSuchEntry));
}

#[test]
fn a_word_about_another_amount_or_reference_is_refused() {
    let resolution =
        Resolution { means: crate::Means::Report, by: "a".into(), reason: "b".into(), at_ms: 7 };
    let mut story = payment(900);
    story.begin(entry(1, Kind::Authorize, 900, true)).unwrap();
    story.tell(&id(1), &Verdict::Sending, 1);
    story.tell(&id(1), &Verdict::Pending { references: reference(1) }, 2);
    let before = story.clone();
    for verdict in [succeeded(1, 901), succeeded(2, 900)] {
        let refused = story.resolve(&id(1), &verdict, resolution.clone());
        assert!(matches!(refused, Err(Unresolved::Contradicts(_))), "{refused:?}");
        assert_eq!(story, before);
    }
    story.resolve(&id(1), &succeeded(1, 900), resolution).unwrap();
}
