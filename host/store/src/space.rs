//! A space: a named table of the store. Not here: which tables there are (the caller names them).

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest name of a space, in bytes.
pub const SPACE_BYTES_MAX: usize = 16;

/// The name of a table: 1 to [`SPACE_BYTES_MAX`] characters out of `a`-`z` and `-`.
///
/// The name itself is written in the journal, so a journal can be read without the program that
/// wrote it, and the order in which spaces are declared means nothing.
///
/// ```
/// use store::Space;
/// const PAYMENT: Space = Space::named("payment");
/// assert_eq!(PAYMENT.name(), "payment");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Space {
    // Padded with zeros, so that the derived order is the order of the names.
    name: [u8; SPACE_BYTES_MAX],
}

impl Space {
    /// The space of this name, for constants.
    ///
    /// # Panics
    /// When the name is not one, which in a constant means that it does not compile.
    #[must_use]
    pub const fn named(name: &str) -> Space {
        match Space::parse(name) {
            Some(space) => space,
            #[allow(clippy::panic, reason = "refuses a constant at compile time")]
            None => panic!("a space is named by 1 to 16 characters out of a-z and -"),
        }
    }

    /// The space of this name, if it is a name.
    #[must_use]
    pub const fn parse(name: &str) -> Option<Space> {
        let (mut rest, mut padded) = (name.as_bytes(), [0; SPACE_BYTES_MAX]);
        if rest.is_empty() || rest.len() > SPACE_BYTES_MAX {
            return None;
        }
        let mut free: &mut [u8] = &mut padded;
        while let ([byte, after @ ..], [slot, slots @ ..]) = (rest, free) {
            if !(byte.is_ascii_lowercase() || *byte == b'-') {
                return None;
            }
            *slot = *byte;
            (rest, free) = (after, slots);
        }
        Some(Space { name: padded })
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        let name = self.name.split(|byte| *byte == 0).next().unwrap_or_default();
        std::str::from_utf8(name).unwrap_or_default()
    }
}

impl fmt::Display for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Space {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Space {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Space, D::Error> {
        let name = String::deserialize(deserializer)?;
        Space::parse(&name)
            .ok_or_else(|| serde::de::Error::custom(format!("`{name}` is no name of a space")))
    }
}
