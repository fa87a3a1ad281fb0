//! `application/x-www-form-urlencoded` bodies.

use crate::text::form_encoded;
use crate::{Content, Encoding, Part, Sensitive};

/// A form under construction. Text is percent-encoded, and so are sensitive parts, by the host.
#[derive(Clone, Debug, Default)]
pub struct Form(Content);

impl Form {
    /// No field yet.
    pub fn new() -> Form {
        Form::default()
    }

    /// Adds a field. A nested key is given as the provider writes it, `metadata[entry]`: square
    /// brackets in names stay as they are.
    #[must_use]
    pub fn field(mut self, name: &str, value: impl Into<Content>) -> Form {
        let separator = if self.0.is_empty() { "" } else { "&" };
        let name = form_encoded(name).replace("%5B", "[").replace("%5D", "]");
        self.0.extend(format!("{separator}{name}="));
        for part in value.into().into_parts() {
            self.0.extend(encoded(part));
        }
        self
    }

    /// Adds a field unless there is no value.
    #[must_use]
    pub fn optional(self, name: &str, value: Option<impl Into<Content>>) -> Form {
        match value {
            Some(value) => self.field(name, value),
            None => self,
        }
    }

    /// The encoded body.
    pub fn into_content(self) -> Content {
        self.0
    }
}

fn encoded(part: Part) -> Content {
    match part {
        Part::Text(text) => form_encoded(&text).into(),
        Part::Bytes(bytes) => form_encoded(&bytes).into(),
        Part::Sensitive(Sensitive { source, .. }) => source.encoded(Encoding::Form).into(),
    }
}
