//! The command line, run to its end.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;
use tokio::time::timeout;

use super::paths::binary;
use super::patience::LONG;

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// What it answered.
    pub out: String,
    /// What it said beside that.
    pub err: String,
}

impl Ended {
    /// Holds that it failed, said all of these words, and did not panic.
    #[track_caller]
    pub fn refused(&self, words: &[&str]) {
        assert_eq!(self.code, Some(1), "not refused: {self:#?}");
        assert!(!self.err.contains("panicked"), "{self:#?}");
        for word in words {
            assert!(self.err.contains(word), "`{word}` is not said: {self:#?}");
        }
    }

    /// Holds that all went well, and gives what was answered.
    #[track_caller]
    pub fn answered(&self) -> &str {
        assert_eq!(self.code, Some(0), "failed: {self:#?}");
        self.out.trim()
    }
}

/// `tollgate` with these arguments, as a child that dies with its owner and knows nothing of the
/// environment of this test.
pub(super) fn child(arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(binary());
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).kill_on_drop(true);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TOLLGATE_") {
            command.env_remove(name);
        }
    }
    command
}

/// Runs `tollgate` in a folder until it ends by itself.
pub async fn tollgate(arguments: &[&str], folder: &Path) -> Ended {
    let output = timeout(LONG, child(arguments, folder).output()).await;
    let output = output.unwrap_or_else(|_| panic!("tollgate {arguments:?} does not end")).unwrap();
    Ended {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
