//! A [`Shape`] as JSON Schema (draft 2020-12, the dialect of OpenAPI 3.1).

use std::sync::LazyLock;

use ledger::Currency;
use serde_json::{Map, Value, json};

use crate::shape::{Alphabet, Field, Shape, TEXTS_NAME, WEB_URI_MAX};

const WEB_URI: &str = concat!(
    r"^https?://[A-Za-z0-9][A-Za-z0-9.-]{0,252}(:[0-9]{1,5})?",
    r"([/?]([A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?",
    r"(#([A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?$",
);

/// Every code that [`Shape::CurrentCurrency`] takes.
static CURRENT: LazyLock<Vec<Currency>> = LazyLock::new(Currency::current);
const STREAM: &str = "Server-sent events (WHATWG HTML, section 9.2). `id` is the cursor just after \
    the event, `event` its name, `data` an Event in one line of JSON. A comment comes when nothing \
    else does.";

/// Of all the ways in which RFC 3339 writes a time, this one alone is taken and answered.
const TIME: &str = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$";

/// Every code that [`Shape::Currency`] takes.
static CURRENCIES: LazyLock<Vec<Currency>> = LazyLock::new(Currency::all);

impl Alphabet {
    fn pattern(self) -> Option<&'static str> {
        match self {
            Alphabet::Text => Some(r"^[^\x00-\x1f\x7f-\x9f]*$"),
            Alphabet::Printable => Some("^[!-~]([ -~]*[!-~])?$"),
            Alphabet::Visible => Some("^[!-~]*$"),
            Alphabet::Name => Some("^[A-Za-z0-9][A-Za-z0-9_.-]*$"),
            Alphabet::Word => Some("^[a-z-]*$"),
            Alphabet::Digits => Some("^[0-9]*$"),
            Alphabet::Any => None,
        }
    }
}

impl Shape {
    /// The shape as JSON Schema.
    pub(crate) fn schema(&self) -> Value {
        match self {
            Shape::Text { min, max, of } => text(*min, *max, *of),
            Shape::Choice(words) => json!({"type": "string", "enum": words}),
            Shape::Currency => json!({"type": "string", "enum": *CURRENCIES}),
            Shape::CurrentCurrency => json!({"type": "string", "enum": *CURRENT}),
            Shape::WebUri => json!({
                "type": "string", "format": "uri", "maxLength": WEB_URI_MAX, "pattern": WEB_URI,
            }),
            Shape::Address => json!({
                "type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}],
            }),
            Shape::Id(prefix) => json!({
                "type": "string", "pattern": format!("^{prefix}[0-9a-hjkmnp-tv-z]{{26}}$"),
            }),
            Shape::Time => json!({"type": "string", "format": "date-time", "pattern": TIME}),
            Shape::Integer { min, max } => {
                json!({"type": "integer", "format": "int64", "minimum": min, "maximum": max})
            }
            Shape::Flag => json!({"type": "boolean"}),
            Shape::Object(groups) => {
                object(groups.iter().flat_map(|group| group.iter()), Map::new())
            }
            Shape::Open => json!({"type": "object"}),
            Shape::Stream => json!({"type": "string", "description": STREAM}),
            Shape::Tagged(cases) => {
                json!({"oneOf": cases.iter().map(tagged).collect::<Vec<_>>()})
            }
            Shape::List(of) => json!({"type": "array", "items": of.schema()}),
            Shape::OneOrMore(of) => json!({"type": "array", "items": of.schema(), "minItems": 1}),
            Shape::Texts { entries_max, length_max } => texts(*entries_max, *length_max),
            Shape::Nullable(shape) => json!({"anyOf": [shape.schema(), {"type": "null"}]}),
            Shape::Named(name, _) => json!({"$ref": format!("#/components/schemas/{name}")}),
        }
    }
}

fn text(min: usize, max: usize, of: Alphabet) -> Value {
    let mut schema = Map::from_iter([("type".to_owned(), json!("string"))]);
    if min > 0 {
        schema.insert("minLength".to_owned(), json!(min));
    }
    if max < usize::MAX {
        schema.insert("maxLength".to_owned(), json!(max));
    }
    if let Some(pattern) = of.pattern() {
        schema.insert("pattern".to_owned(), json!(pattern));
    }
    Value::Object(schema)
}

fn texts(entries_max: usize, length_max: usize) -> Value {
    let (min, max, of) = TEXTS_NAME;
    json!({
        "type": "object",
        "maxProperties": entries_max,
        "propertyNames": text(min, max, of),
        "additionalProperties": text(0, length_max, Alphabet::Text),
    })
}

fn tagged((name, fields): &(&str, &'static [Field])) -> Value {
    let tag = Map::from_iter([("type".to_owned(), json!({"const": name}))]);
    object(fields.iter(), tag)
}

fn object<'a>(fields: impl Iterator<Item = &'a Field>, tag: Map<String, Value>) -> Value {
    let mut required: Vec<&str> = tag.keys().map(|_| "type").collect();
    let mut properties = tag.clone();
    for field in fields {
        let mut schema = field.shape.schema();
        if let Some(schema) = schema.as_object_mut() {
            schema.insert("description".to_owned(), json!(field.about));
        }
        properties.insert(field.name.to_owned(), schema);
        if field.required {
            required.push(field.name);
        }
    }
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}
