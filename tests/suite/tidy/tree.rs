//! The files of the repository, as git knows them.

use std::process::Command;

use super::source::{Source, without_text};
use crate::support::root;

/// One file of text.
pub struct File {
    /// From the root of the repository, with slashes.
    pub path: String,
    /// What stands in it.
    pub text: String,
    /// Of a Rust file: the same without comments and texts, and what is in it.
    pub source: Option<Source>,
}

/// All files that are or will be committed.
pub struct Tree {
    /// In the order of their paths.
    pub files: Vec<File>,
}

impl Tree {
    /// Reads them.
    pub fn read() -> Tree {
        let listed = Command::new("git")
            .args(["ls-files", "--cached", "--others", "--exclude-standard"])
            .current_dir(root())
            .output()
            .expect("git lists the files");
        assert!(listed.status.success(), "{listed:?}");
        let paths = String::from_utf8(listed.stdout).unwrap();
        let files: Vec<File> = paths.lines().filter_map(read).collect();
        assert!(files.len() > 100, "only {} files were found", files.len());
        Tree { files }
    }

    /// Rust files.
    pub fn rust(&self) -> impl Iterator<Item = (&File, &Source)> {
        self.files.iter().filter_map(|file| Some((file, file.source.as_ref()?)))
    }

    /// Rust files that are no tests.
    pub fn product(&self) -> impl Iterator<Item = (&File, &Source)> {
        self.rust().filter(|(file, _)| !file.is_test())
    }

    /// The file of this path.
    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }
}

impl File {
    /// Whether all of it is for tests.
    pub fn is_test(&self) -> bool {
        let path = &self.path;
        let folder = |name: &str| path.starts_with(&name[1..]) || path.contains(name);
        folder("/tests/") || folder("/fuzz/") || path.ends_with("/tests.rs")
    }
}

fn read(path: &str) -> Option<File> {
    // What was deleted and not yet committed is listed still; what is not text is none of ours.
    let text = std::fs::read_to_string(root().join(path)).ok()?;
    let source = path.ends_with(".rs").then(|| without_text(&text));
    Some(File { path: path.to_owned(), text, source })
}
