//! Opening: everything that can go wrong with the bytes is one error (RFC 7516, section 11.5).

use vault::{Cipher, Key, KeyTransport, Legacy, Secret};

use super::Error;
use super::compact::Compact;
use super::header::KeyWrap;

/// The plaintext. `key` is the private RSA key, or the shared one of 32 bytes; with none the same
/// work is done, in vain. `stand_in` are 32 random bytes, used as the content's key where the real
/// one does not come out: so a wrong padding takes as long as a wrong tag, and is told the same.
///
/// # Errors
/// `NotOpened`.
pub fn open(jwe: &Compact, key: Option<&Key>, stand_in: [u8; 32]) -> Result<Secret, Error> {
    let stand_in = symmetric(stand_in.to_vec())?;
    let unwrapped = match (jwe.header.wrap, key) {
        (KeyWrap::Dir, key) => return decrypt(jwe, key.unwrap_or(&stand_in)),
        (KeyWrap::RsaOaep256, Some(key)) => {
            key.unwrap(KeyTransport::RsaOaepSha256, &jwe.wrapped_key).ok()
        }
        (KeyWrap::RsaOaep256, None) => None,
    };
    match unwrapped.filter(|bytes| bytes.len() == 32).map(symmetric).transpose()? {
        Some(content_key) => decrypt(jwe, &content_key),
        None => decrypt(jwe, &stand_in).and(Err(Error::NotOpened)),
    }
}

fn symmetric(bytes: Vec<u8>) -> Result<Key, Error> {
    Key::symmetric("content", None, &Secret::new("content key", bytes))
        .map_err(|_| Error::NotOpened)
}

fn decrypt(jwe: &Compact, key: &Key) -> Result<Secret, Error> {
    let associated = jwe.associated.as_bytes();
    key.open_sealed(Cipher::AesGcm, &jwe.iv, associated, &jwe.sealed, &Legacy::none())
        .map(|plaintext| Secret::new("body", plaintext))
        .map_err(|_| Error::NotOpened)
}
