use super::*;

#[test]
fn a_day_begins_at_midnight_utc_and_a_time_has_its_offset() {
    assert_eq!(unix_ms(moment("2026-11-01").unwrap()), 1_793_491_200_000);
    let offset = moment("2026-11-01T08:00:00+08:00").unwrap();
    assert_eq!(offset, moment("2026-11-01").unwrap());
    assert_eq!(moment("@1793491200").unwrap(), offset);
    for wrong in ["", "@", "@x", "yesterday", "2026-13-01", "2026-11-01T08:00:00"] {
        assert!(moment(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_fee_is_percent_and_minor_units_or_either() {
    let rule = |text| fee(text).map(|rule| (rule.basis_points, rule.fixed_minor));
    assert_eq!(rule("EUR:1.5%+25"), Ok((150, 25)));
    assert_eq!(rule("CNY:0.54%"), Ok((54, 0)));
    assert_eq!(rule("JPY:30"), Ok((0, 30)));
    for wrong in ["EUR", "EUR:", "EURO:1%", "EUR:1.555%", "EUR:-1%", "EUR:1.5", "EUR:101%"] {
        assert!(rule(wrong).is_err(), "{wrong}");
    }
}
