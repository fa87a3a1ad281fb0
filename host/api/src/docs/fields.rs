//! Fields of objects, and parameters, as rows of a table: name, what it may be, whether it has to
//! be there, what it is for.

#![allow(clippy::indexing_slicing, reason = "a member that a JSON value lacks reads as null")]

use serde_json::Value;

use super::example::texts;
use super::html::{code, link, prose, table};

/// More words than this are told by their number.
const WORDS_MAX: usize = 24;

/// The tables of an object; one for each case where its `type` decides.
pub(super) fn tables(schema: &Value) -> String {
    if let Some(Value::Array(cases)) = schema.get("oneOf") {
        return cases.iter().map(of_case).collect();
    }
    let rows = rows("", schema);
    match rows.is_empty() {
        true => "<p>No fields.</p>\n".to_owned(),
        false => table(&["Field", "Value", "About"], &rows),
    }
}

fn of_case(case: &Value) -> String {
    let rows = rows("", case);
    match case["properties"]["type"]["const"].as_str() {
        Some(word) => format!(
            "<p>Of <code>\"type\": \"{word}\"</code>:</p>\n{}",
            table(&["Field", "Value", "About"], &rows)
        ),
        None => table(&["Field", "Value", "About"], &rows),
    }
}

/// A row for each field; those of an object without a name of its own follow it.
fn rows(prefix: &str, schema: &Value) -> Vec<Vec<String>> {
    let required: Vec<&str> = texts(&schema["required"]).collect();
    let mut rows = Vec::new();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{prefix}{name}");
        let needed = required.contains(&name.as_str());
        rows.push(row(&path, field, needed));
        let (inner, infix) = inside(field);
        rows.extend(self::rows(&format!("{path}{infix}"), inner));
    }
    rows
}

/// What a field holds, past null and lists.
fn inside(field: &Value) -> (&Value, &'static str) {
    match (field.pointer("/anyOf/0"), field.get("items")) {
        (Some(first), _) => (inside(first).0, "."),
        (_, Some(items)) => (items, "[]."),
        _ => (field, "."),
    }
}

/// One field or parameter.
pub(super) fn row(path: &str, field: &Value, required: bool) -> Vec<String> {
    let mark = if required { "" } else { " <span class=\"optional\">optional</span>" };
    let about = prose(field["description"].as_str().unwrap_or_default());
    vec![format!("{}{mark}", code(path)), value(field), about]
}

/// What a value may be, with its bounds.
pub(super) fn value(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return link(&format!("#object-{name}"), name);
    }
    if let Some(word) = schema["const"].as_str() {
        return code(&format!("\"{word}\""));
    }
    if let Some(Value::Array(any)) = schema.get("anyOf") {
        return alternatives(schema, any);
    }
    match schema["type"].as_str() {
        Some("string") => text(schema),
        Some("integer") => integer(schema),
        Some("array") if schema["minItems"] == 1 => {
            format!("list of one or more of {}", value(&schema["items"]))
        }
        Some("array") => format!("list of {}", value(&schema["items"])),
        Some("object") => object(schema),
        Some("boolean") => "true or false".to_owned(),
        _ => "anything".to_owned(),
    }
}

fn alternatives(schema: &Value, any: &[Value]) -> String {
    if schema["type"] == "string" {
        let formats: Vec<&str> = any.iter().filter_map(|one| one["format"].as_str()).collect();
        return formats.join(" or ");
    }
    let null = |one: &Value| one["type"] == "null";
    let rest: Vec<String> = any.iter().filter(|one| !null(one)).map(value).collect();
    let or_null = if any.iter().any(null) { ", or null" } else { "" };
    format!("{}{or_null}", rest.join(" or "))
}

fn text(schema: &Value) -> String {
    let words: Vec<&str> = texts(&schema["enum"]).collect();
    match words.len() {
        0 => {}
        many if many > WORDS_MAX => {
            return format!("one of {many} words, as {}", code(words.first().unwrap_or(&"")));
        }
        _ => return words.iter().map(|word| code(word)).collect::<Vec<_>>().join(" "),
    }
    let length = match (schema["minLength"].as_u64(), schema["maxLength"].as_u64()) {
        (Some(least), Some(most)) => format!(", {least} to {most} characters"),
        (None, Some(most)) => format!(", at most {most} characters"),
        (Some(least), None) => format!(", at least {least} characters"),
        (None, None) => String::new(),
    };
    format!("{}{length}", form(schema))
}

/// What kind of text, in a word or two.
fn form(schema: &Value) -> &'static str {
    match (schema["format"].as_str(), schema["pattern"].as_str().unwrap_or_default()) {
        (Some("date-time"), _) => "time, RFC 3339",
        (Some("uri"), _) => "URL",
        (_, pattern) if pattern.ends_with("{26}$") => "identifier",
        (_, "^[!-~]([ -~]*[!-~])?$") => "printable ASCII",
        (_, "^[!-~]*$") => "ASCII without spaces",
        (_, "^[A-Za-z0-9][A-Za-z0-9_.-]*$") => "letters, digits, _ . -",
        (_, "^[a-z-]*$") => "lower-case word",
        _ => "text",
    }
}

fn integer(schema: &Value) -> String {
    match (schema["minimum"].as_u64(), schema["maximum"].as_u64()) {
        (Some(least), Some(most)) if most < u64::MAX => format!("whole number, {least} to {most}"),
        (Some(least), _) => format!("whole number from {least}"),
        _ => "whole number".to_owned(),
    }
}

fn object(schema: &Value) -> String {
    match (schema["maxProperties"].as_u64(), &schema["additionalProperties"]["maxLength"]) {
        (Some(many), Value::Number(most)) => {
            format!("object of at most {many} texts, each at most {most} characters")
        }
        _ => "object".to_owned(),
    }
}
