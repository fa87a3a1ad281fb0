//! The lines of a transcript: which are ours, which are given, and what the given ones say.

use std::path::Path;

use crate::words::split;
use crate::{Delivery, Reply, Response};

/// What cannot be read in a transcript, and in which line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub what: String,
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}
impl std::error::Error for Error {}

/// A line that furnishes the stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Set {
    /// `now 1700000000`: the time, in seconds since the Unix epoch.
    Now(u64),
    /// `set base-url https://…`: a setting of the account.
    Setting(String, String),
    /// `key webhook text whsec_…`, `key k hex 00ff`, `key merchant pem file.pem id=SERIAL`.
    Key {
        /// The slot it fills.
        slot: String,
        /// Its id within the slot.
        id: Option<String>,
        /// The key itself.
        material: Material,
    },
    /// `secret api-key sk_test_…`: the value a MAC over sensitive parts needs.
    Secret(String, String),
    /// `card number 4242…`: a field of the card paid with.
    Card(String, String),
    /// `legacy md5`: a primitive the operator grants.
    Legacy(String),
}

/// A key's bytes or text.
#[derive(Clone, PartialEq, Eq)]
pub enum Material {
    /// For a MAC or a cipher.
    Symmetric(Vec<u8>),
    /// PEM text, of a file beside the transcript.
    Pem(String),
}

impl std::fmt::Debug for Material {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Material::Symmetric(_) => "Symmetric",
            Material::Pem(_) => "Pem",
        })
    }
}

/// A given line or block of lines.
#[derive(Debug)]
pub(crate) enum Given {
    Blank,
    Comment,
    Include(Vec<Set>),
    Set(Set),
    Command(Vec<String>),
    Reply(Reply),
    Delivery(Delivery),
}

/// One given piece: where it begins, its lines to the letter, and what it says.
#[derive(Debug)]
pub(crate) struct Piece {
    pub line: usize,
    pub text: String,
    pub given: Given,
}

/// The given pieces of a script; what is ours is left out. Keys' files are beside it, in `folder`.
pub(crate) fn pieces(script: &str, folder: &Path) -> Result<Vec<Piece>, Error> {
    let mut pieces = Vec::new();
    let mut lines = script.lines().enumerate().peekable();
    while let Some((index, first)) = lines.next() {
        let line = index + 1;
        let mark = mark(first);
        if matches!(mark, '>' | '?' | '=' | '~') {
            continue;
        }
        let mut block = vec![first];
        let more = |next: &str| matches!(mark, '<' | '!') && self::mark(next) == mark;
        while let Some((_, next)) = lines.next_if(|(_, next)| more(next)) {
            block.push(next);
        }
        let given = read(mark, &block, folder).map_err(|what| Error { line, what })?;
        pieces.push(Piece { line, text: block.join("\n"), given });
    }
    Ok(pieces)
}

fn mark(line: &str) -> char {
    let mut characters = line.chars();
    match (characters.next(), characters.next()) {
        (None, _) => ' ',
        (Some('#'), _) => '#',
        (Some(mark @ ('>' | '?' | '=' | '~' | '<' | '!')), None | Some(' ')) => mark,
        _ => 'c',
    }
}

fn read(mark: char, block: &[&str], folder: &Path) -> Result<Given, String> {
    match mark {
        ' ' => Ok(Given::Blank),
        '#' => Ok(Given::Comment),
        '<' => Ok(Given::Reply(reply(&unmarked(block))?)),
        '!' => Ok(Given::Delivery(delivery(&unmarked(block))?)),
        _ => command(block.first().copied().unwrap_or_default(), folder),
    }
}

fn unmarked<'a>(block: &[&'a str]) -> Vec<&'a str> {
    block.iter().map(|line| line.get(2..).unwrap_or_default()).collect()
}

/// Name and value of a header line: a name in lower case, a colon, a space.
pub(crate) fn header(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(": ")?;
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    (!name.is_empty() && name.chars().all(letter)).then_some((name, value))
}

type Headers = Vec<(String, String)>;

/// Headers until the first line that is none; then the body, behind an empty line if it needs one.
fn headers_and_body(lines: &[&str]) -> Result<(Headers, Vec<u8>), String> {
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let headers: Headers = lines.iter().map_while(|line| header(line)).map(owned).collect();
    let body = lines.get(headers.len()..).unwrap_or_default();
    let body = match body {
        ["", rest @ ..] => rest,
        all => all,
    };
    Ok((headers, bytes(body)?))
}

fn bytes(body: &[&str]) -> Result<Vec<u8>, String> {
    match body {
        [only] if only.starts_with("hex ") => unhex(only.trim_start_matches("hex ")),
        lines => Ok(lines.join("\n").into_bytes()),
    }
}

fn reply(lines: &[&str]) -> Result<Reply, String> {
    let (first, rest) = lines.split_first().ok_or("an empty reply")?;
    if *first == "FRAME" {
        return Ok(Reply::Frame(bytes(rest)?));
    }
    let status = first.parse().map_err(|_| format!("`{first}` is no status, nor FRAME"))?;
    let (headers, body) = headers_and_body(rest)?;
    Ok(Reply::Http(Response { status, headers, body }))
}

fn delivery(lines: &[&str]) -> Result<Delivery, String> {
    let (first, rest) = lines.split_first().ok_or("an empty delivery")?;
    let (method, path) = first.split_once(' ').ok_or("a delivery begins `! POST /path`")?;
    let (headers, body) = headers_and_body(rest)?;
    Ok(Delivery { method: method.to_owned(), path: path.to_owned(), headers, body })
}

fn command(line: &str, folder: &Path) -> Result<Given, String> {
    let words = split(line).ok_or("a quote is left open")?;
    let text: Vec<&str> = words.iter().map(String::as_str).collect();
    let set = match text.as_slice() {
        ["now", seconds] => {
            Set::Now(seconds.parse().map_err(|_| format!("`{seconds}` is no time"))?)
        }
        ["set", name, value] => Set::Setting((*name).to_owned(), (*value).to_owned()),
        ["secret", name, value] => Set::Secret((*name).to_owned(), (*value).to_owned()),
        ["card", field, value] => Set::Card((*field).to_owned(), (*value).to_owned()),
        ["legacy", name] => Set::Legacy((*name).to_owned()),
        ["key", slot, form, value, rest @ ..] => key(slot, form, value, rest, folder)?,
        ["include", file] => return include(file, folder),
        _ => return Ok(Given::Command(words)),
    };
    Ok(Given::Set(set))
}

fn key(slot: &str, form: &str, value: &str, rest: &[&str], folder: &Path) -> Result<Set, String> {
    let id = match rest {
        [] => None,
        [id] => Some(id.strip_prefix("id=").ok_or("after a key comes only id=…")?.to_owned()),
        _ => return Err("after a key comes only id=…".to_owned()),
    };
    let material = match form {
        "text" => Material::Symmetric(value.as_bytes().to_vec()),
        "hex" => Material::Symmetric(unhex(value)?),
        "pem" => Material::Pem(file(folder, value)?),
        other => return Err(format!("a key is text, hex or pem, not `{other}`")),
    };
    Ok(Set::Key { slot: slot.to_owned(), id, material })
}

fn include(name: &str, folder: &Path) -> Result<Given, String> {
    let mut sets = Vec::new();
    for piece in pieces(&file(folder, name)?, folder).map_err(|error| format!("{name}: {error}"))? {
        match piece.given {
            Given::Set(set) => sets.push(set),
            Given::Blank | Given::Comment => {}
            _ => return Err(format!("{name}: line {}: not a setting", piece.line)),
        }
    }
    Ok(Given::Include(sets))
}

fn file(folder: &Path, name: &str) -> Result<String, String> {
    std::fs::read_to_string(folder.join(name)).map_err(|error| format!("{name}: {error}"))
}

fn unhex(text: &str) -> Result<Vec<u8>, String> {
    let byte = |at: usize| {
        let pair = text.get(at..at + 2)?;
        u8::from_str_radix(pair, 16).ok()
    };
    let bytes = (0..text.len()).step_by(2).map(byte).collect::<Option<Vec<u8>>>();
    bytes.ok_or_else(|| format!("`{text}` is not hexadecimal"))
}
