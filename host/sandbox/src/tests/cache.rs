//! Compiled code on disk: found again, and never run when it is not what was written.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::guest::starting;
use super::world::{decimals, limits, sandbox};
use crate::cache::Cache;
use crate::{Digest, ErrorKind, Limits, Sandbox, runtime};

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("a directory");
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

fn only_file(directory: &Path) -> PathBuf {
    let mut files = files(directory);
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

#[test]
fn compiled_code_is_found_again_by_another_sandbox() {
    let directory = tempfile::tempdir().expect("a directory");
    let component = starting("", "");
    let load = || {
        let sandbox = sandbox(limits(), Some(directory.path().to_owned()));
        sandbox.load("acme", &component, None).expect("a plugin")
    };
    load();
    let file = only_file(directory.path());
    assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
    let engine = runtime::engine(&limits()).expect("an engine");
    let cache = Cache::open(directory.path()).expect("a cache");
    assert!(cache.find(&engine, &Digest::of(&component)).is_some());
    let before = fs::metadata(&file).expect("a file").modified().expect("a time");
    assert_eq!(load().description().name, "guest");
    assert_eq!(fs::metadata(&file).expect("a file").modified().expect("a time"), before);
}

#[test]
fn damaged_code_is_never_run_and_made_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let component = starting("", "");
    let digest = Digest::of(&component);
    let sandbox = sandbox(limits(), Some(directory.path().to_owned()));
    sandbox.load("acme", &component, None).expect("a plugin");
    let file = only_file(directory.path());
    let whole = fs::read(&file).expect("a file");
    let engine = runtime::engine(&limits()).expect("an engine");
    let cache = Cache::open(directory.path()).expect("a cache");
    let places = [0, 20, 50, 60, 88, whole.len() / 2, whole.len() - 1];
    for place in places {
        let mut damaged = whole.clone();
        damaged[place] ^= 1;
        fs::write(&file, damaged).expect("written");
        assert!(cache.find(&engine, &digest).is_none(), "byte {place} was changed");
    }
    for length in [0, 10, 88, whole.len() - 1] {
        fs::write(&file, &whole[..length]).expect("written");
        assert!(cache.find(&engine, &digest).is_none(), "cut to {length} bytes");
    }
    sandbox.load("acme", &component, None).expect("a plugin");
    assert!(cache.find(&engine, &digest).is_some(), "made again");
}

#[test]
fn code_of_one_component_is_not_taken_for_that_of_another() {
    let directory = tempfile::tempdir().expect("a directory");
    let (one, other) = (starting("", ""), starting("(unreachable)", ""));
    let sandbox = sandbox(limits(), Some(directory.path().to_owned()));
    sandbox.load("one", &one, None).expect("a plugin");
    let code_of_one = only_file(directory.path());
    let name = code_of_one.file_name().and_then(|name| name.to_str()).expect("a name");
    let hex = |bytes: &[u8]| hex::encode(Digest::of(bytes).as_bytes());
    let code_of_other = code_of_one.with_file_name(name.replace(&hex(&one), &hex(&other)));
    fs::copy(&code_of_one, &code_of_other).expect("copied");
    let engine = runtime::engine(&limits()).expect("an engine");
    let cache = Cache::open(directory.path()).expect("a cache");
    assert!(cache.find(&engine, &Digest::of(&one)).is_some());
    assert!(cache.find(&engine, &Digest::of(&other)).is_none());
}

#[test]
fn a_link_in_the_place_of_code_is_not_followed() {
    let directory = tempfile::tempdir().expect("a directory");
    let elsewhere = tempfile::tempdir().expect("a directory");
    let component = starting("", "");
    let sandbox = sandbox(limits(), Some(directory.path().to_owned()));
    sandbox.load("acme", &component, None).expect("a plugin");
    let file = only_file(directory.path());
    let moved = elsewhere.path().join("code");
    fs::rename(&file, &moved).expect("moved");
    std::os::unix::fs::symlink(&moved, &file).expect("linked");
    let engine = runtime::engine(&limits()).expect("an engine");
    let cache = Cache::open(directory.path()).expect("a cache");
    assert!(cache.find(&engine, &Digest::of(&component)).is_none());
}

#[test]
fn a_directory_that_others_may_write_to_is_refused() {
    for mode in [0o770, 0o777, 0o702] {
        let directory = tempfile::tempdir().expect("a directory");
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(directory.path(), permissions).expect("changed");
        let made = Sandbox::new(limits(), Some(directory.path().to_owned()), decimals);
        let error = made.expect_err("it is refused");
        assert_eq!(error.kind, ErrorKind::Cache, "mode {mode:o}");
        assert!(error.what.contains("chmod 700"), "{error}");
        assert!(files(directory.path()).is_empty(), "nothing is left there");
    }
}

#[test]
fn a_directory_that_is_a_file_is_an_error() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("file");
    fs::write(&file, "").expect("written");
    let made = Sandbox::new(limits(), Some(file), decimals);
    assert_eq!(made.expect_err("it is refused").kind, ErrorKind::Cache);
}

#[test]
fn code_made_under_other_settings_has_another_name() {
    let directory = tempfile::tempdir().expect("a directory");
    let component = starting("", "");
    let cache = || Some(directory.path().to_owned());
    sandbox(limits(), cache()).load("acme", &component, None).expect("a plugin");
    // Limits are no settings of the compiler: the same code serves.
    let other = Limits { call_ms_max: 1_000, ..limits() };
    sandbox(other, cache()).load("acme", &component, None).expect("a plugin");
    assert_eq!(files(directory.path()).len(), 1);
    let engine = wasmtime::Engine::default();
    let strange = Cache::open(directory.path()).expect("a cache");
    assert!(strange.find(&engine, &Digest::of(&component)).is_none());
}
