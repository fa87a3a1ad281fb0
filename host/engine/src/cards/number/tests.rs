use vault::Secret;

use super::*;

const NOW: TimestampMs = 1_795_449_600_000; // 2026-11-23T16:00:00Z

fn new(number: &str, month: u8, year: u16) -> NewCard {
    let number = Secret::new("number", number.as_bytes().to_vec());
    NewCard { number, expiry_month: month, expiry_year: year, security_code: None, holder: None }
}

#[test]
fn the_test_numbers_of_every_scheme_are_taken_and_named() {
    for (number, scheme) in [
        ("4242424242424242", "visa"),
        ("4000056655665556", "visa"),
        ("4222222222222", "visa"),
        ("5555555555554444", "mastercard"),
        ("2223003122003222", "mastercard"),
        ("378282246310005", "amex"),
        ("6011111111111117", "discover"),
        ("3056930009020004", "diners"),
        ("36227206271667", "diners"),
        ("3566002020360505", "jcb"),
        ("6200000000000005", "unionpay"),
        ("2200000000000004", "mir"),
        ("6759649826438453", "maestro"),
        ("9999999999999995", "unknown"),
    ] {
        let digits = digits(&new(number, 12, 2030)).unwrap();
        assert_eq!((digits.as_str(), brand(&digits)), (number, scheme));
    }
}

#[test]
fn one_wrong_digit_or_two_swapped_are_found() {
    let good = "4242424242424242";
    for place in 0..good.len() {
        for digit in b'0'..=b'9' {
            let mut changed = good.as_bytes().to_vec();
            changed[place] = digit;
            let text = String::from_utf8(changed).unwrap();
            assert_eq!(digits(&new(&text, 1, 2030)).is_ok(), text == good, "{text}");
        }
        let mut swapped = good.as_bytes().to_vec();
        swapped.swap(place, (place + 1).min(15));
        let text = String::from_utf8(swapped).unwrap();
        assert_eq!(digits(&new(&text, 1, 2030)).is_ok(), text == good, "{text}");
    }
}

#[test]
fn what_is_no_number_is_refused_without_being_shown() {
    for wrong in
        ["", "42424242424", "42424242424242424242", "4242 4242 4242 4242", "424242424242424x"]
    {
        let fault = digits(&new(wrong, 1, 2030)).unwrap_err();
        assert_eq!(fault.field, "/number");
        assert!(wrong.is_empty() || !fault.to_string().contains(wrong), "{fault}");
    }
    let mut card = new("4242424242424242", 1, 2030);
    card.security_code = Some(Secret::new("code", b"12".to_vec()));
    assert_eq!(digits(&card).unwrap_err().field, "/security_code");
}

#[test]
fn a_card_is_good_until_its_month_is_over_everywhere() {
    let until = |month, year, now| valid_until_ms(&new("4242424242424242", month, year), now);
    // 2026-12-01T12:00:00Z.
    assert_eq!(until(11, 2026, NOW), Ok(1_796_126_400_000));
    assert_eq!(until(12, 2026, NOW), Ok(1_798_804_800_000));
    assert_eq!(until(2, 2028, NOW), Ok(1_835_524_800_000));
    assert_eq!(until(11, 2026, 1_796_126_399_999), Ok(1_796_126_400_000));
    assert_eq!(until(11, 2026, 1_796_126_400_000).unwrap_err().rule, "expired");
    assert_eq!(until(10, 2026, NOW).unwrap_err().rule, "expired");
    assert_eq!(until(1, 0, NOW).unwrap_err().rule, "expired");
    assert_eq!(until(13, 2030, NOW).unwrap_err().field, "/expiry_month");
    assert_eq!(until(0, 2030, NOW).unwrap_err().field, "/expiry_month");
    assert_eq!(until(1, 2047, NOW).unwrap_err().rule, "maximum");
}
