//! The catalogue of problems, each with the operations that can answer it.

use serde_json::Value;

use super::html::{code, escaped, heading, link, prose, table};
use super::reference::operations;
use crate::problem::Code;

const ABOUT: &str = concat!(
    "<h1>Problems</h1>\n<p>What the host answers when it did not do what was asked: a ",
    "<a href=\"https://www.rfc-editor.org/rfc/rfc9457\">problem</a> with a stable ",
    "<code>code</code>. A code never changes its meaning. <a href=\"errors\">How to act on ",
    "one</a> has a guide of its own; a decline by a provider is not a problem but a payment.</p>\n",
);

/// The page.
pub(super) fn html(catalogue: &[&Code], document: &Value) -> String {
    let mut out = ABOUT.to_owned();
    let row = |known: &&Code| {
        let to = link(&format!("#{}", known.code), &code(known.code));
        vec![known.status.to_string(), to, escaped(known.title), code(retry(known))]
    };
    let rows: Vec<_> = catalogue.iter().map(row).collect();
    out.push_str(&table(&["Status", "Code", "Title", "Retry"], &rows));
    for known in catalogue {
        out.push_str(&section(known, document));
    }
    out
}

fn section(known: &Code, document: &Value) -> String {
    let answered = operations(document).filter(|one| one.problems().any(|code| code == known.code));
    let by: Vec<String> =
        answered.map(|one| link(&format!("reference#{}", one.id()), &code(one.id()))).collect();
    let by = if by.is_empty() { "Whatever names no operation.".to_owned() } else { by.join(", ") };
    format!(
        "{}<p><strong>{} {}.</strong> {}</p>\n<p>{}</p>\n<p>Retry: {}, {}</p>\n\
         <p class=\"small\">Answered by: {by}</p>\n",
        heading(2, known.code, &code(known.code)),
        known.status,
        escaped(known.title),
        prose(known.cause),
        prose(known.remedy),
        code(retry(known)),
        advice(known),
    )
}

fn retry(known: &Code) -> &'static str {
    use crate::problem::Retry::{Later, Never, NewKey, SameKey};
    match known.retry {
        Never => "never",
        SameKey => "same-key",
        NewKey => "new-key",
        Later => "later",
    }
}

fn advice(known: &Code) -> &'static str {
    use crate::problem::Retry::{Later, Never, NewKey, SameKey};
    match known.retry {
        Never => "asking again cannot help.",
        SameKey => "the same request again, under the same key.",
        NewKey => "a changed request, under a new key.",
        Later => "the same request again, under the same key, after <code>Retry-After</code>.",
    }
}
