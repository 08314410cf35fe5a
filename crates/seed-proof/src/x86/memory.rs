//! The memory of an interpreted program: one segment and a stack. Invariant: an access outside both is
//! a fault with its address, as it would be on the processor.

use thiserror::Error;

/// The program header that a stage has: one segment that is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Where execution begins.
    pub entry: u64,
    /// Address of the file's first byte.
    pub address: u64,
    /// Bytes from the file.
    pub file_size: u64,
    /// Bytes in memory.
    pub memory_size: u64,
}

/// What keeps a file from being run.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LoadError {
    /// A header field is not what a stage's is.
    #[error("header byte {offset}: {problem}")]
    Header {
        /// Offset of the field.
        offset: usize,
        /// What is wrong.
        problem: &'static str,
    },
}

/// The most memory a program may ask for.
const LIMIT: u64 = 2 << 30;
/// Top and size of the stack.
const STACK_TOP: u64 = 0x7FFF_FFFF_F000;
const STACK_SIZE: u64 = 8 << 20;

/// Little-endian number of `size` bytes at `offset`; absent bytes are an error.
pub fn field(file: &[u8], offset: usize, size: usize) -> Result<u64, LoadError> {
    let bytes = file.get(offset..offset + size).ok_or(LoadError::Header {
        offset,
        problem: "the file ends here",
    })?;
    let fold = |value, byte: &u8| value << 8 | u64::from(*byte);
    Ok(bytes.iter().rev().fold(0, fold))
}

impl Segment {
    /// Reads the headers of a 64-bit static executable with one segment (System V gABI, ELF-64).
    pub fn read(file: &[u8]) -> Result<Segment, LoadError> {
        let expect = |offset, size, value, problem| {
            if field(file, offset, size)? == value {
                Ok(())
            } else {
                Err(LoadError::Header { offset, problem })
            }
        };
        expect(0, 4, 0x464C_457F, "the magic is not ELF's")?;
        expect(4, 3, 0x01_0102, "not 64 bits, little-endian, version 1")?;
        expect(16, 4, 0x003E_0002, "not an executable for x86-64")?;
        expect(54, 2, 56, "program headers are not 56 bytes long")?;
        expect(56, 2, 1, "not exactly one program header")?;
        let header = field(file, 32, 8)? as usize;
        if header > file.len() {
            return Err(LoadError::Header {
                offset: 32,
                problem: "the program header is outside the file",
            });
        }
        expect(header, 4, 1, "the segment is not loaded")?;
        expect(
            header + 4,
            4,
            7,
            "the segment is not readable, writable and executable",
        )?;
        expect(header + 8, 8, 0, "the segment does not begin with the file")?;
        let segment = Segment {
            entry: field(file, 24, 8)?,
            address: field(file, header + 16, 8)?,
            file_size: field(file, header + 32, 8)?,
            memory_size: field(file, header + 40, 8)?,
        };
        if segment.file_size != file.len() as u64 {
            return Err(LoadError::Header {
                offset: header + 32,
                problem: "the size in the file is not the file's",
            });
        }
        if segment.memory_size < segment.file_size || segment.memory_size > LIMIT {
            return Err(LoadError::Header {
                offset: header + 40,
                problem: "the size in memory is too small or too large",
            });
        }
        Ok(segment)
    }
}

/// Memory of one program.
#[derive(Debug)]
pub struct Memory {
    segment: u64,
    /// Bytes of the segment that come from the file: where code can be.
    pub(super) code: u64,
    bytes: Vec<u8>,
    stack: Vec<u8>,
}

impl Memory {
    /// Loads the file and puts the arguments on the stack; returns the stack pointer too.
    pub fn load(file: &[u8], arguments: &[&[u8]]) -> Result<(Memory, Segment, u64), LoadError> {
        let segment = Segment::read(file)?;
        let mut bytes = vec![0; segment.memory_size as usize];
        bytes[..file.len()].copy_from_slice(file);
        let mut memory = Memory {
            segment: segment.address,
            code: segment.file_size,
            bytes,
            stack: vec![0; STACK_SIZE as usize],
        };
        let strings = arguments
            .iter()
            .map(|text| text.len() as u64 + 1)
            .sum::<u64>();
        let mut text = STACK_TOP - strings;
        // Count, addresses, zero, no environment, no auxiliary vector.
        let words = arguments.len() as u64 + 5;
        let pointer = (text - words * 8) & !15;
        let mut list = vec![arguments.len() as u64];
        for argument in arguments {
            list.push(text);
            for (index, byte) in argument.iter().enumerate() {
                if let Some(slot) = memory.slice_mut(text + index as u64, 1) {
                    slot[0] = *byte;
                }
            }
            text += argument.len() as u64 + 1;
        }
        for (index, word) in list.iter().enumerate() {
            if let Some(slot) = memory.slice_mut(pointer + index as u64 * 8, 8) {
                slot.copy_from_slice(&word.to_le_bytes());
            }
        }
        Ok((memory, segment, pointer))
    }

    /// `size` bytes at `address`, if the program may touch them.
    pub fn slice(&self, address: u64, size: usize) -> Option<&[u8]> {
        let offset = address.wrapping_sub(self.segment);
        if offset < self.bytes.len() as u64 {
            return self
                .bytes
                .get(offset as usize..(offset as usize).checked_add(size)?);
        }
        let offset = address.checked_sub(STACK_TOP - STACK_SIZE)? as usize;
        self.stack.get(offset..offset.checked_add(size)?)
    }

    /// The same, to write.
    pub fn slice_mut(&mut self, address: u64, size: usize) -> Option<&mut [u8]> {
        let offset = address.wrapping_sub(self.segment);
        if offset < self.bytes.len() as u64 {
            return self
                .bytes
                .get_mut(offset as usize..(offset as usize).checked_add(size)?);
        }
        let offset = address.checked_sub(STACK_TOP - STACK_SIZE)? as usize;
        self.stack.get_mut(offset..offset.checked_add(size)?)
    }

    /// How many bytes from `address` on the program may touch.
    pub fn room(&self, address: u64) -> usize {
        let offset = address.wrapping_sub(self.segment);
        if offset < self.bytes.len() as u64 {
            return self.bytes.len() - offset as usize;
        }
        let offset = address.wrapping_sub(STACK_TOP - STACK_SIZE);
        STACK_SIZE.saturating_sub(offset) as usize
    }

    /// The offset in the loaded file of an address that may hold code.
    pub(super) fn code_offset(&self, address: u64) -> Option<usize> {
        let offset = address.wrapping_sub(self.segment);
        (offset < self.code).then_some(offset as usize)
    }
}
