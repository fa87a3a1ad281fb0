//! Rust as far as a rule of style needs it: texts and comments blanked out, functions found by
//! their braces. No parser: what it cannot tell apart, rustfmt's layout does.

use std::ops::Range;

/// A function, by its lines from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// From its `fn` to its closing brace.
    pub lines: Range<usize>,
    /// Whether it is a test.
    pub test: bool,
}

/// A Rust file.
#[derive(Debug)]
pub struct Source {
    /// The text with comments and the insides of texts replaced by blanks, line by line.
    pub code: String,
    /// Its functions.
    pub functions: Vec<Function>,
    /// The lines of `#[cfg(test)] mod … { … }`.
    pub tests: Vec<Range<usize>>,
}

impl Source {
    /// Whether a line, from 1, is within tests.
    pub fn is_test(&self, line: usize) -> bool {
        self.tests.iter().any(|lines| lines.contains(&line))
    }

    /// How many lines are not within tests.
    pub fn lines_without_tests(&self) -> usize {
        let all = self.code.lines().count();
        all - self.tests.iter().map(ExactSizeIterator::len).sum::<usize>()
    }
}

/// Reads a Rust file.
pub fn without_text(text: &str) -> Source {
    let code = blanked(text);
    let functions = functions(&code);
    let tests = test_modules(&code);
    Source { code, functions, tests }
}

/// Comments, texts and characters become blanks; line ends stay.
fn blanked(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let length = skipped(rest, code.chars().last());
        let (gone, after) = rest.split_at(length.unwrap_or(next.len_utf8()));
        match length {
            Some(_) => code.extend(gone.chars().map(|one| if one == '\n' { '\n' } else { ' ' })),
            None => code.push(next),
        }
        rest = after;
    }
    code
}

/// The length of the comment or text that begins here.
fn skipped(rest: &str, before: Option<char>) -> Option<usize> {
    let in_word = before.is_some_and(|before| before.is_alphanumeric() || before == '_');
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(rest.find("*/").map_or(rest.len(), |end| end + 2));
    }
    if !in_word && (rest.starts_with("r\"") || rest.starts_with("r#")) {
        return raw_text(&rest[1..]).map(|length| length + 1);
    }
    match rest.as_bytes()[0] {
        b'"' => Some(quoted(rest, '"')),
        b'\'' => character(rest),
        _ => None,
    }
}

/// `"…"` or `#"…"#` with any number of hashes.
fn raw_text(rest: &str) -> Option<usize> {
    let hashes = rest.chars().take_while(|one| *one == '#').count();
    rest[hashes..].starts_with('"').then_some(())?;
    let end = format!("\"{}", "#".repeat(hashes));
    let inside = &rest[hashes + 1..];
    Some(hashes + 1 + inside.find(&end).map_or(inside.len(), |at| at + end.len()))
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, one) in rest.char_indices().skip(1) {
        match one {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if one == quote => return at + quote.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

/// A character; none where the quote begins a lifetime.
fn character(rest: &str) -> Option<usize> {
    let mut inside = rest.chars().skip(1);
    match (inside.next()?, inside.next()?) {
        ('\\', _) => Some(quoted(rest, '\'')),
        (one, '\'') => Some(2 + one.len_utf8()),
        _ => None,
    }
}

fn functions(code: &str) -> Vec<Function> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let starts = code[..at].chars().last().is_none_or(|before| before.is_whitespace());
        let name: String =
            code[at + 3..].chars().take_while(|one| one.is_alphanumeric() || *one == '_').collect();
        let Some(length) = body_end(&code[at..]).filter(|_| starts && !name.is_empty()) else {
            continue;
        };
        let lines = line_of(code, at)..line_of(code, at + length) + 1;
        found.push(Function { test: is_test(&code[..at]), name, lines });
    }
    found
}

/// Whether the attributes just before say that it is a test.
fn is_test(before: &str) -> bool {
    let lines = before.lines().rev().skip(1).map(str::trim);
    let attributes = lines.take_while(|line| line.starts_with('#') || line.is_empty());
    attributes
        .into_iter()
        .any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"))
}

/// Where the body ends, from the beginning of a signature; none where there is no body.
fn body_end(code: &str) -> Option<usize> {
    let (mut depth, mut parentheses) = (0usize, 0usize);
    for (at, one) in code.char_indices() {
        match one {
            '(' | '[' => parentheses += 1,
            ')' | ']' => parentheses = parentheses.checked_sub(1)?,
            ';' if depth == 0 && parentheses == 0 => return None,
            '{' => depth += 1,
            '}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 && parentheses == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

fn test_modules(code: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, attribute) in code.match_indices("#[cfg(test)]") {
        let after = &code[at + attribute.len()..];
        if after.trim_start().starts_with("mod ")
            && let Some(length) = body_end(after)
        {
            found.push(line_of(code, at)..line_of(code, at + attribute.len() + length) + 1);
        }
    }
    found
}

fn line_of(code: &str, at: usize) -> usize {
    code[..at].matches('\n').count() + 1
}

const SAMPLE: &str = r##"//! A sample with fn in a comment {
const TEXT: &str = "fn no() { \" } // no";
const RAW: &str = r#"fn neither() { " "#;
const BRACE: char = '{';
/* fn nor() { */
fn one<'a>(text: &'a str) -> &'a str {
    if text == "}" { return "{" }
    text
}
trait Shape {
    fn without(&self);
    fn with(&self, of: [u8; 2]) -> [u8; 2] { of }
}
#[cfg(test)]
mod tests {
    #[test]
    fn it_holds() {
    }
}
"##;

#[test]
fn functions_are_found_by_their_braces_and_not_in_texts() {
    let source = without_text(SAMPLE);
    let found: Vec<_> = source
        .functions
        .iter()
        .map(|one| (one.name.as_str(), one.lines.clone(), one.test))
        .collect();
    assert_eq!(found, [("one", 6..10, false), ("with", 12..13, false), ("it_holds", 17..19, true)]);
    assert_eq!(source.tests, std::slice::from_ref(&(14..20)));
    assert_eq!(source.lines_without_tests(), 13);
    assert!(source.is_test(18) && !source.is_test(12));
    assert_eq!(source.code.lines().count(), SAMPLE.lines().count());
    assert!(!source.code.contains("neither") && !source.code.contains("nor"));
}
