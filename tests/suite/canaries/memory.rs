//! What guests hold: the sandbox's memory as the operating system has it, read after each call.
//!
//! Nothing of the sandbox is trusted here: the mappings that came into being with it are read
//! through `/proc/self/mem`, whatever the sandbox says is in use. That the right memory is read is
//! shown in each call, by finding what the guest was given.

use std::collections::BTreeSet;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, MutexGuard};

use sandbox::{Generation, Limits, Sandbox};
use transcript::{Set, Stage};

use super::{Canary, Scan, encodings};
use crate::support::{built, component, root};
use crate::transcripts::{PLUGINS, SandboxStage, scripts};

const PAGE: u64 = 4096;
/// Only the sandbox reserves so much at once.
const SPAN_MIN: u64 = 1 << 30;
/// What every order holds: the transcripts' own notify URL, or the payment's reference.
const GIVEN: [&str; 2] = ["https://pay.example/v1/deliveries/test", "order-P"];

/// A sandbox whose guests are watched.
pub struct Watched {
    sandbox: Sandbox,
    seen: Arc<Mutex<Seen>>,
}

struct Seen {
    spans: Vec<(u64, u64)>,
    given: Scan,
    scan: Option<Scan>,
    /// Calls after which something was read.
    calls: usize,
    /// Of those: how many whose guest held what it was given.
    held: usize,
    found: BTreeSet<String>,
}

impl Watched {
    pub fn new() -> Watched {
        let places =
            |currency: &str| ledger::Currency::from_code(currency).ok().map(|c| c.places());
        // One call at a time: what another left behind would be read as well.
        let limits = Limits { concurrent_calls_max: 1, ..Limits::default() };
        let before = mappings();
        let cache = Some(built().join("suite-compiled"));
        let sandbox = Sandbox::new(limits, cache, places).unwrap();
        let new = mappings().into_iter().filter(|mapping| !before.contains(mapping));
        let spans = joined(new.map(|(from, to, _)| (from, to)));
        assert!(!spans.is_empty(), "the sandbox reserves its memory when it is made");
        let seen = Arc::new(Mutex::new(Seen::of(spans, None)));
        let watcher = seen.clone();
        let sandbox = sandbox.witnessed(move |export| lock(&watcher).look(export));
        Watched { sandbox, seen }
    }

    pub fn load(&self, name: &str) -> Generation {
        let bytes = std::fs::read(&component(name).path).unwrap();
        self.sandbox.load(name, &bytes, None).unwrap()
    }

    /// Looks for these from now on.
    pub fn look_for(&self, canaries: &[Canary]) {
        let mut seen = lock(&self.seen);
        let spans = seen.spans.clone();
        *seen = Seen::of(spans, Some(Scan::of(canaries)));
    }

    /// Calls, those among them whose guest held what it was given, and what was found.
    pub fn seen(&self) -> (usize, usize, BTreeSet<String>) {
        let seen = lock(&self.seen);
        (seen.calls, seen.held, seen.found.clone())
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap()
}

impl Seen {
    fn of(spans: Vec<(u64, u64)>, scan: Option<Scan>) -> Seen {
        let given = Scan::of(&GIVEN.map(|word| Canary::new(word, word)));
        Seen { spans, given, scan, calls: 0, held: 0, found: BTreeSet::new() }
    }

    fn look(&mut self, export: &'static str) {
        let Some(scan) = &self.scan else { return };
        let mut held = false;
        for (from, to, writable) in mappings() {
            let within = self.spans.iter().any(|(low, high)| *low <= from && to <= *high);
            if !within || !writable {
                continue;
            }
            for bytes in touched(from, to) {
                held |= !self.given.find(&bytes).is_empty();
                let found = scan.find(&bytes);
                self.found.extend(found.into_iter().map(|what| format!("{what} after {export}")));
            }
        }
        if matches!(export, "start" | "resume") {
            self.calls += 1;
            self.held += usize::from(held);
        }
    }
}

/// What is in memory of a mapping: runs of pages that somebody has written or read.
fn touched(from: u64, to: u64) -> Vec<Vec<u8>> {
    let pages = std::fs::File::open("/proc/self/pagemap").unwrap();
    let memory = std::fs::File::open("/proc/self/mem").unwrap();
    let mut entries = vec![0; usize::try_from((to - from) / PAGE * 8).unwrap()];
    pages.read_exact_at(&mut entries, from / PAGE * 8).unwrap();
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for (page, entry) in entries.chunks_exact(8).enumerate() {
        // Bit 63 of an entry: present (Documentation/admin-guide/mm/pagemap.rst).
        let at = from + u64::try_from(page).unwrap() * PAGE;
        match (entry[7] & 0x80 != 0, runs.last_mut()) {
            (false, _) => {}
            (true, Some(last)) if last.1 == at => last.1 = at + PAGE,
            (true, _) => runs.push((at, at + PAGE)),
        }
    }
    let read = |(from, to): (u64, u64)| {
        let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
        memory.read_exact_at(&mut bytes, from).unwrap();
        bytes
    };
    runs.into_iter().map(read).collect()
}

/// Every mapping of this process: from, to, and whether it can be read and written.
fn mappings() -> Vec<(u64, u64, bool)> {
    let text = std::fs::read_to_string("/proc/self/maps").unwrap();
    let line = |line: &str| {
        let mut words = line.split(' ');
        let (from, to) = words.next()?.split_once('-')?;
        let number = |text| u64::from_str_radix(text, 16).ok();
        Some((number(from)?, number(to)?, words.next()?.starts_with("rw")))
    };
    text.lines().filter_map(line).collect()
}

/// Neighbours as one; only what is large.
fn joined(mappings: impl Iterator<Item = (u64, u64)>) -> Vec<(u64, u64)> {
    let mut spans: Vec<(u64, u64)> = Vec::new();
    for (from, to) in mappings {
        match spans.last_mut() {
            Some(last) if last.1 == from => last.1 = to,
            _ => spans.push((from, to)),
        }
    }
    spans.retain(|(from, to)| to - from >= SPAN_MIN);
    spans
}

/// A card and an API key that are random, for plugins that only name them.
fn furnish(stage: &mut SandboxStage) -> Vec<Canary> {
    let digits = |count| -> String {
        (0..count).map(|n| char::from(b'0' + (fastrand(n) % 10) as u8)).collect()
    };
    let (number, secret) = (digits(16), format!("sk_test_{}", digits(24)));
    for set in [
        Set::Secret("api-key".to_owned(), secret.clone()),
        Set::Card("number".to_owned(), number.clone()),
        Set::Card("security-code".to_owned(), "739".to_owned()),
        Set::Card("holder".to_owned(), "Canary Holderson".to_owned()),
    ] {
        stage.set(&set).unwrap();
    }
    vec![
        Canary::new("the card number", number),
        Canary::new("the API key", secret),
        Canary::new("the card holder", "Canary Holderson"),
    ]
}

/// Different in every run, and no better than that.
fn fastrand(n: usize) -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(n)
}

/// Runs the test of this name in a process of its own, and says whether this is that process: what
/// other tests hold in memory beside the sandbox's would be read as well.
fn alone(name: &str) -> bool {
    const ALONE: &str = "TOLLGATE_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let mut test = std::process::Command::new(std::env::current_exe().unwrap());
    test.args(["--exact", "--nocapture", &format!("canaries::memory::{name}")]).env(ALONE, "1");
    let ran = test.output().unwrap();
    let (said, why) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    println!("{said}");
    assert!(ran.status.success() && said.contains("1 passed"), "{why}");
    false
}

#[test]
fn no_guest_ever_holds_a_secret_a_key_or_a_card() {
    if !alone("no_guest_ever_holds_a_secret_a_key_or_a_card") {
        return;
    }
    let watched = Watched::new();
    let (mut all, mut played) = (0, 0);
    for (name, _) in PLUGINS {
        let plugin = watched.load(name);
        let folder = root().join("plugins").join(name).join("transcripts");
        for path in scripts(&folder) {
            let script = std::fs::read_to_string(&path).unwrap();
            // The first time only to learn the account's keys, which the transcript sets.
            let mut stage = SandboxStage::new(plugin.clone());
            let mut canaries = furnish(&mut stage);
            transcript::replay(&script, &folder, &mut stage).unwrap();
            canaries.extend(stage.hidden());
            let mut stage = SandboxStage::new(plugin.clone());
            for canary in furnish(&mut stage) {
                canaries.push(canary);
            }
            watched.look_for(&canaries);
            transcript::replay(&script, &folder, &mut stage).unwrap();
            let (calls, held, found) = watched.seen();
            let file = path.display();
            assert!(found.is_empty(), "{file}: {found:#?}");
            assert_eq!(held, calls, "{file}: a guest was not looked at");
            (all, played) = (all + calls, played + 1);
        }
    }
    assert!(played > 40 && all > 80, "{played} transcripts, {all} calls");
    println!("the memory of {all} steps of {played} transcripts was read");
}

#[test]
fn what_a_provider_leaks_to_a_guest_is_found_there_in_every_encoding() {
    if !alone("what_a_provider_leaks_to_a_guest_is_found_there_in_every_encoding") {
        return;
    }
    let watched = Watched::new();
    let plugin = watched.load("stripe");
    let folder = root().join("plugins/stripe/transcripts");
    for value in [&b"4539148803436467"[..], b"sk_test_of_a_canary\"7"] {
        for (encoding, written) in encodings(value) {
            let hex: String = written.iter().map(|byte| format!("{byte:02x}")).collect();
            let script = format!("charge P1 EUR 1234 token pm_1\n\n< 200\n< hex {hex}\n");
            watched.look_for(&[Canary::new("canary", value)]);
            let mut stage = SandboxStage::new(plugin.clone());
            transcript::replay(&script, &folder, &mut stage).unwrap();
            let (_, _, found) = watched.seen();
            let name = format!("canary ({encoding}) after resume");
            assert!(found.contains(&name), "{name}: {found:?}");
        }
    }
}
