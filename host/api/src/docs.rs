//! The documentation, served under `/docs/`: guides, the reference, the catalogue of problems.
//!
//! Everything is made once, of what the host answers with: the reference of the OpenAPI document,
//! the problems of the catalogue. The guides are Markdown in `host/api/docs`. No page needs a
//! script, and none loads anything from elsewhere. Not here: how a page is answered
//! ([`pages`](crate::pages)).

mod example;
mod fields;
mod guide;
mod html;
mod layout;
mod payer;
mod problems;
mod reference;

use std::sync::LazyLock;

use bytes::Bytes;
use serde_json::Value;

use crate::problem::Code;

/// The pages, in the order of the navigation: name, title, Markdown.
const GUIDES: &[(&str, &str, &str)] = &[
    ("index", "Overview", include_str!("../docs/index.md")),
    ("first-payment", "First payment", include_str!("../docs/first-payment.md")),
    ("signing", "Signing requests", include_str!("../docs/signing.md")),
    ("encryption", "Encryption", include_str!("../docs/encryption.md")),
    ("notifications", "Notifications", include_str!("../docs/notifications.md")),
    ("idempotency", "Idempotency", include_str!("../docs/idempotency.md")),
    ("errors", "Errors", include_str!("../docs/errors.md")),
    ("testing", "Testing", include_str!("../docs/testing.md")),
    ("going-live", "Going live", include_str!("../docs/going-live.md")),
];

/// The page of magic values: the test provider's own, so that there is one text of it.
const TEST_PROVIDER: &str = include_str!("../../../plugins/sandbox/README.md");

/// The pages made of data.
const REFERENCE: (&str, &str) = ("reference", "API reference");
const PROBLEMS: (&str, &str) = ("problems", "Problems");
const MAGIC: (&str, &str) = ("test-provider", "The test provider");

const STYLE: &str = include_str!("../docs/style.css");

/// What a page is sent with.
pub(crate) struct Page {
    /// Its media type.
    pub(crate) media_type: &'static str,
    /// The bytes.
    pub(crate) body: Bytes,
}

/// Every page by its name; `index` is also `/docs/`.
pub(crate) fn page(name: &str, pages: &'static Pages) -> Option<&'static Page> {
    pages.0.iter().find(|(known, _)| known == name).map(|(_, page)| page)
}

/// All pages, made once.
pub(crate) struct Pages(Vec<(String, Page)>);

/// The pages of this host.
pub(crate) static PAGES: LazyLock<Pages> =
    LazyLock::new(|| Pages::of(&crate::openapi::document(), crate::catalogue::CATALOGUE));

impl Pages {
    /// The pages about this OpenAPI document and this catalogue.
    pub(crate) fn of(document: &Value, catalogue: &[&Code]) -> Pages {
        let html = |name: &str, title: &str, main: String| {
            let body = Bytes::from(layout::page(name, title, &main));
            (name.to_owned(), Page { media_type: "text/html; charset=utf-8", body })
        };
        let guides = GUIDES.iter().map(|(name, title, text)| html(name, title, guide::html(text)));
        let mut all: Vec<_> = guides.collect();
        all.push(html(MAGIC.0, MAGIC.1, guide::html(TEST_PROVIDER)));
        all.push(html(REFERENCE.0, REFERENCE.1, reference::html(document)));
        all.push(html(PROBLEMS.0, PROBLEMS.1, problems::html(catalogue, document)));
        let style = Page { media_type: "text/css; charset=utf-8", body: Bytes::from(STYLE) };
        all.push(("style.css".to_owned(), style));
        Pages(all)
    }

    /// The names of all pages.
    #[cfg(test)]
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

pub(crate) use payer::test_payment;

/// The names and titles of the navigation, in order.
fn navigation() -> impl Iterator<Item = (&'static str, &'static str)> {
    let guides = GUIDES.iter().map(|(name, title, _)| (*name, *title));
    guides.chain([MAGIC, REFERENCE, PROBLEMS])
}
