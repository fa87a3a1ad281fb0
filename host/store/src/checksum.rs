//! The sums that hold the store together: CRC-32C over what is written, SHA-256 over what came
//! before, and the digest of the whole state.
//!
//! CRC-32C finds torn and decayed bytes, SHA-256 finds bytes that somebody chose.

use std::fmt;

use crc::{CRC_32_ISCSI, Crc, Table};
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::{Error, Kind, Space};

// The catalogue's name for CRC-32C (Castagnoli). `crc32fast`, which is quicker, computes another
// polynomial (CRC-32/ISO-HDLC); at a few hundred bytes a commit the difference is not seen.
static CRC_32C: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);

/// Which store a file belongs to: 16 random bytes, drawn when the store is made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct StoreId(pub(crate) [u8; 16]);

impl StoreId {
    pub(crate) fn random() -> Result<StoreId, Error> {
        let mut id = [0; 16];
        getrandom::fill(&mut id)
            .map_err(|e| Error::new(Kind::Io, format!("no randomness for a store id: {e}")))?;
        Ok(StoreId(id))
    }

    /// The CRC-32C of the parts, the store's id before them: so that a part of another store, or
    /// one that a caller put in a value, is never taken for a part of this one.
    pub(crate) fn crc(&self, parts: &[&[u8]]) -> u32 {
        let mut sum = CRC_32C.digest();
        sum.update(&self.0);
        parts.iter().for_each(|part| sum.update(part));
        sum.finalize()
    }

    /// What stands for "the frame before" in the first frame.
    pub(crate) fn genesis(&self) -> Hash {
        Hash::of(&[b"tollgate store", &self.0])
    }
}

impl fmt::Display for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreId({self})")
    }
}

/// The SHA-256 of a frame: what the next frame names as the frame before it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    pub(crate) fn of(parts: &[&[u8]]) -> Hash {
        let mut hash = Sha256::new();
        parts.iter().for_each(|part| hash.update(part));
        Hash(hash.finalize().into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What one record adds to the digest of the state: the first 128 bits of the SHA-256 over its
/// space, key, version and value. The digest is the wrapping sum, so it can be kept up record by
/// record and does not depend on an order.
pub(crate) fn record_digest(space: Space, key: &[u8], version: u64, value: &[u8]) -> u128 {
    let key_bytes = u64::try_from(key.len()).unwrap_or(u64::MAX);
    let name = space.name().as_bytes();
    let lengths = key_bytes.to_be_bytes();
    // A space has no zero in its name and the key's length is given: no two records read alike.
    let Hash(hash) = Hash::of(&[name, &[0], &lengths, key, &version.to_be_bytes(), value]);
    u128::from_be_bytes(*hash.first_chunk().unwrap_or(&[0; 16]))
}

/// A place in the journal: a frame's sequence and hash. Everything up to it was durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) sequence: u64,
    pub(crate) hash: Hash,
}

impl Place {
    /// Before the first frame.
    pub(crate) fn start(id: &StoreId) -> Place {
        Place { sequence: 0, hash: id.genesis() }
    }
}

/// A whole state in short: the place it is of, the digest and the count of its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) place: Place,
    pub(crate) digest: u128,
    pub(crate) records: u64,
}

/// The bytes of a mark as it is written.
pub(crate) const MARK_BYTES: usize = 8 + 32 + 16 + 8;

impl Mark {
    /// The empty state.
    pub(crate) fn start(id: &StoreId) -> Mark {
        Mark { place: Place::start(id), digest: 0, records: 0 }
    }

    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let Mark { place, digest, records } = self;
        let (sequence, digest) = (place.sequence.to_be_bytes(), digest.to_be_bytes());
        [&sequence[..], &place.hash.0, &digest, &records.to_be_bytes()].concat()
    }

    pub(crate) fn parse(cursor: &mut crate::cursor::Cursor<'_>) -> Option<Mark> {
        let place = Place { sequence: cursor.u64()?, hash: Hash(cursor.array()?) };
        let digest = u128::from_be_bytes(cursor.array()?);
        Some(Mark { place, digest, records: cursor.u64()? })
    }
}
