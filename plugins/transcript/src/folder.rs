//! All transcripts of a folder: compared, or rewritten when `TOLLGATE_TRANSCRIPTS=rewrite`.

use std::path::{Path, PathBuf};

use crate::diff::diff;
use crate::{Stage, replay};

/// Compares one transcript's text with what the stage's plugin says.
///
/// # Errors
/// The difference, or why it could not be played.
pub fn check(script: &str, folder: &Path, stage: &mut dyn Stage) -> Result<(), String> {
    let play = replay(script, folder, stage).map_err(|error| error.to_string())?;
    let difference = diff(script, &play.text);
    // Line ends that differ leave no line to show.
    if difference.is_empty() && play.problems.is_empty() && script == play.text {
        return Ok(());
    }
    let shown =
        if difference.is_empty() { "blank lines or line ends differ\n" } else { &difference };
    let shown = if script == play.text { "" } else { shown };
    Err(format!("{}\n{shown}", play.problems.join("\n")).trim().to_owned())
}

/// Plays every `.txt` of the folder that holds a command or a delivery, each on a stage of its own,
/// and says how many. With the environment's `TOLLGATE_TRANSCRIPTS=rewrite` what the plugin says is
/// written into the files; what the provider says never is.
///
/// # Errors
/// Every file that failed, with its difference: `-` was expected, `+` is what the plugin says.
pub fn play_folder<S: Stage>(folder: &Path, mut stage: impl FnMut() -> S) -> Result<usize, String> {
    let rewrite = std::env::var("TOLLGATE_TRANSCRIPTS").is_ok_and(|value| value == "rewrite");
    let mut failed = Vec::new();
    let files = files(folder)?;
    for path in &files {
        let script = std::fs::read_to_string(path).map_err(|error| of(path, error))?;
        let result = match rewrite {
            true => rewritten(path, &script, folder, &mut stage()),
            false => check(&script, folder, &mut stage()),
        };
        failed.extend(result.err().map(|why| format!("{}:\n{why}", path.display())));
    }
    match failed.as_slice() {
        [] => Ok(files.len()),
        failed => Err(failed.join("\n\n")),
    }
}

fn rewritten(
    path: &Path,
    script: &str,
    folder: &Path,
    stage: &mut dyn Stage,
) -> Result<(), String> {
    let play = replay(script, folder, stage).map_err(|error| error.to_string())?;
    std::fs::write(path, play.text).map_err(|error| error.to_string())?;
    match play.problems.as_slice() {
        [] => Ok(()),
        problems => Err(problems.join("\n")),
    }
}

/// In order of name; files that others include end in `.inc`.
fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = std::fs::read_dir(folder).map_err(|error| of(folder, error))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    Ok(files)
}

fn of(path: &Path, error: impl std::fmt::Display) -> String {
    format!("{}: {error}", path.display())
}
