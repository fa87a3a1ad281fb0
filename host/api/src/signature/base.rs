//! The signature base: the text that is signed (RFC 9421, section 2.5).

use super::component::Component;
use super::field::{InnerList, Parameters};
use super::message::Message;
use super::{Error, malformed};

/// The base over these components, closed by the parameters as they stand in `Signature-Input`.
///
/// # Errors
/// A component that stands twice, or has no value in the message.
pub(super) fn base(
    components: &[Component],
    parameters: &Parameters,
    message: &Message<'_>,
) -> Result<String, Error> {
    let mut text = String::new();
    let mut before: &[Component] = &[];
    for (n, component) in components.iter().enumerate() {
        let identifier = component.identifier();
        if before.iter().any(|earlier| earlier.same(component)) {
            return Err(malformed(format!("{identifier} is covered twice")));
        }
        let value = component.value(message)?;
        text.push_str(&format!("{identifier}: {value}\n"));
        before = components.get(..=n).unwrap_or_default();
    }
    text.push_str("\"@signature-params\": ");
    text.push_str(&written(components, parameters));
    Ok(text)
}

/// Components and parameters as they stand in `Signature-Input`.
pub(super) fn written(components: &[Component], parameters: &Parameters) -> String {
    let items = components.iter().map(Component::item).collect();
    InnerList { items, parameters: parameters.clone() }.text()
}
