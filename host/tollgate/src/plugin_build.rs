//! `tollgate plugin build`: a plugin's crate becomes a component file.
//!
//! Cargo builds the core module for wasm32-unknown-unknown; the component around it is made here,
//! so that a plugin's author needs no tool beyond a Rust toolchain. Not here: signing, loading, and
//! plugins in other languages, which bring a component of their own.

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use sha2::{Digest, Sha256};
use wit_component::ComponentEncoder;

/// The target of every guest. It has no system to import from, so nothing ambient can be taken.
const TARGET: &str = "wasm32-unknown-unknown";

/// A small stack keeps a fresh instance cheap; the SDK's own configuration says the same.
const STACK: &str = "target.wasm32-unknown-unknown.rustflags=\
                     [\"-C\",\"link-arg=-zstack-size=131072\"]";

/// What the author may do where rustup cannot download.
const DEBIAN: &str = "on Debian the packages rustc-web, cargo-web and rust-web-src build guests \
     without rustup: RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 cargo build --release \
     -Z build-std=std,panic_abort --target wasm32-unknown-unknown, with rust-lld as linker";

/// A component that was built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// Where it lies: `<out>/<name>.wasm`.
    pub path: PathBuf,
    /// SHA-256 of the file, in lower-case hexadecimal, as the configuration pins it.
    pub digest: String,
    /// Size of the file.
    pub bytes: usize,
}

/// Why a plugin could not be built.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Error {
    /// What was being done, in words for the plugin's author.
    pub what: String,
    /// Whose turn it is.
    pub kind: ErrorKind,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The toolchain lacks something.
    Toolchain,
    /// The folder is no plugin crate.
    Crate,
    /// The crate does not compile; cargo said why.
    Compile,
    /// The module does not speak the contract.
    Contract,
    /// A file could not be read or written.
    File,
}

impl Error {
    fn new(kind: ErrorKind, what: impl Into<String>) -> Error {
        Error { what: what.into(), kind, source: None }
    }

    fn because(self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error { source: Some(source.into()), ..self }
    }
}

/// Builds the plugin of `crate_dir` and writes `<out>/<name>.wasm`, in one piece or not at all.
/// What cargo says goes to `progress`.
///
/// # Errors
/// See [`ErrorKind`].
pub fn build(crate_dir: &Path, out: &Path, progress: &mut dyn Write) -> Result<Built, Error> {
    let package = package(crate_dir)?;
    require_target(crate_dir, progress)?;
    compile(crate_dir, progress)?;
    let module = read(&package.module())?;
    let component = encode(&module)?;
    let path = out.join(format!("{}.wasm", package.name));
    write(&path, &component)?;
    let digest = hex::encode(Sha256::digest(&component));
    Ok(Built { path, digest, bytes: component.len() })
}

/// The component around a core module that was built with the SDK.
///
/// # Errors
/// `ErrorKind::Contract` when the module lacks the contract's description, imports anything
/// beside it, or is damaged.
pub fn encode(module: &[u8]) -> Result<Vec<u8>, Error> {
    let encoded = ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(|encoder| encoder.encode());
    encoded.map_err(|error| {
        let what = "the module is no plugin: does the crate call `sdk::export!`, and import \
                    nothing but the contract?";
        Error::new(ErrorKind::Contract, what).because(error)
    })
}

/// What cargo says of the crate.
#[derive(Debug)]
struct Package {
    name: String,
    target_dir: PathBuf,
}

impl Package {
    fn module(&self) -> PathBuf {
        let file = format!("{}.wasm", self.name.replace('-', "_"));
        self.target_dir.join(TARGET).join("release").join(file)
    }
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Listed>,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct Listed {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    crate_types: Vec<String>,
}

fn package(crate_dir: &Path) -> Result<Package, Error> {
    let manifest = crate_dir.join("Cargo.toml");
    let manifest = manifest.canonicalize().map_err(|error| {
        let what = format!("{} is no crate: it has no Cargo.toml", crate_dir.display());
        Error::new(ErrorKind::Crate, what).because(error)
    })?;
    let mut cargo = cargo(crate_dir);
    cargo.args(["metadata", "--format-version", "1", "--no-deps"]);
    let output = cargo.output().map_err(|error| missing("cargo", error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        let what = format!("cargo cannot read {}", manifest.display());
        return Err(Error::new(ErrorKind::Crate, what).because(said));
    }
    let metadata: Metadata = serde_json::from_slice(&output.stdout).map_err(|error| {
        Error::new(ErrorKind::Crate, "cargo metadata cannot be read").because(error)
    })?;
    chosen(metadata, &manifest)
}

fn chosen(metadata: Metadata, manifest: &Path) -> Result<Package, Error> {
    let mut packages = metadata.packages.into_iter();
    let listed = packages.find(|each| each.manifest_path == manifest).ok_or_else(|| {
        let what = format!("{} holds no package, but a workspace", manifest.display());
        Error::new(ErrorKind::Crate, what)
    })?;
    let library = |target: &Target| target.crate_types.iter().any(|kind| kind == "cdylib");
    if !listed.targets.iter().any(library) {
        let what = format!("{} needs crate-type = [\"cdylib\", \"rlib\"]", listed.name);
        return Err(Error::new(ErrorKind::Crate, what));
    }
    Ok(Package { name: listed.name, target_dir: metadata.target_directory })
}

fn cargo(crate_dir: &Path) -> Command {
    // Under `cargo run` the very cargo that runs us is named here.
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(crate_dir).stdin(Stdio::null());
    command
}

fn missing(program: &str, error: io::Error) -> Error {
    let what = format!("{program} cannot be run: install Rust from https://rustup.rs");
    Error::new(ErrorKind::Toolchain, what).because(error)
}

/// Adds the target to the toolchain where it is missing. A compiler that has it without rustup
/// passes too.
fn require_target(crate_dir: &Path, progress: &mut dyn Write) -> Result<(), Error> {
    if has_target(crate_dir) {
        return Ok(());
    }
    say(progress, format_args!("adding the target {TARGET}"))?;
    let mut rustup = Command::new("rustup");
    rustup.current_dir(crate_dir).args(["target", "add", TARGET]);
    let what = || format!("the Rust target {TARGET} is missing and rustup cannot add it; {DEBIAN}");
    match shown(&mut rustup, progress) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Error::new(ErrorKind::Toolchain, what())),
        Err(error) => Err(Error::new(ErrorKind::Toolchain, what()).because(error)),
    }
}

/// Whether the compiler finds the target's own libraries: the folder of them holds some.
fn has_target(crate_dir: &Path) -> bool {
    let program = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut rustc = Command::new(program);
    rustc.current_dir(crate_dir).args(["--print", "target-libdir", "--target", TARGET]);
    let Ok(output) = rustc.output() else { return false };
    let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    std::fs::read_dir(folder).is_ok_and(|mut files| files.next().is_some())
}

fn compile(crate_dir: &Path, progress: &mut dyn Write) -> Result<(), Error> {
    let mut cargo = cargo(crate_dir);
    // As a cdylib alone: beside an rlib, rustc leaves link-time optimisation out.
    cargo.args(["rustc", "--release", "--lib", "--crate-type", "cdylib"]);
    cargo.args(["--target", TARGET, "--config", STACK]);
    match shown(&mut cargo, progress) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Error::new(ErrorKind::Compile, "the plugin does not compile")),
        Err(error) => Err(missing("cargo", error)),
    }
}

/// Runs a program, its words going to `progress` as they come; whether it succeeded.
fn shown(command: &mut Command, progress: &mut dyn Write) -> io::Result<bool> {
    let (mut words, end) = io::pipe()?;
    let mut child = command.stdout(end.try_clone()?).stderr(end).spawn()?;
    // Our own ends of the pipe live in the command: closed, so that the words come to an end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    io::copy(&mut words, progress)?;
    Ok(child.wait()?.success())
}

fn say(progress: &mut dyn Write, words: fmt::Arguments<'_>) -> Result<(), Error> {
    writeln!(progress, "{words}")
        .map_err(|error| Error::new(ErrorKind::File, "cannot show progress").because(error))
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|error| {
        let what = format!("cargo made no module {}", path.display());
        Error::new(ErrorKind::Crate, what).because(error)
    })
}

/// Under another name first: nobody ever loads half a component.
fn write(path: &Path, component: &[u8]) -> Result<(), Error> {
    let partial = path.with_extension(format!("wasm.{}.partial", std::process::id()));
    let folder = path.parent().unwrap_or(Path::new("."));
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&partial, component))
        .and_then(|()| std::fs::rename(&partial, path));
    written.map_err(|error| {
        let _ = std::fs::remove_file(&partial);
        let what = format!("cannot write {}", path.display());
        Error::new(ErrorKind::File, what).because(error)
    })
}

#[cfg(test)]
mod tests;
