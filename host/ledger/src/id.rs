//! Identifiers: a prefix that says what is named, and 26 characters that sort by time.
//!
//! The form is ULID's (48 bits of milliseconds, 80 random bits, Crockford's base 32) in lower case
//! after a prefix: `ent_01jd8ze5p2m3q4r5s6t7v8w9xa`. Thirty characters, which fits the narrowest
//! merchant order number (32) of the providers. The host draws the random bits; nothing is drawn
//! here.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::TimestampMs;

const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Characters after the prefix.
const LENGTH: usize = 26;
const PREFIXES: &[&str] = &["pay_", "ent_", "evt_", "app_", "ano_", "card_", "end_"];

/// An identifier: `pay_` a payment, `ent_` an entry, `evt_` an event, `app_` an app, `ano_` an
/// anomaly, `card_` a card, `end_` an endpoint.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Id(String);

/// Text that is no identifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an identifier: it has a prefix, as in pay_, and 26 characters after it")]
pub struct IdError(String);

impl Id {
    /// The identifier of a payment.
    pub fn payment(now: TimestampMs, random: [u8; 10]) -> Id {
        Id::new("pay_", now, random)
    }

    /// The identifier of an entry.
    pub fn entry(now: TimestampMs, random: [u8; 10]) -> Id {
        Id::new("ent_", now, random)
    }

    /// The identifier of an event.
    pub fn event(now: TimestampMs, random: [u8; 10]) -> Id {
        Id::new("evt_", now, random)
    }

    /// The identifier of an app.
    pub fn app(now: TimestampMs, random: [u8; 10]) -> Id {
        Id::new("app_", now, random)
    }

    /// The identifier of an anomaly.
    pub fn anomaly(now: TimestampMs, random: [u8; 10]) -> Id {
        Id::new("ano_", now, random)
    }

    /// The token of a card.
    pub fn card(now: TimestampMs, random: [u8; 10]) -> Id {
        Id::new("card_", now, random)
    }

    /// The identifier of an endpoint.
    pub fn endpoint(now: TimestampMs, random: [u8; 10]) -> Id {
        Id::new("end_", now, random)
    }

    fn new(prefix: &str, now: TimestampMs, random: [u8; 10]) -> Id {
        let random = random.iter().fold(0u128, |sum, byte| (sum << 8) | u128::from(*byte));
        let bits = (u128::from(now) << 80) | random;
        let digit = |place: u32| {
            let value = (bits >> (5 * place)) as usize & 31;
            DIGITS.get(value).map_or('0', |digit| *digit as char)
        };
        Id(prefix.chars().chain((0..26).rev().map(digit)).collect())
    }

    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Id {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Id, IdError> {
        let known = PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix));
        match known {
            Some(rest) if rest.len() == LENGTH && rest.bytes().all(|b| DIGITS.contains(&b)) => {
                Ok(Id(text.to_owned()))
            }
            _ => Err(IdError(text.chars().take(64).collect())),
        }
    }
}

impl TryFrom<String> for Id {
    type Error = IdError;

    fn try_from(text: String) -> Result<Id, IdError> {
        text.parse()
    }
}

impl From<Id> for String {
    fn from(id: Id) -> String {
        id.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_reads_back_and_sorts_by_time() {
        let early = Id::entry(1_700_000_000_000, [255; 10]);
        let late = Id::entry(1_700_000_000_001, [0; 10]);
        assert!(early < late);
        assert_eq!(early.as_str().len(), 30);
        assert_eq!(early.as_str().parse(), Ok(early.clone()));
    }

    #[test]
    fn the_time_and_random_bits_are_placed_as_in_a_ulid() {
        // 1469918176385 ms is the time part 01ARYZ6S41 in the ULID specification's example.
        assert!(Id::payment(1_469_918_176_385, [0; 10]).as_str().starts_with("pay_01aryz6s41"));
        assert!(Id::payment(0, [255; 10]).as_str().ends_with("zzzzzzzzzzzzzzzz"));
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["", "pay_", "pay_01aryz6s41000000000000000u", "foo_01aryz6s410000000000000000"]
        {
            assert!(text.parse::<Id>().is_err(), "{text:?} was taken");
        }
    }
}
