//! Sealing: one compact JWE to one recipient.

use base64::Engine as _;
use engine::Entropy;
use vault::{Cipher, Key, KeyTransport, Legacy, Secret};

use super::compact::BASE64URL;
use super::header::{Header, KeyWrap};

/// Who can open it.
#[derive(Clone, Copy, Debug)]
pub struct Recipient<'a> {
    /// The name of the key, as the recipient knows it.
    pub kid: &'a str,
    /// How the content's key goes along.
    pub wrap: KeyWrap,
    /// A public RSA key, or the shared one of 32 bytes.
    pub key: &'a Key,
}

/// A compact JWE of `plaintext`.
///
/// # Errors
/// When the key is not one for `wrap`.
pub fn seal(
    plaintext: &[u8],
    to: Recipient<'_>,
    entropy: &dyn Entropy,
) -> Result<String, vault::Error> {
    let header = Header { wrap: to.wrap, kid: to.kid.to_owned() };
    let associated = BASE64URL.encode(header.write());
    let mut iv = [0; 12];
    entropy.fill(&mut iv);
    let (wrapped, sealed) = match to.wrap {
        KeyWrap::Dir => (Vec::new(), encrypt(to.key, &iv, &associated, plaintext)?),
        KeyWrap::RsaOaep256 => {
            let (mut content, mut seed) = ([0; 32], [0; 32]);
            entropy.fill(&mut content);
            entropy.fill(&mut seed);
            let by = KeyTransport::RsaOaepSha256;
            let wrapped = to.key.wrap(by, &content, seed, &Legacy::none())?;
            let content = Secret::new("content key", content.to_vec());
            let key = Key::symmetric("content", None, &content)?;
            (wrapped, encrypt(&key, &iv, &associated, plaintext)?)
        }
    };
    let (ciphertext, tag) =
        sealed.split_at_checked(sealed.len().saturating_sub(16)).unwrap_or_default();
    let parts = [wrapped.as_slice(), &iv, ciphertext, tag].map(|part| BASE64URL.encode(part));
    Ok(format!("{associated}.{}", parts.join(".")))
}

fn encrypt(
    key: &Key,
    iv: &[u8],
    associated: &str,
    plaintext: &[u8],
) -> Result<Vec<u8>, vault::Error> {
    key.seal(Cipher::AesGcm, iv, associated.as_bytes(), plaintext, &Legacy::none())
}
