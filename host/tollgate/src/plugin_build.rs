//! From a plugin's crate to a component: cargo for `wasm32-unknown-unknown`, then the component
//! encoding, then a digest to pin.
//!
//! Not here: loading or judging the component; `tollgate plugin inspect` and the host do that.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sandbox::Digest;
use serde::Deserialize;
use wit_component::ComponentEncoder;

const TARGET: &str = "wasm32-unknown-unknown";

/// A component that was made.
#[derive(Debug)]
pub struct Built {
    /// Where it is.
    pub path: PathBuf,
    /// What to pin in the configuration.
    pub digest: Digest,
}

/// Why no component was made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A program could not be started, or failed; what it said is on standard error.
    #[error("{0}")]
    Program(String),
    /// The target is missing and rustup cannot add it.
    #[error(
        "the target {TARGET} is missing and rustup did not add it; on Debian the packages \
         rustc-web, cargo-web and rust-web-src carry it"
    )]
    Target,
    /// The folder holds no plugin.
    #[error("{0}")]
    NotAPlugin(String),
    /// The core module is no component's.
    #[error("{path} cannot become a component: {why}")]
    Encode {
        /// The core module.
        path: PathBuf,
        /// What the encoder says.
        why: String,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Builds the crate in `folder` and writes `<out>/<crate>.wasm`. Cargo's own progress goes to
/// standard error, what is done beside it to `progress`.
pub fn build(folder: &Path, out: &Path, progress: &mut dyn Write) -> Result<Built, Error> {
    let package = package(folder)?;
    add_target(progress)?;
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--target", TARGET]).current_dir(folder);
    run(&mut cargo)?;
    let core = package.core_module();
    let module =
        std::fs::read(&core).map_err(|source| Error::File { path: core.clone(), source })?;
    let component = encode(&core, &module)?;
    let path = out.join(format!("{}.wasm", package.name));
    write(&path, &component)?;
    let (name, bytes) = (&package.name, component.len());
    // A progress line that cannot be written is no reason to fail.
    let _ = writeln!(progress, "{name}: a component of {bytes} bytes");
    Ok(Built { path, digest: Digest::of(&component) })
}

/// The crate of a folder, as cargo knows it.
struct Package {
    name: String,
    target_directory: PathBuf,
}

impl Package {
    fn core_module(&self) -> PathBuf {
        let file = format!("{}.wasm", self.name.replace('-', "_"));
        self.target_directory.join(TARGET).join("release").join(file)
    }
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<MetadataPackage>,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct MetadataPackage {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<MetadataTarget>,
}

#[derive(Deserialize)]
struct MetadataTarget {
    crate_types: Vec<String>,
}

fn package(folder: &Path) -> Result<Package, Error> {
    let manifest = folder.join("Cargo.toml");
    let manifest = std::fs::canonicalize(&manifest)
        .map_err(|source| Error::File { path: manifest, source })?;
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .current_dir(folder)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| Error::Program(format!("cannot start cargo: {error}")))?;
    let metadata: Metadata = serde_json::from_slice(&output.stdout)
        .map_err(|_| Error::Program("cargo metadata failed".to_owned()))?;
    let own = metadata.packages.into_iter().find(|package| package.manifest_path == manifest);
    let not = |what: &str| Error::NotAPlugin(format!("{}: {what}", manifest.display()));
    let own = own.ok_or_else(|| not("names no package"))?;
    let is_plugin = |target: &MetadataTarget| target.crate_types.iter().any(|one| one == "cdylib");
    if !own.targets.iter().any(is_plugin) {
        return Err(not("a plugin needs `crate-type = [\"cdylib\", \"rlib\"]` under [lib]"));
    }
    Ok(Package { name: own.name, target_directory: metadata.target_directory })
}

/// Adds the target where rustup rules and has not got it.
fn add_target(progress: &mut dyn Write) -> Result<(), Error> {
    let listed = Command::new("rustup").args(["target", "list", "--installed"]).output();
    let Ok(listed) = listed else {
        // Without rustup the compiler may still have the target; cargo will say.
        return Ok(());
    };
    let installed = String::from_utf8_lossy(&listed.stdout).lines().any(|line| line == TARGET);
    if installed {
        return Ok(());
    }
    let _ = writeln!(progress, "adding the target {TARGET} to the toolchain");
    let added = Command::new("rustup").args(["target", "add", TARGET]).status();
    if added.is_ok_and(|status| status.success()) { Ok(()) } else { Err(Error::Target) }
}

fn run(command: &mut Command) -> Result<(), Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command
        .stdout(Stdio::null())
        .status()
        .map_err(|error| Error::Program(format!("cannot start {program}: {error}")))?;
    let failed = || Error::Program(format!("{program} failed with {status}"));
    if status.success() { Ok(()) } else { Err(failed()) }
}

/// Makes a core module that embeds its WIT world into a component, and checks it.
pub fn encode(path: &Path, module: &[u8]) -> Result<Vec<u8>, Error> {
    let wrong = |why: String| Error::Encode { path: path.to_owned(), why };
    ComponentEncoder::default()
        .module(module)
        .and_then(|encoder| encoder.validate(true).encode())
        .map_err(|error| wrong(format!("{error:#}")))
}

/// Writes beside the place and renames: a reader sees the old component or the new one.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let partial = path.with_extension("wasm.partial");
    let wrong = |source| Error::File { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(wrong)?;
    }
    std::fs::write(&partial, bytes).map_err(wrong)?;
    std::fs::rename(&partial, path).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_a_plugin_is_refused_with_what_is_missing() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let wrong = package(&here.join("src")).map(drop).unwrap_err();
        assert!(wrong.to_string().contains("Cargo.toml"), "{wrong}");
        let wrong = package(here).map(drop).unwrap_err();
        assert!(wrong.to_string().contains("crate-type"), "{wrong}");
    }

    #[test]
    fn bytes_that_are_no_module_do_not_become_a_component() {
        for bytes in [&b""[..], b"not wasm", b"\0asm\x01\0\0\0"] {
            let wrong = encode(Path::new("x.wasm"), bytes);
            assert!(wrong.is_err() || bytes.len() == 8, "{bytes:?}");
        }
    }
}
