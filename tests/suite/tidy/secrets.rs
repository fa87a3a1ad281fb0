//! Secrets are compared in constant time: `==` on a key's digest, a MAC tag or a token tells by its
//! time how much of a guess was right.
//!
//! Two rules that hold each other: the places that compare secrets are listed with their number, so
//! none can go away unseen; and in their files nothing is compared by `==` but what is plainly no
//! secret, so none can come back beside them. The type `vault::Imprint` has no `==` at all.

use super::source::without_text;
use super::tree::Tree;

/// A file that compares secrets.
pub struct Guarded {
    path: &'static str,
    /// How many comparisons in constant time it has.
    comparisons: usize,
    /// What is compared.
    what: &'static str,
}

const GUARDED: &[Guarded] = &[
    Guarded { path: "host/vault/src/imprint.rs", comparisons: 1, what: "whatever is an imprint" },
    Guarded { path: "host/vault/src/mac.rs", comparisons: 1, what: "MAC tags" },
    Guarded { path: "host/vault/src/sealing.rs", comparisons: 1, what: "the parts of a 3DES key" },
    Guarded { path: "host/engine/src/apps.rs", comparisons: 1, what: "digests of API keys" },
    Guarded { path: "host/api/src/admin.rs", comparisons: 1, what: "the operator's token" },
    Guarded { path: "host/api/src/content_digest.rs", comparisons: 1, what: "digests of bodies" },
];

/// How a comparison in constant time is written.
const CONSTANT_TIME: [&str; 2] = [".ct_eq(", ").is("];

/// Comparisons in guarded files whose sides are no secrets, by one of their sides, and why.
const PLAIN: &[(&str, &str)] = &[
    ("key.id", "the name of a key"),
    ("known.id", "the name of a key"),
    ("app.id", "the name of an app"),
    ("limit.currency", "a currency"),
    ("before", "an app as it was, of whose keys there are digests alone"),
];

/// Types that hold secrets: `==` on them would compare those.
const HOLDERS: [&str; 7] =
    ["Secret", "Imprint", "Key", "Master", "AdminAccess", "Shown", "PlatformKey"];

fn in_constant_time(code: &str) -> usize {
    CONSTANT_TIME.iter().map(|form| code.matches(form).count()).sum()
}

/// A file's code without its tests, texts and comments.
fn code(text: &str) -> String {
    let source = without_text(text);
    let lines = source.code.lines().enumerate();
    let product = lines.filter(|(n, _)| !source.is_test(n + 1));
    product.map(|(_, line)| format!("{line}\n")).collect()
}

/// Places that compare secrets by other means than they should, or that nobody has listed.
pub fn missing(tree: &Tree) -> Vec<String> {
    let mut all = Vec::new();
    for Guarded { path, comparisons, what } in GUARDED {
        let found = tree.file(path).map_or(0, |file| in_constant_time(&code(&file.text)));
        if found != *comparisons {
            all.push(format!("{path} has {found} of {comparisons}, for {what}"));
        }
    }
    let guarded = |path: &str| GUARDED.iter().any(|one| one.path == path);
    let hosts = tree.product().filter(|(file, _)| file.path.starts_with("host/"));
    let uses =
        |text: &str| ["ConstantTimeEq", "Imprint::new("].iter().any(|w| code(text).contains(w));
    let strangers = hosts.filter(|(file, _)| !guarded(&file.path) && uses(&file.text));
    all.extend(strangers.map(|(file, _)| format!("{} is not listed", file.path)));
    all
}

/// Comparisons by `==` in guarded files that may be of secrets.
pub fn told_by_time(tree: &Tree) -> Vec<String> {
    let files = GUARDED.iter().filter_map(|guarded| tree.file(guarded.path));
    files.flat_map(|file| suspicious(&file.path, &code(&file.text))).collect()
}

fn suspicious(path: &str, code: &str) -> Vec<String> {
    let mut all = Vec::new();
    let flat = code.replace('\n', " ");
    for operator in [" == ", " != ", ".eq(", ".ne("] {
        for (at, _) in flat.match_indices(operator) {
            let (left, right) =
                (side(&flat[..at], true), side(&flat[at + operator.len()..], false));
            if !plain(&left) && !plain(&right) {
                all.push(format!("{path}: `{left}{operator}{right}`"));
            }
        }
    }
    all
}

/// The operand that ends, or begins, a piece of code.
fn side(code: &str, last: bool) -> String {
    let ends = |one: char| " ;{}|&!=<>,".contains(one);
    let mut depth = 0_i32;
    let mut taken = String::new();
    let code = if last { code } else { code.trim_start_matches([' ', '&', '*']) };
    let mut characters: Vec<char> = code.chars().collect();
    if last {
        characters.reverse();
    }
    for one in characters {
        let (opens, closes) = if last { (")]", "([") } else { ("([", ")]") };
        depth += i32::from(opens.contains(one)) - i32::from(closes.contains(one));
        if depth < 0 || (depth == 0 && ends(one) && !opens.contains(one) && !closes.contains(one)) {
            break;
        }
        taken.push(one);
    }
    if last { taken.chars().rev().collect() } else { taken }
}

/// Whether an operand is a literal, a constant, a variant, a number of things, or listed.
fn plain(operand: &str) -> bool {
    let operand = operand.trim_start_matches(['*', '&', '(']).trim_end_matches(')');
    let first = operand.rsplit("::").next().and_then(|name| name.chars().next());
    operand.is_empty()
        || first.is_some_and(|one| one.is_ascii_digit() || one.is_ascii_uppercase())
        || ["true", "false", "b"].contains(&operand)
        || [".len(", ".count("].iter().any(|counts| operand.ends_with(counts))
        || PLAIN.iter().any(|(known, _)| *known == operand)
}

/// Types that hold secrets and could be compared.
pub fn comparable_holders(tree: &Tree) -> Vec<String> {
    let mut all = Vec::new();
    let hosts = tree.product().filter(|(file, _)| file.path.starts_with("host/"));
    for (file, source) in hosts {
        let lines: Vec<&str> = source.code.lines().collect();
        for (n, line) in lines.iter().enumerate() {
            let named = HOLDERS.iter().find(|name| {
                let opened = line.trim_start().strip_prefix("pub struct ");
                opened.is_some_and(|rest| {
                    rest.strip_prefix(**name)
                        .is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
                })
            });
            let before = lines[..n].iter().rev().take_while(|line| {
                let line = line.trim();
                line.is_empty() || line.starts_with('#')
            });
            let compares = before.into_iter().any(|line| line.contains("PartialEq"));
            if let Some(name) = named.filter(|_| compares) {
                all.push(format!("{}:{}: {name}", file.path, n + 1));
            }
        }
    }
    all
}

#[test]
fn whatever_is_compared_in_constant_time_is_missed_when_it_is_not() {
    let tree = Tree::read();
    for Guarded { path, .. } in GUARDED {
        let text = code(&tree.file(path).unwrap().text);
        assert_eq!(suspicious(path, &text), Vec::<String>::new());
        let other = text.replace(".ct_eq(", " == (").replace(").is(", ") == (");
        assert_eq!(in_constant_time(&other), 0, "{path}");
        assert_eq!(suspicious(path, &other).len(), in_constant_time(&text), "{path}");
        let other = text.replace(".ct_eq(", ".eq(").replace(").is(", ").eq(");
        assert_eq!(suspicious(path, &other).len(), in_constant_time(&text), "{path}");
    }
}
