//! Strict reading of JSON (RFC 8259, and I-JSON's rule of RFC 7493 that names are unique): UTF-8,
//! one value, no name twice in one object, no deep nesting.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use zeroize::{Zeroize, Zeroizing};

use crate::catalogue::NOT_JSON;
use crate::numeral;
use crate::problem::{Fault, Place, Problem, cut};

/// Reads one JSON value of at most `depth_max` objects and lists within one another.
pub(crate) fn read(body: &[u8], depth_max: usize) -> Result<Value, Problem> {
    let text = std::str::from_utf8(body).map_err(|error| {
        Problem::new(&NOT_JSON, format!("byte {} is not UTF-8", error.valid_up_to()))
    })?;
    let plain = Zeroizing::new(numeral::written_out(text));
    let refused = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_str(&plain);
    let level = Level { left: depth_max, at: String::new(), refused: &refused };
    let read = level.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    read.map_err(|error| match refused.take() {
        Some(fault) => Problem::with_faults(&NOT_JSON, vec![fault]),
        None => {
            let (line, column) = (error.line(), error.column());
            Problem::new(&NOT_JSON, format!("no JSON at line {line}, column {column}"))
        }
    })
}

/// Overwrites the texts of a value that nobody takes over: it may have been encrypted on its way.
pub(crate) fn wipe(value: Value) {
    match value {
        Value::String(mut text) => text.zeroize(),
        Value::Array(items) => items.into_iter().for_each(wipe),
        Value::Object(fields) => fields.into_iter().for_each(|(_, field)| wipe(field)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// One level of nesting, the pointer to it, and where a refusal is put.
struct Level<'a> {
    left: usize,
    at: String,
    refused: &'a RefCell<Option<Fault>>,
}

impl<'a> Level<'a> {
    fn below(&self, token: &str) -> Result<Level<'a>, ()> {
        let at = format!("{}/{}", self.at, cut(token).replace('~', "~0").replace('/', "~1"));
        Ok(Level { left: self.left.checked_sub(1).ok_or(())?, at, refused: self.refused })
    }

    fn refuse<E: serde::de::Error>(&self, at: &str, rule: &'static str, detail: &str) -> E {
        self.refused.replace(Some(Fault::new(Place::Body, at, rule, detail)));
        E::custom(rule)
    }

    fn too_deep<E: serde::de::Error>(&self) -> E {
        self.refuse(&self.at, "depth", "nothing here nests so deeply")
    }
}

impl<'de> DeserializeSeed<'de> for Level<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(flag.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        loop {
            let below = self.below(&list.len().to_string()).map_err(|()| self.too_deep())?;
            match items.next_element_seed(below)? {
                Some(item) => list.push(item),
                None => return Ok(Value::Array(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            let below = self.below(&name).map_err(|()| self.too_deep())?;
            if object.contains_key(&name) {
                let detail = "this name stands twice in one object; write it once";
                return Err(self.refuse(&below.at, "duplicate", detail));
            }
            let value = entries.next_value_seed(below)?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}
