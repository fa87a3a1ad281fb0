//! The query of a request: percent-decoding, and parameters held to their shapes.

use serde_json::{Map, Value};

use crate::catalogue::{MALFORMED, QUERY_INVALID};
use crate::problem::{Place, Problem, cut};
use crate::shape::{Faults, Field, Shape};

/// Decodes `%` and two hexadecimal digits (RFC 3986, section 2.1), and in a query `+` as a space.
pub(crate) fn decode(text: &str, query: bool) -> Result<String, Problem> {
    let broken = |what| Problem::new(&MALFORMED, format!("the path or query holds {what}"));
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => escaped(bytes.next(), bytes.next())
                .ok_or_else(|| broken("a % without two hexadecimal digits"))?,
            b'+' if query => b' ',
            plain => plain,
        });
    }
    String::from_utf8(decoded).map_err(|_| broken("escaped bytes that are not UTF-8"))
}

fn escaped(high: Option<u8>, low: Option<u8>) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high?)? * 16 + digit(low?)?).ok()
}

/// Reads the query by the operation's parameters; everything else is refused.
pub(crate) fn read(query: &str, fields: &[Field]) -> Result<Map<String, Value>, Problem> {
    let mut values = Map::new();
    let mut faults = Faults::of(Place::Query);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name, true)?, decode(value, true)?);
        let Some(field) = fields.iter().find(|field| field.name == name) else {
            faults.add(&cut(&name), "unknown", "this operation has no such parameter");
            continue;
        };
        let value = typed(&field.shape, value);
        field.shape.check(&value, field.name, &mut faults);
        if values.insert(name, value).is_some() {
            faults.add(field.name, "duplicate", "write this parameter once");
        }
    }
    for field in fields.iter().filter(|field| field.required) {
        if !values.contains_key(field.name) {
            faults.add(field.name, "required", "this parameter must be there");
        }
    }
    let faults = faults.into_list();
    if faults.is_empty() { Ok(values) } else { Err(Problem::with_faults(&QUERY_INVALID, faults)) }
}

/// Text as a number where the parameter is one: digits without sign or leading zero.
fn typed(shape: &Shape, text: String) -> Value {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    match (shape, text.parse::<u64>()) {
        (Shape::Integer { .. }, Ok(number)) if plain || text == "0" => number.into(),
        _ => text.into(),
    }
}
