use super::*;

fn money(minor: u64, code: &str) -> Money {
    Money::new(minor, Currency::from_code(code).unwrap()).unwrap()
}

#[test]
fn decimal_text_has_the_places_of_its_currency() {
    for (minor, code, text) in [
        (1999, "EUR", "19.99"),
        (5, "USD", "0.05"),
        (1999, "JPY", "1999"),
        (1999, "KWD", "1.999"),
        (10_000, "CLF", "1.0000"),
        (AMOUNT_MINOR_MAX, "CNY", "9999999999.99"),
    ] {
        let amount = money(minor, code);
        assert_eq!(amount.to_decimal(), text);
        assert_eq!(Money::from_decimal(text, amount.currency()), Ok(amount));
    }
    assert_eq!(Money::from_decimal("7.5", money(1, "EUR").currency()), Ok(money(750, "EUR")));
}

#[test]
fn text_that_is_no_amount_is_refused() {
    let eur = Currency::from_code("EUR").unwrap();
    for text in ["", ".", "1.", ".5", "1.999", "-1", "+1", "1e3", "1,00", " 1", "0", "0.00", "١"] {
        assert!(Money::from_decimal(text, eur).is_err(), "{text:?} was taken");
    }
    let many = "9".repeat(40);
    assert_eq!(Money::from_decimal(&many, eur), Err(MoneyError::TooLarge(u64::MAX)));
}

#[test]
fn only_currencies_in_which_money_moves_are_known() {
    for code in ["eur", "EURO", "", "ZZZ", "XXX", "XTS", "XAU", "€€€"] {
        assert!(Currency::from_code(code).is_err(), "{code:?} was taken");
    }
    for (code, places) in [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CNY", 2), ("ISK", 0), ("UYW", 4)] {
        assert_eq!(Currency::from_code(code).unwrap().places(), places, "{code}");
    }
}

#[test]
fn an_amount_is_at_least_one_and_at_most_twelve_digits() {
    let eur = Currency::from_code("EUR").unwrap();
    assert_eq!(Money::new(0, eur), Err(MoneyError::Zero));
    assert!(Money::new(AMOUNT_MINOR_MAX, eur).is_ok());
    assert!(Money::new(AMOUNT_MINOR_MAX + 1, eur).is_err());
    for wrong in [
        r#"{"minor":0,"currency":"EUR"}"#,
        r#"{"minor":-1,"currency":"EUR"}"#,
        r#"{"minor":1.5,"currency":"EUR"}"#,
        r#"{"minor":1,"currency":"eur"}"#,
        r#"{"minor":1,"currency":"EUR","more":1}"#,
    ] {
        assert!(serde_json::from_str::<Money>(wrong).is_err(), "{wrong} was taken");
    }
}

#[test]
fn nothing_new_is_begun_in_a_currency_that_was_withdrawn() {
    let lev = Currency::from_code("BGN").unwrap();
    assert_eq!(lev.successor(), Currency::from_code("EUR").ok());
    assert!(Currency::all().contains(&lev));
    assert!(!Currency::current().contains(&lev));
    for current in Currency::current() {
        assert_eq!(current.successor(), None, "{current}");
    }
    for (code, successor) in super::WITHDRAWN {
        assert_eq!(Currency::from_code(code).unwrap().successor().unwrap().code(), successor);
    }
}
