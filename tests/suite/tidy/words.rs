//! Words that must not stand somewhere, and words that must.

use super::tree::{File, Tree};

/// What stops the process. `.expect(` with a text is meant: a batch may expect a version.
const PANICS: &[&str] =
    &[".unwrap()", ".unwrap_err()", ".expect(\"", "panic!(", "unreachable!(", "assert!("];

/// Places that may panic although they are no tests, and why.
const MAY_PANIC: &[(&str, &str)] = &[
    ("host/store/src/space.rs", "it refuses a constant, while compiling"),
    ("plugins/sdk/src/test/host.rs", "it stands in for the host in tests of plugins alone"),
];

const UNFINISHED: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X:"),
    concat!("todo", "!("),
    concat!("unimpl", "emented!("),
    concat!("dbg", "!("),
];

const LAZY: &[&str] =
    &[concat!("#[ign", "ore"), concat!("thread::", "sleep("), concat!("time::", "sleep(")];

/// Tests that let time pass, and why.
const MAY_SLEEP: &[(&str, &str)] = &[
    ("tests/suite/kills.rs", "the moment of a kill is the test"),
    ("tests/suite/powercuts.rs", "the moment of a cut is the test"),
    ("tests/suite/support/street.rs", "payers whose host is gone do not ask incessantly"),
];

const MACHINE: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("index.cra", "tes.io"),
    concat!("static.cra", "tes.io"),
    concat!("py", "pi.org"),
    concat!("files.python", "hosted.org"),
    concat!("registry.npm", "js.org"),
];

/// Places of every line, in these files, in which one of the words stands.
fn places<'a>(
    files: impl Iterator<Item = &'a File>,
    words: &[&str],
    counts: impl Fn(&File, usize) -> bool,
) -> Vec<String> {
    let mut all = Vec::new();
    for file in files {
        for (n, line) in file.text.lines().enumerate() {
            let word = words.iter().find(|word| line.contains(**word));
            if let Some(word) = word.filter(|_| counts(file, n + 1)) {
                all.push(format!("{}:{}: {word}", file.path, n + 1));
            }
        }
    }
    all
}

fn listed(list: &[(&str, &str)], file: &File) -> bool {
    list.iter().any(|(path, _)| *path == file.path)
}

/// Whether a line of a Rust file is more than a comment.
fn is_code(file: &File, line: usize) -> bool {
    let code = file.source.as_ref().and_then(|source| source.code.lines().nth(line - 1));
    code.is_some_and(|code| !code.trim().is_empty())
}

pub fn unopened(tree: &Tree) -> Vec<String> {
    let unopened = tree.rust().filter(|(file, _)| !file.text.starts_with("//! "));
    // A file of unit tests is opened by the module it tests.
    let unopened = unopened.filter(|(file, _)| !file.path.ends_with("/tests.rs"));
    unopened.map(|(file, _)| file.path.clone()).collect()
}

pub fn panics(tree: &Tree) -> Vec<String> {
    let product = tree.product().map(|(file, _)| file).filter(|file| !listed(MAY_PANIC, file));
    let counts = |file: &File, line: usize| {
        let source = file.source.as_ref();
        is_code(file, line) && source.is_some_and(|source| !source.is_test(line))
    };
    let found = places(product, PANICS, counts);
    found.into_iter().filter(|place| !place.contains("debug_assert")).collect()
}

pub fn unfinished(tree: &Tree) -> Vec<String> {
    places(tree.files.iter(), UNFINISHED, |_, _| true)
}

pub fn lazy_tests(tree: &Tree) -> Vec<String> {
    let files = tree.rust().map(|(file, _)| file).filter(|file| !listed(MAY_SLEEP, file));
    places(files, LAZY, |file, line| {
        let within = file.source.as_ref().is_some_and(|source| source.is_test(line));
        file.is_test() || within
    })
}

pub fn machine(tree: &Tree) -> Vec<String> {
    places(tree.files.iter(), MACHINE, |_, _| true)
}

pub fn stale(tree: &Tree) -> Vec<String> {
    let sleeps = |path: &str| {
        tree.file(path).is_some_and(|file| LAZY.iter().any(|word| file.text.contains(word)))
    };
    let stale = MAY_SLEEP.iter().filter(|(path, _)| !sleeps(path));
    let panics = |path: &str| {
        tree.file(path).is_some_and(|file| PANICS.iter().any(|word| file.text.contains(word)))
    };
    let gone = MAY_PANIC.iter().filter(|(path, _)| !panics(path));
    stale.chain(gone).map(|(path, why)| format!("{path}: {why}")).collect()
}
