//! How things are called.

use super::tree::{File, Tree};

const VAGUE: &[&str] =
    &["Manager", "Handler", "Service", "Util", "Utils", "Helper", "Data", "Info"];

/// What introduces a name.
const INTRODUCED_BY: &[&str] = &["struct", "enum", "trait", "type", "mod"];

/// A test is at least so many words.
const WORDS_MIN: usize = 3;

pub fn vague(tree: &Tree) -> Vec<String> {
    let mut all = Vec::new();
    for (file, source) in tree.rust() {
        for (n, line) in source.code.lines().enumerate() {
            let place = |name: &str| format!("{}:{}: `{name}`", file.path, n + 1);
            all.extend(introduced(file, line).filter(|name| is_vague(name)).map(place));
            if line.contains(concat!("fn ", "get_")) {
                all.push(place("get_"));
            }
        }
    }
    all
}

/// The names a line introduces. In a plugin's `wire.rs` they are the provider's own; an associated
/// type has its name from the trait.
fn introduced<'a>(file: &File, line: &'a str) -> impl Iterator<Item = &'a str> {
    let wire = file.path.ends_with("/wire.rs");
    let words: Vec<&str> = line.split_whitespace().collect();
    let associated = line.starts_with(' ') && line.contains("type ");
    let pairs: Vec<&'a str> = words
        .windows(2)
        .filter(|pair| !wire && !associated && INTRODUCED_BY.contains(&pair[0]))
        .map(|pair| pair[1])
        .collect();
    pairs
        .into_iter()
        .filter_map(|name| name.split(|one: char| !one.is_alphanumeric() && one != '_').next())
}

fn is_vague(name: &str) -> bool {
    VAGUE.iter().any(|vague| name.ends_with(vague) || name == vague.to_lowercase())
}

pub fn tests_without_a_sentence(tree: &Tree) -> Vec<String> {
    let mut all = Vec::new();
    for (file, source) in tree.rust() {
        for function in source.functions.iter().filter(|function| function.test) {
            if function.name.split('_').count() < WORDS_MIN {
                all.push(format!("{}:{}: `{}`", file.path, function.lines.start, function.name));
            }
        }
    }
    all
}

#[test]
fn a_name_for_not_knowing_is_found_and_a_good_one_is_not() {
    for (name, vague) in [
        ("PaymentManager", true),
        ("Data", true),
        ("utils", true),
        ("helper", true),
        ("Payment", false),
        ("Metadata", false),
        ("Informed", false),
    ] {
        assert_eq!(is_vague(name), vague, "{name}");
    }
}
