//! A secret value with a name: zeroized when dropped, never displayed.

use std::fmt;

use zeroize::Zeroizing;

/// A secret. Its `Debug` prints its name, and it has no `Display`.
#[derive(Clone)]
pub struct Secret {
    name: String,
    value: Zeroizing<Vec<u8>>,
}

impl Secret {
    /// The secret of this name.
    pub fn new(name: impl Into<String>, value: Vec<u8>) -> Secret {
        Secret { name: name.into(), value: Zeroizing::new(value) }
    }

    /// The secret of this name, from bytes that are wiped already when dropped.
    pub(crate) fn from_zeroizing(name: &str, value: Zeroizing<Vec<u8>>) -> Secret {
        Secret { name: name.to_owned(), value }
    }

    /// The name the operator gave.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value. The caller keeps it no longer than the use at hand.
    pub fn expose(&self) -> &[u8] {
        &self.value
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.name)
    }
}
