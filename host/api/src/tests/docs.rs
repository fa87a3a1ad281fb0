//! The documentation: whole, without a dead link, and about every operation, field and code.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::wire::{Asked, Host};
use crate::catalogue::CATALOGUE;
use crate::docs::{PAGES, page};
use crate::openapi;
use crate::table::ROUTES;
use crate::vocabulary::NAMED;

/// The page's text; a page that is not there is a failure.
fn text(name: &str) -> String {
    let page = page(name, &PAGES).unwrap_or_else(|| panic!("there is no page {name}"));
    String::from_utf8(page.body.to_vec()).unwrap()
}

/// What stands in quotes after each `before`.
fn quoted<'a>(text: &'a str, before: &str) -> impl Iterator<Item = &'a str> {
    let after = text.split(&format!("{before}=\"")).skip(1).collect::<Vec<_>>();
    after.into_iter().filter_map(|rest| rest.split('"').next())
}

fn html_names() -> impl Iterator<Item = &'static str> {
    PAGES.names().filter(|name| !name.ends_with(".css"))
}

#[test]
fn no_link_is_dead_and_no_name_stands_twice() {
    let mut names: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for name in html_names() {
        let text = text(name);
        let ids: Vec<String> = quoted(&text, " id").map(str::to_owned).collect();
        let unique: BTreeSet<String> = ids.iter().cloned().collect();
        assert_eq!(ids.len(), unique.len(), "{name}: a name stands twice");
        names.insert(name, unique);
    }
    let mut links = 0;
    for name in html_names() {
        let text = text(name);
        for link in quoted(&text, "href") {
            links += 1;
            lead_somewhere(name, link, &names);
        }
    }
    assert!(links > 500, "only {links} links");
}

fn lead_somewhere(from: &str, link: &str, names: &BTreeMap<&str, BTreeSet<String>>) {
    if link.starts_with("https://") || link == "style.css" {
        return;
    }
    if let Some(route) = link.strip_prefix("..") {
        assert!(ROUTES.iter().any(|known| known.path == route), "{from} leads to {link}");
        return;
    }
    let (page, id) = link.split_once('#').unwrap_or((link, ""));
    let page = match page {
        "" => from,
        "./" => "index",
        other => other,
    };
    let ids = names.get(page).unwrap_or_else(|| panic!("{from} leads to {link}"));
    assert!(id.is_empty() || ids.contains(id), "{from} leads to {link}");
}

#[test]
fn every_operation_object_field_and_code_is_in_the_reference() {
    let text = text("reference");
    for route in ROUTES {
        assert!(text.contains(&format!("id=\"{}\"", route.id)), "{}", route.id);
        for field in route.parameters.iter().chain(route.query) {
            assert!(text.contains(&format!("<code>{}</code>", field.name)), "{}", field.name);
        }
        for code in route.problems() {
            let link = format!("href=\"problems#{}\"", code.code);
            assert!(text.contains(&link), "{}: {}", route.id, code.code);
        }
    }
    let document = openapi::document();
    for (name, _) in NAMED {
        assert!(text.contains(&format!("id=\"object-{name}\"")), "{name}");
        let mut fields = BTreeSet::new();
        names_of_fields(&document["components"]["schemas"][*name], &mut fields);
        for field in fields {
            let dotted = text.contains(&format!(".{field}</code>"));
            let whole = text.contains(&format!("<code>{field}</code>"));
            assert!(dotted || whole, "{name}: {field}");
        }
    }
}

fn names_of_fields<'a>(schema: &'a Value, found: &mut BTreeSet<&'a str>) {
    if let Some(properties) = schema["properties"].as_object() {
        found.extend(properties.keys().map(String::as_str).filter(|name| *name != "type"));
    }
    match schema {
        Value::Object(object) => object.values().for_each(|one| names_of_fields(one, found)),
        Value::Array(list) => list.iter().for_each(|one| names_of_fields(one, found)),
        _ => {}
    }
}

#[test]
fn every_problem_has_its_cause_its_remedy_and_who_answers_it() {
    let text = text("problems");
    for code in CATALOGUE {
        assert!(text.contains(&format!("id=\"{}\"", code.code)), "{}", code.code);
    }
    for route in ROUTES {
        assert!(text.contains(&format!("reference#{}", route.id)), "{}", route.id);
    }
}

#[test]
fn a_page_loads_nothing_from_elsewhere_and_runs_nothing() {
    for name in html_names() {
        let text = text(name);
        for word in ["<script", "<img", "<iframe", " src=", " style=", " onclick"] {
            assert!(!text.contains(word), "{name} has {word}");
        }
        assert_eq!(quoted(&text, "rel=\"stylesheet\" href").collect::<Vec<_>>(), ["style.css"]);
    }
    assert!(!text("style.css").contains("url(") && !text("style.css").contains("@import"));
}

#[test]
fn guides_say_nothing_of_what_is_still_to_come() {
    for name in html_names() {
        let text = text(name).to_lowercase();
        for word in ["todo", "tbd", "coming soon", "lorem"] {
            assert!(!text.contains(word), "{name} says {word}");
        }
    }
}

#[tokio::test]
async fn pages_are_answered_under_a_strict_policy() {
    let host = Host::start().await;
    let open = |path: &str| Asked::get(path).without("authorization");
    for name in PAGES.names() {
        let reply = host.exchange(&open(&format!("/docs/{name}"))).await;
        assert_eq!(reply.status, 200, "{name}");
        let policy = reply.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
    }
    assert_eq!(host.exchange(&open("/docs/")).await.status, 200);
    let missing = host.exchange(&open("/docs/no-such-page-here")).await;
    assert_eq!((missing.status, missing.json()["code"].as_str()), (404, Some("no-such-page")));
}

#[tokio::test]
async fn the_page_of_a_test_payment_holds_both_decisions_and_nothing_it_was_not_given() {
    let host = Host::start().await;
    let (paid, refused) = ("a".repeat(64), "b".repeat(64));
    let entry = "ent_01jd8ze5p2m3q4r5s6t7v8w9xa";
    let ask = |account: &str, minor: &str| {
        Asked::get(&format!(
            "/test-payment?account={account}&entry={entry}&word=redirect&minor={minor}\
             &currency=EUR&paid={paid}&refused={refused}"
        ))
        .without("authorization")
    };
    let reply = host.exchange(&ask("sandbox", "1999")).await;
    let text = String::from_utf8(reply.body.to_vec()).unwrap();
    assert_eq!(reply.status, 200, "{text}");
    assert!(text.contains("19.99 EUR") && text.contains("action=\"webhooks/sandbox\""), "{text}");
    assert!(text.contains(&paid) && text.contains(&refused), "{text}");

    let hostile = ask("%22%3E%3Cscript%3E", "1999");
    assert_eq!(host.exchange(&hostile).await.status, 400);
    let none = host.exchange(&Asked::get("/test-payment").without("authorization")).await;
    assert_eq!((none.status, none.json()["code"].as_str()), (400, Some("query-invalid")));
    assert_eq!(none.json()["errors"].as_array().unwrap().len(), 7);
}
