//! Examples of answers, made of their schemas: every field is there, with a value it could have.

use serde_json::{Map, Value, json};

/// Values that tell more than any value of their type would.
const VALUES: &[(&str, &str)] = &[
    ("account", "sandbox"),
    ("merchant_reference", "order-1001"),
    ("currency", "EUR"),
    ("name", "authorize.succeeded"),
    ("provider", "test_ent_01jd8ze5p2m3q4r5s6t7v8w9xb"),
    ("status", "captured"),
    ("state", "succeeded"),
    ("sign", "platform-1"),
    ("decrypt", "platform-2"),
];
/// Of numbers the same.
const NUMBERS: &[(&str, u64)] =
    &[("minor", 1999), ("authorized_minor", 1999), ("captured_minor", 1999), ("refunded_minor", 0)];

/// What may be null and is not in the example of a payment that succeeded, of a card that can be
/// paid with, or of a platform with keys.
const FILLED: &[&str] = &["capture", "reference", "fingerprint", "sign", "decrypt"];

/// Deeper than any schema of ours.
const DEPTH_MAX: usize = 12;

/// An example of this schema of the document.
pub(super) fn of(schema: &Value, document: &Value) -> Value {
    Maker { document, depth: 0 }.value("", schema)
}

struct Maker<'a> {
    document: &'a Value,
    depth: usize,
}

impl Maker<'_> {
    fn value(&self, name: &str, schema: &Value) -> Value {
        let schema = resolved(schema, self.document);
        if self.depth > DEPTH_MAX {
            return Value::Null;
        }
        for given in ["example", "const"] {
            if let Some(value) = schema.get(given) {
                return value.clone();
            }
        }
        if let Some(Value::Array(any)) = schema.get("anyOf") {
            return match any.iter().find(|one| one["type"] != "null") {
                Some(other) if FILLED.contains(&name) => self.deeper().value(name, other),
                _ if any.iter().any(|one| one["type"] == "null") => Value::Null,
                _ => self.text(name, schema),
            };
        }
        if let Some(first) = schema.pointer("/oneOf/0") {
            return self.deeper().value(name, first);
        }
        match schema["type"].as_str() {
            Some("object") => self.object(schema),
            Some("array") => json!([self.deeper().value(name, &schema["items"])]),
            Some("integer") => number(name, schema),
            Some("boolean") => json!(true),
            _ => self.text(name, schema),
        }
    }

    fn deeper(&self) -> Maker<'_> {
        Maker { document: self.document, depth: self.depth + 1 }
    }

    fn object(&self, schema: &Value) -> Value {
        let fields = schema["properties"].as_object().into_iter().flatten();
        let made = fields.map(|(name, field)| (name.clone(), self.deeper().value(name, field)));
        Value::Object(made.collect::<Map<_, _>>())
    }

    fn text(&self, name: &str, schema: &Value) -> Value {
        let words: Vec<&str> = texts(&schema["enum"]).collect();
        let known = VALUES.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        if let Some(first) = words.first() {
            return json!(known.filter(|value| words.contains(value)).unwrap_or(first));
        }
        if let Some(id) = schema["pattern"].as_str().and_then(identifier) {
            return json!(id);
        }
        match (schema["format"].as_str(), known) {
            (Some("date-time"), _) => json!("2026-11-23T09:30:00.000Z"),
            (Some("uri"), _) => json!("https://shop.example/done"),
            (_, Some(value)) => json!(value),
            _ => json!("…"),
        }
    }
}

fn number(name: &str, schema: &Value) -> Value {
    let known = NUMBERS.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    known.map_or_else(|| schema["minimum"].clone(), |value| json!(value))
}

/// `pay_01jd…` of `^pay_[0-9a-hjkmnp-tv-z]{26}$`.
fn identifier(pattern: &str) -> Option<String> {
    let prefix = pattern.strip_prefix('^')?.strip_suffix("[0-9a-hjkmnp-tv-z]{26}$")?;
    Some(format!("{prefix}01jd8ze5p2m3q4r5s6t7v8w9xa"))
}

/// The texts of a list.
pub(super) fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// The schema that a reference names; any other as it is.
pub(super) fn resolved<'a>(schema: &'a Value, document: &'a Value) -> &'a Value {
    let named = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    named.and_then(|pointer| document.pointer(pointer)).unwrap_or(schema)
}
