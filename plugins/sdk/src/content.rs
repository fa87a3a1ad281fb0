//! What leaves: text, bytes, and places that the host fills in. A secret is here only as its name.

use std::ops::Deref;

use crate::{CardField, Encoding, Part, Sensitive, Source};

/// A header value, a body, or the message under a signature: parts in a row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Content(Vec<Part>);

impl Content {
    /// Nothing yet.
    pub fn new() -> Content {
        Content::default()
    }

    /// Adds text, bytes, a sensitive part or other content at the end.
    #[must_use]
    pub fn then(mut self, more: impl Into<Content>) -> Content {
        self.extend(more);
        self
    }

    /// As `then`, in place.
    pub fn extend(&mut self, more: impl Into<Content>) {
        for part in more.into().0 {
            match (self.0.last_mut(), part) {
                (Some(Part::Text(text)), Part::Text(more)) => text.push_str(&more),
                (Some(Part::Bytes(bytes)), Part::Bytes(more)) => bytes.extend(more),
                (_, part) => self.0.push(part),
            }
        }
    }

    /// The parts, as the contract has them.
    pub fn into_parts(self) -> Vec<Part> {
        self.0
    }
}

impl Deref for Content {
    type Target = [Part];
    fn deref(&self) -> &[Part] {
        &self.0
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Content {
        Content(vec![Part::Text(text.to_owned())])
    }
}
impl From<String> for Content {
    fn from(text: String) -> Content {
        Content(vec![Part::Text(text)])
    }
}
impl From<&String> for Content {
    fn from(text: &String) -> Content {
        Content::from(text.as_str())
    }
}
impl From<u64> for Content {
    fn from(number: u64) -> Content {
        Content::from(number.to_string())
    }
}
impl From<bool> for Content {
    fn from(truth: bool) -> Content {
        Content::from(if truth { "true" } else { "false" })
    }
}
impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Content {
        Content(vec![Part::Bytes(bytes)])
    }
}
impl From<&[u8]> for Content {
    fn from(bytes: &[u8]) -> Content {
        Content::from(bytes.to_vec())
    }
}
impl From<Sensitive> for Content {
    fn from(sensitive: Sensitive) -> Content {
        Content(vec![Part::Sensitive(sensitive)])
    }
}
impl From<Source> for Content {
    fn from(source: Source) -> Content {
        Content::from(source.raw())
    }
}

impl Source {
    /// In this encoding: match the place it goes to.
    pub fn encoded(self, encoding: Encoding) -> Sensitive {
        Sensitive { source: self, encoding }
    }

    /// The bytes as they are.
    pub fn raw(self) -> Sensitive {
        self.encoded(Encoding::Raw)
    }
}

/// A secret of the account, by its name in the description. Raw unless encoded otherwise; a form
/// or JSON body encodes it rightly by itself.
pub fn secret(name: &str) -> Source {
    Source::Secret(name.to_owned())
}

/// A field of the card this operation is paid with.
pub fn card(field: CardField) -> Source {
    Source::Card(field)
}

/// The result of [`crate::Host::derive`].
pub fn derived(number: u32) -> Source {
    Source::Derived(number)
}
