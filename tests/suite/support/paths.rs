//! Where things are: the repository, the target folder, the binary under test.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The repository.
pub fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("tests/ stands in the repository").to_owned()
}

/// The folder the binaries are built into, such as `target/debug`: this program runs in its `deps`.
pub fn built() -> PathBuf {
    let this = std::env::current_exe().expect("this program is a file");
    let deps = this.parent().expect("in a folder");
    deps.parent().expect("in the folder of its profile").to_owned()
}

/// The binary under test. It is never one that was built from other sources than those that stand
/// there now: a test of yesterday's host proves nothing.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let binary = built().join("tollgate");
        let stale = stale(&binary);
        assert!(
            stale.is_none(),
            "{}: build it first, as tests/run does",
            stale.unwrap_or_default()
        );
        binary
    })
}

fn stale(binary: &Path) -> Option<String> {
    let changed = |path: &Path| path.metadata().and_then(|found| found.modified());
    let Ok(made) = changed(binary) else {
        return Some(format!("{} is not there", binary.display()));
    };
    // What cargo built it from: `<binary>: <source> <source> …`.
    let sources = std::fs::read_to_string(binary.with_extension("d")).unwrap_or_default();
    let sources = sources.split_once(": ").map_or("", |(_, sources)| sources).split_whitespace();
    let newer = |source: &&str| changed(Path::new(source)).map_or(true, |at| at > made);
    sources.clone().find(newer).map(|source| format!("the binary is older than {source}"))
}
