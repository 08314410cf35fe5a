//! Laying a program out in memory, as firmware's own loader would do it (Microsoft PE/COFF specification, sections 3 to 6).

use super::{Headers, Machine, PeError, slice, u16_at, u32_at, u64_at};
use alloc::vec::Vec;

/// Largest program: a kernel with its BSS.
const MAX_IMAGE: u32 = 1 << 30;
/// Section flags.
const EXECUTE: u32 = 0x2000_0000;
const WRITE: u32 = 0x8000_0000;
/// Relocation types.
const ABSOLUTE: u16 = 0;
const DIR64: u16 = 10;

/// What may be done with a range of a program's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protection {
    /// Offset in memory.
    pub offset: u32,
    /// Length in bytes.
    pub length: u32,
    /// It holds code.
    pub execute: bool,
    /// It is written to.
    pub write: bool,
}

/// A program in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Offset of its first instruction.
    pub entry_point: u32,
    /// What each section is for.
    pub protections: Vec<Protection>,
}

impl Headers {
    /// Lays the program of `file`, whose headers these are, out in `memory` for running at address `base`. `memory` must
    /// have [`Headers::image_size`] bytes or more; all of it is written.
    pub fn load(
        &self,
        file: &[u8],
        machine: Machine,
        memory: &mut [u8],
        base: u64,
    ) -> Result<Loaded, PeError> {
        if self.machine != machine.code() {
            return Err(PeError::Field {
                what: "machine",
                found: self.machine.into(),
            });
        }
        if self.image_size > MAX_IMAGE || self.image_size as usize > memory.len() {
            return Err(PeError::Field {
                what: "image size",
                found: self.image_size.into(),
            });
        }
        memory.fill(0);
        let image = &mut memory[..self.image_size as usize];
        let headers = slice(file, 0, self.headers_size as usize, "headers")?;
        place(image, 0, headers)?;
        let mut protections = Vec::with_capacity(self.sections.len());
        for section in &self.sections {
            // A section without a size in memory has that of the file.
            let length = match section.virtual_size {
                0 => section.raw_size,
                size => size,
            };
            let data = match section.raw_size.min(length) {
                0 => &[],
                size => slice(
                    file,
                    section.raw_offset as usize,
                    size as usize,
                    "section data",
                )?,
            };
            place(image, section.virtual_address, data)?;
            // The whole section must lie in the image, not just what the file has of it.
            slice(
                image,
                section.virtual_address as usize,
                length as usize,
                "section",
            )?;
            protections.push(Protection {
                offset: section.virtual_address,
                length,
                execute: section.flags & EXECUTE != 0,
                write: section.flags & WRITE != 0,
            });
        }
        self.relocate(image, base)?;
        if self.entry_point == 0 || self.entry_point >= self.image_size {
            return Err(PeError::Field {
                what: "entry point",
                found: self.entry_point.into(),
            });
        }
        Ok(Loaded {
            entry_point: self.entry_point,
            protections,
        })
    }

    /// Adds to each address that the program holds the distance from where it was linked to run.
    fn relocate(&self, image: &mut [u8], base: u64) -> Result<(), PeError> {
        let distance = base.wrapping_sub(self.image_base);
        if distance == 0 {
            return Ok(());
        }
        let Some((start, size)) = self.relocations else {
            // Kernels have none and run anywhere, which they say by not having had them taken away.
            if self.relocatable {
                return Ok(());
            }
            return Err(PeError::Field {
                what: "load address of a program without relocations",
                found: base,
            });
        };
        let table = slice(image, start as usize, size as usize, "relocations")?.to_vec();
        let mut at = 0;
        while at < table.len() {
            let page = u32_at(&table, at, "relocation block")? as usize;
            let length = u32_at(&table, at + 4, "relocation block")? as usize;
            if length < 8 || !length.is_multiple_of(2) {
                return Err(PeError::Field {
                    what: "length of a relocation block",
                    found: length as u64,
                });
            }
            let block = slice(&table, at, length, "relocation block")?;
            for entry in (8..length).step_by(2) {
                let entry = u16_at(block, entry, "relocation")?;
                let target = page + usize::from(entry & 0xfff);
                match entry >> 12 {
                    ABSOLUTE => {}
                    DIR64 => {
                        let value = u64_at(image, target, "relocated address")?;
                        let moved = value.wrapping_add(distance).to_le_bytes();
                        image[target..target + 8].copy_from_slice(&moved);
                    }
                    kind => {
                        return Err(PeError::Field {
                            what: "relocation type",
                            found: kind.into(),
                        });
                    }
                }
            }
            at += length;
        }
        Ok(())
    }
}

fn place(image: &mut [u8], offset: u32, data: &[u8]) -> Result<(), PeError> {
    let start = offset as usize;
    let target = start
        .checked_add(data.len())
        .and_then(|end| image.get_mut(start..end));
    let target = target.ok_or(PeError::Truncated {
        what: "place of a section",
        offset: start,
    })?;
    target.copy_from_slice(data);
    Ok(())
}
