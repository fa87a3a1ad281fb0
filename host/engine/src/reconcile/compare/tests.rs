use ledger::{Id, Kind, Money, References};

use super::*;

fn eur() -> Currency {
    Currency::from_code("EUR").unwrap()
}

fn entry(state: State) -> Entry {
    Entry {
        id: Id::entry(1_000_000, [1; 10]),
        kind: Kind::Authorize,
        amount: Money::new(900, eur()).unwrap(),
        capture: true,
        state,
        references: None,
        next: None,
        decline: None,
        why: None,
        resolution: None,
        created_at_ms: 1_000_000,
        changed_at_ms: 1_005_000,
    }
}

fn movement() -> Movement {
    let references = References { provider: "pi_1".to_owned(), secondary: None };
    Movement {
        id: "txn_1".to_owned(),
        kind: MovementKind::Payment,
        state: MovementState::Booked,
        entry: Some(Id::entry(1_000_000, [1; 10]).to_string()),
        references: Some(references),
        minor: 900,
        currency: eur(),
        fee: Some((39, eur())),
        booked_at_ms: 1_002_000,
    }
}

fn asked(fees: Vec<FeeRule>) -> Reconciliation {
    Reconciliation {
        account: "shop".to_owned(),
        since_ms: 0,
        until_ms: 2_000_000,
        files: Vec::new(),
        resolve: false,
        margin_ms: 0,
        tolerance_ms: 60_000,
        fees,
    }
}

fn of(entry: &Entry, movement: &Movement, fees: Vec<FeeRule>) -> Vec<Differs> {
    let asked = asked(fees);
    let compared = Compared { entry, movement, asked: &asked, timely: true };
    differences(&compared).into_iter().map(|(differs, _)| differs).collect()
}

#[test]
fn what_is_the_same_on_both_sides_does_not_differ() {
    let rule = FeeRule { currency: eur(), basis_points: 150, fixed_minor: 25 };
    assert_eq!(of(&entry(State::Succeeded), &movement(), vec![rule]), []);
}

#[test]
fn amount_and_currency_differ_each_by_its_name() {
    let usd = Currency::from_code("USD").unwrap();
    let succeeded = entry(State::Succeeded);
    assert_eq!(of(&succeeded, &Movement { minor: 899, ..movement() }, vec![]), [Differs::Amount]);
    let other = Movement { currency: usd, fee: None, ..movement() };
    assert_eq!(of(&succeeded, &other, vec![]), [Differs::Currency]);
}

#[test]
fn every_pair_of_states_agrees_or_differs_as_the_money_does() {
    use MovementState::{Booked, Failed, Pending};
    let agree = |state: State, told: MovementState| match told {
        Booked => state == State::Succeeded,
        Pending => [State::Pending, State::NeedsAction].contains(&state),
        Failed => [State::Declined, State::NotSent, State::Expired].contains(&state),
    };
    for state in [
        State::Sending,
        State::NeedsAction,
        State::Pending,
        State::Unknown,
        State::Succeeded,
        State::Declined,
        State::NotSent,
        State::Expired,
    ] {
        for told in [Booked, Pending, Failed] {
            let found = of(&entry(state), &Movement { state: told, ..movement() }, vec![]);
            let expected: &[Differs] = if agree(state, told) { &[] } else { &[Differs::State] };
            assert_eq!(found, expected, "{state:?} {told:?}");
        }
        let undone = Movement { kind: MovementKind::Reversal, ..movement() };
        let gone = agree(state, Failed);
        assert_eq!(of(&entry(state), &undone, vec![]).is_empty(), gone, "undone, {state:?}");
    }
}

#[test]
fn a_fee_differs_by_more_than_rounding_and_only_where_one_was_agreed() {
    let rule = FeeRule { currency: eur(), basis_points: 150, fixed_minor: 25 };
    let succeeded = entry(State::Succeeded);
    for (fee, differs) in [(38, false), (39, false), (40, false), (41, true), (37, true)] {
        let kept = Movement { fee: Some((fee, eur())), ..movement() };
        assert_eq!(!of(&succeeded, &kept, vec![rule]).is_empty(), differs, "{fee}");
        assert_eq!(of(&succeeded, &kept, vec![]), []);
    }
    let usd = FeeRule { currency: Currency::from_code("USD").unwrap(), ..rule };
    assert_eq!(of(&succeeded, &Movement { fee: Some((1, eur())), ..movement() }, vec![usd]), []);
    assert_eq!(FeeRule { basis_points: 10_000, fixed_minor: 0, ..rule }.of(u64::MAX), u64::MAX);
}

#[test]
fn a_movement_proves_an_unknown_entry_by_reference_amount_and_currency_alone() {
    let unknown = entry(State::Unknown);
    assert!(proves(&unknown, &movement()));
    let known = |provider: &str| Entry {
        references: Some(References { provider: provider.to_owned(), secondary: None }),
        ..unknown.clone()
    };
    assert!(proves(&known("pi_1"), &Movement { entry: None, ..movement() }));
    assert!(!proves(&known("pi_2"), &movement()), "another reference");
    let not = [
        Movement { minor: 899, ..movement() },
        Movement { currency: Currency::from_code("USD").unwrap(), ..movement() },
        Movement { state: MovementState::Pending, ..movement() },
        Movement { state: MovementState::Failed, ..movement() },
        Movement { kind: MovementKind::Reversal, ..movement() },
        Movement { references: None, ..movement() },
        Movement { entry: None, ..movement() },
    ];
    for movement in not {
        assert!(!proves(&unknown, &movement), "{movement:?}");
    }
    for state in [State::Sending, State::Pending, State::NeedsAction, State::Declined] {
        assert!(!proves(&entry(state), &movement()), "{state:?}");
    }
}

#[test]
fn a_booking_is_timely_around_the_time_the_entry_was_open() {
    let at = |booked_at_ms| Movement { booked_at_ms, ..movement() };
    let entry = entry(State::Succeeded);
    for (at_ms, is) in [(940_000, true), (939_999, false), (1_065_000, true), (1_065_001, false)] {
        assert_eq!(timely(&entry, &at(at_ms), 60_000), is, "{at_ms}");
    }
}
