//! How the bytes of a symmetric key are written down: as text, hexadecimal or Base64.

use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::{alphabet, engine::DecodePaddingMode};
use zeroize::Zeroizing;

use crate::{Error, Secret};

/// The written form of a symmetric key. A provider's manual says which: the same characters mean
/// different keys under each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// The bytes are the key, exactly: not even a line end at the end is taken off.
    Text,
    /// RFC 4648 section 8, either case. White space around it is ignored.
    Hex,
    /// RFC 4648 section 4, padded or not. White space around it is ignored.
    Base64,
}

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl Encoding {
    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Text => "text",
            Encoding::Hex => "hex",
            Encoding::Base64 => "base64",
        }
    }

    /// The bytes that `written` stands for. `BadInput` names the secret and never its value.
    pub fn decode(self, written: &Secret) -> Result<Secret, Error> {
        let bytes = self.bytes(written.expose()).ok_or_else(|| {
            Error::BadInput(format!("secret `{}` is not {}", written.name(), self.name()))
        })?;
        Ok(Secret::from_zeroizing(written.name(), bytes))
    }

    fn bytes(self, written: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        match self {
            Encoding::Text => Some(written.to_vec()),
            Encoding::Hex => hex::decode(written.trim_ascii()).ok(),
            Encoding::Base64 => BASE64.decode(written.trim_ascii()).ok(),
        }
        .map(Zeroizing::new)
    }
}

impl FromStr for Encoding {
    type Err = Error;

    /// The encoding of this name: `text`, `hex` or `base64`.
    fn from_str(name: &str) -> Result<Encoding, Error> {
        match name {
            "text" => Ok(Encoding::Text),
            "hex" => Ok(Encoding::Hex),
            "base64" => Ok(Encoding::Base64),
            _ => Err(Error::BadInput(format!(
                "no encoding is named `{name}`; there are text, hex and base64"
            ))),
        }
    }
}
