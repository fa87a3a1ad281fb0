//! Message authentication codes under a symmetric key: HMAC (RFC 2104) and AES-CMAC (RFC 4493).

use cmac::Cmac;
use hmac::{Hmac, KeyInit, Mac};

use crate::{Error, Imprint, MacAlgorithm};

/// The whole tag of `message`.
pub fn tag(by: MacAlgorithm, key: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
    match by {
        MacAlgorithm::HmacMd5 => tag_by::<Hmac<md5::Md5>>(key, message),
        MacAlgorithm::HmacSha1 => tag_by::<Hmac<sha1::Sha1>>(key, message),
        MacAlgorithm::HmacSha256 => tag_by::<Hmac<sha2::Sha256>>(key, message),
        MacAlgorithm::HmacSha384 => tag_by::<Hmac<sha2::Sha384>>(key, message),
        MacAlgorithm::HmacSha512 => tag_by::<Hmac<sha2::Sha512>>(key, message),
        MacAlgorithm::AesCmac => aes_cmac(key, message),
    }
}

/// Compares the whole tag in constant time: a tag cut short is `Rejected` as any other.
pub fn verify(by: MacAlgorithm, key: &[u8], message: &[u8], given: &[u8]) -> Result<(), Error> {
    match Imprint::new(tag(by, key, message)?).is(given) {
        true => Ok(()),
        false => Err(Error::Rejected),
    }
}

fn aes_cmac(key: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
    match key.len() {
        24 => tag_by::<Cmac<aes::Aes192>>(key, message),
        32 => tag_by::<Cmac<aes::Aes256>>(key, message),
        _ => tag_by::<Cmac<aes::Aes128>>(key, message),
    }
}

fn tag_by<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
    let mut mac = <M as KeyInit>::new_from_slice(key).map_err(|_| {
        Error::BadInput(format!("aes-cmac takes a key of 16, 24 or 32 bytes, not {}", key.len()))
    })?;
    mac.update(message);
    Ok(mac.finalize().into_bytes().to_vec())
}
