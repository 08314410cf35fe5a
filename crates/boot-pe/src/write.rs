//! Writing images: a base image's headers with another list of sections, packed without gaps.

use crate::image::{
    DIRECTORY_CERTIFICATES, DIRECTORY_DEBUG, MAX_SECTIONS, OPTIONAL_FIXED, SECTION_HEADER,
};
use crate::{Error, Image, Machine, Result, Section, checksum};
use std::borrow::Cow;

/// New sections start at a page at least, so that memory attributes can be set for each.
const PAGE: u64 = 4096;
/// The largest file alignment that the format allows.
const MAX_FILE_ALIGNMENT: u64 = 64 * 1024;
/// Length of the DOS header, whose last field says where the PE header is.
const DOS_HEADER: u32 = 0x40;
/// Contains initialised data, may be read.
const DATA: u32 = 0x4000_0040;

/// A section to be written.
#[derive(Debug, Clone)]
pub struct NewSection<'a> {
    /// The eight name bytes, NUL-padded.
    pub raw_name: [u8; 8],
    /// Where to load it; `None` takes the next free page.
    pub virtual_address: Option<u32>,
    /// Bytes in memory; the content that is measured.
    pub virtual_size: u32,
    /// Characteristics.
    pub flags: u32,
    /// Bytes for the file, padded to the file alignment when written.
    pub raw: Cow<'a, [u8]>,
}

impl<'a> NewSection<'a> {
    /// A section as an image has it, at the same address.
    pub fn keep(section: &Section<'a>) -> NewSection<'a> {
        NewSection {
            raw_name: section.raw_name,
            virtual_address: Some(section.virtual_address),
            virtual_size: section.virtual_size,
            flags: section.flags,
            raw: Cow::Borrowed(section.raw),
        }
    }

    /// A read-only data section at the next free page. `name` has at most eight bytes; `data` must not be empty.
    pub fn data(name: &str, data: Cow<'a, [u8]>) -> Result<NewSection<'a>> {
        let wrong = |why| Error::Section {
            section: name.to_owned(),
            why,
        };
        if name.is_empty() || name.len() > 8 {
            return Err(wrong("its name must have one to eight bytes"));
        }
        if data.is_empty() {
            return Err(wrong("it is empty; leave it out instead"));
        }
        let mut raw_name = [0; 8];
        raw_name[..name.len()].copy_from_slice(name.as_bytes());
        Ok(NewSection {
            raw_name,
            virtual_address: None,
            virtual_size: u32::try_from(data.len())
                .map_err(|_| wrong("it is larger than 4 GiB"))?,
            flags: DATA,
            raw: data,
        })
    }

    fn error(&self, why: &'static str) -> Error {
        let end = self.raw_name.iter().position(|b| *b == 0).unwrap_or(8);
        Error::Section {
            section: String::from_utf8_lossy(&self.raw_name[..end]).into_owned(),
            why,
        }
    }
}

/// Writes `base`'s headers with `sections` in place of its own. Raw data is packed in the given order, each piece padded to
/// the file alignment; symbol table and signatures are dropped, debug entries follow their data, sizes and checksum are
/// computed. The same inputs give the same bytes.
pub fn rebuild(base: &Image<'_>, sections: &[NewSection<'_>]) -> Result<Vec<u8>> {
    if sections.len() > usize::from(MAX_SECTIONS) {
        return Err(Error::Limit {
            what: "section count",
            found: sections.len() as u64,
            limit: MAX_SECTIONS.into(),
        });
    }
    if base.pe_offset < DOS_HEADER {
        return Err(Error::Field {
            what: "offset of the PE header",
            offset: 0x3c,
            found: base.pe_offset.into(),
            why: "it lies inside the DOS header, so that writing one would change the other",
        });
    }
    let alignment = u64::from(base.file_alignment);
    if !alignment.is_power_of_two() || alignment > MAX_FILE_ALIGNMENT {
        return Err(Error::Field {
            what: "file alignment",
            offset: u64::from(base.pe_offset) + 24 + 36,
            found: alignment,
            why: "it must be a power of two of at most 64 KiB",
        });
    }
    let table = base.section_table();
    let headers = (table + SECTION_HEADER * sections.len() as u64).next_multiple_of(alignment);
    let addresses = place(base, sections, headers)?;
    let total: u64 = sections
        .iter()
        .map(|section| (section.raw.len() as u64).next_multiple_of(alignment))
        .sum::<u64>()
        + headers;
    if total > u64::from(u32::MAX) {
        return Err(Error::Limit {
            what: "image size",
            found: total,
            limit: u32::MAX.into(),
        });
    }
    let mut file = Vec::with_capacity(total as usize + 16);
    file.extend_from_slice(&base.bytes[..table as usize]);
    let mut raw_offset = headers;
    for (section, address) in sections.iter().zip(&addresses) {
        let raw_size = (section.raw.len() as u64).next_multiple_of(alignment);
        file.extend_from_slice(&section.raw_name);
        for value in [
            section.virtual_size,
            *address,
            raw_size as u32,
            if raw_size == 0 { 0 } else { raw_offset as u32 },
            0,
            0,
            0,
            section.flags,
        ] {
            file.extend_from_slice(&value.to_le_bytes());
        }
        raw_offset += raw_size;
    }
    file.resize(headers as usize, 0);
    for section in sections {
        file.extend_from_slice(&section.raw);
        file.resize((file.len() as u64).next_multiple_of(alignment) as usize, 0);
    }
    patch_headers(base, &mut file, sections, &addresses, headers as u32);
    patch_debug_entries(base, &mut file)?;
    let field = base.checksum_offset() as usize;
    let sum = checksum(&file, field);
    put(&mut file, field, sum);
    Ok(file)
}

/// An image for `machine` with nothing but a program that answers `EFI_UNSUPPORTED`, the base of PE addons.
pub fn addon_base(machine: Machine) -> Result<Vec<u8>> {
    let code: &[u8] = match machine {
        // mov rax, 0x8000000000000003; ret
        Machine::X64 => &[0x48, 0xb8, 3, 0, 0, 0, 0, 0, 0, 0x80, 0xc3],
        // movz x0, #3; movk x0, #0x8000, lsl #48; ret
        Machine::Aa64 => &[0x60, 0, 0x80, 0xd2, 0, 0, 0xf0, 0xf2, 0xc0, 3, 0x5f, 0xd6],
        other => {
            return Err(Error::Field {
                what: "machine",
                offset: 0,
                found: other.code().into(),
                why: "addons are written for x64 and aa64",
            });
        }
    };
    const PE: usize = 0x40;
    const OPTIONAL: usize = PE + 24;
    let optional_size = OPTIONAL_FIXED as usize + 16 * 8;
    let mut file = vec![0; 0x200];
    file[..2].copy_from_slice(b"MZ");
    put(&mut file, 0x3c, PE as u32);
    file[PE..PE + 4].copy_from_slice(b"PE\0\0");
    file[PE + 4..PE + 6].copy_from_slice(&machine.code().to_le_bytes());
    file[PE + 20..PE + 22].copy_from_slice(&(optional_size as u16).to_le_bytes());
    // Executable, no line numbers, large addresses, no debug information.
    file[PE + 22..PE + 24].copy_from_slice(&0x0226_u16.to_le_bytes());
    file[OPTIONAL..OPTIONAL + 2].copy_from_slice(&0x20b_u16.to_le_bytes());
    put(&mut file, OPTIONAL + 4, 0x200); // size of code
    put(&mut file, OPTIONAL + 16, PAGE as u32); // entry point
    put(&mut file, OPTIONAL + 20, PAGE as u32); // base of code
    put(&mut file, OPTIONAL + 32, PAGE as u32); // section alignment
    put(&mut file, OPTIONAL + 36, 0x200); // file alignment
    put(&mut file, OPTIONAL + 56, 2 * PAGE as u32); // size of image
    put(&mut file, OPTIONAL + 60, 0x200); // size of headers
    file[OPTIONAL + 68] = 10; // EFI application
    file[OPTIONAL + 70..OPTIONAL + 72].copy_from_slice(&crate::DLL_NX_COMPAT.to_le_bytes());
    put(&mut file, OPTIONAL + 108, 16); // data directories
    let base = Image::parse(&file)?;
    let text = NewSection {
        raw_name: *b".text\0\0\0",
        virtual_address: Some(PAGE as u32),
        virtual_size: code.len() as u32,
        flags: 0x6000_0020,
        raw: Cow::Borrowed(code),
    };
    rebuild(&base, &[text])
}

fn put(file: &mut [u8], offset: usize, value: u32) {
    file[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
}

/// The address of each section; checks that the headers keep clear of the first one and that none overlap.
fn place(base: &Image<'_>, sections: &[NewSection<'_>], headers: u64) -> Result<Vec<u32>> {
    let step = u64::from(base.section_alignment).max(PAGE);
    let end_of = |section: &NewSection<'_>, address: u32| {
        u64::from(address) + u64::from(section.virtual_size).max(1)
    };
    let mut next = sections
        .iter()
        .filter_map(|section| Some(end_of(section, section.virtual_address?)))
        .max()
        .unwrap_or(headers)
        .next_multiple_of(step);
    let mut addresses = Vec::with_capacity(sections.len());
    for section in sections {
        let address = match section.virtual_address {
            Some(address) => address,
            None => u32::try_from(next)
                .map_err(|_| section.error("the image would need more than 4 GiB of memory"))?,
        };
        if u64::from(address) < headers {
            return Err(section.error("the section headers leave no room before it"));
        }
        let end = end_of(section, address);
        if end > u64::from(u32::MAX) - step {
            return Err(section.error("the image would need more than 4 GiB of memory"));
        }
        next = next.max(end.next_multiple_of(step));
        addresses.push(address);
    }
    let mut order: Vec<_> = sections.iter().zip(&addresses).collect();
    order.sort_by_key(|(_, address)| **address);
    for pair in order.windows(2) {
        if end_of(pair[0].0, *pair[0].1) > u64::from(*pair[1].1) {
            return Err(pair[1].0.error("it overlaps another section in memory"));
        }
    }
    Ok(addresses)
}

fn patch_headers(
    base: &Image<'_>,
    file: &mut [u8],
    sections: &[NewSection<'_>],
    addresses: &[u32],
    headers: u32,
) {
    let pe = base.pe_offset as usize;
    let optional = pe + 24;
    file[pe + 6..pe + 8].copy_from_slice(&(sections.len() as u16).to_le_bytes());
    // The symbol table is not carried over.
    put(file, pe + 12, 0);
    put(file, pe + 16, 0);
    let alignment = base.file_alignment as usize;
    let data: usize = sections
        .iter()
        .filter(|section| section.flags & 0x40 != 0)
        .map(|section| section.raw.len().next_multiple_of(alignment))
        .sum();
    put(file, optional + 8, data as u32);
    let end = sections
        .iter()
        .zip(addresses)
        .map(|(section, address)| address + section.virtual_size.max(1))
        .max()
        .unwrap_or(headers);
    let size = end.next_multiple_of(base.section_alignment.max(1));
    put(file, optional + 56, size);
    put(file, optional + 60, headers);
    if base.directories.len() > DIRECTORY_CERTIFICATES {
        let entry = optional + OPTIONAL_FIXED as usize + 8 * DIRECTORY_CERTIFICATES;
        put(file, entry, 0);
        put(file, entry + 4, 0);
    }
}

/// Debug directory entries name file offsets: recompute them from the addresses that stand beside.
fn patch_debug_entries(base: &Image<'_>, file: &mut [u8]) -> Result<()> {
    const ENTRY: usize = 28;
    let Some(directory) = base.directories.get(DIRECTORY_DEBUG).copied() else {
        return Ok(());
    };
    if directory.size == 0 {
        return Ok(());
    }
    let image = Image::parse(file)?;
    let offset_of = |address: u32| {
        image.sections.iter().find_map(|section| {
            let inside = address.checked_sub(section.virtual_address)?;
            (inside < section.raw_size).then(|| section.raw_offset + inside)
        })
    };
    let mut patches = Vec::new();
    if let Some(start) = offset_of(directory.address) {
        for index in 0..directory.size as usize / ENTRY {
            let at = start as usize + index * ENTRY;
            let Some(entry) = file.get(at..at + ENTRY) else {
                break;
            };
            let address = u32::from_le_bytes(entry[20..24].try_into().expect("four bytes"));
            patches.push((at + 24, offset_of(address).unwrap_or(0)));
        }
    }
    for (at, value) in patches {
        put(file, at, value);
    }
    Ok(())
}
