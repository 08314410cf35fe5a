//! Programs for firmware (PE32+) as the stub meets them: its own image in memory, addons in memory, and a kernel's file that
//! is to be laid out in memory.
//!
//! Stricter than firmware: what is out of range is an error, never read as zeros.

mod load;
#[cfg(test)]
mod tests;

pub use load::{Loaded, Protection};

use alloc::vec::Vec;
use core::fmt;

/// More sections than any published boot file has.
pub const MAX_SECTIONS: usize = 512;
/// Length of one section header.
const SECTION_HEADER: usize = 40;
/// Index of the base relocations among the data directories.
const DIRECTORY_RELOCATIONS: usize = 5;
/// Offset of the data directories in the optional header.
const DIRECTORIES: usize = 112;

/// The instruction sets that stubs are built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Machine {
    /// 0x8664.
    X64,
    /// 0xaa64.
    Aa64,
}

impl Machine {
    /// The number in a file.
    pub fn code(self) -> u16 {
        match self {
            Machine::X64 => 0x8664,
            Machine::Aa64 => 0xaa64,
        }
    }
}

/// Why an image can't be read or laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeError {
    /// It ends before a part that it announces.
    Truncated {
        /// The part.
        what: &'static str,
        /// Where it starts, in bytes.
        offset: usize,
    },
    /// A field has a value that can't be.
    Field {
        /// The field.
        what: &'static str,
        /// Its value.
        found: u64,
    },
}

impl fmt::Display for PeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PeError::Truncated { what, offset } => {
                write!(f, "{what} at offset {offset:#x} is outside the image")
            }
            PeError::Field { what, found } => write!(f, "{what} can't be {found:#x}"),
        }
    }
}

impl core::error::Error for PeError {}

/// A section's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section {
    name: [u8; 8],
    /// Bytes in memory.
    pub virtual_size: u32,
    /// Offset in memory.
    pub virtual_address: u32,
    raw_size: u32,
    raw_offset: u32,
    flags: u32,
}

impl Section {
    /// The name up to its first NUL; empty when it is not UTF-8.
    pub fn name(&self) -> &str {
        let end = self.name.iter().position(|byte| *byte == 0);
        core::str::from_utf8(&self.name[..end.unwrap_or(8)]).unwrap_or_default()
    }

    /// Its content in an image that is laid out in memory.
    pub fn in_memory<'a>(&self, image: &'a [u8]) -> Result<&'a [u8], PeError> {
        slice(
            image,
            self.virtual_address as usize,
            self.virtual_size as usize,
            "section",
        )
    }
}

/// The headers of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headers {
    machine: u16,
    entry_point: u32,
    image_base: u64,
    /// Bytes that the image takes in memory.
    pub image_size: u32,
    headers_size: u32,
    relocations: Option<(u32, u32)>,
    relocatable: bool,
    /// In the order of the file.
    pub sections: Vec<Section>,
}

impl Headers {
    /// Reads the headers at the start of a file, or of an image in memory.
    pub fn parse(bytes: &[u8]) -> Result<Headers, PeError> {
        if slice(bytes, 0, 2, "DOS header")? != b"MZ" {
            return Err(PeError::Field {
                what: "DOS magic",
                found: u16_at(bytes, 0, "DOS header")?.into(),
            });
        }
        let pe = u32_at(bytes, 0x3c, "DOS header")? as usize;
        let signature = u32_at(bytes, pe, "PE signature")?;
        if signature != u32::from_le_bytes(*b"PE\0\0") {
            return Err(PeError::Field {
                what: "PE signature",
                found: signature.into(),
            });
        }
        let optional = pe + 24;
        let magic = u16_at(bytes, optional, "optional header")?;
        if magic != 0x20b {
            return Err(PeError::Field {
                what: "optional header magic",
                found: magic.into(),
            });
        }
        let count = usize::from(u16_at(bytes, pe + 6, "section count")?);
        if count > MAX_SECTIONS {
            return Err(PeError::Field {
                what: "section count",
                found: count as u64,
            });
        }
        let table = optional + usize::from(u16_at(bytes, pe + 20, "optional header size")?);
        let directories = u32_at(bytes, optional + 108, "directory count")? as usize;
        let relocations = if directories > DIRECTORY_RELOCATIONS {
            let at = optional + DIRECTORIES + 8 * DIRECTORY_RELOCATIONS;
            let directory = (
                u32_at(bytes, at, "relocation directory")?,
                u32_at(bytes, at + 4, "relocation directory")?,
            );
            (directory.1 != 0).then_some(directory)
        } else {
            None
        };
        let mut sections = Vec::with_capacity(count);
        for index in 0..count {
            sections.push(section(bytes, table + index * SECTION_HEADER)?);
        }
        Ok(Headers {
            machine: u16_at(bytes, pe + 4, "machine")?,
            entry_point: u32_at(bytes, optional + 16, "entry point")?,
            image_base: u64_at(bytes, optional + 24, "image base")?,
            image_size: u32_at(bytes, optional + 56, "image size")?,
            headers_size: u32_at(bytes, optional + 60, "header size")?,
            relocations,
            relocatable: u16_at(bytes, pe + 22, "characteristics")? & 1 == 0,
            sections,
        })
    }
}

fn section(bytes: &[u8], at: usize) -> Result<Section, PeError> {
    let what = "section header";
    let header = slice(bytes, at, SECTION_HEADER, what)?;
    let mut name = [0; 8];
    name.copy_from_slice(&header[..8]);
    Ok(Section {
        name,
        virtual_size: u32_at(header, 8, what)?,
        virtual_address: u32_at(header, 12, what)?,
        raw_size: u32_at(header, 16, what)?,
        raw_offset: u32_at(header, 20, what)?,
        flags: u32_at(header, 36, what)?,
    })
}

fn slice<'a>(
    bytes: &'a [u8],
    offset: usize,
    length: usize,
    what: &'static str,
) -> Result<&'a [u8], PeError> {
    let end = offset.checked_add(length);
    let found = end.and_then(|end| bytes.get(offset..end));
    found.ok_or(PeError::Truncated { what, offset })
}

fn array<const N: usize>(
    bytes: &[u8],
    offset: usize,
    what: &'static str,
) -> Result<[u8; N], PeError> {
    let mut array = [0; N];
    array.copy_from_slice(slice(bytes, offset, N, what)?);
    Ok(array)
}

fn u16_at(bytes: &[u8], offset: usize, what: &'static str) -> Result<u16, PeError> {
    array(bytes, offset, what).map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], offset: usize, what: &'static str) -> Result<u32, PeError> {
    array(bytes, offset, what).map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], offset: usize, what: &'static str) -> Result<u64, PeError> {
    array(bytes, offset, what).map(u64::from_le_bytes)
}
