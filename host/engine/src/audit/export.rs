//! Taking the trail out of the store, and checking it: in the store, or as it was taken out.
//!
//! An export is text: a line of JSON for each line of the trail, and a closing line that says how
//! many there are and the hash of the last. Who keeps that hash elsewhere can tell later whether
//! the whole was written anew; so can whoever has the platform's public key, where its private half
//! signed the closing line.

use std::io::{BufRead, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ledger::TimestampMs;
use serde::{Deserialize, Serialize};
use store::{Range, Store};
use vault::{Key, Legacy, Published, SignatureAlgorithm};

use super::appender::read_head;
use super::chain::{Bad, Chain, GENESIS, Line, Sound, Wrong};
use crate::record;

const ROWS: usize = 500;

/// Which lines to take out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Export {
    /// Lines written at this time or later.
    pub from_ms: Option<TimestampMs>,
    /// Lines written before this time.
    pub to_ms: Option<TimestampMs>,
}

/// The closing line of an export.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Closing {
    count: u64,
    head: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signature: Option<Signature>,
}

/// Of a closing line: by Ed25519, ECDSA over P-256 with SHA-256, or RSA-PSS with SHA-512, as the
/// key is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    /// The name of the key.
    key: String,
    /// In base64.
    value: String,
}

/// Who signs an export: a private key of the platform, and its name.
#[derive(Clone, Copy, Debug)]
pub struct Notary<'a> {
    /// Its name for everybody.
    pub id: &'a str,
    /// The key.
    pub key: &'a Key,
}

impl Notary<'_> {
    fn sign(&self, sound: &Sound) -> Result<Signature, vault::Error> {
        let unfit = || vault::Error::BadInput("this key does not sign".to_owned());
        let by = algorithm(self.key).ok_or_else(unfit)?;
        let value = BASE64.encode(self.key.sign(by, signed_text(sound).as_bytes())?);
        Ok(Signature { key: self.id.to_owned(), value })
    }
}

/// What a closing line's signature is over: the first and the last line, and so all between.
fn signed_text(sound: &Sound) -> String {
    let first = sound.first.unwrap_or_default();
    format!("tollgate audit export 1\n{first}\n{}\n{}\n", sound.count, sound.head)
}

fn algorithm(key: &Key) -> Option<SignatureAlgorithm> {
    Some(match key.published()? {
        Published::Ed25519 { .. } => SignatureAlgorithm::Ed25519,
        Published::P256 { .. } => SignatureAlgorithm::EcdsaP256Sha256,
        Published::Rsa { .. } => SignatureAlgorithm::RsaPssSha512,
    })
}

/// Why an export could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store does not answer.
    #[error("the store did not answer")]
    Store(#[from] store::Error),
    /// It cannot be written, or read.
    #[error("the export could not be written or read")]
    Io(#[from] std::io::Error),
    /// A line of the trail is wrong.
    #[error(transparent)]
    Bad(#[from] Bad),
    /// The platform's key does not sign.
    #[error("the closing line could not be signed")]
    Unsigned(#[from] vault::Error),
}

impl Export {
    /// Writes the lines as text, oldest first, then the closing line, signed where somebody signs.
    ///
    /// # Errors
    /// See [`Error`]; a line of the store that cannot be read is `Store`.
    pub async fn write(
        &self,
        store: &dyn Store,
        out: &mut dyn Write,
        notary: Option<Notary<'_>>,
    ) -> Result<Sound, Error> {
        let (mut count, mut first, mut head) = (0, None, GENESIS.to_owned());
        let mut after = None;
        loop {
            let rows = page(store, after.take()).await?;
            let Some(last) = rows.last() else { break };
            after = Some(last.key.clone());
            for row in &rows {
                let line: Line = record::decode(record::AUDIT, &row.key, &row.value)?;
                if self.from_ms.is_some_and(|from| line.at_ms < from) && first.is_none() {
                    continue;
                }
                if self.to_ms.is_some_and(|to| line.at_ms >= to) {
                    return close(out, Sound { count, first, head }, notary);
                }
                out.write_all(&row.value)?;
                out.write_all(b"\n")?;
                (count, first, head) = (count + 1, first.or(Some(line.seq)), line.hash);
            }
        }
        close(out, Sound { count, first, head }, notary)
    }
}

fn close(out: &mut dyn Write, sound: Sound, notary: Option<Notary<'_>>) -> Result<Sound, Error> {
    let signature = notary.map(|notary| notary.sign(&sound)).transpose()?;
    let closing = Closing { count: sound.count, head: sound.head.clone(), signature };
    out.write_all(&record::encode(&closing))?;
    out.write_all(b"\n")?;
    out.flush()?;
    Ok(sound)
}

async fn page(store: &dyn Store, after: Option<Vec<u8>>) -> Result<Vec<store::Row>, store::Error> {
    let range = Range::all(record::AUDIT).limit(ROWS);
    store.scan(after.into_iter().fold(range, Range::after)).await
}

/// Checks the trail in a store, from its first line to its last.
///
/// # Errors
/// The first bad line, or what the store says.
pub async fn verify_store(store: &dyn Store) -> Result<Sound, Error> {
    let (mut chain, mut after) = (Chain::whole(), None);
    loop {
        let rows = page(store, after.take()).await?;
        let Some(last) = rows.last() else { break };
        after = Some(last.key.clone());
        for row in &rows {
            let line = read(&row.value, chain.count() + 1)?;
            if row.key != record::audit_key(line.seq) {
                let due = chain.count() + 1;
                let why = Wrong::OutOfOrder { due };
                return Err(Bad { line: due, seq: Some(line.seq), why }.into());
            }
            chain.take(&line)?;
        }
    }
    let (sound, head) = (chain.sound(), read_head(store).await?);
    match (sound.count, &sound.head) == (head.count, &head.hash) {
        true => Ok(sound),
        false => {
            let (found, told) = (sound.count, head.count);
            let what = format!("{told} were written, the last as {}; there are {found}", head.hash);
            Err(cut_off(&chain, what).into())
        }
    }
}

/// Checks an export. It may begin in the middle of the trail, but has no gap and ends with its
/// closing line. With a public key that has to be signed by its private half; without one a
/// signature proves nothing and is passed over.
///
/// # Errors
/// The first bad line, or what reading says.
pub fn verify_export(text: &mut dyn BufRead, key: Option<&Key>) -> Result<Sound, Error> {
    let mut chain = Chain::part();
    let mut lines = text.split(b'\n');
    while let Some(bytes) = lines.next().transpose()? {
        if let Ok(closing) = serde_json::from_slice::<Closing>(&bytes) {
            let sound = closed(&chain, &closing)?;
            if let Some(why) = key.and_then(|key| forged(&sound, &closing, key)) {
                return Err(Bad { line: chain.count() + 1, seq: None, why }.into());
            }
            return match lines.next().transpose()? {
                None => Ok(sound),
                Some(_) => {
                    Err(Bad { line: chain.count() + 2, seq: None, why: Wrong::AfterTheEnd }.into())
                }
            };
        }
        chain.take(&read(&bytes, chain.count() + 1)?)?;
    }
    Err(cut_off(&chain, "there is no closing line".to_owned()).into())
}

fn read(bytes: &[u8], line: u64) -> Result<Line, Bad> {
    let unreadable = |error: serde_json::Error| Wrong::Unreadable(error.to_string());
    serde_json::from_slice(bytes).map_err(|error| Bad { line, seq: None, why: unreadable(error) })
}

fn closed(chain: &Chain, closing: &Closing) -> Result<Sound, Bad> {
    let sound = chain.sound();
    match sound.count == closing.count && sound.head == closing.head {
        true => Ok(sound),
        false if sound.count == closing.count => {
            Err(cut_off(chain, "the closing line names another head".to_owned()))
        }
        false => {
            let (told, found) = (closing.count, sound.count);
            Err(cut_off(chain, format!("the closing line tells of {told}, there are {found}")))
        }
    }
}

/// Why the closing line is not signed by this key.
fn forged(sound: &Sound, closing: &Closing, key: &Key) -> Option<Wrong> {
    let Some(signature) = &closing.signature else { return Some(Wrong::Unsigned) };
    let value = BASE64.decode(&signature.value).ok().zip(algorithm(key));
    let good = value.is_some_and(|(value, by)| {
        key.verify(by, signed_text(sound).as_bytes(), &value, &Legacy::none()).is_ok()
    });
    (!good).then(|| Wrong::Forged { key: signature.key.clone() })
}

fn cut_off(chain: &Chain, what: String) -> Bad {
    Bad { line: chain.count() + 1, seq: None, why: Wrong::CutOff(what) }
}
