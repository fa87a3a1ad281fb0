//! Builds of small crates: what works, and each way it does not.

use super::*;

/// A core module without anything.
const EMPTY: &[u8] = b"\0asm\x01\0\0\0";

fn crate_of(manifest: &str, source: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("src")).unwrap();
    std::fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
    std::fs::write(folder.path().join("src/lib.rs"), source).unwrap();
    folder
}

fn manifest(crate_type: &str) -> String {
    format!(
        "[package]\nname = \"small-pay\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
         [lib]\ncrate-type = [\"{crate_type}\"]\n[workspace]\n"
    )
}

fn refusal(folder: &Path) -> (Error, String) {
    let out = tempfile::tempdir().unwrap();
    let mut progress = Vec::new();
    let error = build(folder, out.path(), &mut progress).unwrap_err();
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 0, "nothing may be left behind");
    (error, String::from_utf8(progress).unwrap())
}

#[test]
fn a_plugin_becomes_a_component_with_its_digest() {
    let plugin = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/stripe");
    let out = tempfile::tempdir().unwrap();
    let mut progress = Vec::new();
    let built = build(&plugin, &out.path().join("deep/er"), &mut progress).unwrap();
    let component = std::fs::read(&built.path).unwrap();
    assert_eq!(built.path.file_name().unwrap(), "stripe.wasm");
    assert_eq!(built.bytes, component.len());
    assert_eq!(built.digest, hex::encode(Sha256::digest(&component)));
    // Layer 1 says component, where a core module has 0 (Component Model, "Component Binary").
    assert_eq!(component[..8], *b"\0asm\x0d\0\x01\0");
    assert!(built.bytes < 400_000, "{} bytes", built.bytes);
    assert!(String::from_utf8(progress).unwrap().contains("Finished"));
    println!("{} bytes", built.bytes);
    let files = std::fs::read_dir(built.path.parent().unwrap()).unwrap();
    assert_eq!(files.count(), 1, "no partial file may be left");
}

#[test]
fn a_folder_without_a_crate_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let (error, _) = refusal(folder.path());
    assert_eq!(error.kind, ErrorKind::Crate);
    assert!(error.what.contains("no Cargo.toml"), "{error}");
}

#[test]
fn a_crate_that_is_no_cdylib_is_told_what_to_write() {
    let folder = crate_of(&manifest("rlib"), "");
    let (error, _) = refusal(folder.path());
    assert_eq!(error.kind, ErrorKind::Crate);
    assert!(error.what.contains("small-pay needs crate-type"), "{error}");
}

#[test]
fn the_compilers_words_are_shown_when_a_plugin_does_not_compile() {
    let folder = crate_of(&manifest("cdylib"), "fn broken( {");
    let (error, progress) = refusal(folder.path());
    assert_eq!(error.kind, ErrorKind::Compile);
    assert!(progress.contains("src/lib.rs:1"), "{progress}");
}

#[test]
fn a_module_that_does_not_speak_the_contract_is_refused() {
    let source = "#[unsafe(no_mangle)] pub extern \"C\" fn add(a: u32) -> u32 { a + 1 }\n\
                  #[link(wasm_import_module = \"env\")] unsafe extern \"C\" { fn abort(); }\n\
                  #[unsafe(no_mangle)] pub extern \"C\" fn stop() { unsafe { abort() } }";
    let folder = crate_of(&manifest("cdylib"), source);
    let (error, _) = refusal(folder.path());
    assert_eq!(error.kind, ErrorKind::Contract);
    assert!(error.what.contains("sdk::export!"), "{error}");
}

#[test]
fn what_is_no_module_is_refused() {
    assert_eq!(encode(b"not wasm").unwrap_err().kind, ErrorKind::Contract);
    assert_eq!(encode(&EMPTY[..6]).unwrap_err().kind, ErrorKind::Contract);
}

#[test]
fn a_component_replaces_the_one_before_in_one_piece() {
    let out = tempfile::tempdir().unwrap();
    let path = out.path().join("small-pay.wasm");
    write(&path, b"first").unwrap();
    write(&path, b"second").unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"second");
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 1);
}

#[test]
fn a_component_that_cannot_be_put_in_place_leaves_nothing_behind() {
    let out = tempfile::tempdir().unwrap();
    let path = out.path().join("small-pay.wasm");
    // A folder of that name cannot be replaced by a file.
    std::fs::create_dir(&path).unwrap();
    assert_eq!(write(&path, b"bytes").unwrap_err().kind, ErrorKind::File);
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 1);
}
