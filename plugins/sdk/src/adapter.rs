//! What an author writes (`Adapter`) and what it may ask (`Host`, `Key`).
//!
//! Each method of `Host` and `Key` is one function of the contract; the WIT files are the manual.

use crate::{
    Cipher, CryptoError, Delivery, Description, DigestAlgorithm, Event, Failure, HttpResponse,
    KeyTransport, Level, MacAlgorithm, Money, Operation, Page, Part, Piece, Portion, Proof, Reply,
    SignatureAlgorithm, Span, Step,
};

/// One provider's protocol as pure steps. Every call runs in a fresh instance: nothing stays in
/// memory between two calls.
pub trait Adapter {
    /// What the plugin is and asks for. Called once, when it is loaded.
    fn describe() -> Description;

    /// The first step of an operation.
    fn start(host: &dyn Host, operation: &Operation) -> Result<Step, Failure>;

    /// The step after a reply; `state` is what the exchange kept.
    fn resume(
        host: &dyn Host,
        operation: &Operation,
        state: &[u8],
        reply: &Reply,
    ) -> Result<Step, Failure>;

    /// Says how to prove a delivery genuine. Trust nothing in it.
    fn prove(host: &dyn Host, delivery: &Delivery) -> Result<Proof, Failure>;

    /// What a proven delivery says. Deliveries of no concern give no event.
    fn interpret(host: &dyn Host, delivery: &Delivery) -> Result<Vec<Event>, Failure>;

    /// What the provider wants to hear back.
    fn acknowledge(accepted: bool) -> HttpResponse;

    /// The beginning of a report of what the provider has booked. A plugin that has none need not
    /// write this, nor the two below.
    fn begin_report(_: &dyn Host, _: &Span) -> Result<Page, Failure> {
        Err(Failure::Unsupported("reports".to_owned()))
    }

    /// The report goes on after a reply; `state` is what the exchange kept.
    fn proceed_with_report(
        _: &dyn Host,
        _: &Span,
        _state: &[u8],
        _reply: &Reply,
    ) -> Result<Page, Failure> {
        Err(Failure::Unsupported("reports".to_owned()))
    }

    /// Reads a piece of a report file.
    fn read_report(_: &dyn Host, _: &Piece) -> Result<Portion, Failure> {
        Err(Failure::Unsupported("report files".to_owned()))
    }
}

/// What a plugin may ask of its host. There is nothing else: no socket, no file, no clock.
pub trait Host {
    /// The current key of a slot.
    fn key(&self, slot: &str) -> Result<Box<dyn Key>, CryptoError>;
    /// The slot's key with this id, for providers that rotate.
    fn key_version(&self, slot: &str, id: &str) -> Result<Box<dyn Key>, CryptoError>;
    /// A setting of the account.
    fn setting(&self, name: &str) -> Option<String>;
    /// The time of this step: seconds since the Unix epoch, and nanoseconds. Constant in one call.
    fn now(&self) -> (u64, u32);
    /// A small value kept with the account by `remember`, if not expired.
    fn recall(&self, name: &str) -> Option<Vec<u8>>;
    /// Keeps at most 16 KiB with the account, for so many seconds or for ever.
    fn remember(&self, name: &str, value: &[u8], seconds: Option<u32>);
    /// Decimal text in the currency's own number of places: 1999 EUR is `19.99`.
    fn to_decimal(&self, amount: &Money) -> Result<String, Failure>;
    /// The reverse; refuses more places than the currency has.
    #[allow(clippy::wrong_self_convention)]
    fn from_decimal(&self, text: &str, currency: &str) -> Result<Money, Failure>;
    /// A digest of bytes the guest may see.
    fn digest(&self, algorithm: DigestAlgorithm, data: &[u8]) -> Result<Vec<u8>, CryptoError>;
    /// A digest over sensitive parts, which stays with the host: name it with [`crate::derived`].
    fn derive(&self, algorithm: DigestAlgorithm, data: &[Part]) -> Result<u32, CryptoError>;
    /// A CRC by its catalogue name, such as `CRC-16/IBM-3740`.
    fn crc(&self, model: &str, data: &[u8]) -> Result<u64, CryptoError>;
    /// The exclusive-or of all bytes, starting from `initial`.
    fn lrc(&self, initial: u8, data: &[u8]) -> u8;
    /// At most 1024 unpredictable bytes; the same step run again gets the same.
    fn random(&self, length: u32) -> Result<Vec<u8>, CryptoError>;
    /// A line for the operator's log, at most 1 KiB.
    fn log(&self, level: Level, message: &str);
}

/// A key the guest may use and never holds.
pub trait Key {
    /// The id the operator gave; of a certificate, its serial in upper-case hexadecimal.
    fn id(&self) -> Option<String>;
    /// A message authentication code, over the account's secrets too. `Content` passes as
    /// `&content`.
    fn mac(&self, algorithm: MacAlgorithm, message: &[Part]) -> Result<Vec<u8>, CryptoError>;
    /// As `mac`, over card fields too; the answer stays with the host: name it with
    /// [`crate::derived`].
    fn derive_mac(&self, algorithm: MacAlgorithm, message: &[Part]) -> Result<u32, CryptoError>;
    /// A signature, over the account's secrets too.
    fn sign(&self, algorithm: SignatureAlgorithm, message: &[Part])
    -> Result<Vec<u8>, CryptoError>;
    /// Checks a signature; `CryptoError::Rejected` when it does not hold.
    fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError>;
    /// Checks a code in constant time; `CryptoError::Rejected` when it does not hold.
    fn verify_mac(
        &self,
        algorithm: MacAlgorithm,
        message: &[u8],
        tag: &[u8],
    ) -> Result<(), CryptoError>;
    /// Encrypts what the guest may see; under AES-GCM the tag comes after the text.
    fn seal(
        &self,
        cipher: Cipher,
        nonce: &[u8],
        associated: &[u8],
        plaintext: &[Part],
    ) -> Result<Vec<u8>, CryptoError>;
    /// Decrypts what `seal` makes.
    fn open_sealed(
        &self,
        cipher: Cipher,
        nonce: &[u8],
        associated: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, CryptoError>;
    /// Encrypts to the holder of the slot's public key, sensitive parts too.
    fn wrap(&self, transport: KeyTransport, plaintext: &[Part]) -> Result<Vec<u8>, CryptoError>;
    /// Decrypts with the slot's private key.
    fn unwrap(&self, transport: KeyTransport, wrapped: &[u8]) -> Result<Vec<u8>, CryptoError>;
}
