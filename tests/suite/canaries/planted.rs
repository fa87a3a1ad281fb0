//! That the searches can fail: every encoding of every canary, planted into a copy of each place a
//! real host left, is found there, and what was planted is all that is found.

use std::collections::BTreeSet;

use serde_json::json;

use super::furnished::{Furnished, TEST};
use super::left::{Left, names};
use super::{Canary, Scan, encodings};
use crate::support::{Random, charge};

/// Enough of a place around what is planted to hold whatever surrounds it there.
const AROUND: usize = 3_000;

/// The places by a part of their names, one piece for each: the largest.
const PLACES: [&str; 9] = [
    "the log",
    "the answer to /v1/payments",
    "the opened answer to a card",
    "/store/journal",
    "/store/state",
    "/beside.export",
    "/audit.jsonl",
    "the answer to a spoilt card",
    "/proc/status",
];

/// A host that has done something, and what it left.
async fn left_by_a_host() -> Furnished {
    let mut all = Furnished::set().await;
    let card = all.card("4242424242424242", Some("739"), "Ada Lovelace").await;
    let mut body = charge("", 1999);
    (body["account"], body["instrument"]) = (json!(TEST), json!({ "type": "card", "card": card }));
    all.post("/v1/payments", "k", &body).await.with(201);
    let draft = all.client().request(http::Method::POST, "/v1/cards");
    let reply = draft.header("content-type", "application/jose").send("no card").await;
    all.heard("a spoilt card", reply);
    all.gather_process();
    all.gather_files().await;
    all
}

fn largest<'a>(left: &'a Left, place: &str) -> &'a (String, Vec<u8>) {
    let there = left
        .pieces()
        .iter()
        .filter(|(name, _)| name.contains(place) && !name.starts_with("the name of "));
    there.max_by_key(|(_, bytes)| bytes.len()).unwrap_or_else(|| {
        let known: Vec<_> = left.pieces().iter().map(|(name, _)| name).collect();
        panic!("no {place} in {known:#?}")
    })
}

/// The bytes around a place of a piece, with something planted there.
fn planted(piece: &[u8], written: &[u8], random: &mut Random) -> Vec<u8> {
    let at = usize::try_from(random.between(0, piece.len() as u64)).unwrap();
    let (from, to) = (at.saturating_sub(AROUND), (at + AROUND).min(piece.len()));
    [&piece[from..at], written, &piece[at..to]].concat()
}

#[tokio::test]
async fn every_encoding_of_every_canary_is_found_in_every_place() {
    let all = left_by_a_host().await;
    let mut canaries = all.canaries.clone();
    canaries.push(Canary::new("a card number", "4539148803436467"));
    canaries.push(Canary::new("a key with marks", &b"sk_test_a\"\\/+=&~ canary"[..]));
    let scan = Scan::of(&canaries);
    assert!(all.left.find(&scan).is_empty());
    let (mut random, mut count) = (Random::seeded(39), 0);
    for place in PLACES {
        let (name, piece) = largest(&all.left, place);
        for canary in &canaries {
            for (encoding, written) in encodings(&canary.value) {
                let mut left = Left::default();
                left.add(name.clone(), planted(piece, &written, &mut random));
                let wanted = format!("{} ({encoding}) in {name}", canary.name);
                assert!(left.find(&scan).contains(&wanted), "{wanted} is missed");
                count += 1;
            }
        }
    }
    println!("{count} plantings of {} canaries in {} places", canaries.len(), PLACES.len());
}

#[tokio::test]
async fn what_is_planted_into_the_files_of_a_host_is_found_by_the_search_of_its_folder() {
    let mut all = left_by_a_host().await;
    let canary = Canary::new("a card number", "4539148803436467");
    let scan = Scan::of(std::slice::from_ref(&canary));
    let known: BTreeSet<String> = BTreeSet::new();
    let mut random = Random::seeded(40);
    let folder = all.host.folder().to_owned();
    let places = ["/store/journal", "/store/state", "/beside.export", "/audit.jsonl"];
    for (place, (encoding, written)) in places
        .into_iter()
        .flat_map(|place| encodings(&canary.value).into_iter().map(move |e| (place, e)))
    {
        let (name, piece) = largest(&all.left, place).clone();
        let at = usize::try_from(random.between(0, piece.len() as u64)).unwrap();
        std::fs::write(&name, [&piece[..at], &written, &piece[at..]].concat()).unwrap();
        let mut left = Left::default();
        left.add_files(&folder, &known);
        let wanted = format!("a card number ({encoding}) in {name}");
        assert!(left.find(&scan).contains(&wanted), "{wanted} is missed");
        std::fs::write(&name, &piece).unwrap();
    }
    // A file that nobody knows of, and one whose name says it.
    std::fs::write(folder.join("tmp").join("core.4539148803436467"), "").unwrap();
    all.left.add_files(&folder, &names(&folder.join("store")));
    let found = all.left.find(&scan);
    assert!(found.iter().any(|what| what.contains("the name of")), "{found:?}");
}
