//! Components: what of a message is covered, by identifier, and the value it has there (RFC 9421,
//! section 2).

use http::HeaderMap;
use sfv::BareItem;

use super::field::{Dictionary, Item, Member, dictionary, joined, visible};
use super::message::{Message, Request};
use super::{Error, malformed};

/// Dictionaries among the fields: those of which `sf` can be made.
const DICTIONARIES: [&str; 5] =
    ["accept-signature", "content-digest", "repr-digest", "signature", "signature-input"];
const PARAMETERS: [&str; 5] = ["bs", "key", "name", "req", "sf"];

/// The identifier of a component.
#[derive(Clone, Debug)]
pub struct Component(Item);

impl Component {
    /// A derived component or a field, by its lower-case name.
    pub fn named(name: &str) -> Result<Component, Error> {
        Component::read(&Item::new(string(name)?))
    }

    /// The same component of the request which an answer answers.
    pub fn of_request(mut self) -> Result<Component, Error> {
        self.0.parameters.add("req", BareItem::Boolean(true)).map(|()| self)
    }

    /// One member of a dictionary field.
    pub fn member(mut self, label: &str) -> Result<Component, Error> {
        self.0.parameters.add("key", string(label)?).map(|()| self)
    }

    /// An identifier as it stands in `Signature-Input`.
    pub(super) fn read(item: &Item) -> Result<Component, Error> {
        let component = Component(item.clone());
        let shown = component.identifier();
        let Some(name) = item.value.as_string() else {
            return Err(malformed(format!("the component {shown} is not a string")));
        };
        let name = name.as_str();
        let plain = |byte: u8| byte.is_ascii_graphic() && !byte.is_ascii_uppercase();
        if name.is_empty() || !name.bytes().all(plain) || name == "@signature-params" {
            return Err(malformed(format!("{shown} is no component's name")));
        }
        let mut names = item.parameters.names();
        if let Some(strange) = names.find(|name| !PARAMETERS.contains(name)) {
            return Err(malformed(format!("{shown}: `{strange}` is not taken here")));
        }
        drop(names);
        Ok(component)
    }

    /// The name, without parameters.
    pub fn name(&self) -> &str {
        self.0.value.as_string().map_or("", |name| name.as_str())
    }

    /// Whether it is this name without any parameter.
    pub fn is(&self, name: &str) -> bool {
        self.name() == name && self.0.parameters.names().next().is_none()
    }

    /// Whether both name the same, in whatever order their parameters stand.
    pub(super) fn same(&self, other: &Component) -> bool {
        self.0.same(&other.0)
    }

    /// The identifier in the signature base.
    pub fn identifier(&self) -> String {
        self.0.text()
    }

    pub(super) fn item(&self) -> Item {
        self.0.clone()
    }

    /// The value in this message.
    pub fn value(&self, message: &Message<'_>) -> Result<String, Error> {
        let none = || Error::NoValue(self.identifier());
        let found = match (self.flag("req")?, message) {
            (true, Message::Request(_)) => None,
            (true, Message::Response(response)) => self.in_request(&response.request)?,
            (false, Message::Request(request)) => self.in_request(request)?,
            (false, Message::Response(response)) => match self.name() {
                "@status" if self.bare() => Some(response.status.to_string()),
                derived if derived.starts_with('@') => None,
                _ => self.in_fields(response.headers)?,
            },
        };
        found.ok_or_else(none)
    }

    fn in_request(&self, request: &Request<'_>) -> Result<Option<String>, Error> {
        let query = |query: &str| format!("?{query}");
        Ok(match self.name() {
            "@query-param" => self.query_parameter(request.query.unwrap_or_default())?,
            derived if derived.starts_with('@') && !self.bare() => None,
            "@method" => Some(request.method.to_owned()),
            "@target-uri" => Some(request.target_uri()),
            "@authority" => Some(request.authority.host().to_owned()),
            "@scheme" => Some(request.authority.scheme().to_owned()),
            "@request-target" => Some(request.request_target()),
            "@path" => Some(request.path.to_owned()),
            "@query" => Some(query(request.query.unwrap_or_default())),
            derived if derived.starts_with('@') => None,
            _ => self.in_fields(request.headers)?,
        })
    }

    /// Whether nothing but `req` stands beside the name.
    fn bare(&self) -> bool {
        self.0.parameters.names().all(|name| name == "req")
    }

    fn in_fields(&self, headers: &HeaderMap) -> Result<Option<String>, Error> {
        let name = self.name();
        let (strict, bytes, key) = (self.flag("sf")?, self.flag("bs")?, self.text("key")?);
        match (bytes, strict, key) {
            (false, false, None) => joined(headers, name),
            (true, false, None) => wrapped(headers, name),
            (false, _, Some(key)) => {
                self.of_dictionary(headers, |dictionary| dictionary.get(key).map(Member::text))
            }
            (false, true, None) => self.of_dictionary(headers, |whole| Some(whole.text())),
            // RFC 9421, section 2.1: `bs` excludes `sf` and `key`.
            (true, ..) => Err(malformed(format!("{} contradicts itself", self.identifier()))),
        }
    }

    fn of_dictionary(
        &self,
        headers: &HeaderMap,
        part: impl FnOnce(&Dictionary) -> Option<String>,
    ) -> Result<Option<String>, Error> {
        if !DICTIONARIES.contains(&self.name()) {
            return Err(malformed(format!("{} is not a known dictionary", self.identifier())));
        }
        Ok(dictionary(headers, self.name())?.as_ref().and_then(part))
    }

    /// RFC 9421, section 2.2.8: a parameter that stands twice has no value.
    fn query_parameter(&self, query: &str) -> Result<Option<String>, Error> {
        let fits = self.0.parameters.names().all(|name| ["name", "req"].contains(&name));
        let Some(wanted) = self.text("name")?.filter(|_| fits) else {
            return Err(malformed("\"@query-param\" takes `name` alone"));
        };
        let mut found = url::form_urlencoded::parse(query.as_bytes())
            .filter(|(name, _)| encoded(name) == wanted)
            .map(|(_, value)| encoded(&value));
        let first = found.next();
        Ok(first.filter(|_| found.next().is_none()))
    }

    fn flag(&self, name: &str) -> Result<bool, Error> {
        match self.0.parameters.get(name) {
            None => Ok(false),
            Some(BareItem::Boolean(true)) => Ok(true),
            Some(_) => Err(malformed(format!("{}: `{name}` is a flag", self.identifier()))),
        }
    }

    fn text(&self, name: &str) -> Result<Option<&str>, Error> {
        match self.0.parameters.get(name) {
            None => Ok(None),
            Some(BareItem::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(malformed(format!("{}: `{name}` is a string", self.identifier()))),
        }
    }
}

/// A string of a structured field, which is ASCII.
pub(super) fn string(text: &str) -> Result<BareItem, Error> {
    let text = sfv::StringRef::from_str(text).map_err(|_| malformed("a text not in ASCII"))?;
    Ok(BareItem::String(text.to_owned()))
}

/// Each line as a byte sequence (RFC 9421, section 2.1.3).
fn wrapped(headers: &HeaderMap, name: &str) -> Result<Option<String>, Error> {
    let mut lines = Vec::new();
    for line in headers.get_all(name) {
        let bytes = visible(line, name)?.as_bytes().to_vec();
        lines.push(Item::new(BareItem::ByteSequence(bytes)).text());
    }
    Ok((!lines.is_empty()).then(|| lines.join(", ")))
}

/// Percent-encoded as the URL standard does for forms, but for a space, which is `%20`.
fn encoded(text: &str) -> String {
    let mut all = String::new();
    for byte in text.bytes() {
        match byte {
            b'*' | b'-' | b'.' | b'_' => all.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => all.push(char::from(byte)),
            _ => all.push_str(&format!("%{byte:02X}")),
        }
    }
    all
}
