//! The short form: every kept input, and some thousand mutations of them, in the ordinary build.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::time::Instant;

use fuzz::{Mutations, TARGETS, Target};

/// Mutations of each target, where `TOLLGATE_MUTATIONS` does not say how many.
const MUTATIONS: usize = 1500;
/// Of one that makes a whole host for every input.
const MUTATIONS_OF_EDGE: usize = 300;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// Kept inputs by their names, in order.
fn kept(target: &Target) -> Vec<(String, Vec<u8>)> {
    let folder = std::fs::read_dir(corpus().join(target.name)).expect("a target has kept inputs");
    let mut all: Vec<_> = folder
        .map(|file| {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read(path).unwrap())
        })
        .collect();
    all.sort();
    all
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// What is wrong with this input, if anything is.
fn broken(target: &Target, what: &str, input: &[u8]) -> Option<String> {
    let (run, bytes) = (target.run, input.to_vec());
    let name = target.name;
    catch_unwind(move || run(&bytes)).err().map(|_| {
        let hex: String = input.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("target `{name}`, {what}: keep this in corpus/{name}, as bytes: {hex}")
    })
}

/// Every kept input and so many mutations; the first that is broken ends it.
fn replay(target: &Target, seed: u64) -> Option<String> {
    let began = Instant::now();
    let kept = kept(target);
    let found = kept.iter().find_map(|(name, input)| broken(target, name, input));
    if found.is_some() {
        return found;
    }
    let usual = if target.name == "edge" { MUTATIONS_OF_EDGE } else { MUTATIONS };
    let count = number("TOLLGATE_MUTATIONS").map_or(usual, |count| count as usize);
    let inputs: Vec<_> = kept.into_iter().map(|(_, input)| input).collect();
    let mut mutations = Mutations::new(&inputs, seed).take(count).enumerate();
    let found = mutations
        .find_map(|(n, input)| broken(target, &format!("seed {seed}, mutation {n}"), &input));
    println!("{}: {} kept, {count} mutations, {:?}", target.name, inputs.len(), began.elapsed());
    found
}

#[test]
fn kept_inputs_and_their_mutations_hold_what_always_should() {
    let seed = number("TOLLGATE_SEED").unwrap_or(1);
    println!("seed {seed}");
    let all: Vec<String> = TARGETS.iter().filter_map(|target| replay(target, seed)).collect();
    assert!(all.is_empty(), "\n{}\n", all.join("\n"));
}

#[test]
fn every_target_has_kept_inputs_and_a_program_for_cargo_fuzz() {
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("cargo/src");
    for target in &TARGETS {
        assert!(!kept(target).is_empty(), "nothing is kept for `{}`", target.name);
        assert!(programs.join(format!("{}.rs", target.name)).exists(), "{}", target.name);
    }
    let folders = std::fs::read_dir(corpus()).unwrap();
    let folders = folders.map(|folder| folder.unwrap().file_name().into_string().unwrap());
    let strange: Vec<_> =
        folders.filter(|name| !TARGETS.iter().any(|target| target.name == name)).collect();
    assert!(strange.is_empty(), "no target is named {strange:?}");
    assert_eq!(std::fs::read_dir(programs).unwrap().count(), TARGETS.len());
}

#[test]
fn a_record_of_every_kind_is_among_the_kept_inputs() {
    let records = TARGETS.iter().find(|target| target.name == "records").unwrap();
    let kept = kept(records);
    let has = |n: usize, rewrite: engine::fuzzing::Rewrite| {
        let mut inputs = kept.iter().map(|(_, input)| input.split_first().unwrap());
        inputs.any(|(kind, rest)| usize::from(*kind) == n && rewrite(rest).is_some())
    };
    let kinds = engine::fuzzing::RECORDS.iter().enumerate();
    let missing: Vec<_> =
        kinds.filter(|(n, (_, rewrite))| !has(*n, *rewrite)).map(|(_, (space, _))| space).collect();
    assert!(missing.is_empty(), "none of {missing:?}");
}
