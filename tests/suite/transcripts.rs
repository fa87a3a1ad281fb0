//! The conversations of the plugins' own tests once more, with the built component in the host's
//! sandbox: it says the same, line for line, as the adapter compiled natively.
//!
//! What a plugin draws at random differs: natively it comes from the number of the step, in the
//! sandbox from the operation's seed. Nonces, and what is computed from them, are compared by
//! their length, and only where the plugin's description says that it has keys to do so with.

mod stage;
// The same translation as natively, over the sandbox's types: the two cannot differ.
#[path = "../../plugins/sdk/src/test/to_contract.rs"]
mod to_contract;
#[path = "../../plugins/sdk/src/test/to_plain.rs"]
mod to_plain;

use std::path::{Path, PathBuf};

use sandbox::{Generation, Limits, Sandbox};

use crate::support::{built, component, root};
pub use stage::SandboxStage;
use stage::algorithms as key;

/// A word that may be a nonce or a signature is at least so long.
const RANDOM_MIN: usize = 16;

/// A plugin, and whether its requests hold anything drawn at random.
pub const PLUGINS: &[(&str, bool)] = &[("sandbox", false), ("stripe", false), ("wechatpay", true)];

fn load(name: &str) -> Generation {
    let places = |currency: &str| ledger::Currency::from_code(currency).ok().map(|c| c.places());
    let cache = Some(built().join("suite-compiled"));
    let sandbox = Sandbox::new(Limits::default(), cache, places).unwrap();
    let bytes = std::fs::read(&component(name).path).unwrap();
    sandbox.load(name, &bytes, None).unwrap()
}

/// The transcripts of a plugin; those without a conversation are included by others.
pub fn scripts(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|it| it == "txt")).collect();
    files.sort();
    files
}

#[test]
fn a_plugin_says_in_the_sandbox_what_it_says_natively() {
    let (mut played, mut wrong) = (0, Vec::new());
    for (name, random) in PLUGINS {
        let plugin = load(name);
        let folder = root().join("plugins").join(name).join("transcripts");
        for path in scripts(&folder) {
            let script = std::fs::read_to_string(&path).unwrap();
            let mut stage = SandboxStage::new(plugin.clone());
            let said = transcript::replay(&script, &folder, &mut stage);
            let said = said.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let file = path.strip_prefix(root()).unwrap().display().to_string();
            wrong.extend(said.problems.iter().map(|problem| format!("{file}: {problem}")));
            wrong
                .extend(differences(&script, &said.text, *random).map(|it| format!("{file}:{it}")));
            played += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(played > 40, "only {played} transcripts were found");
    println!("{played} transcripts were played in the sandbox");
}

#[test]
fn every_plugin_with_transcripts_is_played() {
    let folders = std::fs::read_dir(root().join("plugins")).unwrap();
    let folders = folders.map(|entry| entry.unwrap().path());
    let told = folders.filter(|folder| folder.join("transcripts").is_dir());
    let mut names: Vec<_> =
        told.map(|folder| folder.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    let played: Vec<_> = PLUGINS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, played);
}

/// The lines that differ; with `random`, words that may be random are compared by their length.
fn differences(expected: &str, said: &str, random: bool) -> impl Iterator<Item = String> {
    let longest = expected.lines().count().max(said.lines().count());
    let pairs = (0..longest).map(|n| {
        let line = |text: &str| text.lines().nth(n).unwrap_or("(no line)").to_owned();
        (n + 1, line(expected), line(said))
    });
    let pairs: Vec<_> = pairs.filter(|(_, one, other)| !alike(one, other, random)).collect();
    pairs.into_iter().map(|(n, one, other)| format!("{n}:\n  - {one}\n  + {other}"))
}

fn alike(one: &str, other: &str, random: bool) -> bool {
    one == other || (random && one.len() == other.len() && words_are_alike(one, other))
}

fn words_are_alike(one: &str, other: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    let words =
        |text: &str| -> Vec<String> { text.split(|c| !is_word(c)).map(str::to_owned).collect() };
    let rest = |text: &str| -> String { text.chars().filter(|c| !is_word(*c)).collect() };
    let (ours, theirs) = (words(one), words(other));
    let random = |word: &String| word.len() >= RANDOM_MIN;
    rest(one) == rest(other)
        && ours.len() == theirs.len()
        && ours.iter().zip(&theirs).all(|(a, b)| a == b || (a.len() == b.len() && random(a)))
}

#[test]
fn only_what_may_be_random_may_differ() {
    let line = "> authorization: nonce=\"0123456789abcdef0123\",at=17";
    let nonce = line.replace("0123456789abcdef0123", "f00dfeedf00dfeedf00d");
    assert!(alike(line, &nonce, true) && !alike(line, &nonce, false));
    assert!(!alike(line, &line.replace("17", "18"), true));
    assert!(!alike(line, &line.replace("nonce", "nince"), true));
    assert!(!alike(line, &line.replace("0123456789abcdef0123", "f00d"), true));
    let both = differences("a\nb\n", "a\nc\nd\n", false).count();
    assert_eq!(both, 2, "a line that differs, and one that was not expected");
}
