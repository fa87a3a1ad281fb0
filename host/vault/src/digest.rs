//! Digests: RFC 1321 and FIPS 180-4.

use md5::Digest;

use crate::{DigestAlgorithm, Error, Legacy};

/// The digest of `data`. `LegacyRefused` for MD5 and SHA-1 unless granted.
pub fn digest(algorithm: DigestAlgorithm, data: &[u8], legacy: &Legacy) -> Result<Vec<u8>, Error> {
    legacy.admit(algorithm.name())?;
    Ok(match algorithm {
        DigestAlgorithm::Md5 => md5::Md5::digest(data).to_vec(),
        DigestAlgorithm::Sha1 => sha1::Sha1::digest(data).to_vec(),
        DigestAlgorithm::Sha224 => sha2::Sha224::digest(data).to_vec(),
        DigestAlgorithm::Sha256 => sha2::Sha256::digest(data).to_vec(),
        DigestAlgorithm::Sha384 => sha2::Sha384::digest(data).to_vec(),
        DigestAlgorithm::Sha512 => sha2::Sha512::digest(data).to_vec(),
    })
}
