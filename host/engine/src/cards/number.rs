//! What a card number and an expiry have to look like, and whose number it is.
//!
//! ISO/IEC 7812-1 for the number and its check digit; the ranges are those that the card schemes
//! publish. Not here: whether the issuer would accept the card.

use ledger::TimestampMs;
use zeroize::Zeroizing;

use super::{CardFault, NewCard};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// No card is issued for longer.
const EXPIRY_YEARS_MAX: u64 = 20;

/// The schemes by the first digits: scheme, lowest and highest prefix, lengths.
type Scheme = (&'static str, &'static [(u32, u32)], &'static [usize]);

/// The longer prefix goes before the shorter one.
const SCHEMES: &[Scheme] = &[
    ("mir", &[(2200, 2204)], &[16, 17, 18, 19]),
    ("mastercard", &[(2221, 2720), (51, 55)], &[16]),
    ("amex", &[(34, 34), (37, 37)], &[15]),
    ("diners", &[(300, 305), (3095, 3095), (36, 36), (38, 39)], &[14, 15, 16, 17, 18, 19]),
    ("jcb", &[(3528, 3589)], &[16, 17, 18, 19]),
    ("visa", &[(4, 4)], &[13, 16, 19]),
    ("discover", &[(6011, 6011), (644, 649), (65, 65)], &[16, 17, 18, 19]),
    (
        "maestro",
        &[(5018, 5018), (5020, 5020), (5038, 5038), (5893, 5893), (6304, 6304), (6759, 6763)],
        &[12, 13, 14, 15, 16, 17, 18, 19],
    ),
    ("unionpay", &[(62, 62), (81, 81)], &[16, 17, 18, 19]),
];

const fn fault(field: &'static str, rule: &'static str, detail: &'static str) -> CardFault {
    CardFault { field, rule, detail }
}

/// The digits of the number, when they are one.
pub(super) fn digits(new: &NewCard) -> Result<Zeroizing<String>, CardFault> {
    let bytes = new.number.expose();
    if !(12..=19).contains(&bytes.len()) || !bytes.iter().all(u8::is_ascii_digit) {
        return Err(fault("/number", "format", "write 12 to 19 digits, without spaces"));
    }
    if !luhn(bytes) {
        return Err(fault("/number", "check-digit", "the check digit does not fit the others"));
    }
    if let Some(code) = &new.security_code {
        let digits = code.expose();
        if !(3..=4).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
            return Err(fault("/security_code", "format", "write 3 or 4 digits"));
        }
    }
    Ok(Zeroizing::new(bytes.iter().map(|byte| *byte as char).collect()))
}

/// ISO/IEC 7812-1 annex B: every second digit from the right doubled, the digits summed.
pub(crate) fn luhn(digits: &[u8]) -> bool {
    let weighted = digits.iter().rev().enumerate().map(|(place, byte)| {
        let digit = u32::from(byte & 0x0f);
        match (place % 2, digit * 2) {
            (0, _) => digit,
            (_, doubled) => doubled / 10 + doubled % 10,
        }
    });
    weighted.sum::<u32>() % 10 == 0
}

/// The scheme whose number it is.
pub(crate) fn brand(digits: &str) -> &'static str {
    let within = |(low, high): &(u32, u32)| {
        let length = low.to_string().len();
        let prefix = digits.get(..length).and_then(|prefix| prefix.parse::<u32>().ok());
        prefix.is_some_and(|prefix| (*low..=*high).contains(&prefix))
    };
    let fits = |(_, prefixes, lengths): &&Scheme| {
        lengths.contains(&digits.len()) && prefixes.iter().any(within)
    };
    SCHEMES.iter().find(fits).map_or("unknown", |(name, ..)| name)
}

/// Until when the card can be paid with: the end of its month everywhere on earth.
pub(super) fn valid_until_ms(new: &NewCard, now: TimestampMs) -> Result<TimestampMs, CardFault> {
    let (year, month) = (u64::from(new.expiry_year), u64::from(new.expiry_month));
    if !(1..=12).contains(&month) {
        return Err(fault("/expiry_month", "format", "write a month from 1 to 12"));
    }
    let after = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    // Twelve hours west of Greenwich the month ends half a day later.
    let until_ms = days_before(after.0, after.1) * DAY_MS + DAY_MS / 2;
    if until_ms <= now {
        return Err(fault("/expiry_year", "expired", "the card's last month is over"));
    }
    if until_ms > now.saturating_add(EXPIRY_YEARS_MAX * 366 * DAY_MS) {
        return Err(fault("/expiry_year", "maximum", "no card is valid for so long"));
    }
    Ok(until_ms)
}

/// Days from 1970 to the first of this month in the Gregorian calendar; 0 before 1970.
fn days_before(year: u64, month: u64) -> u64 {
    // With the year beginning in March the leap day is the last, and months follow one formula.
    let (year, month) =
        if month <= 2 { (year.saturating_sub(1), month + 9) } else { (year, month - 3) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5;
    days.saturating_sub(719_468)
}

#[cfg(test)]
mod tests;
