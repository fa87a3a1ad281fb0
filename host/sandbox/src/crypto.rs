//! The interface `crypto`: keys by handle. Implemented on a view of the call, over the vault.

use wasmtime::component::Resource;

use crate::algorithm::Named;
use crate::call::{Call, View};
use crate::contract::bindings::tollgate::adapter::crypto::{Host, HostKey};
use crate::contract::{
    Cipher, CryptoError, DigestAlgorithm, KeyTransport, MacAlgorithm, Part, SignatureAlgorithm,
};
use crate::fault::Trip;
use crate::message::{self, Message};
use crate::stream::Purpose;

/// A key a guest holds a handle to: a name, looked up again at each use.
#[derive(Debug)]
pub struct HeldKey {
    slot: String,
    id: Option<String>,
}

impl HeldKey {
    fn of<'a>(&self, keyring: &'a vault::Keyring) -> Result<&'a vault::Key, vault::Error> {
        match &self.id {
            Some(id) => keyring.open_version(&self.slot, id),
            None => keyring.open(&self.slot),
        }
    }
}

/// Why a primitive gave no answer: something the guest may see, or the end of the call.
#[derive(Debug)]
pub enum Refusal {
    /// An answer of the contract.
    Seen(CryptoError),
    /// A trap.
    Ended(wasmtime::Error),
}

type Answer<T> = Result<T, Refusal>;

impl From<vault::Error> for Refusal {
    fn from(error: vault::Error) -> Refusal {
        Refusal::Seen(match error {
            vault::Error::NoSuchKey(which) => CryptoError::NoSuchKey(which),
            vault::Error::WrongKeyKind(which) => CryptoError::WrongKeyKind(which),
            vault::Error::BadInput(what) => CryptoError::BadInput(what),
            vault::Error::LegacyRefused(name) => CryptoError::LegacyRefused(name),
            vault::Error::Rejected => CryptoError::Rejected,
        })
    }
}

impl From<CryptoError> for Refusal {
    fn from(error: CryptoError) -> Refusal {
        Refusal::Seen(error)
    }
}

impl From<Trip> for Refusal {
    fn from(trip: Trip) -> Refusal {
        Refusal::Ended(trip.into())
    }
}

impl From<wasmtime::component::ResourceTableError> for Refusal {
    fn from(error: wasmtime::component::ResourceTableError) -> Refusal {
        Refusal::Ended(error.into())
    }
}

fn bad<T>(what: &str) -> Answer<T> {
    Err(CryptoError::BadInput(what.to_owned()).into())
}

impl Call {
    /// Opens a slot's current key, or the one of this id, if the plugin asked for the slot.
    fn open(&mut self, slot: String, id: Option<String>) -> Answer<Resource<HeldKey>> {
        self.enter(slot.len() + id.as_ref().map_or(0, String::len))?;
        if !self.plugin.asked.keys.contains(&slot) {
            let what = format!("slot `{slot}` is not one the description asks for");
            return Err(CryptoError::NoSuchKey(what).into());
        }
        let held = HeldKey { slot, id };
        held.of(&self.keyring())?;
        Ok(self.keys.push(held)?)
    }

    /// Refuses a legacy primitive the plugin did not ask for. Whether the operator granted it, the
    /// vault checks.
    fn asked_for(&self, algorithm: impl Named) -> Answer<()> {
        match algorithm.legacy() {
            Some(name) if !self.plugin.asked.legacy.contains(name) => {
                Err(CryptoError::LegacyRefused(name.to_owned()).into())
            }
            _ => Ok(()),
        }
    }

    fn gathered(&mut self, parts: &[Part]) -> Answer<Message> {
        self.enter(message::length(parts))?;
        Ok(Message::gather(self, parts)?)
    }

    fn tag(
        &self,
        key: &Resource<HeldKey>,
        algorithm: MacAlgorithm,
        message: &Message,
    ) -> Answer<Vec<u8>> {
        self.asked_for(algorithm)?;
        let keyring = self.keyring();
        let key = self.keys.get(key)?.of(&keyring)?;
        Ok(key.mac(algorithm.vault(), &message.bytes, keyring.legacy())?)
    }

    /// 32 bytes of the call's randomness.
    fn block(&mut self, purpose: Purpose) -> Answer<[u8; 32]> {
        match &mut self.stream {
            Some(stream) => Ok(stream.block(purpose)?),
            None => bad("`describe` has no randomness"),
        }
    }

    /// Whether a private key this plugin may open undoes this ciphertext.
    fn opens(&self, keyring: &vault::Keyring, by: KeyTransport, wrapped: &[u8]) -> bool {
        let slots = self.plugin.asked.keys.iter();
        let mut keys = slots.flat_map(|slot| keyring.versions(slot));
        keys.any(|key| {
            key.kind() == vault::KeyKind::Private && key.unwrap(by.vault(), wrapped).is_ok()
        })
    }
}

impl HostKey for View<'_> {
    fn open(&mut self, slot: String) -> Answer<Resource<HeldKey>> {
        self.0.open(slot, None)
    }

    fn open_version(&mut self, slot: String, id: String) -> Answer<Resource<HeldKey>> {
        self.0.open(slot, Some(id))
    }

    fn id(&mut self, key: Resource<HeldKey>) -> wasmtime::Result<Option<String>> {
        self.0.enter(0)?;
        let keyring = self.0.keyring();
        let key = self.0.keys.get(&key)?.of(&keyring)?;
        Ok(key.id().map(str::to_owned))
    }

    fn mac(
        &mut self,
        key: Resource<HeldKey>,
        algorithm: MacAlgorithm,
        message: Vec<Part>,
    ) -> Answer<Vec<u8>> {
        let message = self.0.gathered(&message)?;
        if message.card {
            return bad("a MAC over card fields would let them be guessed: use derive-mac");
        }
        if message.sensitive && algorithm == MacAlgorithm::AesCmac {
            return bad("an aes-cmac over secrets could be undone with its key: use derive-mac");
        }
        self.0.tag(&key, algorithm, &message)
    }

    fn derive_mac(
        &mut self,
        key: Resource<HeldKey>,
        algorithm: MacAlgorithm,
        message: Vec<Part>,
    ) -> Answer<u32> {
        let message = self.0.gathered(&message)?;
        let tag = self.0.tag(&key, algorithm, &message)?;
        Ok(self.0.derive(tag, message.card)?)
    }

    fn sign(
        &mut self,
        key: Resource<HeldKey>,
        algorithm: SignatureAlgorithm,
        message: Vec<Part>,
    ) -> Answer<Vec<u8>> {
        let message = self.0.gathered(&message)?;
        if message.card {
            return bad("a signature over card fields would let them be guessed");
        }
        let keyring = self.0.keyring();
        let key = self.0.keys.get(&key)?.of(&keyring)?;
        Ok(key.sign(algorithm.vault(), &message.bytes)?)
    }

    fn verify(
        &mut self,
        key: Resource<HeldKey>,
        algorithm: SignatureAlgorithm,
        message: Vec<u8>,
        signature: Vec<u8>,
    ) -> Answer<()> {
        self.0.enter(message.len() + signature.len())?;
        self.0.asked_for(algorithm)?;
        let keyring = self.0.keyring();
        let key = self.0.keys.get(&key)?.of(&keyring)?;
        Ok(key.verify(algorithm.vault(), &message, &signature, keyring.legacy())?)
    }

    fn verify_mac(
        &mut self,
        key: Resource<HeldKey>,
        algorithm: MacAlgorithm,
        message: Vec<u8>,
        tag: Vec<u8>,
    ) -> Answer<()> {
        self.0.enter(message.len() + tag.len())?;
        self.0.asked_for(algorithm)?;
        let keyring = self.0.keyring();
        let key = self.0.keys.get(&key)?.of(&keyring)?;
        Ok(key.verify_mac(algorithm.vault(), &message, &tag, keyring.legacy())?)
    }

    fn seal(
        &mut self,
        key: Resource<HeldKey>,
        cipher: Cipher,
        nonce: Vec<u8>,
        associated: Vec<u8>,
        plaintext: Vec<Part>,
    ) -> Answer<Vec<u8>> {
        self.0.enter(nonce.len() + associated.len())?;
        self.0.asked_for(cipher)?;
        let plaintext = self.0.gathered(&plaintext)?;
        if plaintext.sensitive {
            return bad("what `seal` makes, this plugin could open: use wrap for sensitive parts");
        }
        let keyring = self.0.keyring();
        let key = self.0.keys.get(&key)?.of(&keyring)?;
        let legacy = keyring.legacy();
        Ok(key.seal(cipher.vault(), &nonce, &associated, &plaintext.bytes, legacy)?)
    }

    fn open_sealed(
        &mut self,
        key: Resource<HeldKey>,
        cipher: Cipher,
        nonce: Vec<u8>,
        associated: Vec<u8>,
        sealed: Vec<u8>,
    ) -> Answer<Vec<u8>> {
        self.0.enter(nonce.len() + associated.len() + sealed.len())?;
        self.0.asked_for(cipher)?;
        let keyring = self.0.keyring();
        let key = self.0.keys.get(&key)?.of(&keyring)?;
        let legacy = keyring.legacy();
        Ok(key.open_sealed(cipher.vault(), &nonce, &associated, &sealed, legacy)?)
    }

    fn wrap(
        &mut self,
        key: Resource<HeldKey>,
        transport: KeyTransport,
        plaintext: Vec<Part>,
    ) -> Answer<Vec<u8>> {
        self.0.asked_for(transport)?;
        let plaintext = self.0.gathered(&plaintext)?;
        let sensitive = plaintext.sensitive;
        let seed = self.0.block(if sensitive { Purpose::WrapSensitive } else { Purpose::Wrap })?;
        let keyring = self.0.keyring();
        let key = self.0.keys.get(&key)?.of(&keyring)?;
        let wrapped = key.wrap(transport.vault(), &plaintext.bytes, seed, keyring.legacy())?;
        if sensitive && self.0.opens(&keyring, transport, &wrapped) {
            return bad("a private key of this account opens what `wrap` makes with this slot");
        }
        Ok(wrapped)
    }

    fn unwrap(
        &mut self,
        key: Resource<HeldKey>,
        transport: KeyTransport,
        wrapped: Vec<u8>,
    ) -> Answer<Vec<u8>> {
        self.0.enter(wrapped.len())?;
        self.0.asked_for(transport)?;
        let keyring = self.0.keyring();
        let key = self.0.keys.get(&key)?.of(&keyring)?;
        Ok(key.unwrap(transport.vault(), &wrapped)?)
    }

    fn drop(&mut self, key: Resource<HeldKey>) -> wasmtime::Result<()> {
        self.0.keys.delete(key)?;
        Ok(())
    }
}

impl Host for View<'_> {
    fn digest(&mut self, algorithm: DigestAlgorithm, data: Vec<u8>) -> Answer<Vec<u8>> {
        self.0.enter(data.len())?;
        self.0.asked_for(algorithm)?;
        Ok(vault::digest(algorithm.vault(), &data, self.0.keyring().legacy())?)
    }

    fn derive(&mut self, algorithm: DigestAlgorithm, data: Vec<Part>) -> Answer<u32> {
        self.0.asked_for(algorithm)?;
        let data = self.0.gathered(&data)?;
        let digest = vault::digest(algorithm.vault(), &data.bytes, self.0.keyring().legacy())?;
        Ok(self.0.derive(digest, data.card)?)
    }

    fn crc(&mut self, model: String, data: Vec<u8>) -> Answer<u64> {
        self.0.enter(model.len() + data.len())?;
        Ok(vault::crc(&model, &data)?)
    }

    fn lrc(&mut self, initial: u8, data: Vec<u8>) -> wasmtime::Result<u8> {
        self.0.enter(data.len())?;
        Ok(vault::lrc(initial, &data))
    }

    fn random(&mut self, length: u32) -> Answer<Vec<u8>> {
        self.0.enter(0)?;
        let length = match usize::try_from(length) {
            Ok(length) if length <= 1024 => length,
            _ => return bad("`length` is at most 1024"),
        };
        match &mut self.0.stream {
            Some(stream) => Ok(stream.bytes(length)?),
            None => bad("`describe` has no randomness"),
        }
    }

    fn convert_crypto_error(&mut self, refusal: Refusal) -> wasmtime::Result<CryptoError> {
        match refusal {
            Refusal::Seen(error) => Ok(error),
            Refusal::Ended(error) => Err(error),
        }
    }
}
