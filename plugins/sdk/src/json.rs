//! JSON bodies with sensitive parts in them.
//!
//! serde writes text, and a secret must not be text. So a hidden field writes a marker, and the
//! markers are cut out of the text afterwards. The marker is U+E000, of the private use area. Were
//! it to come in with an app's text, it could name a secret: such a body is refused as a whole.

use std::cell::RefCell;

use serde::{Serialize, Serializer};

use crate::{Content, Encoding, Failure, Source};

const MARK: char = '\u{E000}';

thread_local! {
    static HIDDEN: RefCell<Vec<Source>> = const { RefCell::new(Vec::new()) };
}

/// A field of a JSON body that the host fills in: `Hidden(secret("api-key"))`.
#[derive(Clone, Debug)]
pub struct Hidden(pub Source);

impl Serialize for Hidden {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        HIDDEN.with_borrow_mut(|hidden| hidden.push(self.0.clone()));
        serializer.serialize_str(MARK.encode_utf8(&mut [0; 4]))
    }
}

pub(crate) fn content(value: &impl Serialize) -> Result<Content, Failure> {
    HIDDEN.take();
    let text = serde_json::to_string(value);
    let hidden = HIDDEN.take();
    let text = text.map_err(|error| Failure::Invalid(format!("not JSON: {error}")))?;
    if text.matches(MARK).count() != hidden.len() {
        return Err(Failure::Invalid("text holds the character U+E000".to_owned()));
    }
    let mut content = Content::new();
    let mut hidden = hidden.into_iter();
    for piece in text.split(MARK) {
        content.extend(piece);
        if let Some(source) = hidden.next() {
            content.extend(source.encoded(Encoding::Json));
        }
    }
    Ok(content)
}
