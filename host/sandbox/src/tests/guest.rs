//! Guests written as WebAssembly text, made components against the real contract.

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, WorldId};

/// Where `start` finds its answer: `Err(Failure::Unsupported(""))` unless the guest writes there.
const ANSWER: &str = r#"(data (i32.const 4096) "\01")"#;

/// Hands out memory from below, 16-byte aligned, and never takes any back.
const REALLOC: &str = "
    (global.set $next (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -16)))
    (global.get $next)
    (global.set $next (i32.add (global.get $next) (local.get 3)))";

/// What a guest is made of; the default one does nothing wrong.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guest<'a> {
    /// Imports beside `$log` (level, pointer, length), `$open` (pointer and length of a slot's
    /// name, pointer of the answer) and `$random` (length, pointer of the answer).
    pub(super) imports: &'a str,
    /// The code of `start`; its parameter 0 points to the operation.
    pub(super) body: &'a str,
    /// The code of `prove`, before it answers.
    pub(super) prove: &'a str,
    /// The code of `cabi_realloc`: old pointer, old size, alignment, new size.
    pub(super) realloc: &'a str,
    /// Further fields of the module.
    pub(super) more: &'a str,
}

impl Default for Guest<'_> {
    fn default() -> Self {
        Guest { imports: "", body: "", prove: "", realloc: REALLOC, more: "" }
    }
}

/// A guest whose `start` runs `body`; `more` are further fields of the module.
pub(super) fn starting(body: &str, more: &str) -> Vec<u8> {
    component(&module(body, more))
}

/// The core module of such a guest.
pub(super) fn module(body: &str, more: &str) -> String {
    Guest { body, more, ..Guest::default() }.text()
}

impl Guest<'_> {
    /// Its component.
    pub(super) fn component(&self) -> Vec<u8> {
        component(&self.text())
    }

    /// Its core module.
    pub(super) fn text(&self) -> String {
        let Guest { imports, body, prove, realloc, more } = self;
        let adapter = "tollgate:adapter/adapter@0.1.0";
        let settlement = "tollgate:adapter/settlement@0.1.0";
        format!(
            r#"(module $guest
  (import "tollgate:adapter/payments@0.1.0" "log" (func $log (param i32 i32 i32)))
  (import "tollgate:adapter/crypto@0.1.0" "[static]key.open" (func $open (param i32 i32 i32)))
  (import "tollgate:adapter/crypto@0.1.0" "random" (func $random (param i32 i32)))
  {imports}
  (memory (export "memory") 64)
  (global $next (mut i32) (i32.const 131072))
  {more}
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) {realloc})
  (func (export "{adapter}#describe") (result i32) (i32.const 1024))
  (func $start (export "{adapter}#start") (param i32) (result i32) {body} (i32.const 4096))
  (func (export "{adapter}#resume") (param i32) (result i32) (i32.const 4096))
  (func (export "{adapter}#prove") (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    {prove} (i32.const 4096))
  (func (export "{adapter}#interpret") (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (i32.const 4096))
  (func (export "{adapter}#acknowledge") (param i32) (result i32) (i32.const 4160))
  (func (export "{settlement}#begin") (param i64 i64) (result i32) (i32.const 4096))
  (func (export "{settlement}#proceed")
    (param i64 i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "{settlement}#read") (param i32 i32 i32 i32 i32) (result i32) (i32.const 4096))
  {ANSWER}
  ;; name, version, operations: one, authorize; keys: one slot, `signing`
  (data (i32.const 1024) "\00\08\00\00\05\00\00\00\10\08\00\00\05\00\00\00\20\08\00\00\01\00\00\00")
  (data (i32.const 1080) "\00\09\00\00\01\00\00\00")
  (data (i32.const 2048) "guest")
  (data (i32.const 2064) "1.0.0")
  (data (i32.const 2304) "\40\09\00\00\07\00\00\00")
  (data (i32.const 2368) "signing"))"#
        )
    }
}

/// The component of a core module, against the contract in `wit/`.
pub(super) fn component(module: &str) -> Vec<u8> {
    encoded(wat::parse_str(module).expect("the text is right")).expect("the module fits the world")
}

/// The same of a module's bytes, which may not fit.
pub(super) fn encoded(module: Vec<u8>) -> Result<Vec<u8>, String> {
    let mut resolve = Resolve::default();
    let wit = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit");
    let (package, _) = resolve.push_path(wit).expect("the contract parses");
    let world = resolve.select_world(&[package], Some("provider")).expect("a world");
    encode(&resolve, world, module)
}

/// The component of a core module, against a contract of its own: one interface, imported.
pub(super) fn importing(package: &str, interface: &str) -> Vec<u8> {
    let (name, version) = package.split_once('@').expect("a version");
    let wit = format!(
        "package {package}; interface {interface} {{ ask: func(); }} \
         world provider {{ import {interface}; }}"
    );
    let mut resolve = Resolve::default();
    let package = resolve.push_str("test.wit", &wit).expect("it parses");
    let world = resolve.select_world(&[package], None).expect("a world");
    let module = format!(r#"(module (import "{name}/{interface}@{version}" "ask" (func)))"#);
    let module = wat::parse_str(module).expect("the text is right");
    encode(&resolve, world, module).expect("the module fits the world")
}

fn encode(resolve: &Resolve, world: WorldId, mut module: Vec<u8>) -> Result<Vec<u8>, String> {
    embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8, false)
        .map_err(|error| error.to_string())?;
    let mut encoder = ComponentEncoder::default();
    encoder.module(&module).map_err(|error| error.to_string())?;
    encoder.encode().map_err(|error| error.to_string())
}
