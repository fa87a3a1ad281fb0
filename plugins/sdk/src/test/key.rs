//! A key of the vault behind the contract's handle.

use std::cell::RefCell;
use std::rc::Rc;

use super::host::{Account, TestHost};
use crate::{
    Cipher, CryptoError, DigestAlgorithm, Key, KeyTransport, MacAlgorithm, Part, SignatureAlgorithm,
};

pub(super) struct NativeKey {
    account: Rc<RefCell<Account>>,
    slot: String,
    id: Option<String>,
    exact: bool,
}

type Keyed<T> = Result<T, vault::Error>;

impl NativeKey {
    pub fn new(host: &TestHost, slot: &str, id: Option<String>, exact: bool) -> NativeKey {
        NativeKey { account: Rc::clone(&host.account), slot: slot.to_owned(), id, exact }
    }

    fn with<T>(
        &self,
        using: impl FnOnce(&vault::Key, &vault::Legacy) -> Keyed<T>,
    ) -> Result<T, CryptoError> {
        let account = self.account.borrow();
        let key = match (&self.id, self.exact) {
            (Some(id), true) => account.keys.open_version(&self.slot, id),
            _ => account.keys.open(&self.slot),
        };
        using(key.map_err(refusal)?, account.keys.legacy()).map_err(refusal)
    }

    fn fill(&self, parts: &[Part]) -> Result<Vec<u8>, CryptoError> {
        self.account.borrow().fill(parts)
    }
}

impl Key for NativeKey {
    fn id(&self) -> Option<String> {
        self.id.clone()
    }
    fn mac(&self, algorithm: MacAlgorithm, message: &[Part]) -> Result<Vec<u8>, CryptoError> {
        let message = self.fill(message)?;
        self.with(|key, legacy| key.mac(mac_algorithm(algorithm), &message, legacy))
    }
    fn sign(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[Part],
    ) -> Result<Vec<u8>, CryptoError> {
        let message = self.fill(message)?;
        self.with(|key, _| key.sign(signature_algorithm(algorithm), &message))
    }
    fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        let algorithm = signature_algorithm(algorithm);
        self.with(|key, legacy| key.verify(algorithm, message, signature, legacy))
    }
    fn verify_mac(
        &self,
        algorithm: MacAlgorithm,
        message: &[u8],
        tag: &[u8],
    ) -> Result<(), CryptoError> {
        self.with(|key, legacy| key.verify_mac(mac_algorithm(algorithm), message, tag, legacy))
    }
    fn seal(
        &self,
        cipher: Cipher,
        nonce: &[u8],
        associated: &[u8],
        plaintext: &[Part],
    ) -> Result<Vec<u8>, CryptoError> {
        let (cipher, text) = (self::cipher(cipher), self.fill(plaintext)?);
        self.with(|key, legacy| key.seal(cipher, nonce, associated, &text, legacy))
    }
    fn open_sealed(
        &self,
        cipher: Cipher,
        nonce: &[u8],
        associated: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        let cipher = self::cipher(cipher);
        self.with(|key, legacy| key.open_sealed(cipher, nonce, associated, sealed, legacy))
    }
    fn wrap(&self, transport: KeyTransport, plaintext: &[Part]) -> Result<Vec<u8>, CryptoError> {
        let (by, text) = (key_transport(transport), self.fill(plaintext)?);
        self.with(|key, legacy| key.wrap(by, &text, [7; 32], legacy))
    }
    fn unwrap(&self, transport: KeyTransport, wrapped: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.with(|key, _| key.unwrap(key_transport(transport), wrapped))
    }
}

pub(super) fn refusal(error: vault::Error) -> CryptoError {
    match error {
        vault::Error::NoSuchKey(which) => CryptoError::NoSuchKey(which),
        vault::Error::WrongKeyKind(which) => CryptoError::WrongKeyKind(which),
        vault::Error::BadInput(what) => CryptoError::BadInput(what),
        vault::Error::LegacyRefused(name) => CryptoError::LegacyRefused(name),
        vault::Error::Rejected => CryptoError::Rejected,
    }
}

/// The contract's enumeration as the vault's, which has the same words.
macro_rules! same {
    ($function:ident, $name:ident, $($variant:ident)*) => {
        pub(super) fn $function(from: $name) -> vault::$name {
            match from { $($name::$variant => vault::$name::$variant,)* }
        }
    };
}

same!(digest_algorithm, DigestAlgorithm, Md5 Sha1 Sha224 Sha256 Sha384 Sha512);
same!(mac_algorithm, MacAlgorithm, HmacMd5 HmacSha1 HmacSha256 HmacSha384 HmacSha512 AesCmac);
same!(signature_algorithm, SignatureAlgorithm, RsaPkcs1Sha1 RsaPkcs1Sha256 RsaPkcs1Sha384
    RsaPkcs1Sha512 RsaPssSha256 RsaPssSha384 RsaPssSha512 EcdsaP256Sha256 EcdsaP256Sha256Der
    Ed25519);
same!(cipher, Cipher, AesGcm AesCbcPkcs7 TdesCbcZero);
same!(key_transport, KeyTransport, RsaOaepSha1 RsaOaepSha256 RsaPkcs1);
