//! The commands of the guides, run as they stand: every block that is marked `sh`, in order, in an
//! empty folder. Blocks with more words after `sh` need a network or a compiler, and are not run.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;
use tokio::time::timeout;

use crate::support::{LONG, built, component, root};

/// The blocks of a guide that are run.
fn blocks(guide: &str) -> String {
    let path = root().join("host/api/docs").join(guide);
    let text = std::fs::read_to_string(path).unwrap();
    let blocks = text.split("```sh\n").skip(1);
    let blocks: Vec<&str> = blocks.map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(!blocks.is_empty(), "{guide} has no commands");
    blocks.join("\n")
}

/// Runs commands in a folder, at another port than the guide's.
async fn run(guide: &str, commands: &str, folder: &Path, port: u16) -> String {
    let script =
        format!("set -euo pipefail\nset -m\n{commands}").replace("8080", &port.to_string());
    let path = format!("{}:{}", built().display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("bash");
    command.args(["-c", &script]).current_dir(folder).env("PATH", path).env("SOURCE", root());
    let child = command.stdin(Stdio::null()).kill_on_drop(true).output();
    let output = timeout(LONG, child).await.expect("the guide's commands do not end").unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{guide}: {said}\n{error}");
    said
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test]
async fn the_first_payment_is_taken_by_the_commands_of_its_guide() {
    component("sandbox"); // So that the guide's own command finds it built.
    let folder = tempfile::tempdir().unwrap();
    let said = run("first-payment", &blocks("first-payment.md"), folder.path(), free_port()).await;
    for word in
        ["\"captured\"", "\"partially-refunded\"", "Go back to the shop", "refund.succeeded"]
    {
        assert!(said.contains(word), "{word} is not in: {said}");
    }
}

#[tokio::test]
async fn requests_are_signed_and_answers_verified_by_the_commands_of_the_guide() {
    component("sandbox");
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    run("first-payment", &blocks("first-payment.md"), folder.path(), port).await;
    let said = run("signing", &blocks("signing.md"), folder.path(), port).await;
    for word in ["My shop's host", "it holds, for this very request", "signature-input: "] {
        assert!(said.contains(word), "{word} is not in: {said}");
    }
}

#[tokio::test]
async fn the_keys_of_encryption_are_made_by_the_commands_of_the_guide() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("keys")).unwrap();
    run("encryption", &blocks("encryption.md"), folder.path(), free_port()).await;
    assert_eq!(std::fs::read_dir(folder.path().join("keys")).unwrap().count(), 2);
}
