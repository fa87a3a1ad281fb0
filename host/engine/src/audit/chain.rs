//! A line of the trail, and the chain that lines make. Pure: no store, no clock.
//!
//! The hash of a line is the SHA-256 of its canonical JSON (RFC 8785) without the member `hash`:
//! members in the order of their names, no space between, and `prev`, the hash of the line before,
//! among them. So nothing can be changed, taken out, put in or moved without a line that no longer
//! follows the one before it. Against cutting lines off at the end, and against writing the whole
//! chain anew, helps only what is kept elsewhere: an export's closing line, and its head.

use ledger::TimestampMs;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// `prev` of the first line.
pub(crate) const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Who acted. In a line it is a text: an app's identifier, `admin`,
/// `operator` or `host`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Actor {
    /// An app, by its identifier.
    App(String),
    /// Whoever holds the admin token.
    Admin,
    /// Whoever used the command line.
    Operator,
    /// The host, by itself.
    Host,
}

impl From<Actor> for String {
    fn from(actor: Actor) -> String {
        match actor {
            Actor::App(id) => id,
            Actor::Admin => "admin".to_owned(),
            Actor::Operator => "operator".to_owned(),
            Actor::Host => "host".to_owned(),
        }
    }
}

impl TryFrom<String> for Actor {
    type Error = String;

    fn try_from(text: String) -> Result<Actor, String> {
        match text.as_str() {
            "admin" => Ok(Actor::Admin),
            "operator" => Ok(Actor::Operator),
            "host" => Ok(Actor::Host),
            app if app.starts_with("app_") => Ok(Actor::App(text)),
            _ => Err("an actor that is neither an app, nor admin, operator or host".to_owned()),
        }
    }
}

/// What somebody did, before it has a place in the trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// Who.
    pub actor: Actor,
    /// The name of the key that proved it.
    pub key: Option<String>,
    /// What: the operation's name in the OpenAPI document, or the command's.
    pub action: String,
    /// To what: an identifier, or empty where what is made has none yet.
    pub object: String,
    /// The request's name in the log and in the answer.
    pub request: Option<String>,
    /// The SHA-256 of what was asked.
    pub digest: [u8; 32],
}

/// A line of the trail. Its members stand in the order of their names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// See [`Act::action`].
    pub action: String,
    /// See [`Act::actor`].
    pub actor: Actor,
    /// When it was written, milliseconds of Unix time.
    pub at_ms: TimestampMs,
    /// See [`Act::digest`], in hexadecimal.
    pub digest: String,
    /// The hash of this line, in hexadecimal.
    pub hash: String,
    /// See [`Act::key`].
    pub key: Option<String>,
    /// See [`Act::object`].
    pub object: String,
    /// The hash of the line before; zeros for the first.
    pub prev: String,
    /// See [`Act::request`].
    pub request: Option<String>,
    /// Its place: 1, 2, 3 and so on.
    pub seq: u64,
}

/// Where a trail ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    /// How many lines it has.
    pub(crate) count: u64,
    /// The hash of the last.
    pub(crate) hash: String,
}

impl Default for Head {
    fn default() -> Head {
        Head { count: 0, hash: GENESIS.to_owned() }
    }
}

/// Why a line is not the one that is due.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the fields are what their names say")]
pub enum Wrong {
    /// It is no line of a trail.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// Its own hash is another.
    #[error("it was changed: its hash is not the hash of what it says")]
    Changed,
    /// It comes later than the line that is due.
    #[error("it was moved, or lines before it were taken out: {due} is due")]
    Missing { due: u64 },
    /// It comes earlier than the line that is due.
    #[error("it stands twice, or was moved: {due} is due")]
    OutOfOrder { due: u64 },
    /// It does not name the hash of the line before.
    #[error("it does not follow the line before it: one of the two was replaced")]
    Unchained,
    /// Lines are missing at the end.
    #[error("lines were cut off at the end: {0}")]
    CutOff(String),
    /// Lines come after the end.
    #[error("it stands after the closing line")]
    AfterTheEnd,
    /// The closing line has no signature.
    #[error("the closing line is not signed: the host had no signing key, or it was taken out")]
    Unsigned,
    /// The closing line's signature does not belong to it, or not to the key.
    #[error("the closing line, signed as by `{key}`, is not signed by this key, or was changed")]
    Forged { key: String },
}

/// The first line that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {why}", place(*.line, *.seq))]
pub struct Bad {
    /// Its place in what was read, from 1 on.
    pub line: u64,
    /// Its number in the trail, where it says one.
    pub seq: Option<u64>,
    /// What is wrong with it.
    pub why: Wrong,
}

fn place(line: u64, seq: Option<u64>) -> String {
    match seq {
        Some(seq) => format!("line {line}, which says it is number {seq}"),
        None => format!("line {line}"),
    }
}

/// What a sound chain comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sound {
    /// How many lines it has.
    pub count: u64,
    /// The number of its first line; none where it has no line.
    pub first: Option<u64>,
    /// The hash of its last line.
    pub head: String,
}

impl Line {
    /// The line of this act at the end of a trail.
    pub(crate) fn after(head: &Head, act: Act, at_ms: TimestampMs) -> Line {
        let mut line = Line {
            action: act.action,
            actor: act.actor,
            at_ms,
            digest: hex::encode(act.digest),
            hash: String::new(),
            key: act.key,
            object: act.object,
            prev: head.hash.clone(),
            request: act.request,
            seq: head.count.saturating_add(1),
        };
        line.hash = line.computed_hash();
        line
    }

    /// The hash of what the line says.
    pub fn computed_hash(&self) -> String {
        let mut members = serde_json::to_value(self).unwrap_or_default();
        if let Some(members) = members.as_object_mut() {
            members.shift_remove("hash");
        }
        hex::encode(Sha256::digest(members.to_string()))
    }
}

/// Checks lines one after the other.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    /// Number and hash of the last line.
    last: Option<(u64, String)>,
    first: Option<u64>,
    count: u64,
}

impl Chain {
    /// A chain whose first line must be the first of the trail.
    pub fn whole() -> Chain {
        Chain { last: Some((0, GENESIS.to_owned())), ..Chain::default() }
    }

    /// A chain that begins with whatever line comes first.
    pub fn part() -> Chain {
        Chain::default()
    }

    /// How many lines were found sound.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Takes the next line.
    ///
    /// # Errors
    /// What is wrong with it; the chain then stands where it stood.
    pub fn take(&mut self, line: &Line) -> Result<(), Bad> {
        match self.fault(line) {
            Some(why) => Err(Bad { line: self.count + 1, seq: Some(line.seq), why }),
            None => {
                self.first = self.first.or(Some(line.seq));
                self.last = Some((line.seq, line.hash.clone()));
                self.count += 1;
                Ok(())
            }
        }
    }

    fn fault(&self, line: &Line) -> Option<Wrong> {
        if line.hash != line.computed_hash() {
            return Some(Wrong::Changed);
        }
        let (seq, prev) = self.last.as_ref()?;
        match (line.seq.cmp(&(seq + 1)), line.prev == *prev) {
            (std::cmp::Ordering::Greater, _) => Some(Wrong::Missing { due: seq + 1 }),
            (std::cmp::Ordering::Less, _) => Some(Wrong::OutOfOrder { due: seq + 1 }),
            (std::cmp::Ordering::Equal, false) => Some(Wrong::Unchained),
            (std::cmp::Ordering::Equal, true) => None,
        }
    }

    /// What the lines taken so far come to.
    pub fn sound(&self) -> Sound {
        let head = self.last.as_ref().map_or(GENESIS, |(_, hash)| hash).to_owned();
        Sound { count: self.count, first: self.first, head }
    }
}
