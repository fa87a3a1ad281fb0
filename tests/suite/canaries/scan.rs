//! The search for canaries in bytes, in every encoding that somebody might write them in.

use std::collections::BTreeSet;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// Shorter patterns would be found by chance.
const BYTES_MIN: usize = 6;

/// A value that must be nowhere, and the name it is reported by.
#[derive(Clone, Debug)]
pub struct Canary {
    pub name: String,
    pub value: Vec<u8>,
}

impl Canary {
    pub fn new(name: impl Into<String>, value: impl Into<Vec<u8>>) -> Canary {
        Canary { name: name.into(), value: value.into() }
    }

    /// A private key in PEM: thirty-two bytes anywhere of it are as bad as all of it.
    pub fn of_pem(name: &str, pem: &str) -> Vec<Canary> {
        let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let der = STANDARD.decode(body).expect("PEM holds base64");
        // The first bytes name the algorithm, and stand in every key of its kind.
        let parts = der.get(32..).unwrap_or_default().chunks_exact(32).enumerate();
        parts.map(|(n, part)| Canary::new(format!("{name}, part {n}"), part)).collect()
    }
}

/// Finds canaries.
pub struct Scan {
    names: Vec<String>,
    finder: AhoCorasick,
}

impl Scan {
    pub fn of(canaries: &[Canary]) -> Scan {
        let (mut names, mut patterns) = (Vec::new(), Vec::new());
        for canary in canaries {
            for (encoding, pattern) in encodings(&canary.value) {
                if pattern.len() >= BYTES_MIN {
                    names.push(format!("{} ({encoding})", canary.name));
                    patterns.push(pattern);
                }
            }
        }
        Scan { names, finder: AhoCorasick::new(patterns).expect("patterns of a few kilobytes") }
    }

    /// How many forms are looked for.
    pub fn patterns(&self) -> usize {
        self.names.len()
    }

    /// The names of what is there, with the encodings.
    pub fn find(&self, bytes: &[u8]) -> BTreeSet<String> {
        let found = self.finder.find_overlapping_iter_checked(bytes);
        found.into_iter().filter_map(|n| self.names.get(n).cloned()).collect()
    }
}

/// The standard search reports only the first of two patterns that overlap, which would hide one.
trait Overlapping {
    fn find_overlapping_iter_checked(&self, bytes: &[u8]) -> Vec<usize>;
}

impl Overlapping for AhoCorasick {
    fn find_overlapping_iter_checked(&self, bytes: &[u8]) -> Vec<usize> {
        self.find_overlapping_iter(bytes).map(|found| found.pattern().as_usize()).collect()
    }
}

/// A value as it might be written.
pub fn encodings(value: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<(String, Vec<u8>)> = Vec::new();
    let mut add = |name: &str, bytes: Vec<u8>| {
        if !all.iter().any(|(_, known)| *known == bytes) {
            all.push((name.to_owned(), bytes));
        }
    };
    let reversed: Vec<u8> = value.iter().rev().copied().collect();
    let each = |write: fn(&u8) -> String| value.iter().map(write).collect::<String>().into_bytes();
    add("raw", value.to_vec());
    add("reversed", reversed);
    add("hex", each(|byte| format!("{byte:02x}")));
    add("hex in capitals", each(|byte| format!("{byte:02X}")));
    add("percent", each(|byte| format!("%{byte:02X}")));
    add("percent in small letters", each(|byte| format!("%{byte:02x}")));
    add("form", each(form));
    add("json", json(value));
    add("json, every character", each(|byte| format!("\\u{byte:04x}")));
    add("utf-16le", value.iter().flat_map(|byte| [*byte, 0]).collect());
    add("utf-16be", value.iter().flat_map(|byte| [0, *byte]).collect());
    add("decimal bytes, as Debug writes them", debug(value));
    add("json within json", json(&json(value)));
    add("html", each(|byte| format!("&#{byte};")));
    add("html in hex", each(|byte| format!("&#x{byte:x};")));
    add("octal", each(|byte| format!("\\{byte:03o}")));
    for between in [" ", ":", "-"] {
        add(&format!("hex with `{between}` between"), hex_apart(value, between));
    }
    for before in 0..3 {
        let (standard, url) = base64(value, before);
        add(&format!("base64, {before} bytes before"), standard);
        add(&format!("base64url, {before} bytes before"), url);
    }
    if value.iter().all(u8::is_ascii_digit) {
        add("bcd", bcd(value));
        add("bcd, half a byte later", bcd(value.get(1..).unwrap_or_default()));
        for between in [" ", "-", ".", ",", "_"] {
            add(&format!("in fours with `{between}` between"), apart(value, 4, between));
            add(&format!("digits with `{between}` between"), apart(value, 1, between));
        }
    }
    all
}

fn hex_apart(value: &[u8], between: &str) -> Vec<u8> {
    let bytes: Vec<String> = value.iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(between).into_bytes()
}

/// In groups of so many, the last one shorter.
fn apart(digits: &[u8], group: usize, between: &str) -> Vec<u8> {
    let groups: Vec<&[u8]> = digits.chunks(group).collect();
    groups.join(between.as_bytes())
}

fn form(byte: &u8) -> String {
    match byte {
        plain if plain.is_ascii_alphanumeric() || b"-._~".contains(plain) => {
            char::from(*plain).to_string()
        }
        other => format!("%{other:02X}"),
    }
}

fn json(value: &[u8]) -> Vec<u8> {
    let text = serde_json::Value::from(String::from_utf8_lossy(value).into_owned()).to_string();
    text.trim_matches('"').as_bytes().to_vec()
}

fn debug(value: &[u8]) -> Vec<u8> {
    let text = format!("{value:?}");
    text.trim_matches(['[', ']']).as_bytes().to_vec()
}

/// The characters that depend on nothing but the value, when so many bytes stand before it.
fn base64(value: &[u8], before: usize) -> (Vec<u8>, Vec<u8>) {
    let padded = [&vec![0; before][..], value].concat();
    let whole = padded.len() / 3 * 4;
    let from = (before * 8).div_ceil(6);
    let cut = |text: String| text.as_bytes()[from..whole].to_vec();
    (cut(STANDARD.encode(&padded)), cut(URL_SAFE.encode(&padded)))
}

fn bcd(digits: &[u8]) -> Vec<u8> {
    let pair = |pair: &[u8]| (pair[0] & 0x0f) << 4 | (pair[1] & 0x0f);
    digits.chunks_exact(2).map(pair).collect()
}

#[test]
fn a_canary_is_found_in_every_encoding_wherever_it_stands() {
    for value in [&b"4539148803436467"[..], b"sk_test_a\"\\/+=&~ canary", &[0x8f; 17]] {
        let scan = Scan::of(&[Canary::new("canary", value)]);
        for (encoding, written) in encodings(value) {
            for before in 0..4 {
                let filler = vec![0x5a; before];
                let planted = [&filler[..], &written, &filler].concat();
                let found = scan.find(&planted);
                let name = format!("canary ({encoding})");
                assert!(found.contains(&name), "{name} in {planted:x?}: {found:?}");
            }
            let broken = &written[..written.len() - 1];
            let found = scan.find(broken);
            assert!(!found.contains(&format!("canary ({encoding})")), "{encoding}: {found:?}");
        }
        for before in 0..6 {
            let text = [&vec![b'x'; before][..], value, b"after"].concat();
            assert!(!scan.find(STANDARD.encode(&text).as_bytes()).is_empty(), "{before}");
            assert!(!scan.find(URL_SAFE.encode(&text).as_bytes()).is_empty(), "{before}");
        }
    }
}
