//! The randomness of one call: a stream that its seed determines.
//!
//! Block n of a purpose is HMAC-SHA-256(seed, export || 0 || purpose || 0 || n), so that streams of
//! different purposes never meet.

use vault::{Key, Legacy, MacAlgorithm, Secret};

/// What a block is drawn for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// Bytes the guest asked for.
    Guest,
    /// Randomness of a ciphertext over text the guest knows.
    Wrap,
    /// Randomness of a ciphertext over sensitive parts. Apart from `Wrap`, so that no ciphertext of
    /// a guess can ever equal one of a secret.
    WrapSensitive,
}

/// A stream of random blocks.
#[derive(Debug)]
pub(crate) struct Stream {
    key: Key,
    export: &'static str,
    drawn: u64,
}

impl Stream {
    pub(crate) fn new(seed: [u8; 32], export: &'static str) -> Result<Stream, vault::Error> {
        let key = Key::symmetric("seed", None, &Secret::new("seed", seed.to_vec()))?;
        Ok(Stream { key, export, drawn: 0 })
    }

    /// The next 32 bytes.
    pub(crate) fn block(&mut self, purpose: Purpose) -> Result<[u8; 32], vault::Error> {
        let purpose = match purpose {
            Purpose::Guest => "guest",
            Purpose::Wrap => "wrap",
            Purpose::WrapSensitive => "wrap-sensitive",
        };
        let mut message = format!("{}\0{purpose}\0", self.export).into_bytes();
        message.extend(self.drawn.to_be_bytes());
        self.drawn += 1;
        let block = self.key.mac(MacAlgorithm::HmacSha256, &message, &Legacy::none())?;
        let wrong = |_| vault::Error::BadInput("a block of 32 bytes".to_owned());
        block.try_into().map_err(wrong)
    }

    /// The next `length` bytes for the guest.
    pub(crate) fn bytes(&mut self, length: usize) -> Result<Vec<u8>, vault::Error> {
        let mut bytes = Vec::with_capacity(length + 31);
        while bytes.len() < length {
            bytes.extend(self.block(Purpose::Guest)?);
        }
        bytes.truncate(length);
        Ok(bytes)
    }
}
