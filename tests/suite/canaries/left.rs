//! What hosts leave behind, gathered to be searched: a place's name and its bytes.

use std::collections::BTreeSet;
use std::path::Path;

use super::Scan;
use crate::support::Reply;

/// Everything a process left.
#[derive(Default)]
pub struct Left {
    pieces: Vec<(String, Vec<u8>)>,
}

impl Left {
    pub fn add(&mut self, place: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.pieces.push((place.into(), bytes.into()));
    }

    /// An answer with its headers.
    pub fn add_answer(&mut self, place: &str, reply: &Reply) {
        let mut bytes = format!("{} {:?}\n", reply.status, reply.headers).into_bytes();
        for value in reply.headers.values() {
            bytes.extend_from_slice(value.as_bytes());
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(&reply.body);
        self.add(place, bytes);
    }

    /// Every file below a folder but those whose names `known` holds; names of files are places
    /// too.
    pub fn add_files(&mut self, folder: &Path, known: &BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.display().to_string();
            match path.is_dir() {
                true => self.add_files(&path, known),
                false if known.contains(&name) => {}
                false => {
                    self.add(format!("the name of {name}"), name.clone());
                    self.add(name, std::fs::read(&path).unwrap());
                }
            }
        }
    }

    /// What is found, and where.
    pub fn find(&self, scan: &Scan) -> BTreeSet<String> {
        let found = self.pieces.iter().flat_map(|(place, bytes)| {
            scan.find(bytes).into_iter().map(move |what| format!("{what} in {place}"))
        });
        found.collect()
    }

    /// Every place with what was left there.
    pub fn pieces(&self) -> &[(String, Vec<u8>)] {
        &self.pieces
    }

    pub fn bytes(&self) -> usize {
        self.pieces.iter().map(|(_, bytes)| bytes.len()).sum()
    }
}

/// The names of all files below a folder.
pub fn names(folder: &Path) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => all.extend(names(&path)),
            false => drop(all.insert(path.display().to_string())),
        }
    }
    all
}

/// So many hexadecimal digits that no other run draws.
pub fn random(length: usize) -> String {
    use std::hash::{BuildHasher, RandomState};
    let hex: String =
        (0..length / 16 + 1).map(|n| format!("{:016x}", RandomState::new().hash_one(n))).collect();
    hex[..length].to_owned()
}
