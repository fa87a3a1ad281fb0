//! What the documents say of the tests.

use super::tree::Tree;

/// Documents that name the test behind each claim.
const CLAIMS: &[&str] = &["README.md", "ARCHITECTURE.md"];

/// A name of so many words in backticks is a test's.
const WORDS_MIN: usize = 5;

pub fn missing_tests(tree: &Tree) -> Vec<String> {
    let rust = tree.rust().flat_map(|(_, source)| &source.functions);
    let known: Vec<&str> = rust.map(|function| function.name.as_str()).collect();
    let mut all = Vec::new();
    for path in CLAIMS {
        let Some(file) = tree.file(path) else {
            all.push(format!("there is no {path}"));
            continue;
        };
        for (n, line) in file.text.lines().enumerate() {
            // Every other piece between backticks is code.
            let named = line.split('`').skip(1).step_by(2).filter(|name| is_test(name));
            let missing = named.filter(|name| !known.contains(name));
            all.extend(missing.map(|name| format!("{path}:{}: `{name}`", n + 1)));
        }
    }
    all
}

fn is_test(name: &str) -> bool {
    let plain = |one: char| one.is_ascii_lowercase() || one.is_ascii_digit() || one == '_';
    name.chars().all(plain) && name.split('_').count() >= WORDS_MIN
}
