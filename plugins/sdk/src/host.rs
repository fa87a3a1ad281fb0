//! The host as a component sees it: each method one import.

use crate::bindings::tollgate::adapter::{crypto, payments};
use crate::{
    Cipher, CryptoError, DigestAlgorithm, Failure, Host, Key, KeyTransport, Level, MacAlgorithm,
    Money, Part, SignatureAlgorithm,
};

pub(crate) struct Imports;

impl Host for Imports {
    fn key(&self, slot: &str) -> Result<Box<dyn Key>, CryptoError> {
        Ok(Box::new(crypto::Key::open(slot)?))
    }
    fn key_version(&self, slot: &str, id: &str) -> Result<Box<dyn Key>, CryptoError> {
        Ok(Box::new(crypto::Key::open_version(slot, id)?))
    }
    fn setting(&self, name: &str) -> Option<String> {
        payments::setting(name)
    }
    fn now(&self) -> (u64, u32) {
        payments::now()
    }
    fn recall(&self, name: &str) -> Option<Vec<u8>> {
        payments::recall(name)
    }
    fn remember(&self, name: &str, value: &[u8], seconds: Option<u32>) {
        payments::remember(name, value, seconds);
    }
    fn to_decimal(&self, amount: &Money) -> Result<String, Failure> {
        payments::to_decimal(amount).map_err(Failure::Invalid)
    }
    fn from_decimal(&self, text: &str, currency: &str) -> Result<Money, Failure> {
        payments::from_decimal(text, currency).map_err(Failure::Malformed)
    }
    fn digest(&self, algorithm: DigestAlgorithm, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        crypto::digest(algorithm, data)
    }
    fn derive(&self, algorithm: DigestAlgorithm, data: &[Part]) -> Result<u32, CryptoError> {
        crypto::derive(algorithm, data)
    }
    fn crc(&self, model: &str, data: &[u8]) -> Result<u64, CryptoError> {
        crypto::crc(model, data)
    }
    fn lrc(&self, initial: u8, data: &[u8]) -> u8 {
        crypto::lrc(initial, data)
    }
    fn random(&self, length: u32) -> Result<Vec<u8>, CryptoError> {
        crypto::random(length)
    }
    fn log(&self, level: Level, message: &str) {
        payments::log(level, message);
    }
}

impl Key for crypto::Key {
    fn id(&self) -> Option<String> {
        self.id()
    }
    fn mac(&self, algorithm: MacAlgorithm, message: &[Part]) -> Result<Vec<u8>, CryptoError> {
        self.mac(algorithm, message)
    }
    fn derive_mac(&self, algorithm: MacAlgorithm, message: &[Part]) -> Result<u32, CryptoError> {
        self.derive_mac(algorithm, message)
    }
    fn sign(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[Part],
    ) -> Result<Vec<u8>, CryptoError> {
        self.sign(algorithm, message)
    }
    fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        self.verify(algorithm, message, signature)
    }
    fn verify_mac(
        &self,
        algorithm: MacAlgorithm,
        message: &[u8],
        tag: &[u8],
    ) -> Result<(), CryptoError> {
        self.verify_mac(algorithm, message, tag)
    }
    fn seal(
        &self,
        cipher: Cipher,
        nonce: &[u8],
        associated: &[u8],
        plaintext: &[Part],
    ) -> Result<Vec<u8>, CryptoError> {
        self.seal(cipher, nonce, associated, plaintext)
    }
    fn open_sealed(
        &self,
        cipher: Cipher,
        nonce: &[u8],
        associated: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.open_sealed(cipher, nonce, associated, sealed)
    }
    fn wrap(&self, transport: KeyTransport, plaintext: &[Part]) -> Result<Vec<u8>, CryptoError> {
        self.wrap(transport, plaintext)
    }
    fn unwrap(&self, transport: KeyTransport, wrapped: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.unwrap(transport, wrapped)
    }
}
