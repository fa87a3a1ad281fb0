//! How a sensitive value is written, for each [`Encoding`]. Not here: where it may stand (`fill`).

use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use vault::Secret;

use crate::error::{Error, Kind};
use crate::request::Encoding;

const LOWER: &[u8; 16] = b"0123456789abcdef";
const UPPER: &[u8; 16] = b"0123456789ABCDEF";

impl Encoding {
    /// `value` as it is written when it leaves: for a computation over what will be sent.
    ///
    /// # Errors
    /// `Encoding` when the value cannot be written so; the message has no part of it.
    pub fn apply(self, value: &Secret) -> Result<Secret, Error> {
        let mut out = Vec::with_capacity(bound(self, value.expose().len()));
        let name = value.name();
        match write(self, value.expose(), &mut out) {
            Ok(()) => Ok(Secret::new(name, out)),
            Err(why) => {
                let what = format!("`{name}` cannot be written as {self:?}: {why}");
                Err(Error::new(Kind::Encoding, what))
            }
        }
    }
}

/// At most how many bytes [`write`] adds, so that a wiped buffer never has to be moved.
pub(crate) fn bound(encoding: Encoding, length: usize) -> usize {
    let factor = match encoding {
        Encoding::Raw | Encoding::Bcd => 1,
        Encoding::Hex => 2,
        Encoding::Form => 3,
        Encoding::Base64 | Encoding::Base64url => 2,
        Encoding::Json | Encoding::Xml => 6,
    };
    length.saturating_mul(factor).saturating_add(4)
}

/// Appends `value` to `out`, or says why it cannot be written so (never with a part of the value).
pub(crate) fn write(
    encoding: Encoding,
    value: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), &'static str> {
    match encoding {
        Encoding::Raw => out.extend_from_slice(value),
        Encoding::Form => value.iter().for_each(|byte| percent(*byte, out)),
        Encoding::Json => text(value)?.chars().for_each(|c| json(c, out)),
        Encoding::Xml => text(value)?.chars().try_for_each(|c| xml(c, out))?,
        Encoding::Base64 => base64(&STANDARD, value, out)?,
        Encoding::Base64url => base64(&URL_SAFE_NO_PAD, value, out)?,
        Encoding::Hex => value.iter().for_each(|byte| digits(*byte, LOWER, out)),
        Encoding::Bcd => value.chunks(2).try_for_each(|pair| bcd(pair, out))?,
    }
    Ok(())
}

fn text(value: &[u8]) -> Result<&str, &'static str> {
    std::str::from_utf8(value).map_err(|_| "it is not UTF-8 text")
}

fn digits(byte: u8, alphabet: &[u8; 16], out: &mut Vec<u8>) {
    let nibbles = [byte >> 4, byte & 0x0f];
    out.extend(nibbles.iter().filter_map(|nibble| alphabet.get(usize::from(*nibble))));
}

fn percent(byte: u8, out: &mut Vec<u8>) {
    if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
        out.push(byte);
    } else {
        out.push(b'%');
        digits(byte, UPPER, out);
    }
}

fn json(c: char, out: &mut Vec<u8>) {
    match c {
        '"' => out.extend(br#"\""#),
        '\\' => out.extend(br"\\"),
        '\n' => out.extend(br"\n"),
        '\r' => out.extend(br"\r"),
        '\t' => out.extend(br"\t"),
        '\u{8}' => out.extend(br"\b"),
        '\u{c}' => out.extend(br"\f"),
        '\0'..='\u{1f}' => {
            out.extend(br"\u00");
            digits(u8::try_from(c).unwrap_or_default(), LOWER, out);
        }
        _ => plain(c, out),
    }
}

/// Line ends and tabs as references, since XML readers rewrite them otherwise (XML 1.0 sections
/// 2.11 and 3.3.3).
fn xml(c: char, out: &mut Vec<u8>) -> Result<(), &'static str> {
    match c {
        '&' => out.extend(b"&amp;"),
        '<' => out.extend(b"&lt;"),
        '>' => out.extend(b"&gt;"),
        '"' => out.extend(b"&quot;"),
        '\'' => out.extend(b"&apos;"),
        '\t' => out.extend(b"&#9;"),
        '\n' => out.extend(b"&#10;"),
        '\r' => out.extend(b"&#13;"),
        '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => return Err("XML has no such character"),
        _ => plain(c, out),
    }
    Ok(())
}

fn plain(c: char, out: &mut Vec<u8>) {
    out.extend(c.encode_utf8(&mut [0; 4]).as_bytes());
}

fn base64(
    engine: &impl base64::Engine,
    value: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), &'static str> {
    let start = out.len();
    out.resize(start.saturating_add(bound(Encoding::Base64, value.len())), 0);
    let space = out.get_mut(start..).unwrap_or_default();
    let written = engine.encode_slice(value, space).map_err(|_| "it is too long")?;
    out.truncate(start.saturating_add(written));
    Ok(())
}

fn bcd(pair: &[u8], out: &mut Vec<u8>) -> Result<(), &'static str> {
    let digit = |byte: u8| match byte.is_ascii_digit() {
        true => Ok(byte & 0x0f),
        false => Err("it is not all decimal digits"),
    };
    match pair {
        [high, low] => out.push(digit(*high)? << 4 | digit(*low)?),
        [high] => out.push(digit(*high)? << 4 | 0x0f),
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests;
