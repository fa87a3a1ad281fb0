//! The legacy primitives an operator has granted to an account, by name.

use std::collections::BTreeSet;

use crate::Error;

/// Legacy primitives granted: `md5`, `sha1`, `hmac-md5`, `hmac-sha1`, `rsa-pkcs1-sha1`,
/// `tdes-cbc-zero`, `rsa-pkcs1`.
#[derive(Clone, Debug, Default)]
pub struct Legacy(BTreeSet<String>);

impl Legacy {
    /// Grants nothing.
    pub fn none() -> Legacy {
        Legacy::default()
    }

    /// Grants the primitives of these names; a name that is none of them is an error.
    pub fn granting<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Legacy, Error> {
        let _ = names;
        unimplemented!()
    }

    /// Whether the primitive of this name is granted.
    pub fn grants(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}
