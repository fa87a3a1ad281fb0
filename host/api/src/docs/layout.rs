//! What all pages have around them.

use super::html::{escaped, link};
use super::navigation;

/// A page of the documentation.
pub(super) fn page(name: &str, title: &str, main: &str) -> String {
    let links: String = navigation()
        .map(|(to, title)| {
            let current = if to == name { " aria-current=\"page\"" } else { "" };
            let to = if to == "index" { "./" } else { to };
            format!("<li><a href=\"{to}\"{current}>{}</a></li>\n", escaped(title))
        })
        .collect();
    let menu = format!("<ul>{links}</ul>");
    let body = format!(
        "<a class=\"skip\" href=\"#main\">To the text</a>\n\
         <header><a class=\"name\" href=\"./\">Tollgate</a> <span>{version}</span></header>\n\
         <details class=\"menu\"><summary>{current}</summary><nav>{menu}</nav></details>\n\
         <div class=\"page\"><nav class=\"side\" aria-label=\"Pages\">{menu}</nav>\n\
         <main id=\"main\">{main}</main></div>\n\
         <footer>{document} · {problems}</footer>\n",
        version = env!("CARGO_PKG_VERSION"),
        current = escaped(title),
        document = link("../openapi.json", "OpenAPI 3.1 document"),
        problems = link("../problems", "problems as JSON"),
    );
    whole(title, "style.css", &body)
}

/// A page by itself, outside of the documentation's folder.
pub(crate) fn bare(title: &str, main: &str) -> String {
    whole(title, "docs/style.css", &format!("<main class=\"bare\">{main}</main>\n"))
}

fn whole(title: &str, style: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{} · Tollgate</title>\n<link rel=\"stylesheet\" href=\"{style}\">\n\
         </head>\n<body>\n{body}</body>\n</html>\n",
        escaped(title)
    )
}
