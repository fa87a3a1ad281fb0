//! A component that takes long to compile is not waited for, and does not take the machine.

use std::fmt::Write as _;

use super::guest::{Guest, starting};
use super::world::{limits, sandbox};
use crate::compile::{Compiler, Failed};
use crate::{Error, ErrorKind, Limits, runtime};

/// A guest with one function of this many steps, each of which needs the one before.
fn slow(steps: usize) -> Vec<u8> {
    let mut code = String::from("(func $slow (param $a i64) (result i64)");
    for n in 0..steps {
        let step = "(local.set $a (i64.rotl (i64.mul (local.get $a) (i64.const";
        write!(code, "{step} {n})) (local.get $a)))").expect("a string takes all");
    }
    code.push_str("(local.get $a))");
    Guest { more: &code, ..Guest::default() }.component()
}

fn hurried(ms: u64, component: &[u8]) -> Error {
    let limits = Limits { compile_ms_max: ms, ..limits() };
    sandbox(limits, None).load("slow", component, None).expect_err("it is not waited for")
}

#[test]
fn a_function_too_large_to_compile_in_time_is_refused_by_name_and_remedy() {
    let error = hurried(1, &slow(20_000));
    assert_eq!(error.kind, ErrorKind::Compilation, "{error:?}");
    assert!(error.what.starts_with("plugin `slow`"), "{error}");
    assert!(error.what.contains("1 ms") && error.what.contains("compile_ms_max"), "{error}");
}

#[test]
fn the_same_function_is_compiled_when_there_is_time() {
    let limits = Limits { compile_ms_max: 600_000, ..limits() };
    sandbox(limits, None).load("slow", &slow(2_000), None).expect("a plugin");
}

#[test]
fn few_compilations_run_past_their_time_and_then_none_begins() {
    let (compiler, component) = (Compiler::default(), slow(20_000));
    let engine = runtime::engine(&limits()).expect("an engine");
    let mut late = 0;
    loop {
        match compiler.compile(&engine, &component, 1) {
            Err(Failed::Late) => late += 1,
            Err(Failed::Busy) => break,
            other => panic!("{other:?}"),
        }
        assert!(late < 1_000, "each leaves seconds of work behind");
    }
    assert!(late >= 2);
    // Once they have ended, there is room again.
    let small = starting("", "");
    while matches!(compiler.compile(&engine, &small, 600_000), Err(Failed::Busy)) {
        std::thread::yield_now();
    }
    compiler.compile(&engine, &small, 600_000).expect("compiled");
}

#[test]
fn a_compilation_that_ends_in_time_leaves_nothing_counted() {
    let compiler = Compiler::default();
    let engine = runtime::engine(&limits()).expect("an engine");
    for _ in 0..5 {
        compiler.compile(&engine, &starting("", ""), 600_000).expect("compiled");
        assert!(matches!(compiler.compile(&engine, b"", 600_000), Err(Failed::Refused(_))));
    }
}
