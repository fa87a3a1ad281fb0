//! The page on which the payer of a test payment decides: what it is about, and two buttons. Each
//! posts its decision to the account of the test provider, which proves it (see its README).

use ledger::Currency;
use serde_json::{Map, Value};

use super::html::escaped;
use super::layout::bare;

/// The page of a query that has its shape.
pub(crate) fn test_payment(query: &Map<String, Value>) -> String {
    let of = |name: &str| match query.get(name) {
        Some(Value::String(text)) => escaped(text),
        Some(other) => escaped(&other.to_string()),
        None => String::new(),
    };
    let form = |decision: &str, tag: &str, class: &str, words: &str| {
        let hidden = |(name, value): (&str, String)| {
            format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">")
        };
        let fields = ["entry", "word", "minor", "currency"].map(|name| (name, of(name)));
        let fields = [("decision", decision.to_owned())].into_iter().chain(fields);
        let fields: String = fields.chain([("tag", of(tag))]).map(hidden).collect();
        format!(
            "<form method=\"post\" action=\"webhooks/{}\">{fields}\
             <button{class}>{words}</button></form>\n",
            of("account")
        )
    };
    let main = format!(
        "<h1>Test payment</h1>\n<p>No money moves here. Decide as the payer would.</p>\n\
         <p class=\"amount\">{} {}</p>\n\
         <dl><dt>entry</dt><dd>{}</dd>\
         <dt>account</dt><dd>{}</dd></dl>\n{}{}",
        amount(&of("minor"), &of("currency")),
        of("currency"),
        of("entry"),
        of("account"),
        form("paid", "paid", " class=\"first\"", "Pay"),
        form("refused", "refused", "", "Refuse"),
    );
    bare("Test payment", &main)
}

/// `19.99` of 1999 EUR, `1999` of 1999 JPY.
fn amount(minor: &str, currency: &str) -> String {
    let places = Currency::from_code(currency).map_or(0, |known| usize::from(known.places()));
    let padded = format!("{minor:0>width$}", width = places + 1);
    match padded.split_at_checked(padded.len() - places) {
        Some((whole, part)) if places > 0 => format!("{whole}.{part}"),
        _ => padded,
    }
}
