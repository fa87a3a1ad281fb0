use super::*;

fn places(payments_max: usize) -> Arc<Places> {
    Places::new(&Limits { payments_max, app_share_percent: 50, ..Limits::default() })
}

fn app(number: u8) -> Id {
    Id::app(0, [number; 10])
}

fn code(taken: Result<Place, Problem>) -> &'static str {
    taken.err().map_or("taken", |problem| problem.code.code)
}

#[test]
fn one_app_takes_its_share_and_leaves_the_rest_to_others() {
    let places = places(4);
    let held: Vec<_> = (0..2).map(|_| places.take(Class::Payments, Some(&app(1)))).collect();
    assert!(held.iter().all(Result::is_ok));
    assert_eq!(code(places.take(Class::Payments, Some(&app(1)))), "too-much-in-hand");
    let _other = places.take(Class::Payments, Some(&app(2)));
    let _third = places.take(Class::Payments, Some(&app(3)));
    assert_eq!(code(places.take(Class::Payments, Some(&app(4)))), "overloaded");
    assert_eq!(places.standing(Class::Payments), Standing { taken: 4, refused: 2 });
}

#[test]
fn payments_that_take_every_place_leave_those_of_other_kinds() {
    let places = places(1);
    let _held = places.take(Class::Payments, Some(&app(1)));
    assert!(places.expect_one(Class::Payments).is_err());
    for class in Class::ALL.into_iter().filter(|class| *class != Class::Payments) {
        assert!(places.expect_one(class).is_ok());
        assert_eq!(code(places.take(class, Some(&app(1)))), "taken", "{}", class.word());
    }
}

#[test]
fn a_place_that_is_given_back_is_there_for_the_next() {
    let places = places(1);
    for _ in 0..3 {
        assert_eq!(code(places.take(Class::Payments, Some(&app(1)))), "taken");
    }
    assert!(places.held().by_app.is_empty());
    assert_eq!(places.standing(Class::Payments).taken, 0);
}

#[test]
fn a_share_is_never_nothing() {
    let places = places(1);
    assert_eq!(code(places.take(Class::Payments, Some(&app(1)))), "taken");
}
