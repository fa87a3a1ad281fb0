//! The reference: every operation of the OpenAPI document, and every object that it names.

#![allow(clippy::indexing_slicing, reason = "a member that a JSON value lacks reads as null")]

use std::collections::BTreeSet;

use serde_json::Value;

use super::example::{self, resolved, texts};
use super::fields;
use super::html::{block, code, escaped, heading, link, prose, table};
use crate::jose;

/// One operation of the document.
pub(super) struct Operation<'a> {
    path: &'a str,
    method: &'a str,
    value: &'a Value,
}

/// Every operation, in the order of the document.
pub(super) fn operations(document: &Value) -> impl Iterator<Item = Operation<'_>> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().into_iter().flatten();
        methods.map(move |(method, value)| Operation { path, method, value })
    })
}

impl Operation<'_> {
    /// Its name.
    pub(super) fn id(&self) -> &str {
        self.value["operationId"].as_str().unwrap_or_default()
    }

    /// The codes it can answer, each once.
    pub(super) fn problems(&self) -> impl Iterator<Item = &str> {
        let responses = self.value["responses"].as_object().into_iter().flatten();
        responses.flat_map(|(_, response)| {
            let problem = &response["content"]["application/problem+json"];
            texts(&problem["schema"]["properties"]["code"]["enum"])
        })
    }

    fn body(&self) -> Option<&Value> {
        self.media().map(|(_, content)| content)
    }

    /// The media type of its body, the first of the document, and what the document says of it.
    fn media(&self) -> Option<(&str, &Value)> {
        let content = self.value.pointer("/requestBody/content")?.as_object()?;
        let (kind, content) = content.iter().next()?;
        content.get("schema").map(|_| (kind.as_str(), content))
    }

    fn secured(&self) -> bool {
        self.value["security"].as_array().is_some_and(|list| !list.is_empty())
    }

    fn parameters(&self, place: &str) -> impl Iterator<Item = &Value> {
        let all = self.value["parameters"].as_array().into_iter().flatten();
        all.filter(move |one| one["in"] == place)
    }

    fn text(&self, name: &str) -> &str {
        self.value[name].as_str().unwrap_or_default()
    }
}

/// What an operation belongs to, by its path.
const GROUPS: &[(&str, &str)] = &[
    ("/v1/", "The platform"),
    ("/admin/", "Administration"),
    ("/webhooks/", "For providers"),
    ("/", "About the host"),
];

fn group(path: &str) -> &'static str {
    let found = GROUPS.iter().find(|(prefix, _)| path.starts_with(prefix));
    found.map_or("About the host", |(_, group)| group)
}

/// The page.
pub(super) fn html(document: &Value) -> String {
    let about = prose(document["info"]["description"].as_str().unwrap_or_default());
    let mut out = format!(
        "<h1>API reference</h1>\n<p>{about}</p>\n<p>Made of the {} that the host serves; a program \
         reads that. In the examples <code>$HOST</code> is the address of the host and \
         <code>$KEY</code> an API key.</p>\n",
        link("../openapi.json", "OpenAPI document")
    );
    for (_, name) in GROUPS {
        let own: Vec<_> = operations(document).filter(|one| group(one.path) == *name).collect();
        if !own.is_empty() {
            out.push_str(&format!("<h2>{name}</h2>\n{}", contents(&own)));
        }
    }
    for (_, name) in GROUPS {
        for one in operations(document).filter(|one| group(one.path) == *name) {
            out.push_str(&operation(&one, document));
        }
    }
    out.push_str("<h2 id=\"objects\">Objects</h2>\n");
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        out.push_str(&object(name, schema));
    }
    out
}

fn contents(own: &[Operation<'_>]) -> String {
    let row = |one: &Operation<'_>| {
        let call = format!("{} {}", one.method.to_uppercase(), one.path);
        let to = link(&format!("#{}", one.id()), &code(&call));
        vec![to, escaped(one.text("summary"))]
    };
    table(&["Operation", "What it does"], &own.iter().map(row).collect::<Vec<_>>())
}

fn operation(one: &Operation<'_>, document: &Value) -> String {
    let method = one.method.to_uppercase();
    let mut out = format!(
        "<section class=\"operation\">{}<p class=\"call\"><span class=\"method\">{method}</span> {}\
         </p>\n<p>{}</p>\n",
        heading(3, one.id(), &escaped(one.text("summary"))),
        code(one.path),
        prose(one.text("description")),
    );
    out.push_str(&parameters(one));
    if let Some(body) = one.body() {
        let needed = one.value["requestBody"]["required"] == true;
        let title = if needed { "Body" } else { "Body, may be left out" };
        out.push_str(&format!("<h4>{title}: {}</h4>\n", fields::value(&body["schema"])));
        out.push_str(&fields::tables(resolved(&body["schema"], document)));
    }
    out.push_str("<h4>Request</h4>\n");
    out.push_str(&block(&curl(one)));
    out.push_str(&answers(one, document));
    out.push_str(&refusals(one));
    out + "</section>\n"
}

fn parameters(one: &Operation<'_>) -> String {
    let row = |place: &'static str, field: &Value| {
        let name = field["name"].as_str().unwrap_or_default();
        let mut row = fields::row(name, &field["schema"], field["required"] == true);
        if let Some(about) = row.last_mut() {
            *about = prose(field["description"].as_str().unwrap_or_default());
        }
        row.insert(1, place.to_owned());
        row
    };
    let places = ["path", "query", "header"];
    let rows: Vec<_> = places
        .into_iter()
        .flat_map(|place| one.parameters(place).map(move |field| row(place, field)))
        .collect();
    match rows.is_empty() {
        true => String::new(),
        false => {
            format!("<h4>Parameters</h4>\n{}", table(&["Name", "In", "Value", "About"], &rows))
        }
    }
}

/// The request by curl, as an app with an API key makes it.
fn curl(one: &Operation<'_>) -> String {
    let method = one.method.to_uppercase();
    let verb = if method == "GET" { String::new() } else { format!(" -X {method}") };
    let mut path = one.path.to_owned();
    for field in one.parameters("path") {
        let name = field["name"].as_str().unwrap_or_default();
        path = path.replace(&format!("{{{name}}}"), &value_in_path(name, &field["schema"]));
    }
    let mut lines = vec![format!("curl{verb} \"$HOST{path}\"")];
    if one.secured() {
        lines.push("-H \"authorization: Bearer $KEY\"".to_owned());
    }
    for field in one.parameters("header").filter(|field| field["required"] == true) {
        let name = field["name"].as_str().unwrap_or_default().to_lowercase();
        let value = field["example"].as_str().unwrap_or("…");
        lines.push(format!("-H '{name}: {value}'"));
    }
    if let Some((kind, _)) = one.media().filter(|(kind, _)| *kind == jose::MEDIA_TYPE) {
        lines.push(format!("-H 'content-type: {kind}' --data-binary @body.jwe"));
    } else if let Some(body) = one.body() {
        lines.push("-H 'content-type: application/json'".to_owned());
        let text = serde_json::to_string_pretty(&body["example"]).unwrap_or_default();
        lines.push(format!("-d '{}'", text.replace('\n', "\n    ")));
    }
    lines.join(" \\\n    ")
}

fn value_in_path(name: &str, schema: &Value) -> String {
    match example::of(schema, &Value::Null).as_str() {
        Some("…") | None => match name {
            "code" => "over-refund".to_owned(),
            "page" => "first-payment".to_owned(),
            "account" => "sandbox".to_owned(),
            other => format!("${}", other.to_uppercase()),
        },
        Some(value) => value.to_owned(),
    }
}

fn answers(one: &Operation<'_>, document: &Value) -> String {
    let mut out = String::new();
    for (status, response) in one.value["responses"].as_object().into_iter().flatten() {
        if let Some(schema) = response.pointer("/content/application~1json/schema") {
            let about = prose(response["description"].as_str().unwrap_or_default());
            out.push_str(&format!(
                "<h4>Answer {}: {}</h4>\n<p>{about}</p>\n",
                escaped(status),
                fields::value(schema)
            ));
            let text = serde_json::to_string_pretty(&example::of(schema, document));
            out.push_str(&block(&text.unwrap_or_default()));
        }
    }
    out
}

fn refusals(one: &Operation<'_>) -> String {
    let codes: BTreeSet<&str> = one.problems().collect();
    let links: Vec<String> =
        codes.iter().map(|known| link(&format!("problems#{known}"), &code(known))).collect();
    format!("<h4>Problems</h4>\n<p class=\"codes\">{}</p>\n", links.join(" "))
}

fn object(name: &str, schema: &Value) -> String {
    format!("{}{}", heading(3, &format!("object-{name}"), &code(name)), fields::tables(schema))
}
