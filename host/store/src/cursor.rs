//! Reads numbers and bytes off the front of a slice; big-endian, as everything the store writes.

use crate::Space;

pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Cursor<'a> {
        Cursor { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn rest(self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*taken)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// A name of one length byte.
    pub(crate) fn space(&mut self) -> Option<Space> {
        let count = self.u8()?;
        let name = self.take(count.into())?;
        Space::parse(std::str::from_utf8(name).ok()?)
    }

    /// Bytes after a length of two.
    pub(crate) fn key(&mut self) -> Option<Vec<u8>> {
        let count = self.u16()?;
        self.take(count.into()).map(<[u8]>::to_vec)
    }

    /// Bytes after a length of four.
    pub(crate) fn value(&mut self) -> Option<Vec<u8>> {
        let count = usize::try_from(self.u32()?).ok()?;
        self.take(count).map(<[u8]>::to_vec)
    }
}

/// Writes what [`Cursor`] reads.
pub(crate) trait Put {
    fn put_space(&mut self, space: Space);
    fn put_key(&mut self, key: &[u8]);
    fn put_value(&mut self, value: &[u8]);
}

// The limits of a batch are checked long before: the lengths below always fit.
impl Put for Vec<u8> {
    fn put_space(&mut self, space: Space) {
        let name = space.name().as_bytes();
        self.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
        self.extend_from_slice(name);
    }

    fn put_key(&mut self, key: &[u8]) {
        self.extend_from_slice(&u16::try_from(key.len()).unwrap_or(u16::MAX).to_be_bytes());
        self.extend_from_slice(key);
    }

    fn put_value(&mut self, value: &[u8]) {
        self.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes());
        self.extend_from_slice(value);
    }
}
