//! The six system calls that the stages make, on files in memory (Linux x86-64 numbers and errors).
//! Invariant: any other call stops the program.

use super::memory::Memory;
use std::collections::BTreeMap;

const BAD_DESCRIPTOR: i64 = -9;
const NO_ENTRY: i64 = -2;
const BAD_ADDRESS: i64 = -14;

/// Files by name.
pub type Files = BTreeMap<Vec<u8>, Vec<u8>>;

/// The state of the emulated kernel.
#[derive(Debug, Default)]
pub struct Kernel {
    /// The files.
    pub files: Files,
    /// What was written to descriptor 1.
    pub output: Vec<u8>,
    /// What was written to descriptor 2.
    pub errors: Vec<u8>,
    /// Calls made, by number.
    pub calls: BTreeMap<u64, u64>,
    open: Vec<(Vec<u8>, usize)>,
    /// A file may not grow beyond this, as on a full disk; `None` is no limit.
    pub full: Option<usize>,
}

/// What a system call does to the program.
pub(super) enum Effect {
    /// It returns this.
    Value(i64),
    /// The program ends with this status.
    Exit(u8),
    /// The call is not in the list.
    Refused,
}

impl Kernel {
    pub(super) fn new(files: Files) -> Kernel {
        Kernel {
            files,
            ..Kernel::default()
        }
    }

    pub(super) fn call(&mut self, memory: &mut Memory, number: u64, arguments: [u64; 3]) -> Effect {
        *self.calls.entry(number).or_default() += 1;
        let [first, second, third] = arguments;
        let value = match number {
            0 => self.read(memory, first, second, third),
            1 => self.write(memory, first, second, third),
            2 => name(memory, first).map(|name| self.open(name, second)),
            60 => return Effect::Exit(first as u8),
            85 => name(memory, first).map(|name| self.open(name, 0x241)),
            87 => name(memory, first).map(|name| self.files.remove(&name).map_or(NO_ENTRY, |_| 0)),
            _ => return Effect::Refused,
        };
        Effect::Value(value.unwrap_or_else(|error| error))
    }

    /// Flags: 0x40 creates, 0x200 truncates.
    fn open(&mut self, name: Vec<u8>, flags: u64) -> i64 {
        if flags & 0x40 == 0 && !self.files.contains_key(&name) {
            return NO_ENTRY;
        }
        let file = self.files.entry(name.clone()).or_default();
        if flags & 0x200 != 0 {
            file.clear();
        }
        self.open.push((name, 0));
        self.open.len() as i64 + 2
    }

    fn descriptor(&mut self, number: u64) -> Result<&mut (Vec<u8>, usize), i64> {
        let index = (number as u32).checked_sub(3).ok_or(BAD_DESCRIPTOR)?;
        self.open.get_mut(index as usize).ok_or(BAD_DESCRIPTOR)
    }

    fn read(&mut self, memory: &mut Memory, number: u64, at: u64, size: u64) -> Result<i64, i64> {
        let (name, position) = self.descriptor(number)?.clone();
        let rest = self
            .files
            .get(&name)
            .and_then(|file| file.get(position..))
            .unwrap_or_default();
        let count = rest.len().min(size as usize);
        let place = memory.slice_mut(at, count).ok_or(BAD_ADDRESS)?;
        place.copy_from_slice(&rest[..count]);
        self.descriptor(number)?.1 += count;
        Ok(count as i64)
    }

    fn write(&mut self, memory: &Memory, number: u64, at: u64, size: u64) -> Result<i64, i64> {
        let count = (size as usize).min(memory.room(at));
        let bytes = memory.slice(at, count).ok_or(BAD_ADDRESS)?;
        match number {
            1 => self.output.extend_from_slice(bytes),
            2 => self.errors.extend_from_slice(bytes),
            _ => {
                let (name, position) = self.descriptor(number)?.clone();
                let count = count.min(
                    self.full
                        .map_or(count, |full| full.saturating_sub(position)),
                );
                let file = self.files.entry(name).or_default();
                file.truncate(position);
                file.extend_from_slice(&bytes[..count]);
                self.descriptor(number)?.1 += count;
                return Ok(count as i64);
            }
        }
        Ok(count as i64)
    }
}

/// The zero-terminated name at an address.
fn name(memory: &Memory, address: u64) -> Result<Vec<u8>, i64> {
    let bytes = memory
        .slice(address, memory.room(address).min(4096))
        .ok_or(BAD_ADDRESS)?;
    let end = bytes
        .iter()
        .position(|byte| *byte == 0)
        .ok_or(BAD_ADDRESS)?;
    if address == 0 {
        Err(BAD_ADDRESS)
    } else {
        Ok(bytes[..end].to_vec())
    }
}
