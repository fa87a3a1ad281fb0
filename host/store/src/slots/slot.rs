//! How a slot and the head of the file are written.
//!
//! A slot has 256 bytes, of which a sector holds two, so it never lies across sectors: CRC-32C over
//! the file's id, the slot's number and the rest; form; lengths; a number that rises with each
//! write; the name; the value. All zeros is a free slot. Not here: which slot is written when.

use crate::checksum::StoreId;
use crate::cursor::Cursor;

/// Bytes of a slot, and of the head before the first one.
pub(super) const SLOT_BYTES: usize = 256;
/// The longest name, in bytes.
pub(super) const NAME_BYTES_MAX: usize = 64;
/// The longest value, in bytes.
pub(super) const VALUE_BYTES_MAX: usize = SLOT_BYTES - VALUE_AT;

const NAME_AT: usize = 16;
const VALUE_AT: usize = NAME_AT + NAME_BYTES_MAX;
const FORM: u8 = 1;
const MAGIC: &[u8; 16] = b"tollgate slots 1";

/// What a slot holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// The number of the write: of two slots with one name the higher is the newer.
    pub(super) written: u64,
    pub(super) name: String,
    pub(super) value: Vec<u8>,
}

/// A slot as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Free,
    Held(Slot),
    /// Neither: a write that was cut short, or damage.
    Torn,
}

/// The place of a slot in its file.
pub(super) fn offset(number: u32) -> u64 {
    (u64::from(number) + 1) * SLOT_BYTES as u64
}

impl Slot {
    pub(super) fn to_bytes(&self, id: &StoreId, number: u32) -> Vec<u8> {
        let length = |bytes: &[u8]| u8::try_from(bytes.len()).unwrap_or_default();
        let name = self.name.as_bytes();
        let mut bytes = vec![0; 4];
        bytes.extend([FORM, length(name), length(&self.value), 0]);
        bytes.extend(self.written.to_be_bytes());
        bytes.extend(name);
        bytes.resize(VALUE_AT, 0);
        bytes.extend(&self.value);
        bytes.resize(SLOT_BYTES, 0);
        let rest = bytes.get(4..).unwrap_or_default();
        let sum = id.crc(&[&number.to_be_bytes(), rest]).to_be_bytes();
        bytes.splice(..4, sum);
        bytes
    }

    pub(super) fn find(bytes: &[u8], id: &StoreId, number: u32) -> Found {
        if bytes.iter().all(|byte| *byte == 0) {
            return Found::Free;
        }
        Slot::parse(bytes, id, number).map_or(Found::Torn, Found::Held)
    }

    fn parse(bytes: &[u8], id: &StoreId, number: u32) -> Option<Slot> {
        let (sum, rest) = bytes.split_at_checked(4)?;
        let whole = bytes.len() == SLOT_BYTES
            && id.crc(&[&number.to_be_bytes(), rest]).to_be_bytes() == sum;
        let &[FORM, name, value, 0] = rest.get(..4).filter(|_| whole)? else { return None };
        let written = u64::from_be_bytes(*bytes.get(8..)?.first_chunk()?);
        let name = bytes.get(NAME_AT..NAME_AT + usize::from(name))?;
        let value = bytes.get(VALUE_AT..VALUE_AT + usize::from(value))?;
        let name = String::from_utf8(name.to_vec()).ok()?;
        Some(Slot { written, name, value: value.to_vec() })
    }
}

/// The head of a file: what it is, and its id.
pub(super) fn head(id: &StoreId) -> Vec<u8> {
    let mut bytes = [&MAGIC[..], &id.0, &id.crc(&[MAGIC]).to_be_bytes()].concat();
    bytes.resize(SLOT_BYTES, 0);
    bytes
}

/// The id of a file by its head; none when it is none.
pub(super) fn read_head(bytes: &[u8]) -> Option<StoreId> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let mut cursor = Cursor::new(rest);
    let id = StoreId(cursor.array()?);
    (cursor.array::<4>()? == id.crc(&[MAGIC]).to_be_bytes()).then_some(id)
}

#[cfg(test)]
mod tests;
