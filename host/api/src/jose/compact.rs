//! The compact serialisation: five parts in base64url, joined by dots (RFC 7516, section 7.1).

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::header::Header;
use super::{Error, malformed};

/// Without padding, and with no stray bits at the end: each value has one form (RFC 7515, section
/// 2).
pub(super) const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(false),
);

const HEADER_CHARS_MAX: usize = 1024;
/// RSA-OAEP with a modulus of 8192 bits.
const KEY_CHARS_MAX: usize = 1366;
const IV_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

/// A JWE that was read and not opened.
#[derive(Debug)]
pub struct Compact {
    /// What the protected header says; nothing of it is proven yet.
    pub header: Header,
    /// The protected header as it travels: the associated data.
    pub(super) associated: String,
    pub(super) wrapped_key: Vec<u8>,
    pub(super) iv: Vec<u8>,
    /// The ciphertext and then the tag.
    pub(super) sealed: Vec<u8>,
}

impl Compact {
    /// Reads one. The caller has bounded its length; each part is bounded before it is decoded.
    pub fn read(bytes: &[u8]) -> Result<Compact, Error> {
        let text = std::str::from_utf8(bytes).map_err(|_| malformed("the JWE is not text"))?;
        let parts: Vec<&str> = text.splitn(6, '.').collect();
        let [header, key, iv, ciphertext, tag] = parts.as_slice() else {
            return Err(malformed("a compact JWE has five parts, joined by dots"));
        };
        let associated = (*header).to_owned();
        let header = Header::read(&decoded("header", header, HEADER_CHARS_MAX)?)?;
        let wrapped_key = decoded("encrypted key", key, KEY_CHARS_MAX)?;
        if wrapped_key.is_empty() == header.wrap.wraps() {
            return Err(malformed("the encrypted key does not go with `alg`"));
        }
        let iv = exactly("initialization vector", iv, IV_BYTES)?;
        let tag = exactly("authentication tag", tag, TAG_BYTES)?;
        let mut sealed = decoded("ciphertext", ciphertext, usize::MAX)?;
        sealed.extend_from_slice(&tag);
        Ok(Compact { header, associated, wrapped_key, iv, sealed })
    }
}

fn decoded(what: &str, text: &str, chars_max: usize) -> Result<Vec<u8>, Error> {
    if text.len() > chars_max {
        return Err(malformed(format!("the {what} has more than {chars_max} characters")));
    }
    BASE64URL.decode(text).map_err(|_| malformed(format!("the {what} is not base64url")))
}

fn exactly(what: &str, text: &str, bytes: usize) -> Result<Vec<u8>, Error> {
    let found = decoded(what, text, 64)?;
    if found.len() == bytes {
        return Ok(found);
    }
    Err(malformed(format!("the {what} has {} bytes of {bytes}", found.len())))
}
