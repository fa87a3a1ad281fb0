//! Compiled code on disk, by component and by compiler settings.
//!
//! Compiled code is trusted like the program itself, so the directory has to be the operator's own:
//! it belongs to the user the host runs as, and nobody else may write to it. Within that, each file
//! says which component and which settings it was made for and carries a checksum of the rest, so
//! that a torn, mixed-up or damaged file is never run: it is made again.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::{Digest, Error, ErrorKind};

const MAGIC: &[u8; 16] = b"tollgate code 1\n";
/// Magic, component, settings, checksum.
const HEADER_BYTES: usize = 16 + 32 + 8 + 32;
/// Nobody but the owner may write.
const OTHERS_WRITE: u32 = 0o022;

/// Tells apart the temporary files of one process.
static WRITES: AtomicU64 = AtomicU64::new(0);

/// A directory of compiled code.
#[derive(Debug)]
pub(crate) struct Cache {
    directory: PathBuf,
    owner: u32,
}

impl Cache {
    /// Opens the directory, or makes it; refuses one that others may write to.
    pub(crate) fn open(directory: &Path) -> Result<Cache, Error> {
        let name = directory.display();
        let unusable = |error| {
            Error::because(
                ErrorKind::Cache,
                format!("compiled code cannot be kept in {name}"),
                error,
            )
        };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(unusable)?;
        let found = fs::metadata(directory).map_err(unusable)?;
        let cache = Cache { directory: directory.to_owned(), owner: found.uid() };
        // A file we make is ours: its owner is who we run as.
        let probe = cache.temporary();
        let ours = write_new(&probe, &[]).and_then(|()| fs::metadata(&probe));
        let removed = fs::remove_file(&probe);
        let ours = ours.map_err(unusable)?;
        removed.map_err(unusable)?;
        if found.uid() != ours.uid() || found.mode() & OTHERS_WRITE != 0 {
            let what = format!(
                "{name} is no place for compiled code: it is to belong to the user the host runs \
                 as, with no write permission for others (chmod 700)"
            );
            return Err(Error::new(ErrorKind::Cache, what));
        }
        Ok(cache)
    }

    /// The compiled code of a component, if it is here and whole.
    pub(crate) fn find(&self, engine: &Engine, component: &Digest) -> Option<Component> {
        let path = self.path(engine, component);
        let found = fs::symlink_metadata(&path).ok()?;
        let safe = found.is_file() && found.uid() == self.owner && found.mode() & OTHERS_WRITE == 0;
        let file = safe.then(|| fs::read(&path).ok()).flatten();
        let code = file.as_deref().and_then(|file| opened(file, &header(engine, component)));
        match code.and_then(|code| load(engine, code)) {
            Some(component) => Some(component),
            None => {
                tracing::warn!(file = %path.display(), "compiled code is damaged: made again");
                None
            }
        }
    }

    /// Keeps the compiled code of a component. A failure costs time at the next start, no more.
    pub(crate) fn keep(&self, engine: &Engine, component: &Digest, compiled: &Component) {
        let path = self.path(engine, component);
        if let Err(error) = self.write(engine, component, compiled, &path) {
            tracing::warn!(file = %path.display(), "compiled code could not be kept: {error}");
        }
    }

    fn write(
        &self,
        engine: &Engine,
        component: &Digest,
        compiled: &Component,
        path: &Path,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let code = compiled.serialize()?;
        let mut file = header(engine, component);
        file.extend(checksum(&file, &code));
        file.extend(code);
        let temporary = self.temporary();
        let written = write_new(&temporary, &file).and_then(|()| fs::rename(&temporary, path));
        if written.is_err() {
            fs::remove_file(&temporary).ok();
        }
        Ok(written?)
    }

    fn path(&self, engine: &Engine, component: &Digest) -> PathBuf {
        let (digest, settings) = (hex::encode(component.as_bytes()), settings(engine));
        self.directory.join(format!("{digest}-{settings:016x}.code"))
    }

    fn temporary(&self) -> PathBuf {
        let (process, write) = (std::process::id(), WRITES.fetch_add(1, Ordering::Relaxed));
        self.directory.join(format!("{process}-{write}.tmp"))
    }
}

/// What compiled code depends on besides its source: the compiler, its settings, this machine.
fn settings(engine: &Engine) -> u64 {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.finish()
}

/// The header but for its checksum.
fn header(engine: &Engine, component: &Digest) -> Vec<u8> {
    let settings = settings(engine).to_be_bytes();
    [MAGIC.as_slice(), component.as_bytes(), &settings].concat()
}

fn checksum(header: &[u8], code: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(header).chain_update(code).finalize().into()
}

/// The code of a file that has the header expected of it and matches its checksum.
fn opened<'a>(file: &'a [u8], header: &[u8]) -> Option<&'a [u8]> {
    let (head, code) = file.split_at_checked(HEADER_BYTES)?;
    let sum = head.strip_prefix(header)?;
    (sum == checksum(header, code)).then_some(code)
}

fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)
}

#[allow(unsafe_code)]
fn load(engine: &Engine, code: &[u8]) -> Option<Component> {
    // SAFETY: `deserialize` runs what it is given, so it must be what `serialize` gave. `find` took
    // it from a regular file that belongs to the user we run as and that no one else may write, in
    // a directory held to the same when it was opened; only `write` makes such files; and the
    // header and checksum were just proven to fit this component and this compiler. Whoever could
    // forge all of that runs as this user already, and needs no forgery.
    unsafe { Component::deserialize(engine, code) }.ok()
}
