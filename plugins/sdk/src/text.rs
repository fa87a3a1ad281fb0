//! The encodings a protocol text needs: hexadecimal, base64, percent.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::Failure;

/// Lower-case hexadecimal.
pub fn hex(bytes: impl AsRef<[u8]>) -> String {
    let mut text = String::with_capacity(bytes.as_ref().len() * 2);
    for byte in bytes.as_ref() {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The bytes of hexadecimal text of either case.
///
/// # Errors
/// `Failure::Malformed` on anything but pairs of hexadecimal digits.
pub fn unhex(text: &str) -> Result<Vec<u8>, Failure> {
    let digit = |character: &u8| (*character as char).to_digit(16);
    let byte = |pair: &[u8]| match pair {
        [high, low] => u8::try_from(digit(high)? * 16 + digit(low)?).ok(),
        _ => None,
    };
    let bytes = text.as_bytes().chunks(2).map(byte).collect::<Option<Vec<u8>>>();
    bytes.ok_or_else(|| Failure::malformed("not hexadecimal"))
}

/// Base64 of RFC 4648 section 4, padded.
pub fn base64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

/// The bytes of padded base64.
///
/// # Errors
/// `Failure::Malformed` on anything else.
pub fn unbase64(text: &str) -> Result<Vec<u8>, Failure> {
    STANDARD.decode(text).map_err(|error| Failure::malformed(format!("not base64: {error}")))
}

/// Percent-encoded for a form or a URL: all but the unreserved characters of RFC 3986 section 2.3.
pub fn form_encoded(bytes: impl AsRef<[u8]>) -> String {
    let mut text = String::new();
    for byte in bytes.as_ref() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(*byte));
            }
            _ => {
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}
