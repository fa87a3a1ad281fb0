//! A public key as somebody else hands it over, and as it is kept: SPKI in PEM (RFC 7468, section
//! 13).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::{Secret, pem};

/// A public key that was checked: Ed25519, P-256, or RSA from 2048 bits on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spki {
    /// `RSA`, `P-256` or `Ed25519`.
    pub algorithm: &'static str,
    /// The key in PEM, with lines of 64 characters.
    pub pem: String,
}

impl Spki {
    /// Reads a `PUBLIC KEY` or the key of a `CERTIFICATE`. The certificate itself is not looked at:
    /// who hands it over is known otherwise.
    ///
    /// # Errors
    /// What is wrong with the text, for whoever wrote it; it shows nothing of the text.
    pub fn read(text: &str) -> Result<Spki, String> {
        let (algorithm, der) = pem::spki(&Secret::new("public key", text.as_bytes().to_vec()))?;
        let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
        let base64 = STANDARD.encode(der);
        let (mut line, mut rest) = base64.split_at(base64.len().min(64));
        while !line.is_empty() {
            pem.push_str(line);
            pem.push('\n');
            (line, rest) = rest.split_at(rest.len().min(64));
        }
        pem.push_str("-----END PUBLIC KEY-----\n");
        Ok(Spki { algorithm, pem })
    }
}

#[cfg(test)]
mod tests;
