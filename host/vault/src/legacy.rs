//! The legacy primitives an operator has granted to an account, by name.
//!
//! A grant is the operator's; that the plugin's description asks for it too is checked elsewhere.

use std::collections::BTreeSet;

use crate::Error;

/// Legacy primitives granted: `md5`, `sha1`, `hmac-md5`, `hmac-sha1`, `rsa-pkcs1-sha1`,
/// `tdes-cbc-zero`, `rsa-pkcs1`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Legacy(BTreeSet<String>);

impl Legacy {
    /// The names of the legacy primitives: all that can be granted.
    pub const NAMES: [&'static str; 7] =
        ["md5", "sha1", "hmac-md5", "hmac-sha1", "rsa-pkcs1-sha1", "tdes-cbc-zero", "rsa-pkcs1"];

    /// Grants nothing.
    pub fn none() -> Legacy {
        Legacy::default()
    }

    /// Grants the primitives of these names; a name that is none of them is an error.
    pub fn granting<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Legacy, Error> {
        names.into_iter().map(granted).collect::<Result<_, _>>().map(Legacy)
    }

    /// Whether the primitive of this name is granted.
    pub fn grants(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// Refuses the primitive of this name when it is legacy and not granted.
    pub fn admit(&self, name: &str) -> Result<(), Error> {
        match Legacy::NAMES.contains(&name) && !self.grants(name) {
            true => Err(Error::LegacyRefused(name.to_owned())),
            false => Ok(()),
        }
    }
}

fn granted(name: &str) -> Result<String, Error> {
    match Legacy::NAMES.contains(&name) {
        true => Ok(name.to_owned()),
        false => Err(Error::BadInput(format!(
            "`{name}` is not a legacy primitive; these are: {}",
            Legacy::NAMES.join(", ")
        ))),
    }
}
