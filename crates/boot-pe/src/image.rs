//! The headers and sections of a PE32+ image. Parsing refuses what no firmware could load; what firmware loads although it
//! is odd is left to [`crate::Anomaly`].

use crate::{Error, Result};
use crate::{SECTION_DATA, bytes::Bytes};
use serde::Serialize;
use std::borrow::Cow;

/// More sections than any published boot file has; the field itself allows 65535.
pub const MAX_SECTIONS: u16 = 512;
/// PE file offsets have 32 bits.
const MAX_SIZE: u64 = u32::MAX as u64;
/// Index of the certificate table among the data directories.
pub(crate) const DIRECTORY_CERTIFICATES: usize = 4;
/// Index of the debug directory.
pub(crate) const DIRECTORY_DEBUG: usize = 6;
/// Fixed part of the PE32+ optional header, before the data directories.
pub(crate) const OPTIONAL_FIXED: u64 = 112;
/// Length of one section header.
pub(crate) const SECTION_HEADER: u64 = 40;
/// Data directories that the format defines.
const MAX_DIRECTORIES: u32 = 16;

/// Section flag: may be executed.
pub const SECTION_EXECUTE: u32 = 0x2000_0000;
/// Section flag: may be read.
pub const SECTION_READ: u32 = 0x4000_0000;
/// Section flag: may be written.
pub const SECTION_WRITE: u32 = 0x8000_0000;
/// DLL characteristic: the image works when data is not executable.
pub const DLL_NX_COMPAT: u16 = 0x0100;

/// The instruction set that an image is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Machine {
    /// 0x8664.
    X64,
    /// 0xaa64.
    Aa64,
    /// 0x5064.
    Riscv64,
    /// 0x6264.
    Loongarch64,
    /// Anything else.
    Other(u16),
}

impl Machine {
    fn from_code(code: u16) -> Machine {
        match code {
            0x8664 => Machine::X64,
            0xaa64 => Machine::Aa64,
            0x5064 => Machine::Riscv64,
            0x6264 => Machine::Loongarch64,
            other => Machine::Other(other),
        }
    }

    /// The number in the file.
    pub fn code(self) -> u16 {
        match self {
            Machine::X64 => 0x8664,
            Machine::Aa64 => 0xaa64,
            Machine::Riscv64 => 0x5064,
            Machine::Loongarch64 => 0x6264,
            Machine::Other(code) => code,
        }
    }
}

/// One entry of the data directory; for the certificate table `address` is a file offset, else a virtual address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Directory {
    /// Virtual address, or file offset for the certificate table.
    pub address: u32,
    /// Length in bytes.
    pub size: u32,
}

/// One section header with its raw data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section<'a> {
    /// The eight name bytes, NUL-padded.
    pub raw_name: [u8; 8],
    /// Bytes that the section has in memory.
    pub virtual_size: u32,
    /// Where it is loaded, from the image base.
    pub virtual_address: u32,
    /// Bytes that it has in the file.
    pub raw_size: u32,
    /// Where they start in the file.
    pub raw_offset: u32,
    /// Characteristics.
    pub flags: u32,
    /// The bytes in the file.
    pub raw: &'a [u8],
}

impl<'a> Section<'a> {
    /// The name up to the first NUL; bytes that are not UTF-8 are replaced.
    pub fn name(&self) -> Cow<'_, str> {
        let end = self.raw_name.iter().position(|b| *b == 0).unwrap_or(8);
        String::from_utf8_lossy(&self.raw_name[..end])
    }

    /// The section's content: what a loader puts at its address, without the padding of the file. (A content longer than
    /// the raw data is zero-filled in memory; the zeros are not part of this slice.)
    pub fn data(&self) -> &'a [u8] {
        let length = self.raw.len().min(self.virtual_size as usize);
        &self.raw[..length]
    }

    /// First file offset after the section.
    pub fn raw_end(&self) -> u64 {
        u64::from(self.raw_offset) + u64::from(self.raw_size)
    }

    /// First virtual address after the section.
    pub fn virtual_end(&self) -> u64 {
        u64::from(self.virtual_address) + u64::from(self.virtual_size.max(1))
    }
}

/// A parsed image, borrowing the file.
#[derive(Debug, Clone)]
pub struct Image<'a> {
    /// The whole file.
    pub bytes: &'a [u8],
    /// Offset of the `PE\0\0` signature.
    pub pe_offset: u32,
    /// Instruction set.
    pub machine: Machine,
    /// Seconds since 1970, or whatever the linker wrote.
    pub timestamp: u32,
    /// File offset of the COFF symbol table, 0 when there is none.
    pub symbols_offset: u32,
    /// COFF characteristics.
    pub characteristics: u16,
    /// Length of the optional header.
    pub optional_size: u16,
    /// Virtual address of the entry point.
    pub entry_point: u32,
    /// Preferred load address.
    pub image_base: u64,
    /// Alignment of sections in memory.
    pub section_alignment: u32,
    /// Alignment of sections in the file.
    pub file_alignment: u32,
    /// Bytes of address space.
    pub size_of_image: u32,
    /// Bytes of all headers, rounded up to the file alignment.
    pub size_of_headers: u32,
    /// The checksum that the file states; 0 when it states none.
    pub checksum: u32,
    /// 10 application, 11 boot driver, 12 runtime driver.
    pub subsystem: u16,
    /// DLL characteristics, [`DLL_NX_COMPAT`] among them.
    pub dll_characteristics: u16,
    /// Data directories, at most 16.
    pub directories: Vec<Directory>,
    /// Sections in the order of their headers.
    pub sections: Vec<Section<'a>>,
}

impl<'a> Image<'a> {
    /// Reads the headers of `bytes` and checks that everything they point at lies inside the file.
    pub fn parse(bytes: &'a [u8]) -> Result<Image<'a>> {
        let file = Bytes(bytes);
        limit("file size", bytes.len() as u64, MAX_SIZE)?;
        if file.get(0, 2, "DOS header")? != b"MZ" {
            return Err(Error::Magic {
                what: "`MZ`",
                offset: 0,
            });
        }
        let pe_offset = file.u32(0x3c, "offset of the PE header")?;
        let pe = u64::from(pe_offset);
        if file.get(pe, 4, "PE signature")? != b"PE\0\0" {
            return Err(Error::Magic {
                what: "`PE` signature",
                offset: pe,
            });
        }
        file.get(pe + 4, 20, "COFF header")?;
        let section_count = file.u16(pe + 6, "section count")?;
        limit("section count", section_count.into(), MAX_SECTIONS.into())?;
        let optional_size = file.u16(pe + 20, "optional header size")?;
        let optional = pe + 24;
        match file.u16(optional, "optional header magic")? {
            0x20b => {}
            0x10b => return Err(Error::Pe32 { offset: optional }),
            _ => {
                return Err(Error::Magic {
                    what: "optional header magic 0x20b",
                    offset: optional,
                });
            }
        }
        file.get(optional, optional_size.into(), "optional header")?;
        let directories = directories(file, optional, optional_size)?;
        let mut image = Image {
            bytes,
            pe_offset,
            machine: Machine::from_code(file.u16(pe + 4, "machine")?),
            timestamp: file.u32(pe + 8, "time stamp")?,
            symbols_offset: file.u32(pe + 12, "symbol table offset")?,
            characteristics: file.u16(pe + 22, "characteristics")?,
            optional_size,
            entry_point: file.u32(optional + 16, "entry point")?,
            image_base: file.u64(optional + 24, "image base")?,
            section_alignment: file.u32(optional + 32, "section alignment")?,
            file_alignment: file.u32(optional + 36, "file alignment")?,
            size_of_image: file.u32(optional + 56, "size of image")?,
            size_of_headers: file.u32(optional + 60, "size of headers")?,
            checksum: file.u32(optional + 64, "checksum")?,
            subsystem: file.u16(optional + 68, "subsystem")?,
            dll_characteristics: file.u16(optional + 70, "DLL characteristics")?,
            directories,
            sections: Vec::with_capacity(section_count.into()),
        };
        let table = image.section_table();
        let table_end = table + SECTION_HEADER * u64::from(section_count);
        file.get(table, table_end - table, "section table")?;
        if u64::from(image.size_of_headers) < table_end {
            return Err(Error::Field {
                what: "size of headers",
                offset: optional + 60,
                found: image.size_of_headers.into(),
                why: "it ends before the section table does",
            });
        }
        file.get(0, image.size_of_headers.into(), "headers")?;
        for index in 0..u64::from(section_count) {
            image
                .sections
                .push(section(file, table + index * SECTION_HEADER)?);
        }
        Ok(image)
    }

    /// Offset of the checksum field.
    pub(crate) fn checksum_offset(&self) -> u64 {
        u64::from(self.pe_offset) + 24 + 64
    }

    /// Offset of the certificate table's directory entry, when the header is long enough to have one.
    pub(crate) fn certificate_directory_offset(&self) -> Option<u64> {
        (self.directories.len() > DIRECTORY_CERTIFICATES)
            .then(|| u64::from(self.pe_offset) + 24 + OPTIONAL_FIXED + 8 * 4)
    }

    /// Offset of the first section header.
    pub(crate) fn section_table(&self) -> u64 {
        u64::from(self.pe_offset) + 24 + u64::from(self.optional_size)
    }

    /// First file offset behind the headers and the raw data of every section.
    pub(crate) fn content_end(&self) -> u64 {
        self.sections
            .iter()
            .filter(|section| section.raw_size != 0)
            .map(Section::raw_end)
            .fold(self.size_of_headers.into(), u64::max)
    }

    /// The certificate table's place in the file; `None` when the image is not signed.
    pub fn certificate_table(&self) -> Option<Directory> {
        let directory = *self.directories.get(DIRECTORY_CERTIFICATES)?;
        (directory.size != 0).then_some(directory)
    }

    /// The section's name with `/NUMBER` looked up in the string table behind the symbol table, as GNU tools write names
    /// longer than eight bytes. Loaders do not do this, so nothing that a loader finds by name may be found this way.
    pub fn long_name(&self, section: &Section<'_>) -> String {
        self.string_table_name(section)
            .unwrap_or_else(|| section.name().into_owned())
    }

    fn string_table_name(&self, section: &Section<'_>) -> Option<String> {
        const SYMBOL: u64 = 18;
        const MAX_NAME: usize = 256;
        if self.symbols_offset == 0 {
            return None;
        }
        let offset: u64 = section.name().strip_prefix('/')?.parse().ok()?;
        let count = Bytes(self.bytes)
            .u32(u64::from(self.pe_offset) + 16, "symbol count")
            .ok()?;
        let table = u64::from(self.symbols_offset) + SYMBOL * u64::from(count);
        let start = usize::try_from(table.checked_add(offset)?).ok()?;
        let rest = self.bytes.get(start..)?;
        let rest = &rest[..rest.len().min(MAX_NAME)];
        let end = rest.iter().position(|byte| *byte == 0)?;
        std::str::from_utf8(&rest[..end])
            .ok()
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
    }

    /// The first section of this name, long names looked up.
    pub fn section_by_long_name(&self, name: &str) -> Option<&Section<'a>> {
        self.sections
            .iter()
            .find(|section| self.long_name(section) == name)
    }

    /// The first section of this name, as loaders look for it.
    pub fn section(&self, name: &str) -> Option<&Section<'a>> {
        self.sections.iter().find(|section| section.name() == name)
    }

    /// True when the image says that it runs with data not executable.
    pub fn nx_compatible(&self) -> bool {
        self.dll_characteristics & DLL_NX_COMPAT != 0
    }
}

fn limit(what: &'static str, found: u64, limit: u64) -> Result<()> {
    if found > limit {
        return Err(Error::Limit { what, found, limit });
    }
    Ok(())
}

fn directories(file: Bytes<'_>, optional: u64, optional_size: u16) -> Result<Vec<Directory>> {
    let count = file.u32(optional + 108, "count of data directories")?;
    limit(
        "count of data directories",
        count.into(),
        MAX_DIRECTORIES.into(),
    )?;
    if OPTIONAL_FIXED + 8 * u64::from(count) > u64::from(optional_size) {
        return Err(Error::Field {
            what: "count of data directories",
            offset: optional + 108,
            found: count.into(),
            why: "they do not fit into the optional header",
        });
    }
    (0..u64::from(count))
        .map(|index| {
            let offset = optional + OPTIONAL_FIXED + 8 * index;
            Ok(Directory {
                address: file.u32(offset, "data directory")?,
                size: file.u32(offset + 4, "data directory")?,
            })
        })
        .collect()
}

fn section(file: Bytes<'_>, offset: u64) -> Result<Section<'_>> {
    let what = "section header";
    let raw_name = file.get(offset, 8, what)?;
    let raw_size = file.u32(offset + 16, what)?;
    let raw_offset = file.u32(offset + 20, what)?;
    // A section without raw data may name any offset; it is not read.
    let raw = match raw_size {
        0 => &[],
        size => file.get(raw_offset.into(), size.into(), SECTION_DATA)?,
    };
    Ok(Section {
        raw_name: raw_name.try_into().expect("eight bytes were taken"),
        virtual_size: file.u32(offset + 8, what)?,
        virtual_address: file.u32(offset + 12, what)?,
        raw_size,
        raw_offset,
        flags: file.u32(offset + 36, what)?,
        raw,
    })
}
