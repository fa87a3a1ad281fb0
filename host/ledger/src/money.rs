//! Amounts: whole minor units of an ISO 4217 currency.
//!
//! Not here: rates, rounding, formatting for people. An amount is never a fraction and never
//! negative.

use std::fmt;
use std::str::FromStr;

use iso_currency::IntoEnumIterator as _;
use serde::{Deserialize, Serialize};

/// The largest amount: twelve digits, what field 4 of ISO 8583 holds.
pub const AMOUNT_MINOR_MAX: u64 = 999_999_999_999;

/// A currency of ISO 4217 in which money can move: test and no-currency codes, metals and funds
/// without a minor unit are not among them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// Why a currency or an amount was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not three upper-case letters of the current ISO 4217 table.
    #[error("`{0}` is not an ISO 4217 currency code; write three upper-case letters, as in EUR")]
    UnknownCurrency(String),
    /// Zero.
    #[error("the amount is zero; it must be at least 1 minor unit")]
    Zero,
    /// Above [`AMOUNT_MINOR_MAX`].
    #[error("{0} is above the largest amount, {AMOUNT_MINOR_MAX} minor units")]
    TooLarge(u64),
    /// Decimal text that is no amount.
    #[error(
        "`{0}` is not an amount; write digits with a point before the decimal places, as in 19.99"
    )]
    NotDecimal(String),
    /// More decimal places than the currency has.
    #[error("`{text}` has more decimal places than {currency}, which has {places}")]
    TooManyPlaces {
        /// What was written.
        text: String,
        /// The currency it was written for.
        currency: Currency,
        /// How many places it has.
        places: u8,
    },
}

/// Currencies that are no longer in the table (ISO 4217 list one, published 2026-01-01) though the
/// library still has them, and their successors. The library's own mark is of no use: it counts VES
/// among them.
const WITHDRAWN: [(&str, &str); 5] =
    [("BGN", "EUR"), ("CUC", "CUP"), ("HRK", "EUR"), ("SLL", "SLE"), ("ZWL", "ZWG")];

impl Currency {
    /// The currency of this code.
    pub fn from_code(code: &str) -> Result<Currency, MoneyError> {
        let unknown = || MoneyError::UnknownCurrency(code.chars().take(16).collect());
        let known = iso_currency::Currency::from_code(code).ok_or_else(unknown)?;
        known.exponent().ok_or_else(unknown)?;
        code.as_bytes().try_into().map(Currency).map_err(|_| unknown())
    }

    /// Every currency an amount can be in, by code: those that have a minor unit.
    pub fn all() -> Vec<Currency> {
        let known = iso_currency::Currency::iter();
        let mut all: Vec<_> =
            known.filter_map(|one| Currency::from_code(one.code()).ok()).collect();
        all.sort_by_key(|one| one.0);
        all
    }

    /// Those of the current table of ISO 4217, by code.
    pub fn current() -> Vec<Currency> {
        Currency::all().into_iter().filter(|one| one.successor().is_none()).collect()
    }

    /// What took its place when it was withdrawn from ISO 4217; none where it was not. What is in
    /// the ledger stays as it is, and nothing new is begun in such a currency.
    pub fn successor(self) -> Option<Currency> {
        let gone = WITHDRAWN.iter().find(|(code, _)| *code == self.code());
        gone.and_then(|(_, successor)| Currency::from_code(successor).ok())
    }

    /// Its code, three upper-case letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// How many decimal places its minor unit stands for: 2 for EUR, 0 for JPY, 3 for KWD.
    pub fn places(self) -> u8 {
        let known = iso_currency::Currency::from_code(self.code());
        known.and_then(|known| known.exponent()).map_or(0, |places| places as u8)
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(code: &str) -> Result<Currency, MoneyError> {
        Currency::from_code(code)
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;

    fn try_from(code: String) -> Result<Currency, MoneyError> {
        Currency::from_code(&code)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        currency.code().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount of money: between 1 and [`AMOUNT_MINOR_MAX`] minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked", into = "Unchecked")]
pub struct Money {
    minor: u64,
    currency: Currency,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    minor: u64,
    currency: Currency,
}

impl Money {
    /// This many minor units.
    pub fn new(minor: u64, currency: Currency) -> Result<Money, MoneyError> {
        match minor {
            0 => Err(MoneyError::Zero),
            1..=AMOUNT_MINOR_MAX => Ok(Money { minor, currency }),
            _ => Err(MoneyError::TooLarge(minor)),
        }
    }

    /// Minor units: cents of EUR, yen of JPY.
    pub fn minor(self) -> u64 {
        self.minor
    }

    /// The currency.
    pub fn currency(self) -> Currency {
        self.currency
    }

    /// Decimal text in the currency's own number of places: 1999 EUR is `19.99`, 1999 JPY `1999`.
    pub fn to_decimal(self) -> String {
        let places = usize::from(self.currency.places());
        if places == 0 {
            return self.minor.to_string();
        }
        let unit = 10u64.pow(places as u32);
        format!("{}.{:0places$}", self.minor / unit, self.minor % unit)
    }

    /// The reverse of [`Money::to_decimal`]. Fewer places than the currency has are fine, more are
    /// refused, and so is everything that is not plain digits with at most one point.
    pub fn from_decimal(text: &str, currency: Currency) -> Result<Money, MoneyError> {
        let wrong = || MoneyError::NotDecimal(text.chars().take(32).collect());
        let (whole, fraction) = match text.split_once('.') {
            Some((_, "")) => return Err(wrong()),
            Some(parts) => parts,
            None => (text, ""),
        };
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) {
            return Err(wrong());
        }
        let places = currency.places();
        let Some(missing) = usize::from(places).checked_sub(fraction.len()) else {
            return Err(MoneyError::TooManyPlaces { text: text.to_owned(), currency, places });
        };
        let digits = format!("{whole}{fraction}{}", "0".repeat(missing));
        Money::new(digits.parse().map_err(|_| MoneyError::TooLarge(u64::MAX))?, currency)
    }
}

impl TryFrom<Unchecked> for Money {
    type Error = MoneyError;

    fn try_from(unchecked: Unchecked) -> Result<Money, MoneyError> {
        Money::new(unchecked.minor, unchecked.currency)
    }
}

impl From<Money> for Unchecked {
    fn from(money: Money) -> Unchecked {
        Unchecked { minor: money.minor, currency: money.currency }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.to_decimal(), self.currency)
    }
}

#[cfg(test)]
mod tests;
