//! What is refused before a plugin runs, and in which words.

use super::guest::{importing, module, starting};
use super::world::{limits, sandbox};
use crate::{Digest, Error, ErrorKind, Limits};

fn refused(component: &[u8]) -> Error {
    sandbox(limits(), None).load("acme", component, None).expect_err("it is refused")
}

#[test]
fn a_component_that_imports_wasi_is_refused_by_the_name_of_the_import() {
    let error = refused(&importing("wasi:clocks@0.2.0", "wall-clock"));
    assert_eq!(error.kind, ErrorKind::Import);
    assert!(error.what.contains("plugin `acme` imports `wasi:clocks/wall-clock@0.2.0`"), "{error}");
    assert!(error.what.contains("wasm32-unknown-unknown"), "{error}");
}

#[test]
fn a_component_of_another_contract_version_is_told_which_one_is_spoken() {
    let error = refused(&importing("tollgate:adapter@9.0.0", "payments"));
    assert_eq!(error.kind, ErrorKind::Import);
    assert!(error.what.contains("`tollgate:adapter/payments@9.0.0`"), "{error}");
    assert!(error.what.contains("speaks tollgate:adapter@0.1.0"), "{error}");
}

#[test]
fn a_component_that_imports_anything_else_is_refused() {
    let error = refused(&importing("acme:backdoor@1.0.0", "shell"));
    assert_eq!(error.kind, ErrorKind::Import);
    assert!(error.what.contains("`acme:backdoor/shell@1.0.0`"), "{error}");
}

#[test]
fn a_function_the_contract_does_not_have_is_refused() {
    let error = refused(&importing("tollgate:adapter@0.1.0", "payments"));
    assert_eq!(error.kind, ErrorKind::Import);
    assert!(error.what.contains("what the contract does not have"), "{error}");
}

#[test]
fn bytes_that_are_no_component_are_refused_in_their_own_words() {
    let core = wat::parse_str(module("", "")).expect("the text is right");
    for (bytes, words) in [
        (b"".as_slice(), "is not WebAssembly"),
        (b"#!/bin/sh\nrm", "is not WebAssembly"),
        (b"\0as", "is not WebAssembly"),
        (core.as_slice(), "is a core module, not a component"),
        (b"\0asm\x63\0\0\0", "version not known here"),
        (b"\0asm\x0d\0\x01\0\xff\xff", "no component that can run here"),
    ] {
        let error = refused(bytes);
        assert_eq!(error.kind, ErrorKind::Format, "{error}");
        assert!(error.what.contains(words), "{error}");
    }
}

#[test]
fn a_component_cut_anywhere_is_refused_and_never_panics() {
    let whole = starting("", "");
    let sandbox = sandbox(limits(), None);
    for length in (8..whole.len()).step_by(whole.len() / 24) {
        assert!(sandbox.load("acme", &whole[..length], None).is_err(), "{length} bytes");
    }
}

#[test]
fn a_component_without_the_adapter_is_refused() {
    let empty = wat::parse_str("(component)").expect("the text is right");
    let error = refused(&empty);
    assert_eq!(error.kind, ErrorKind::Export);
    assert!(error.what.contains("tollgate:adapter/adapter@0.1.0"), "{error}");
}

#[test]
fn a_digest_that_does_not_match_is_shown_beside_the_pinned_one() {
    let component = starting("", "");
    let pinned = Digest::of(b"another version");
    let sandbox = sandbox(limits(), None);
    let error = sandbox.load("acme", &component, Some(&pinned)).expect_err("it is refused");
    assert_eq!(error.kind, ErrorKind::Digest);
    assert!(error.what.contains(&pinned.to_string()), "{error}");
    assert!(error.what.contains(&Digest::of(&component).to_string()), "{error}");
    let right = Digest::of(&component);
    let generation = sandbox.load("acme", &component, Some(&right)).expect("it is the pinned one");
    assert_eq!(generation.digest(), right);
}

#[test]
fn a_digest_is_read_as_it_is_written() {
    let digest = Digest::of(b"");
    let text = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(digest.to_string(), text);
    assert_eq!(text.parse(), Ok(digest));
    for wrong in ["", "sha256:", "e3b0", "sha512:00", &text[..70], &format!("{text}00")] {
        assert!(wrong.parse::<Digest>().is_err(), "{wrong}");
    }
}

#[test]
fn a_component_above_the_size_limit_is_refused() {
    let small = Limits { component_bytes_max: 100, ..limits() };
    let loaded = sandbox(small, None).load("acme", &starting("", ""), None);
    assert_eq!(loaded.expect_err("it is refused").kind, ErrorKind::Size);
}

#[test]
fn a_component_with_more_instances_than_the_pool_has_is_refused_when_it_is_loaded() {
    let instances = "(core instance (instantiate $m))".repeat(40);
    let text = format!("(component (core module $m) {instances})");
    let error = refused(&wat::parse_str(text).expect("the text is right"));
    assert_eq!(error.kind, ErrorKind::Format);
}

#[test]
fn a_description_that_makes_no_sense_is_refused() {
    for (data, words) in [
        // The name, of no bytes; then with a character that no file or log should see.
        (r#"(data (i32.const 1028) "\00")"#, "`name`"),
        (r#"(data (i32.const 2048) "gu\0ast")"#, "`name`"),
        // No operation.
        (r#"(data (i32.const 1044) "\00")"#, "`operations` is empty"),
    ] {
        // Later data overwrite earlier ones, so they go to the end of the module.
        let text = module("", "");
        let text = format!("{} {data})", text.strip_suffix(')').expect("a module"));
        let error = refused(&super::guest::component(&text));
        assert_eq!(error.kind, ErrorKind::Description, "{error}");
        assert!(error.what.contains(words), "{error}");
    }
}

#[test]
fn a_plugin_that_fails_while_it_describes_itself_is_refused() {
    let component = starting("", "(func $begin (unreachable)) (start $begin)");
    let error = refused(&component);
    assert_eq!(error.kind, ErrorKind::Description);
    assert!(error.source.expect("a fault").to_string().contains("`describe`"));
}

#[test]
fn limits_that_no_machine_has_are_an_error_and_no_crash() {
    let absurd = Limits { concurrent_calls_max: u32::MAX, ..limits() };
    let made = crate::Sandbox::new(absurd, None, super::world::decimals);
    assert_eq!(made.expect_err("it cannot be").kind, ErrorKind::Engine);
}
