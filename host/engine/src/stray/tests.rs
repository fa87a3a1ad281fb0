use super::*;

const KEY: &str = concat!(
    "tgk_01jd8ze5p2m3q4r5s6t7v8w9xa_",
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
);

#[test]
fn a_card_number_is_found_alone_in_groups_and_between_words() {
    for text in [
        "4242424242424242",
        "card 4242 4242 4242 4242 of Ada",
        "4242-4242-4242-4242",
        "4242.4242.4242.4242",
        "order_5555555555554444",
        "\"3782 822463 10005\"",
        "378282246310005",
        "pan=3056930009020004&x",
        "ключ 6200000000000005.",
        "4222222222222",
        "12 4242424242424242 12",
        KEY,
        &format!("Bearer {KEY}"),
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    ] {
        assert!(holds_secret(text), "{text}");
    }
}

#[test]
fn what_only_looks_like_one_passes() {
    for text in [
        "",
        "order-1001",
        // A wrong check digit, an unknown scheme, a wrong length.
        "4242424242424241",
        "9999999999999995",
        "42424242424242424",
        // A moment in milliseconds, a number of an app, a date, a telephone, a UUID.
        "1795449600000",
        "2026-11-23",
        "+49 30 1234 5678",
        "550e8400-e29b-41d4-a716-446655440000",
        "4716-446655440000",
        // Part of something longer.
        "a4242424242424242",
        "4242424242424242f",
        "424242424242424242424242",
        "4242  4242  4242  4242",
        "tgk_short_0123",
        "tgk_",
        "whsec_",
    ] {
        assert!(!holds_secret(text), "{text}");
    }
}
