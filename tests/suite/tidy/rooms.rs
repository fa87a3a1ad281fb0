//! Which room may know which, by their Cargo.toml.

use toml::Table;

use super::sizes::providers;
use super::tree::Tree;

/// What a room may depend on among the rooms.
struct Room {
    folder: &'static str,
    knows: &'static [&'static str],
}

/// From the bottom to the top.
const ROOMS: &[Room] = &[
    Room { folder: "host/ledger", knows: &[] },
    Room { folder: "host/vault", knows: &[] },
    Room { folder: "host/store", knows: &[] },
    Room { folder: "host/sandbox", knows: &["vault"] },
    Room { folder: "host/egress", knows: &["vault"] },
    Room { folder: "host/engine", knows: &["ledger", "vault", "store", "sandbox", "egress"] },
    Room { folder: "host/api", knows: &["ledger", "vault", "engine"] },
    Room {
        folder: "host/tollgate",
        knows: &["ledger", "vault", "store", "sandbox", "egress", "engine", "api"],
    },
    // A simulator that shares code with the host shares its misunderstandings.
    Room { folder: "examples/simulators", knows: &[] },
    // The suite knows the host from outside, but for the sandbox, in which it plays transcripts,
    // and the engine, whose guests it watches.
    Room {
        folder: "tests",
        knows: &[
            "simulators",
            "transcript",
            "sandbox",
            "vault",
            "egress",
            "ledger",
            "store",
            "engine",
        ],
    },
    // A plugin is written against the SDK; the vault's own code stands in for the host in its
    // tests.
    Room { folder: "plugins/sdk", knows: &["transcript", "vault"] },
    Room { folder: "plugins/transcript", knows: &[] },
];

/// A plugin of a provider knows this, in its tests too.
const PLUGIN_KNOWS: &[&str] = &["sdk", "transcript"];

const ALL: &[&str] = &[
    "ledger",
    "vault",
    "store",
    "sandbox",
    "egress",
    "engine",
    "api",
    "tollgate",
    "simulators",
    "sdk",
    "transcript",
];

/// What the ledger may use: numbers, words, and how they are written down.
const LEDGER_USES: &[&str] = &["iso_currency", "serde", "thiserror"];

fn manifest(tree: &Tree, folder: &str) -> Table {
    let file = tree.file(&format!("{folder}/Cargo.toml"));
    let file = file.unwrap_or_else(|| panic!("there is no {folder}/Cargo.toml"));
    file.text.parse().unwrap()
}

/// The names in one section of dependencies.
fn names<'a>(manifest: &'a Table, section: &str) -> Vec<&'a str> {
    let section = manifest.get(section).and_then(toml::Value::as_table);
    section.into_iter().flat_map(|section| section.keys().map(String::as_str)).collect()
}

/// Every room a folder depends on, tests included.
fn rooms_of(manifest: &Table) -> Vec<&str> {
    let sections = ["dependencies", "dev-dependencies", "build-dependencies"];
    let all = sections.into_iter().flat_map(|section| names(manifest, section));
    all.filter(|name| ALL.contains(name)).collect()
}

pub fn wrong_way(tree: &Tree) -> Vec<String> {
    let plugins = providers(tree).into_iter().map(|name| (format!("plugins/{name}"), PLUGIN_KNOWS));
    let rooms = ROOMS.iter().map(|room| (room.folder.to_owned(), room.knows));
    let mut all = Vec::new();
    for (folder, knows) in rooms.chain(plugins) {
        let manifest = manifest(tree, &folder);
        let wrong = rooms_of(&manifest).into_iter().filter(|name| !knows.contains(name));
        all.extend(wrong.map(|name| format!("{folder} depends on {name}")));
    }
    let known = |folder: &str| ROOMS.iter().any(|room| room.folder == folder);
    let hosts = tree.files.iter().filter_map(|file| file.path.strip_suffix("/Cargo.toml"));
    let strangers = hosts.filter(|folder| folder.starts_with("host/") && !known(folder));
    all.extend(strangers.map(|folder| format!("{folder} is no room of the design")));
    all
}

pub fn busy_ledger(tree: &Tree) -> Vec<String> {
    let manifest = manifest(tree, "host/ledger");
    let uses = names(&manifest, "dependencies").into_iter();
    let wrong = uses.filter(|name| !LEDGER_USES.contains(name));
    wrong.map(|name| format!("host/ledger depends on {name}")).collect()
}

pub fn plugins_without_papers(tree: &Tree) -> Vec<String> {
    let mut all = Vec::new();
    for name in providers(tree) {
        let folder = format!("plugins/{name}");
        let readme = tree.file(&format!("{folder}/README.md"));
        if !readme
            .is_some_and(|readme| readme.text.contains("https://") || readme.text.contains(".com"))
        {
            all.push(format!("{folder}/README.md names no manual"));
        }
        let transcripts = format!("{folder}/transcripts/");
        let told = |path: &str| path.starts_with(&transcripts) && path.ends_with(".txt");
        if !tree.files.iter().any(|file| told(&file.path)) {
            all.push(format!("{transcripts} has no transcript"));
        }
    }
    all
}
