//! Secrets where they do not belong: a card number or a key of an app in a text that is kept in the
//! clear, such as a reference, a description or an idempotency key.
//!
//! What is found is refused before anything of it is recorded. It is found by its form, so this is
//! a net and no proof: what is written in words, cut in two or made part of a longer word passes.
//! An identifier may look like a card number by chance: of numbers of 16 digits that begin as a
//! card's do one in ten has a right check digit, so the digits have to stand alone.

use zeroize::Zeroizing;

use crate::cards::number::{brand, luhn};

/// How the digits of a card are grouped where they are printed (ISO/IEC 7811-1; amex and diners
/// have groups of their own).
const GROUPS: [&[usize]; 4] = [&[4, 4, 4, 4], &[4, 4, 4, 4, 3], &[4, 6, 5], &[4, 6, 4]];
/// Numbers of twelve digits are rarely cards, and often something else.
const DIGITS: std::ops::RangeInclusive<usize> = 13..=19;
/// An API key names its app by 26 characters and has 64 of a secret; a part of it is bad enough.
const KEY_NAME_MIN: usize = 20;
const KEY_SECRET_MIN: usize = 32;
const ENDPOINT_SECRET_MIN: usize = 24;

/// Whether a text holds a card number, an API key or the secret of an endpoint.
pub fn holds_secret(text: &str) -> bool {
    holds_card_number(text) || holds_api_key(text) || holds_endpoint_secret(text)
}

/// Digits that stand alone, or in the groups that are printed on cards.
fn holds_card_number(text: &str) -> bool {
    let runs = runs(text.as_bytes());
    (0..runs.len()).any(|from| {
        let rest = runs.get(from..).unwrap_or_default();
        let alone = rest.first().is_some_and(|run| run.is_card(text));
        alone || GROUPS.iter().any(|lengths| grouped(text, rest, lengths))
    })
}

/// A run of digits: where it is, and what stands right before and after it.
#[derive(Clone, Copy)]
struct Run {
    from: usize,
    to: usize,
    before: Option<u8>,
    after: Option<u8>,
}

impl Run {
    fn digits(self, text: &str) -> &str {
        text.get(self.from..self.to).unwrap_or_default()
    }

    fn is_card(self, text: &str) -> bool {
        self.begins() && self.ends() && is_card(self.digits(text))
    }

    fn begins(self) -> bool {
        !self.before.is_some_and(|byte| byte.is_ascii_alphanumeric())
    }

    fn ends(self) -> bool {
        !self.after.is_some_and(|byte| byte.is_ascii_alphanumeric())
    }
}

fn runs(bytes: &[u8]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| byte.is_ascii_digit()) {
        match runs.last_mut() {
            Some(last) if last.to == at => {
                (last.to, last.after) = (at + 1, bytes.get(at + 1).copied());
            }
            _ => {
                let before = at.checked_sub(1).and_then(|at| bytes.get(at)).copied();
                runs.push(Run { from: at, to: at + 1, before, after: bytes.get(at + 1).copied() });
            }
        }
    }
    runs
}

/// Whether the first runs have these lengths, one space, hyphen or point between them, and are the
/// digits of a card together.
fn grouped(text: &str, runs: &[Run], lengths: &[usize]) -> bool {
    let Some(runs) = runs.get(..lengths.len()) else { return false };
    let fit = runs.iter().zip(lengths).all(|(run, length)| run.to - run.from == *length);
    let joined = runs.iter().zip(runs.iter().skip(1)).all(|(one, next)| {
        next.from == one.to + 1 && matches!(one.after, Some(b' ' | b'-' | b'.'))
    });
    let alone =
        runs.first().is_some_and(|run| run.begins()) && runs.last().is_some_and(|run| run.ends());
    let digits = || Zeroizing::new(runs.iter().map(|run| run.digits(text)).collect::<String>());
    fit && joined && alone && is_card(&digits())
}

fn is_card(digits: &str) -> bool {
    DIGITS.contains(&digits.len()) && brand(digits) != "unknown" && luhn(digits.as_bytes())
}

/// `tgk_<app>_<secret>`
fn holds_api_key(text: &str) -> bool {
    text.split("tgk_").skip(1).any(|rest| {
        let app = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let secret = rest.get(app..).and_then(|rest| rest.strip_prefix('_')).unwrap_or_default();
        let secret = secret.bytes().take_while(u8::is_ascii_hexdigit).count();
        app >= KEY_NAME_MIN && secret >= KEY_SECRET_MIN
    })
}

/// `whsec_<base64>`
fn holds_endpoint_secret(text: &str) -> bool {
    let base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    text.split("whsec_")
        .skip(1)
        .any(|rest| rest.bytes().take_while(base64).count() >= ENDPOINT_SECRET_MIN)
}

#[cfg(test)]
mod tests;
