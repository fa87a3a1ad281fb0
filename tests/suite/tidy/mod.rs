//! The style and the architecture, held by a test: every rule is data, with the reason for it.
//!
//! Not here: what clippy and rustfmt hold already.

mod names;
mod papers;
mod rooms;
mod secrets;
mod sizes;
mod source;
mod tree;
mod words;

use tree::Tree;

/// One thing that holds for the whole tree.
struct Rule {
    /// What holds.
    holds: &'static str,
    /// Why it is wanted.
    because: &'static str,
    /// Where it does not hold: one line each.
    broken: fn(&Tree) -> Vec<String>,
}

const RULES: &[Rule] = &[
    Rule {
        holds: "a line of Rust or WIT has at most 100 columns",
        because: "two of them stand side by side on a screen",
        broken: sizes::long_lines,
    },
    Rule {
        holds: "a function has at most 70 lines",
        because: "it is read at one glance",
        broken: sizes::long_functions,
    },
    Rule {
        holds: "a Rust file has at most 400 lines without its tests",
        because: "it is named after the one thing in it; what does not fit is another thing",
        broken: sizes::long_files,
    },
    Rule {
        holds: "a WIT file has at most 150 lines without comments and blank lines",
        because: "a plugin's author reads all of the contract before breakfast",
        broken: sizes::long_contracts,
    },
    Rule {
        holds: "a provider's plugin has at most 600 lines without tests and transcripts",
        because: "who writes one counts what it takes",
        broken: sizes::long_plugins,
    },
    Rule {
        holds: "half of all functions have fewer than ten lines",
        because: "small ones are read, named and tested; the others put them together",
        broken: sizes::long_median,
    },
    Rule {
        holds: "every module opens with what it is",
        because: "who opens a file wants to know whether it is the right one",
        broken: words::unopened,
    },
    Rule {
        holds: "nothing but a test may panic",
        because: "a payment host that stops halfway owes somebody an answer",
        broken: words::panics,
    },
    Rule {
        holds: "no word stands for work that is not done",
        because: "what is missing is said in the documents, where it is found",
        broken: words::unfinished,
    },
    Rule {
        holds: "no test is ignored, and none sleeps",
        because: "an ignored test holds nothing; a sleep is too short on a busy machine",
        broken: words::lazy_tests,
    },
    Rule {
        holds: "no file names a place of one machine, or where packages come from",
        because: "it is built elsewhere",
        broken: words::machine,
    },
    Rule {
        holds: "every comparison of secrets is listed, and made in constant time",
        because: "one that goes away would be missed by nobody",
        broken: secrets::missing,
    },
    Rule {
        holds: "where secrets are compared, `==` compares only what is plainly no secret",
        because: "it tells by its time how much of a guess was right",
        broken: secrets::told_by_time,
    },
    Rule {
        holds: "a type that holds a secret has no `==`",
        because: "what cannot be written cannot come back",
        broken: secrets::comparable_holders,
    },
    Rule {
        holds: "types and modules are named after what they are in the payment trade",
        because: "a Manager, a Util or some Data is a name for not knowing",
        broken: names::vague,
    },
    Rule {
        holds: "a test is named as a sentence",
        because: "the list of tests is the list of what holds",
        broken: names::tests_without_a_sentence,
    },
    Rule {
        holds: "dependencies between the rooms run one way",
        because: "a room is understood, tested and replaced without those above it",
        broken: rooms::wrong_way,
    },
    Rule {
        holds: "the ledger does nothing but compute",
        because: "all its stories are tried in a second, and none depends on a clock or a disk",
        broken: rooms::busy_ledger,
    },
    Rule {
        holds: "every provider's plugin says which manual it follows, and shows it by transcripts",
        because: "an adapter is only as right as the manual it was read from",
        broken: rooms::plugins_without_papers,
    },
    Rule {
        holds: "every test that a document names is there",
        because: "a claim without its test is an advertisement",
        broken: papers::missing_tests,
    },
];

#[test]
fn every_rule_of_style_holds_in_the_whole_tree() {
    let tree = Tree::read();
    let mut broken = Vec::new();
    for Rule { holds, because, broken: find } in RULES {
        let found = find(&tree);
        if !found.is_empty() {
            let places = found.join("\n    ");
            broken.push(format!("{holds}, because {because}; but:\n    {places}"));
        }
    }
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n\n"));
}

#[test]
fn every_exception_is_still_needed() {
    let tree = Tree::read();
    let stale: Vec<String> = sizes::stale(&tree).into_iter().chain(words::stale(&tree)).collect();
    assert!(stale.is_empty(), "take these out of the lists:\n{}", stale.join("\n"));
}
