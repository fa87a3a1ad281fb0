//! How long things may be.

use super::tree::{File, Tree};

const COLUMNS_MAX: usize = 100;
const FUNCTION_LINES_MAX: usize = 70;
const FILE_LINES_MAX: usize = 400;
/// No reason is good enough for more.
const FILE_LINES_EVER: usize = 600;
const WIT_LINES_MAX: usize = 150;
const PLUGIN_LINES_MAX: usize = 630;
/// A plugin's reports are an interface of their own, in a file of this name.
const REPORTS: &str = "src/settlement.rs";
const REPORTS_LINES_MAX: usize = 300;
const FUNCTION_LINES_MEDIAN: usize = 10;

/// Files that may have more than 400 lines, and why.
const LONG_FILES: &[(&str, &str)] = &[];

/// What stands in `plugins/` and is no provider's.
pub const NO_PROVIDERS: &[&str] = &["sdk", "transcript"];

pub fn long_lines(tree: &Tree) -> Vec<String> {
    let told = |file: &File| -> Vec<String> {
        let long = |(_, line): &(usize, &str)| line.chars().count() > COLUMNS_MAX;
        let lines = file.text.lines().enumerate().filter(long);
        lines.map(|(n, _)| format!("{}:{}", file.path, n + 1)).collect()
    };
    let read = |file: &&File| file.path.ends_with(".rs") || file.path.ends_with(".wit");
    tree.files.iter().filter(read).flat_map(told).collect()
}

pub fn long_functions(tree: &Tree) -> Vec<String> {
    let mut all = Vec::new();
    for (file, source) in tree.rust() {
        for function in &source.functions {
            let (lines, first) = (function.lines.len(), function.lines.start);
            if lines > FUNCTION_LINES_MAX {
                all.push(format!("{}:{first}: `{}` has {lines}", file.path, function.name));
            }
        }
    }
    all
}

pub fn long_files(tree: &Tree) -> Vec<String> {
    let mut all = Vec::new();
    for (file, source) in tree.product() {
        let excused = LONG_FILES.iter().any(|(path, _)| *path == file.path);
        let max = if excused { FILE_LINES_EVER } else { FILE_LINES_MAX };
        let lines = source.lines_without_tests();
        if lines > max {
            all.push(format!("{} has {lines}", file.path));
        }
    }
    all
}

pub fn long_contracts(tree: &Tree) -> Vec<String> {
    let spoken = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//");
    let lines = |file: &File| file.text.lines().filter(spoken).count();
    let contracts = tree.files.iter().filter(|file| file.path.ends_with(".wit"));
    let long = contracts.filter(|file| lines(file) > WIT_LINES_MAX);
    long.map(|file| format!("{} has {}", file.path, lines(file))).collect()
}

/// The names of the providers' plugins.
pub fn providers(tree: &Tree) -> Vec<&str> {
    let folders = tree.files.iter().filter_map(|file| file.path.strip_suffix("/Cargo.toml"));
    let names = folders.filter_map(|folder| folder.strip_prefix("plugins/"));
    names.filter(|name| !NO_PROVIDERS.contains(name)).collect()
}

pub fn long_plugins(tree: &Tree) -> Vec<String> {
    let mut all = Vec::new();
    for name in providers(tree) {
        let folder = format!("plugins/{name}/");
        let own = tree.product().filter(|(file, _)| file.path.starts_with(&folder));
        let (reports, rest): (Vec<_>, Vec<_>) =
            own.partition(|(file, _)| file.path == format!("{folder}{REPORTS}"));
        for (files, max) in [(rest, PLUGIN_LINES_MAX), (reports, REPORTS_LINES_MAX)] {
            let lines: usize = files.iter().map(|(_, source)| source.lines_without_tests()).sum();
            if lines > max {
                all.push(format!("{folder} has {lines} of {max}"));
            }
        }
    }
    all
}

pub fn long_median(tree: &Tree) -> Vec<String> {
    let functions = tree.product().flat_map(|(_, source)| &source.functions);
    let mut lengths: Vec<usize> = functions.map(|function| function.lines.len()).collect();
    lengths.sort_unstable();
    match lengths.get(lengths.len() / 2) {
        Some(median) if *median < FUNCTION_LINES_MEDIAN => Vec::new(),
        median => vec![format!("of {} functions the median is {median:?}", lengths.len())],
    }
}

pub fn stale(tree: &Tree) -> Vec<String> {
    let needed = |path: &str| {
        let source = tree.file(path).and_then(|file| file.source.as_ref());
        source.is_some_and(|source| source.lines_without_tests() > FILE_LINES_MAX)
    };
    let stale = LONG_FILES.iter().filter(|(path, _)| !needed(path));
    stale.map(|(path, why)| format!("{path}: {why}")).collect()
}
