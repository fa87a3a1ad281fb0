//! The contract's algorithm names and the vault's, one to one, and which of them are legacy.

use crate::contract;

/// The vault's name of an algorithm, and under which name it is a legacy primitive, if it is one.
pub(crate) trait Named {
    type Vault;
    fn vault(self) -> Self::Vault;
    fn legacy(self) -> Option<&'static str>;
}

/// Every name a description may ask for as a legacy primitive.
pub(crate) const LEGACY: [&str; 7] =
    ["md5", "sha1", "hmac-md5", "hmac-sha1", "rsa-pkcs1-sha1", "tdes-cbc-zero", "rsa-pkcs1"];

impl Named for contract::DigestAlgorithm {
    type Vault = vault::DigestAlgorithm;

    fn vault(self) -> vault::DigestAlgorithm {
        match self {
            Self::Md5 => vault::DigestAlgorithm::Md5,
            Self::Sha1 => vault::DigestAlgorithm::Sha1,
            Self::Sha224 => vault::DigestAlgorithm::Sha224,
            Self::Sha256 => vault::DigestAlgorithm::Sha256,
            Self::Sha384 => vault::DigestAlgorithm::Sha384,
            Self::Sha512 => vault::DigestAlgorithm::Sha512,
        }
    }

    fn legacy(self) -> Option<&'static str> {
        match self {
            Self::Md5 => Some("md5"),
            Self::Sha1 => Some("sha1"),
            Self::Sha224 | Self::Sha256 | Self::Sha384 | Self::Sha512 => None,
        }
    }
}

impl Named for contract::MacAlgorithm {
    type Vault = vault::MacAlgorithm;

    fn vault(self) -> vault::MacAlgorithm {
        match self {
            Self::HmacMd5 => vault::MacAlgorithm::HmacMd5,
            Self::HmacSha1 => vault::MacAlgorithm::HmacSha1,
            Self::HmacSha256 => vault::MacAlgorithm::HmacSha256,
            Self::HmacSha384 => vault::MacAlgorithm::HmacSha384,
            Self::HmacSha512 => vault::MacAlgorithm::HmacSha512,
            Self::AesCmac => vault::MacAlgorithm::AesCmac,
        }
    }

    fn legacy(self) -> Option<&'static str> {
        match self {
            Self::HmacMd5 => Some("hmac-md5"),
            Self::HmacSha1 => Some("hmac-sha1"),
            Self::HmacSha256 | Self::HmacSha384 | Self::HmacSha512 | Self::AesCmac => None,
        }
    }
}

impl Named for contract::SignatureAlgorithm {
    type Vault = vault::SignatureAlgorithm;

    fn vault(self) -> vault::SignatureAlgorithm {
        use vault::SignatureAlgorithm as Vault;
        match self {
            Self::RsaPkcs1Sha1 => Vault::RsaPkcs1Sha1,
            Self::RsaPkcs1Sha256 => Vault::RsaPkcs1Sha256,
            Self::RsaPkcs1Sha384 => Vault::RsaPkcs1Sha384,
            Self::RsaPkcs1Sha512 => Vault::RsaPkcs1Sha512,
            Self::RsaPssSha256 => Vault::RsaPssSha256,
            Self::RsaPssSha384 => Vault::RsaPssSha384,
            Self::RsaPssSha512 => Vault::RsaPssSha512,
            Self::EcdsaP256Sha256 => Vault::EcdsaP256Sha256,
            Self::EcdsaP256Sha256Der => Vault::EcdsaP256Sha256Der,
            Self::Ed25519 => Vault::Ed25519,
        }
    }

    fn legacy(self) -> Option<&'static str> {
        (self == Self::RsaPkcs1Sha1).then_some("rsa-pkcs1-sha1")
    }
}

impl Named for contract::Cipher {
    type Vault = vault::Cipher;

    fn vault(self) -> vault::Cipher {
        match self {
            Self::AesGcm => vault::Cipher::AesGcm,
            Self::AesCbcPkcs7 => vault::Cipher::AesCbcPkcs7,
            Self::TdesCbcZero => vault::Cipher::TdesCbcZero,
        }
    }

    fn legacy(self) -> Option<&'static str> {
        (self == Self::TdesCbcZero).then_some("tdes-cbc-zero")
    }
}

impl Named for contract::KeyTransport {
    type Vault = vault::KeyTransport;

    fn vault(self) -> vault::KeyTransport {
        match self {
            Self::RsaOaepSha1 => vault::KeyTransport::RsaOaepSha1,
            Self::RsaOaepSha256 => vault::KeyTransport::RsaOaepSha256,
            Self::RsaPkcs1 => vault::KeyTransport::RsaPkcs1,
        }
    }

    fn legacy(self) -> Option<&'static str> {
        (self == Self::RsaPkcs1).then_some("rsa-pkcs1")
    }
}
