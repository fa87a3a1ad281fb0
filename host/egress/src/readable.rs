//! Bytes in a journal that a person can read: text when they are UTF-8, otherwise
//! `{"base64": "..."}`. Both forms come back as the same bytes. For self-describing formats only.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserializer, Serializer};

const BASE64: &str = "base64";

pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    match std::str::from_utf8(bytes) {
        Ok(text) => serializer.serialize_str(text),
        Err(_) => {
            let mut map = serializer.serialize_map(Some(1))?;
            map.serialize_entry(BASE64, &STANDARD.encode(bytes))?;
            map.end()
        }
    }
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    deserializer.deserialize_any(Readable)
}

struct Readable;

impl<'de> Visitor<'de> for Readable {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, or a map with the one key `base64`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Vec<u8>, E> {
        Ok(text.as_bytes().to_vec())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Vec<u8>, E> {
        Ok(text.into_bytes())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<u8>, A::Error> {
        let (key, text) =
            map.next_entry::<String, String>()?.ok_or_else(|| A::Error::missing_field(BASE64))?;
        if key != BASE64 {
            return Err(A::Error::unknown_field(&key, &[BASE64]));
        }
        if map.next_key::<String>()?.is_some() {
            return Err(A::Error::custom("more than one key beside `base64`"));
        }
        STANDARD.decode(&text).map_err(|_| A::Error::custom("not base64"))
    }
}
