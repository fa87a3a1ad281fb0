use super::*;

#[test]
fn a_date_is_its_day_and_the_reverse() {
    for day in (0..200_000).step_by(7) {
        let (year, month, date) = civil(day);
        assert_eq!(days(year, month, date), day);
    }
    assert_eq!(civil(20_758), (2026, 11, 1));
    assert_eq!(unix("2026-11-01 08:00:00"), Some(1_793_491_200));
    for wrong in ["", "2026-11-01", "2026-13-01 00:00:00", "2026-11-01 25:00:00", "a b"] {
        assert_eq!(unix(wrong), None, "{wrong}");
    }
}

#[test]
fn a_fee_of_five_places_is_rounded_to_the_fen() {
    for (text, fee) in [("0.00500", 1), ("0.00499", 0), ("1.2", 120), ("3", 300), ("0.07", 7)] {
        assert_eq!(fen(text), Some(fee), "{text}");
    }
    assert_eq!(fen("-0.01"), None);
}
