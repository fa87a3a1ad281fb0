//! The plugins as components, made by the host's own command, once a run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};

use super::paths::{binary, built, root};

/// A component, as `tollgate plugin build` made it.
#[derive(Debug)]
pub struct Component {
    /// Its file.
    pub path: PathBuf,
    /// What the command printed to be pinned.
    pub digest: String,
}

/// Each built once, whoever asks first.
type Built = Mutex<BTreeMap<String, Arc<OnceLock<Component>>>>;

/// The component of `plugins/<name>`.
pub fn component(name: &str) -> &'static Component {
    static BUILT: OnceLock<Built> = OnceLock::new();
    let cell = {
        let mut all = BUILT.get_or_init(Mutex::default).lock().unwrap();
        all.entry(name.to_owned()).or_default().clone()
    };
    cell.get_or_init(|| build(name));
    // As long as the process: tests share it.
    let kept: &'static OnceLock<Component> = Box::leak(Box::new(cell));
    kept.get().expect("it was just built")
}

fn build(name: &str) -> Component {
    let out = built().join("plugins");
    let folder = root().join("plugins").join(name);
    let mut command = Command::new(binary());
    command.args(["plugin", "build"]).arg(folder).arg("--out").arg(out);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "plugins/{name} cannot be built: {said}");
    let line = String::from_utf8(output.stdout).unwrap();
    let (path, digest) = line.trim().rsplit_once(' ').expect("path and digest");
    Component { path: PathBuf::from(path), digest: digest.to_owned() }
}
