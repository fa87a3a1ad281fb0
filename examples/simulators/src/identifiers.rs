//! Identifiers that look like the provider's, drawn at random.

use rsa::rand_core::{OsRng, RngCore};

const ALPHANUMERIC: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const DIGITS: &[u8] = b"0123456789";

/// `prefix` and `length` letters and digits.
pub(crate) fn alphanumeric(prefix: &str, length: usize) -> String {
    drawn(prefix, length, ALPHANUMERIC)
}

/// `prefix` and `length` digits.
pub(crate) fn digits(prefix: &str, length: usize) -> String {
    drawn(prefix, length, DIGITS)
}

/// A random (version 4) UUID in its text form.
pub(crate) fn uuid() -> String {
    let mut raw = [0_u8; 16];
    OsRng.fill_bytes(&mut raw);
    let text = hex::encode(raw);
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    let (a, b, c) = (part(0, 8), part(8, 12), part(13, 16));
    format!("{a}-{b}-4{c}-a{}-{}", part(17, 20), part(20, 32))
}

/// `length` random bytes.
pub(crate) fn bytes(length: usize) -> Vec<u8> {
    let mut raw = vec![0_u8; length];
    OsRng.fill_bytes(&mut raw);
    raw
}

fn drawn(prefix: &str, length: usize, alphabet: &[u8]) -> String {
    let mut text = String::from(prefix);
    while text.len() < prefix.len() + length {
        let index = usize::try_from(OsRng.next_u32() >> 8).unwrap_or_default() % alphabet.len();
        text.extend(alphabet.get(index).map(|byte| char::from(*byte)));
    }
    text
}
