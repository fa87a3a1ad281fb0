//! Cryptographic primitives by their standard names, named keys, and secrets.
//!
//! Every primitive is an audited crate behind one name; what this room adds is one policy
//! (`POLICY.md`): which sizes are taken, what is legacy, and that a failed check never says which
//! check it was. Private-key operations run in aws-lc, in constant time; the `rsa` crate only
//! touches public keys, since its private operations leak timing (RUSTSEC-2023-0071).
//!
//! Values for a store are sealed by [`at_rest`].
//!
//! Not here: which account may use which key (the configuration says it), anything that travels
//! (`egress`), any input or output, the choice of randomness (the host draws it; the data keys of
//! [`at_rest`] alone are nobody's choice).

mod algorithm;
pub mod at_rest;
mod checksum;
mod digest;
mod encoding;
mod error;
mod generate;
mod imprint;
mod key;
mod keyring;
mod legacy;
mod mac;
mod pem;
mod private;
mod public;
mod published;
mod sealing;
mod secret;
mod spki;

pub use algorithm::{Cipher, DigestAlgorithm, KeyTransport, MacAlgorithm, SignatureAlgorithm};
pub use at_rest::{AtRest, Master, Vaulted};
pub use checksum::{crc, lrc};
pub use digest::digest;
pub use encoding::Encoding;
pub use error::Error;
pub use generate::{PairKind, private_pem};
pub use imprint::Imprint;
pub use key::{Key, KeyKind};
pub use keyring::Keyring;
pub use legacy::Legacy;
pub use published::Published;
pub use secret::Secret;
pub use spki::Spki;
