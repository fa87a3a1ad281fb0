//! HTML, as text: escapes, and the few elements that the pages are made of.

/// Text that may stand in an element or in a quoted attribute.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// Escaped text in which `words` between backquotes are code, as the descriptions are written.
pub(super) fn prose(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let marked = |(n, part): (usize, &str)| match n % 2 {
        1 => code(part),
        _ => escaped(part),
    };
    parts.map(marked).collect()
}

/// `<code>`.
pub(super) fn code(text: &str) -> String {
    format!("<code>{}</code>", escaped(text))
}

/// A block of code that is copied as a whole.
pub(super) fn block(text: &str) -> String {
    format!("<pre tabindex=\"0\"><code>{}</code></pre>\n", escaped(text))
}

/// A link.
pub(super) fn link(to: &str, html: &str) -> String {
    format!("<a href=\"{}\">{html}</a>", escaped(to))
}

/// A table; the cells are HTML. One that is wider than the page scrolls by itself.
pub(super) fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    let cells = |row: &[String]| -> String {
        let cells = row.iter().zip(heads);
        cells.map(|(cell, head)| format!("<td data-head=\"{head}\">{cell}</td>")).collect()
    };
    let heads_html: String =
        heads.iter().map(|head| format!("<th scope=\"col\">{head}</th>")).collect();
    let rows: String = rows.iter().map(|row| format!("<tr>{}</tr>\n", cells(row))).collect();
    format!(
        "<div class=\"wide\"><table class=\"stack\"><thead><tr>{heads_html}</tr></thead>\n\
         <tbody>{rows}</tbody></table></div>\n"
    )
}

/// A heading with a name to link to.
pub(super) fn heading(level: u8, id: &str, html: &str) -> String {
    let id = escaped(id);
    format!(
        "<h{level} id=\"{id}\">{html} <a class=\"mark\" href=\"#{id}\" \
         aria-label=\"Link to this section\">#</a></h{level}>\n"
    )
}
