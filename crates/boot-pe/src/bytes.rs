//! Little-endian reads from a foreign byte string; every read is checked and names what it looked for.

use crate::{Error, Result};

/// A byte string with checked access.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl<'a> Bytes<'a> {
    /// `length` bytes from `offset`.
    pub(crate) fn get(self, offset: u64, length: u64, what: &'static str) -> Result<&'a [u8]> {
        let size = self.0.len() as u64;
        match offset.checked_add(length) {
            // Both ends are at most the slice's length, so they fit in usize.
            Some(end) if end <= size => Ok(&self.0[offset as usize..end as usize]),
            _ => Err(Error::Truncated {
                what,
                offset,
                needed: length,
                size,
            }),
        }
    }

    fn array<const N: usize>(self, offset: u64, what: &'static str) -> Result<[u8; N]> {
        let slice = self.get(offset, N as u64, what)?;
        Ok(slice.try_into().expect("the slice has N bytes"))
    }

    pub(crate) fn u16(self, offset: u64, what: &'static str) -> Result<u16> {
        self.array(offset, what).map(u16::from_le_bytes)
    }

    pub(crate) fn u32(self, offset: u64, what: &'static str) -> Result<u32> {
        self.array(offset, what).map(u32::from_le_bytes)
    }

    pub(crate) fn u64(self, offset: u64, what: &'static str) -> Result<u64> {
        self.array(offset, what).map(u64::from_le_bytes)
    }
}
