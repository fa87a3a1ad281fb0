//! A plugin written for tests, as WebAssembly text, made a component against the real contract.
//!
//! It takes tokens, sends nothing, and answers every order with "unsupported"; unless the order
//! says one of these words anywhere, as in its reference:
//!
//! | word | what it does |
//! |---|---|
//! | `trap` | traps |
//! | `loop` | loops without end |
//! | `grow` | takes memory and fills it, without end |
//! | `deep` | calls itself without end |

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

const MODULE: &str = r#"(module
  (memory (export "memory") 64)
  (global $next (mut i32) (i32.const 131072))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (global.set $next (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -16)))
    (global.get $next)
    (global.set $next (i32.add (global.get $next) (local.get 3))))
  (func $grow (local $page i32)
    (loop $on
      (local.set $page (memory.grow (i32.const 16)))
      (memory.fill (i32.shl (local.get $page) (i32.const 16)) (i32.const 7) (i32.const 1048576))
      (br $on)))
  (func $deep (call $deep))
  (func (export "tollgate:adapter/adapter@0.1.0#describe") (result i32) (i32.const 1024))
  (func (export "tollgate:adapter/adapter@0.1.0#start") (param i32) (result i32)
    (local $at i32) (local $word i32)
    (local.set $at (i32.const 131072))
    (loop $look
      (local.set $word (i32.load (local.get $at)))
      (if (i32.eq (local.get $word) (i32.const 0x70617274)) (then (unreachable)))
      (if (i32.eq (local.get $word) (i32.const 0x706f6f6c)) (then (loop $on (br $on))))
      (if (i32.eq (local.get $word) (i32.const 0x776f7267)) (then (call $grow)))
      (if (i32.eq (local.get $word) (i32.const 0x70656564)) (then (call $deep)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $look (i32.lt_u (local.get $at) (global.get $next))))
    (i32.const 4096))
  (func (export "tollgate:adapter/adapter@0.1.0#resume") (param i32) (result i32)
    (i32.const 4096))
  (func (export "tollgate:adapter/adapter@0.1.0#prove")
    (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "tollgate:adapter/adapter@0.1.0#interpret")
    (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "tollgate:adapter/adapter@0.1.0#acknowledge") (param i32) (result i32)
    (i32.const 4160))
  (func (export "tollgate:adapter/settlement@0.1.0#begin") (param i64 i64) (result i32)
    (i32.const 4096))
  (func (export "tollgate:adapter/settlement@0.1.0#proceed")
    (param i64 i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "tollgate:adapter/settlement@0.1.0#read") (param i32 i32 i32 i32 i32) (result i32)
    (i32.const 4096))
  ;; an error, `unsupported`; and a status of 200
  (data (i32.const 4096) "\01")
  (data (i32.const 4160) "\c8\00")
  ;; name, version; operations: one, authorize; methods: one
  (data (i32.const 1024) "\00\08\00\00\05\00\00\00\10\08\00\00\05\00\00\00")
  (data (i32.const 1040) "\20\08\00\00\01\00\00\00\00\0a\00\00\01\00\00\00")
  (data (i32.const 2048) "guest")
  (data (i32.const 2064) "1.0.0")
  (data (i32.const 2560) "\10\0a\00\00\05\00\00\00")
  (data (i32.const 2576) "token"))"#;

/// Writes its component, and gives the digest to be pinned.
pub fn write(path: &Path) -> String {
    let mut module = wat::parse_str(MODULE).unwrap();
    let mut resolve = Resolve::default();
    let (package, _) =
        resolve.push_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit")).unwrap();
    let world = resolve.select_world(&[package], Some("provider")).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false).unwrap();
    let mut encoder = ComponentEncoder::default();
    encoder.module(&module).unwrap();
    let component = encoder.encode().unwrap();
    std::fs::write(path, &component).unwrap();
    sandbox::Digest::of(&component).to_string()
}
