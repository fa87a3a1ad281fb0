//! The algorithms by their standard names: one enum a family, each with `name()` and `FromStr`.
//!
//! The names are those of the contract with plugins, of the configuration and of every report:
//! lower case, hyphens. No algorithm is ever taken from a message: the caller names it.

use std::fmt;
use std::str::FromStr;

use crate::Error;

macro_rules! named {
    (
        $(#[$about:meta])*
        $family:ident, $what:literal:
        $($(#[$doc:meta])* $variant:ident = $name:literal,)*
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $family {
            $($(#[$doc])* $variant,)*
        }

        impl $family {
            /// Every algorithm of the family.
            pub const ALL: &'static [$family] = &[$($family::$variant,)*];

            /// Its standard name.
            pub fn name(self) -> &'static str {
                match self {
                    $($family::$variant => $name,)*
                }
            }
        }

        impl fmt::Display for $family {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl FromStr for $family {
            type Err = Error;

            /// The algorithm of this standard name; `BadInput` when there is none.
            fn from_str(name: &str) -> Result<$family, Error> {
                let known = $family::ALL.iter().find(|algorithm| algorithm.name() == name);
                known.copied().ok_or_else(|| {
                    Error::BadInput(format!("no {} is named `{name}`", $what))
                })
            }
        }
    };
}

named! {
    /// Message digests. MD5 and SHA-1 are legacy.
    DigestAlgorithm, "digest algorithm":
    /// RFC 1321, 16 bytes. Legacy.
    Md5 = "md5",
    /// FIPS 180-4, 20 bytes. Legacy.
    Sha1 = "sha1",
    /// FIPS 180-4, 28 bytes.
    Sha224 = "sha224",
    /// FIPS 180-4, 32 bytes.
    Sha256 = "sha256",
    /// FIPS 180-4, 48 bytes.
    Sha384 = "sha384",
    /// FIPS 180-4, 64 bytes.
    Sha512 = "sha512",
}

named! {
    /// Message authentication codes; tags are never cut short.
    MacAlgorithm, "MAC algorithm":
    /// RFC 2104 with MD5, 16 bytes. Legacy.
    HmacMd5 = "hmac-md5",
    /// RFC 2104 with SHA-1, 20 bytes. Legacy.
    HmacSha1 = "hmac-sha1",
    /// RFC 2104 with SHA-256, 32 bytes.
    HmacSha256 = "hmac-sha256",
    /// RFC 2104 with SHA-384, 48 bytes.
    HmacSha384 = "hmac-sha384",
    /// RFC 2104 with SHA-512, 64 bytes.
    HmacSha512 = "hmac-sha512",
    /// RFC 4493 and SP 800-38B, 16 bytes.
    AesCmac = "aes-cmac",
}

named! {
    /// Signatures.
    SignatureAlgorithm, "signature algorithm":
    /// RFC 8017 section 8.2 with SHA-1. Legacy, and verifies only.
    RsaPkcs1Sha1 = "rsa-pkcs1-sha1",
    /// RFC 8017 section 8.2 with SHA-256.
    RsaPkcs1Sha256 = "rsa-pkcs1-sha256",
    /// RFC 8017 section 8.2 with SHA-384.
    RsaPkcs1Sha384 = "rsa-pkcs1-sha384",
    /// RFC 8017 section 8.2 with SHA-512.
    RsaPkcs1Sha512 = "rsa-pkcs1-sha512",
    /// RFC 8017 section 8.1 with SHA-256, MGF1 with SHA-256 and a salt of 32 bytes.
    RsaPssSha256 = "rsa-pss-sha256",
    /// RFC 8017 section 8.1 with SHA-384, MGF1 with SHA-384 and a salt of 48 bytes.
    RsaPssSha384 = "rsa-pss-sha384",
    /// RFC 8017 section 8.1 with SHA-512, MGF1 with SHA-512 and a salt of 64 bytes.
    RsaPssSha512 = "rsa-pss-sha512",
    /// FIPS 186-5 over P-256; the signature is `r || s`, 64 bytes (IEEE P1363, RFC 7518).
    EcdsaP256Sha256 = "ecdsa-p256-sha256",
    /// FIPS 186-5 over P-256; the signature is ASN.1 DER (RFC 3279 section 2.2.3).
    EcdsaP256Sha256Der = "ecdsa-p256-sha256-der",
    /// RFC 8032 section 5.1, 64 bytes.
    Ed25519 = "ed25519",
}

named! {
    /// Symmetric encryption.
    Cipher, "cipher":
    /// SP 800-38D: a 12-byte nonce, the 16-byte tag after the ciphertext.
    AesGcm = "aes-gcm",
    /// SP 800-38A section 6.2 with the padding of RFC 5652 section 6.3; the nonce is the 16-byte
    /// IV. Proves nothing about who wrote the text.
    AesCbcPkcs7 = "aes-cbc-pkcs7",
    /// SP 800-67 in CBC, padded with zeros; the nonce is the 8-byte IV. Legacy.
    TdesCbcZero = "tdes-cbc-zero",
}

named! {
    /// Encryption to a public key.
    KeyTransport, "key transport":
    /// RFC 8017 section 7.1 with SHA-1 and MGF1 with SHA-1. Not legacy: OAEP does not lean on
    /// the collision resistance that SHA-1 has lost.
    RsaOaepSha1 = "rsa-oaep-sha1",
    /// RFC 8017 section 7.1 with SHA-256 and MGF1 with SHA-256.
    RsaOaepSha256 = "rsa-oaep-sha256",
    /// RFC 8017 section 7.2. Legacy, and wraps only.
    RsaPkcs1 = "rsa-pkcs1",
}
