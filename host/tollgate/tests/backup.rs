//! The manual's section on backups, done to the letter by an operator: with a writer running, after
//! a loss, and after damage. Not here: what a backup promises (the tests of `store`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::thread::yield_now;
use std::time::{Duration, Instant};

use store::{Batch, JournalStore, Kind, Options, Range, Row, SlotOptions, Slots, Space, Store};

const SPACE: Space = Space::named("payment");

const CONFIG: &str = r#"
[server]
listen = "127.0.0.1:0"
public_url = "http://127.0.0.1"

[store]
path = "data"
"#;

/// The commands of a section, one list a block.
fn manual(section: &str) -> Vec<Vec<String>> {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let (_, section) = readme.split_once(&format!("\n### {section}\n")).unwrap();
    let (section, _) = section.split_once("\n### ").unwrap();
    let mut blocks = vec![Vec::new()];
    for line in section.lines() {
        match line.strip_prefix("    ") {
            Some(command) => {
                let command = command.split(" #").next().unwrap().trim_end();
                blocks.last_mut().unwrap().push(command.to_owned());
            }
            None if line.is_empty() => {}
            None => blocks.push(Vec::new()),
        }
    }
    blocks.retain(|block| !block.is_empty());
    blocks
}

/// Types a command in the folder of the configuration.
fn typed(command: &str, folder: &Path) -> Output {
    let binary = Path::new(env!("CARGO_BIN_EXE_tollgate")).parent().unwrap();
    let path = std::env::join_paths([binary, Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(folder).env("PATH", path);
    shell.output().unwrap()
}

fn does(command: &str, folder: &Path) -> String {
    let output = typed(command, folder);
    assert!(output.status.success(), "{command}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A store that was just closed is locked for as long as a command that another test has begun in
/// that moment has the file of the lock from us: until it is another program.
fn open(folder: &Path) -> JournalStore {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        match JournalStore::open(Options::new(folder.join("data"))) {
            Err(error) if *error.kind() == Kind::Locked && Instant::now() < until => yield_now(),
            opened => return opened.unwrap(),
        }
    }
}

async fn rows(folder: &Path) -> Vec<Row> {
    open(folder).scan(Range::all(SPACE)).await.unwrap()
}

async fn write(store: &JournalStore, key: &str) {
    let mut batch = Batch::at(1_700_000_000_000);
    batch.put(SPACE, key, vec![b'v'; 300]);
    store.commit(batch).await.unwrap();
}

/// Changes a byte in the middle of the journal.
fn damage(folder: &Path) {
    let path = folder.join("data/journal/00000001.log");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_who_does_what_the_manual_says_has_everything_back() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    fs::write(folder.join("tollgate.toml"), CONFIG).unwrap();
    let [backup, restore, repair] = &manual("Back up and restore")[..] else {
        unreachable!("three blocks")
    };
    let store = open(folder);
    for key in ["a", "b", "c", "d", "e"] {
        write(&store, key).await;
    }
    // The store is open in this process, as in a host that serves.
    let said: Vec<_> = backup.iter().map(|command| does(command, folder)).collect();
    assert!(said.iter().all(|said| said.contains("commits      5\n")), "{said:?}");
    write(&store, "f").await;
    drop(store);
    let mut due = rows(folder).await;

    let said: Vec<_> = restore.iter().map(|command| does(command, folder)).collect();
    assert!(said.last().unwrap().ends_with("sound\n"), "{said:?}");
    due.truncate(5);
    assert_eq!(rows(folder).await, due);

    damage(folder);
    let [asks, accepts, moves @ ..] = &repair[..] else { unreachable!("four commands") };
    let asked = typed(asks, folder);
    assert!(!asked.status.success());
    let said = String::from_utf8(asked.stdout).unwrap();
    assert!(said.contains("LOST         commits 3 to 3: history alone"), "{said}");
    assert!(said.contains("touched payment c\n") && said.ends_with("not repaired\n"), "{said}");
    assert!(!folder.join("data.new").exists());
    assert!(does(accepts, folder).contains("repaired, store "));
    moves.iter().for_each(|command| drop(does(command, folder)));
    assert_eq!(rows(folder).await, due);
    assert!(folder.join("data.damaged").exists());
}

#[test]
fn the_keys_of_cards_come_back_as_the_manual_says() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    fs::write(folder.join("tollgate.toml"), CONFIG).unwrap();
    let [backup, restore] = &manual("Back up the keys of cards")[..] else {
        unreachable!("two blocks")
    };
    drop(open(folder));
    let slots = || Slots::open(&SlotOptions::new(folder.join("data-card-keys"))).unwrap();
    // They are open in this process, as in a host that serves.
    let keys = slots();
    keys.put("card_a", b"a").unwrap();
    keys.put("card_b", b"b").unwrap();
    for command in backup {
        let said = does(command, folder);
        assert!(said.contains("keys         2\n"), "{said}");
    }
    keys.erase(&["card_a"]).unwrap();
    drop(keys);
    let said: Vec<_> = restore.iter().map(|command| does(command, folder)).collect();
    assert!(said.last().unwrap().contains("cards    2 have their key"), "{said:?}");
    assert_eq!(slots().read("card_a").unwrap(), Some(b"a".to_vec()));
}
