//! Shapes: what a value may look like, as data. One table serves two ends: `check` holds a request
//! to it, and [`schema`](crate::schema) writes it into the OpenAPI document: the two cannot differ.
//!
//! Not here: which shapes there are ([`vocabulary`](crate::vocabulary)), and what a value means.

use std::net::IpAddr;

use ledger::Currency;
use serde_json::{Map, Value};

use crate::problem::{Fault, Place, cut};

/// At most so many faults are listed; a body of nonsense does not make an answer of nonsense.
const FAULTS_MAX: usize = 32;

/// The characters a text may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alphabet {
    /// Everything but control characters.
    Text,
    /// Printable ASCII, with no space at either end.
    Printable,
    /// Printable ASCII without spaces.
    Visible,
    /// A letter or digit, then letters, digits, points, hyphens and underscores.
    Name,
    /// Lower-case letters and hyphens.
    Word,
    /// 0 to 9.
    Digits,
    /// Any character at all: what a provider said, to the letter.
    Any,
}

/// What a value may look like.
#[derive(Debug)]
pub(crate) enum Shape {
    /// Text of so many characters.
    Text { min: usize, max: usize, of: Alphabet },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// An ISO 4217 code, withdrawn or not.
    Currency,
    /// An ISO 4217 code that is not withdrawn.
    CurrentCurrency,
    /// An absolute http or https URI.
    WebUri,
    /// An IPv4 or IPv6 address.
    Address,
    /// An identifier of this prefix.
    Id(&'static str),
    /// RFC 3339, UTC, milliseconds.
    Time,
    /// A whole number.
    Integer { min: u64, max: u64 },
    /// True or false.
    Flag,
    /// An object of these fields and no others; the groups are read as one list.
    Object(&'static [&'static [Field]]),
    /// Any object.
    Open,
    /// Server-sent events: no JSON.
    Stream,
    /// An object whose `type` says which other fields it has.
    Tagged(&'static [(&'static str, &'static [Field])]),
    /// A list.
    List(&'static Shape),
    /// A list that is not empty.
    OneOrMore(&'static Shape),
    /// An object of texts: at most so many, each at most so long.
    Texts { entries_max: usize, length_max: usize },
    /// This, or null.
    Nullable(&'static Shape),
    /// A shape with a name of its own in the OpenAPI document.
    Named(&'static str, &'static Shape),
}

/// A field of an object, or a parameter.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) required: bool,
    pub(crate) about: &'static str,
}

/// A field that must be there.
pub(crate) const fn field(name: &'static str, shape: Shape, about: &'static str) -> Field {
    Field { name, shape, required: true, about }
}

/// A field that may be left out.
pub(crate) const fn optional(name: &'static str, shape: Shape, about: &'static str) -> Field {
    Field { name, shape, required: false, about }
}

/// The faults found so far in one part of a request.
#[derive(Debug)]
pub(crate) struct Faults {
    place: Place,
    list: Vec<Fault>,
}

impl Faults {
    pub(crate) fn of(place: Place) -> Faults {
        Faults { place, list: Vec::new() }
    }

    pub(crate) fn add(&mut self, at: &str, rule: &'static str, detail: impl Into<String>) {
        if self.list.len() < FAULTS_MAX {
            let (place, field) = (self.place, at.to_owned());
            self.list.push(Fault { place, field, rule, detail: detail.into() });
        }
    }

    pub(crate) fn into_list(self) -> Vec<Fault> {
        self.list
    }
}

impl Shape {
    /// Adds to `faults` whatever of `value`, which stands at the pointer `at`, breaks the shape.
    pub(crate) fn check(&self, value: &Value, at: &str, faults: &mut Faults) {
        match self {
            Shape::Nullable(_) if value.is_null() => {}
            Shape::Nullable(shape) | Shape::Named(_, shape) => shape.check(value, at, faults),
            Shape::Object(groups) => check_object(groups, value, at, faults),
            Shape::Tagged(cases) => check_tagged(cases, value, at, faults),
            Shape::OneOrMore(_) if value.as_array().is_some_and(Vec::is_empty) => {
                faults.add(at, "min-items", "name at least one");
            }
            Shape::List(of) | Shape::OneOrMore(of) => check_list(of, value, at, faults),
            Shape::Texts { entries_max, length_max } => {
                check_texts((*entries_max, *length_max), value, at, faults);
            }
            Shape::Integer { min, max } => check_integer((*min, *max), value, at, faults),
            Shape::Stream => {}
            Shape::Open if value.is_object() => {}
            Shape::Open => faults.add(at, "type", "write an object"),
            Shape::Flag if value.is_boolean() => {}
            Shape::Flag => faults.add(at, "type", "write true or false"),
            texts => match value.as_str() {
                Some(text) => texts.check_text(text, at, faults),
                None => faults.add(at, "type", "write a string"),
            },
        }
    }

    fn check_text(&self, text: &str, at: &str, faults: &mut Faults) {
        match self {
            Shape::Text { min, max, of } => {
                check_length_and_alphabet((*min, *max, *of), text, at, faults)
            }
            Shape::Choice(words) if !words.contains(&text) => {
                faults.add(at, "choice", format!("write one of: {}", words.join(", ")));
            }
            Shape::Currency | Shape::CurrentCurrency if Currency::from_code(text).is_err() => {
                faults.add(at, "choice", "write an ISO 4217 code in upper case, as in EUR");
            }
            Shape::CurrentCurrency => {
                let successor = Currency::from_code(text).ok().and_then(Currency::successor);
                if let Some(successor) = successor {
                    let detail =
                        format!("it is withdrawn from ISO 4217; its successor is {successor}");
                    faults.add(at, "choice", detail);
                }
            }
            Shape::WebUri if text.chars().count() > WEB_URI_MAX => {
                faults.add(at, "max-length", format!("write at most {WEB_URI_MAX} characters"));
            }
            Shape::WebUri if !is_web_uri(text) => {
                faults.add(at, "format", "write an absolute URI, as in https://shop.example/done");
            }
            Shape::Address if text.parse::<IpAddr>().is_err() => {
                faults.add(at, "format", "write an IPv4 or IPv6 address");
            }
            Shape::Id(prefix) if !is_id(prefix, text) => {
                faults.add(at, "format", format!("write {prefix} and the 26 characters after it"));
            }
            Shape::Time if !is_time(text) => {
                faults.add(at, "format", "write a time as in 2026-01-31T09:30:00.000Z");
            }
            _ => {}
        }
    }
}

fn check_length_and_alphabet(
    (min, max, of): (usize, usize, Alphabet),
    text: &str,
    at: &str,
    faults: &mut Faults,
) {
    match text.chars().count() {
        few if few < min => {
            faults.add(at, "min-length", format!("write at least {min} characters"))
        }
        many if many > max => {
            faults.add(at, "max-length", format!("write at most {max} characters"))
        }
        _ => {}
    }
    if !text.is_empty() && !of.admits(text) {
        faults.add(at, "characters", of.remedy());
    }
}

fn check_integer((min, max): (u64, u64), value: &Value, at: &str, faults: &mut Faults) {
    let Value::Number(number) = value else {
        return faults.add(at, "type", "write a number, without quotes");
    };
    match number.as_u64() {
        Some(whole) if whole < min => faults.add(at, "minimum", format!("write at least {min}")),
        Some(whole) if whole > max => faults.add(at, "maximum", format!("write at most {max}")),
        Some(_) => {}
        None if number.is_i64() => faults.add(at, "minimum", format!("write at least {min}")),
        // A number beyond 64 bits reads as a floating-point number.
        None if number.as_f64().is_some_and(|float| float > max as f64) => {
            faults.add(at, "maximum", format!("write at most {max}"));
        }
        None => faults.add(at, "type", "write a whole number"),
    }
}

fn check_object(groups: &[&[Field]], value: &Value, at: &str, faults: &mut Faults) {
    let Some(object) = value.as_object() else {
        return faults.add(at, "type", "write an object");
    };
    let fields = || groups.iter().flat_map(|group| group.iter());
    check_fields(fields(), object, at, faults);
    let known = |name: &str| fields().any(|field| field.name == name);
    refuse_unknown(object.keys().filter(|name| !known(name)), at, faults);
}

fn check_fields<'a>(
    fields: impl Iterator<Item = &'a Field>,
    object: &Map<String, Value>,
    at: &str,
    faults: &mut Faults,
) {
    for field in fields {
        let here = format!("{at}/{}", field.name);
        match object.get(field.name) {
            Some(value) => field.shape.check(value, &here, faults),
            None if field.required => faults.add(&here, "required", "this field must be there"),
            None => {}
        }
    }
}

fn refuse_unknown<'a>(names: impl Iterator<Item = &'a String>, at: &str, faults: &mut Faults) {
    for name in names {
        let here = format!("{at}/{}", token(name));
        faults.add(&here, "unknown", "there is no such field here; leave it out");
    }
}

fn check_tagged(cases: &[(&str, &'static [Field])], value: &Value, at: &str, faults: &mut Faults) {
    let Some(object) = value.as_object() else {
        return faults.add(at, "type", "write an object");
    };
    let tag = format!("{at}/type");
    let names = || cases.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let Some(Value::String(name)) = object.get("type") else {
        let rule = if object.contains_key("type") { "type" } else { "required" };
        return faults.add(&tag, rule, format!("write one of: {}", names()));
    };
    let Some((_, fields)) = cases.iter().find(|(case, _)| case == name) else {
        return faults.add(&tag, "choice", format!("write one of: {}", names()));
    };
    check_fields(fields.iter(), object, at, faults);
    let known = |name: &str| name == "type" || fields.iter().any(|field| field.name == name);
    refuse_unknown(object.keys().filter(|name| !known(name)), at, faults);
}

fn check_list(of: &Shape, value: &Value, at: &str, faults: &mut Faults) {
    let Some(list) = value.as_array() else {
        return faults.add(at, "type", "write a list");
    };
    for (place, item) in list.iter().enumerate() {
        of.check(item, &format!("{at}/{place}"), faults);
    }
}

fn check_texts((entries, length): (usize, usize), value: &Value, at: &str, faults: &mut Faults) {
    let Some(object) = value.as_object() else {
        return faults.add(at, "type", "write an object of strings");
    };
    if object.len() > entries {
        faults.add(at, "max-properties", format!("write at most {entries} fields"));
    }
    let text = Shape::Text { min: 0, max: length, of: Alphabet::Text };
    for (name, value) in object {
        let here = format!("{at}/{}", token(name));
        check_length_and_alphabet(TEXTS_NAME, name, &here, faults);
        text.check(value, &here, faults);
    }
}

/// What the names of a [`Shape::Texts`] may be.
pub(crate) const TEXTS_NAME: (usize, usize, Alphabet) = (1, 64, Alphabet::Name);

/// The longest URI, in characters.
pub(crate) const WEB_URI_MAX: usize = 2048;

/// A name as a token of a JSON pointer (RFC 6901, section 3), cut where it is long.
fn token(name: &str) -> String {
    cut(name).replace('~', "~0").replace('/', "~1")
}

impl Alphabet {
    pub(crate) fn admits(self, text: &str) -> bool {
        let ascii = |c: char| (' '..='~').contains(&c);
        let name = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        match self {
            Alphabet::Text => !text.chars().any(char::is_control),
            Alphabet::Printable => text.chars().all(ascii) && text.trim_matches(' ') == text,
            Alphabet::Visible => text.chars().all(|c| ascii(c) && c != ' '),
            Alphabet::Name => {
                text.chars().all(name) && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            }
            Alphabet::Word => text.chars().all(|c| c.is_ascii_lowercase() || c == '-'),
            Alphabet::Digits => text.bytes().all(|byte| byte.is_ascii_digit()),
            Alphabet::Any => true,
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Alphabet::Text => "leave out control characters",
            Alphabet::Printable => "write printable ASCII, with no space at either end",
            Alphabet::Visible => "write printable ASCII without spaces",
            Alphabet::Name => "write letters, digits, _ . and -, beginning with a letter or digit",
            Alphabet::Word => "write lower-case letters and hyphens",
            Alphabet::Digits => "write digits alone",
            Alphabet::Any => "",
        }
    }
}

fn is_id(prefix: &str, text: &str) -> bool {
    text.starts_with(prefix) && text.parse::<ledger::Id>().is_ok()
}

fn is_time(text: &str) -> bool {
    text.len() == "2026-01-31T09:30:00.000Z".len()
        && text.ends_with('Z')
        && text.parse::<jiff::Timestamp>().is_ok()
}

/// The pattern of [`Shape::WebUri`] by hand: scheme, host, port, then path, query and fragment of
/// RFC 3986 characters.
fn is_web_uri(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let Some(rest) = rest else { return false };
    let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let (tail, fragment) = tail.split_once('#').unwrap_or((tail, ""));
    is_host(host) && port.is_none_or(is_port) && is_uri_text(tail) && is_uri_text(fragment)
}

fn is_host(host: &str) -> bool {
    host.len() <= 253
        && host.starts_with(|c: char| c.is_ascii_alphanumeric())
        && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c))
}

fn is_port(port: &str) -> bool {
    (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_uri_text(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._~!$&'()*+,;=:@/?-".contains(c);
    let mut parts = text.split('%');
    let first = parts.next().unwrap_or_default();
    let escaped = |part: &str| {
        part.get(..2).is_some_and(|two| two.bytes().all(|byte| byte.is_ascii_hexdigit()))
            && part.chars().all(plain)
    };
    first.chars().all(plain) && parts.all(escaped)
}
