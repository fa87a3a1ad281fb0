//! Whole numbers written with a point or an exponent: to JSON Schema 1999.0 and 1.999e3 are the
//! integer 1999. They are written out here digit by digit, before anything becomes a floating-point
//! number, so that 1998.9999999999998 is never taken for 1999.
//!
//! Not here: whether the text is JSON. What is no well-formed whole number stays as it is.

/// The text with every whole number written without point and exponent.
pub(crate) fn written_out(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c == '"' || c.is_ascii_digit()) {
        let (before, here) = rest.split_at(at);
        written.push_str(before);
        let quoted = here.starts_with('"');
        let (token, after) = here.split_at(if quoted { text_end(here) } else { number_end(here) });
        match whole(token).filter(|_| !before.ends_with('-')) {
            Some(number) => written.push_str(&number.to_string()),
            None => written.push_str(token),
        }
        rest = after;
    }
    written.push_str(rest);
    written
}

fn text_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn number_end(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_digit() && !"+-.eE".contains(c)).unwrap_or(text.len())
}

/// The whole number that a numeral with point or exponent stands for (RFC 8259, section 6).
fn whole(numeral: &str) -> Option<u64> {
    let (mantissa, exponent) = match numeral.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (numeral, 0),
    };
    let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{integer}{fraction}");
    let formed = integer == "0" || !integer.is_empty() && !integer.starts_with('0');
    if !formed || mantissa.ends_with('.') || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits: u128 = digits.parse().ok()?;
    let shift = exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let power = 10u128.checked_pow(shift.unsigned_abs())?;
    let number = if shift >= 0 {
        digits.checked_mul(power)?
    } else {
        digits.is_multiple_of(power).then_some(digits / power)?
    };
    number.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_written_out_and_all_else_stays() {
        for (text, written) in [
            ("1999.0", "1999"),
            ("[1.999e3,1E+3 , 0.0,10e-1]", "[1999,1000 , 0,1]"),
            ("18446744073709551615.0", "18446744073709551615"),
            ("1999", "1999"),
            ("1998.9999999999998", "1998.9999999999998"),
            ("1998.99999999999999999999999999", "1998.99999999999999999999999999"),
            ("1e-1", "1e-1"),
            ("18446744073709551616.0", "18446744073709551616.0"),
            ("1e999999999999", "1e999999999999"),
            ("1e-999", "1e-999"),
            ("-1.0", "-1.0"),
            ("01.0", "01.0"),
            ("1.", "1."),
            ("1.e3", "1.e3"),
            ("1e", "1e"),
            ("1e+-3", "1e+-3"),
            ("1.0.0", "1.0.0"),
            (r#"{"a1.0":"1.0 \"2.0","b":3.0}"#, r#"{"a1.0":"1.0 \"2.0","b":3}"#),
            (r#"{"cut short 1.0"#, r#"{"cut short 1.0"#),
            ("\"ü\\", "\"ü\\"),
        ] {
            assert_eq!(written_out(text), written, "{text}");
        }
    }
}
