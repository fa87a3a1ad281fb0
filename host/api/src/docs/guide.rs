//! A guide: Markdown to HTML, with names for its headings. The Markdown is ours; it holds no HTML.

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::html::{block, escaped, heading};

/// The text as HTML. Each heading gets a name made of its words.
pub(super) fn html(text: &str) -> String {
    let mut events = Parser::new_ext(text, Options::ENABLE_TABLES);
    let mut out = String::new();
    let mut plain = Vec::new();
    while let Some(event) = events.next() {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                push(&mut out, &mut plain);
                let words = until_heading_ends(&mut events);
                out.push_str(&heading(number(level), &slug(&words), &rendered(words)));
            }
            Event::Start(Tag::CodeBlock(kind)) => {
                push(&mut out, &mut plain);
                out.push_str(&block(code_of(&mut events, &kind).trim_end()));
            }
            Event::Start(Tag::Table(columns)) => {
                let scroll = "<div class=\"wide\">".into();
                plain.extend([Event::Html(scroll), Event::Start(Tag::Table(columns))]);
            }
            Event::End(TagEnd::Table) => {
                plain.extend([Event::End(TagEnd::Table), Event::Html("</div>".into())]);
            }
            other => plain.push(other),
        }
    }
    push(&mut out, &mut plain);
    out
}

fn push(out: &mut String, plain: &mut Vec<Event<'_>>) {
    pulldown_cmark::html::push_html(out, plain.drain(..));
}

fn until_heading_ends<'a>(events: &mut Parser<'a>) -> Vec<Event<'a>> {
    events.take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_)))).collect()
}

fn code_of(events: &mut Parser<'_>, _: &CodeBlockKind<'_>) -> String {
    let inside = events.take_while(|event| !matches!(event, Event::End(TagEnd::CodeBlock)));
    inside
        .map(|event| if let Event::Text(text) = event { text.into_string() } else { String::new() })
        .collect()
}

fn rendered(words: Vec<Event<'_>>) -> String {
    let mut out = String::new();
    pulldown_cmark::html::push_html(&mut out, words.into_iter());
    out
}

/// `what-a-page-is` of "What a page is".
fn slug(words: &[Event<'_>]) -> String {
    let text = words.iter().map(|event| match event {
        Event::Text(text) | Event::Code(text) => text.to_lowercase(),
        _ => String::new(),
    });
    let text: String = text.collect();
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    escaped(&words.collect::<Vec<_>>().join("-"))
}

fn number(level: HeadingLevel) -> u8 {
    level as u8
}
