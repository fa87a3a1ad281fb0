//! Cryptographic primitives by their standard names, named keys, and secrets.
//!
//! Not here: which account may use which key (the configuration says it), anything that travels
//! (`egress`), any input or output.

mod algorithm;
mod error;
mod key;
mod keyring;
mod legacy;
mod secret;

pub use algorithm::{Cipher, DigestAlgorithm, KeyTransport, MacAlgorithm, SignatureAlgorithm};
pub use error::Error;
pub use key::{Key, KeyKind};
pub use keyring::Keyring;
pub use legacy::Legacy;
pub use secret::Secret;

/// The digest of `data`.
pub fn digest(algorithm: DigestAlgorithm, data: &[u8], legacy: &Legacy) -> Result<Vec<u8>, Error> {
    let _ = (algorithm, data, legacy);
    unimplemented!()
}

/// The CRC of `data` by the model's catalogue name, such as `CRC-16/IBM-3740`.
pub fn crc(model: &str, data: &[u8]) -> Result<u64, Error> {
    let _ = (model, data);
    unimplemented!()
}

/// The exclusive-or of all bytes of `data`, starting from `initial`.
pub fn lrc(initial: u8, data: &[u8]) -> u8 {
    data.iter().fold(initial, |sum, byte| sum ^ byte)
}
