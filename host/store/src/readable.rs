//! Bytes in JSON: as text when they are text, else as `{"hex": "..."}`. Not how bytes are written
//! in the journal: this is for people who read it.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Form<T> {
    Text(T),
    Hex { hex: String },
}

pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    let form = match std::str::from_utf8(bytes) {
        Ok(text) => Form::Text(text),
        Err(_) => Form::Hex { hex: hex::encode(bytes) },
    };
    form.serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    match Form::<String>::deserialize(deserializer)? {
        Form::Text(text) => Ok(text.into_bytes()),
        Form::Hex { hex } => hex::decode(hex).map_err(de::Error::custom),
    }
}
