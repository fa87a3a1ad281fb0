//! A key of the vault behind the contract's handle. Refuses what the sandbox refuses: whatever
//! would let a guest learn a sensitive part.

use std::cell::RefCell;
use std::rc::Rc;

use super::account::{Account, Derived, Filled};
use super::host::TestHost;
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

    fn fill(&self, parts: &[Part]) -> Result<Filled, CryptoError> {
        self.account.borrow().fill(parts)
    }

    fn tag(&self, by: MacAlgorithm, message: &Filled) -> Result<Vec<u8>, CryptoError> {
        self.with(|key, legacy| key.mac(mac_algorithm(by), &message.bytes, legacy))
    }
}

impl Key for NativeKey {
    fn id(&self) -> Option<String> {
        self.id.clone()
    }
    fn mac(&self, algorithm: MacAlgorithm, message: &[Part]) -> Result<Vec<u8>, CryptoError> {
        let message = self.fill(message)?;
        if message.card {
            return bad("a MAC over card fields would let them be guessed: use derive-mac");
        }
        if message.sensitive && algorithm == MacAlgorithm::AesCmac {
            return bad("an aes-cmac over secrets could be undone with its key: use derive-mac");
        }
        self.tag(algorithm, &message)
    }
    fn derive_mac(&self, algorithm: MacAlgorithm, message: &[Part]) -> Result<u32, CryptoError> {
        let message = self.fill(message)?;
        let value = self.tag(algorithm, &message)?;
        self.account.borrow_mut().keep(Derived { value, card: message.card })
    }
    fn sign(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[Part],
    ) -> Result<Vec<u8>, CryptoError> {
        let message = self.fill(message)?;
        if message.card {
            return bad("a signature over card fields would let them be guessed");
        }
        self.with(|key, _| key.sign(signature_algorithm(algorithm), &message.bytes))
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
        if text.sensitive {
            return bad("what `seal` makes, this plugin could open: use wrap for sensitive parts");
        }
        self.with(|key, legacy| key.seal(cipher, nonce, associated, &text.bytes, legacy))
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
        let wrapped = self.with(|key, legacy| key.wrap(by, &text.bytes, [7; 32], legacy))?;
        if text.sensitive && self.account.borrow().opens(by, &wrapped) {
            return bad("a private key of this account opens what `wrap` makes with this slot");
        }
        Ok(wrapped)
    }
    fn unwrap(&self, transport: KeyTransport, wrapped: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.with(|key, _| key.unwrap(key_transport(transport), wrapped))
    }
}

fn bad<T>(what: &str) -> Result<T, CryptoError> {
    Err(CryptoError::BadInput(what.to_owned()))
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
