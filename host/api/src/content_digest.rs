//! `Content-Digest` (RFC 9530): the digest of the bytes of a body as they travel.
//!
//! `sha-256` and `sha-512` are known, the active algorithms of its registry; every one of them that
//! is sent must hold. The others prove nothing and are passed over, but one known has to be there.

use http::HeaderMap;
use sha2::{Digest, Sha256, Sha512};
use vault::Imprint;

use crate::signature::field::{Dictionary, dictionary, named_bytes};

/// The name of the field.
pub const NAME: &str = "content-digest";

/// What `Want-Content-Digest` answers a field without a known algorithm (RFC 9530, section 4).
pub const WANTED: &str = "sha-256=10, sha-512=9";

/// Why a body is not the one that was meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The field is not a dictionary of byte sequences.
    #[error("{0}")]
    Malformed(String),
    /// No algorithm of the field is known here.
    #[error("send sha-256 or sha-512; no other algorithm proves a body here")]
    Unknown,
    /// The body has another digest.
    #[error("the body has another {0} digest")]
    Mismatch(&'static str),
}

/// The field's value for this body.
pub fn of(body: &[u8]) -> String {
    named_bytes("sha-256", &Sha256::digest(body)).unwrap_or_default()
}

/// Holds the body to the field, where there is one.
///
/// # Errors
/// The first thing that is wrong with the field, or the first algorithm that does not hold.
pub fn check(headers: &HeaderMap, body: &[u8]) -> Result<(), Error> {
    let read = dictionary(headers, NAME).map_err(|why| Error::Malformed(why.to_string()))?;
    let Some(field) = read else { return Ok(()) };
    let sha256 = hold(&field, "sha-256", |body| Sha256::digest(body).to_vec(), body)?;
    let sha512 = hold(&field, "sha-512", |body| Sha512::digest(body).to_vec(), body)?;
    if sha256 || sha512 { Ok(()) } else { Err(Error::Unknown) }
}

/// Whether the algorithm is there, and holds.
fn hold(
    field: &Dictionary,
    name: &'static str,
    digest: fn(&[u8]) -> Vec<u8>,
    body: &[u8],
) -> Result<bool, Error> {
    let Some(member) = field.get(name) else { return Ok(false) };
    let given = member.bytes();
    let given = given.ok_or_else(|| Error::Malformed(format!("`{name}` is no byte sequence")))?;
    match Imprint::new(digest(body)).is(given) {
        true => Ok(true),
        false => Err(Error::Mismatch(name)),
    }
}

#[cfg(test)]
mod tests;
