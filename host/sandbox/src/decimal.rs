//! Amounts as decimal text, by the number of places of their currency. Pure.

/// More than this many minor units is no amount of the contract.
const MINOR_MAX: u64 = 999_999_999_999;

/// `minor` units with `places` decimals: 1999 with 2 is `19.99`.
pub(crate) fn to_text(minor: u64, places: u8) -> String {
    let places = usize::from(places);
    let digits = format!("{minor:0>width$}", width = places + 1);
    match digits.split_at(digits.len() - places) {
        (whole, "") => whole.to_owned(),
        (whole, fraction) => format!("{whole}.{fraction}"),
    }
}

/// The minor units that `text` says, in a currency of `places` decimals. Takes digits with at most
/// one point between them; no sign, no exponent, no separator, no space.
pub(crate) fn from_text(text: &str, places: u8) -> Result<u64, String> {
    let (whole, fraction) = match text.split_once('.') {
        Some((_, "")) => return Err(format!("`{text}`: no digit after the point")),
        Some(both) => both,
        None => (text, ""),
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return Err(format!("`{text}` is not a decimal number of digits and a point"));
    }
    let missing = usize::from(places)
        .checked_sub(fraction.len())
        .ok_or_else(|| format!("`{text}` has more places than the {places} of its currency"))?;
    format!("{whole}{fraction}{}", "0".repeat(missing))
        .parse()
        .ok()
        .filter(|minor| *minor <= MINOR_MAX)
        .ok_or_else(|| format!("`{text}` is more than {MINOR_MAX} minor units"))
}

#[cfg(test)]
mod tests {
    use super::{from_text, to_text};

    #[test]
    fn an_amount_is_written_with_the_places_of_its_currency() {
        for (minor, places, text) in [
            (1999, 2, "19.99"),
            (1999, 0, "1999"),
            (1999, 3, "1.999"),
            (5, 2, "0.05"),
            (0, 2, "0.00"),
            (0, 0, "0"),
            (100, 4, "0.0100"),
        ] {
            assert_eq!(to_text(minor, places), text);
            assert_eq!(from_text(text, places), Ok(minor));
        }
    }

    #[test]
    fn fewer_places_than_the_currency_has_are_read() {
        assert_eq!(from_text("19.9", 2), Ok(1990));
        assert_eq!(from_text("20", 2), Ok(2000));
        assert_eq!(from_text("007", 0), Ok(7));
    }

    #[test]
    fn text_that_is_no_amount_is_refused() {
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "+1",
            "1e3",
            "1,000",
            " 1",
            "1 ",
            "1.2.3",
            "0x10",
            "١",
            "NaN",
            "19.999",
            "19.990",
            "10000000000.00",
            "99999999999999999999999",
        ] {
            assert!(from_text(text, 2).is_err(), "{text}");
        }
        assert!(from_text("1.0", 0).is_err());
        assert_eq!(from_text("9999999999.99", 2), Ok(999_999_999_999));
    }
}
