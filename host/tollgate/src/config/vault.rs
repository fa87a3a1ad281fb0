//! `[vault]`: where the master keys stand. The first seals; all of them open.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use vault::{AtRest, Master, Secret};

use super::secrets;

/// Every master key; none at all is a closed vault.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vault {
    /// The current one first, then those that older records are under.
    #[serde(default)]
    pub master: Vec<MasterEntry>,
}

/// `[[vault.master]]`: 32 bytes in base64 or hexadecimal, as `tollgate vault key` prints them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MasterEntry {
    /// Its name in every record under it: never give another key the same one.
    pub id: String,
    env: Option<String>,
    file: Option<PathBuf>,
    /// A program and its arguments that prints the key, as a key server's client does.
    command: Option<Vec<String>>,
}

impl Vault {
    /// Reads every master key. An error names the key and never shows it.
    pub fn open(&self, folder: &Path) -> Result<AtRest, Vec<String>> {
        let (mut masters, mut wrong) = (Vec::new(), Vec::new());
        for entry in &self.master {
            match entry.read(folder) {
                Ok(master) => masters.push(master),
                Err(what) => wrong.push(what),
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        AtRest::new(masters).map_err(|error| vec![error.to_string()])
    }
}

impl MasterEntry {
    fn read(&self, folder: &Path) -> Result<Master, String> {
        let name = format!("master key `{}`", self.id);
        let written = match (&self.env, &self.file, &self.command) {
            (None, None, Some(command)) => printed(&name, command, folder)?,
            (_, _, Some(_)) => return Err(format!("{name} needs one of `env`, `file`, `command`")),
            (env, file, None) => secrets::read(&name, env, file, folder)?,
        };
        Master::read(&self.id, &written).map_err(|error| error.to_string())
    }
}

/// What a program prints. Its own complaints go where ours go.
fn printed(name: &str, command: &[String], folder: &Path) -> Result<Secret, String> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(format!("{name}: `command` names no program"));
    };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stderr(Stdio::inherit());
    if !folder.as_os_str().is_empty() {
        command.current_dir(folder);
    }
    let output =
        command.output().map_err(|error| format!("{name}: cannot run `{program}`: {error}"))?;
    match output.status.success() {
        true => Ok(Secret::new(name, output.stdout)),
        false => Err(format!("{name}: `{program}` ended with {}", output.status)),
    }
}
