//! The interpreter: runs a stage step by step, without the processor and the kernel of this machine.
//!
//! Invariant: all state starts as Linux starts a program (registers and memory zero, arguments on the
//! stack), and each step is one decoded instruction.

use super::decode::{Instruction, Unknown, decode};
use super::kernel::{Effect, Files, Kernel};
use super::memory::{LoadError, Memory};
use std::collections::BTreeMap;
use thiserror::Error;

/// Why a program stopped before its end.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// The file cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Execution left the bytes of the file.
    #[error("{0:#x}: execution left the program's file")]
    Lost(u64),
    /// Bytes that are no instruction of the subset.
    #[error("{at:#x}: {unknown}")]
    Unknown {
        /// Address.
        at: u64,
        /// The bytes.
        unknown: Unknown,
    },
    /// A memory access outside of the segment and the stack.
    #[error("{at:#x}: access to {address:#x}")]
    Access {
        /// Address of the instruction.
        at: u64,
        /// Address of the access.
        address: u64,
    },
    /// Division by zero or out of range.
    #[error("{0:#x}: division without a result")]
    Division(u64),
    /// A system call that the stages do not make.
    #[error("{at:#x}: system call {number}")]
    Call {
        /// Address of the instruction.
        at: u64,
        /// Number of the call.
        number: u64,
    },
    /// The limit of instructions is reached.
    #[error("no end after {0} instructions")]
    Endless(u64),
}

/// How a program ended and what it left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Exit status.
    pub status: u8,
    /// All files after the run.
    pub files: Files,
    /// Text on descriptor 1.
    pub output: Vec<u8>,
    /// Text on descriptor 2.
    pub errors: Vec<u8>,
    /// Instructions executed.
    pub instructions: u64,
    /// System calls, by number.
    pub calls: BTreeMap<u64, u64>,
}

/// Where [`Machine::run_to`] stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// At one of the places.
    Reached(u64),
    /// The program ended with this status.
    Ended(u8),
}

/// The arithmetic flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) carry: bool,
    pub(super) zero: bool,
    pub(super) sign: bool,
    pub(super) overflow: bool,
}

/// A program in the middle of its run.
#[derive(Debug)]
pub struct Machine {
    pub(super) registers: [u64; 16],
    pub(super) flags: Flags,
    pub(super) memory: Memory,
    pub(super) kernel: Kernel,
    pub(super) at: u64,
    decoded: Vec<Option<Instruction>>,
    count: u64,
    stores: (u64, Option<(u64, u8)>),
    /// Which offsets of the file were executed as instructions.
    visited: Vec<bool>,
}

impl Machine {
    /// Loads `file` with its arguments (the first is its own name) and the files it may open.
    pub fn load(file: &[u8], arguments: &[&[u8]], files: Files) -> Result<Machine, Fault> {
        let (memory, segment, pointer) = Memory::load(file, arguments)?;
        let mut registers = [0; 16];
        registers[4] = pointer;
        Ok(Machine {
            registers,
            flags: Flags::default(),
            memory,
            kernel: Kernel::new(files),
            at: segment.entry,
            decoded: vec![None; file.len()],
            count: 0,
            stores: (0, None),
            visited: vec![false; file.len()],
        })
    }

    /// The offsets of instructions executed so far.
    pub fn visited(&self) -> impl Iterator<Item = usize> + '_ {
        let offsets = self.visited.iter().enumerate();
        offsets.filter_map(|(offset, visited)| visited.then_some(offset))
    }

    /// A register's value, by its number.
    pub fn register(&self, number: usize) -> u64 {
        self.registers[number]
    }

    /// Sets a register.
    pub fn set_register(&mut self, number: usize, value: u64) {
        self.registers[number] = value;
    }

    /// Continues elsewhere.
    pub fn jump(&mut self, address: u64) {
        self.at = address;
    }

    /// The program's memory.
    pub fn memory(&mut self) -> &mut Memory {
        &mut self.memory
    }

    /// The kernel, with its files and what was written.
    pub fn kernel(&mut self) -> &mut Kernel {
        &mut self.kernel
    }

    /// How many writes to memory there were, and the last one's address and width.
    pub fn stores(&self) -> (u64, Option<(u64, u8)>) {
        self.stores
    }

    /// Executes at least one instruction, until one of the places is next or the program ends.
    pub fn run_to(&mut self, places: &[u64], limit: u64) -> Result<Stop, Fault> {
        for _ in 0..limit {
            if let Some(status) = self.step()? {
                return Ok(Stop::Ended(status));
            }
            if places.contains(&self.at) {
                return Ok(Stop::Reached(self.at));
            }
        }
        Err(Fault::Endless(limit))
    }

    /// Runs to the end, `limit` instructions at most.
    pub fn run(&mut self, limit: u64) -> Result<Outcome, Fault> {
        loop {
            if self.count >= limit {
                return Err(Fault::Endless(limit));
            }
            if let Some(status) = self.step()? {
                return Ok(Outcome {
                    status,
                    files: std::mem::take(&mut self.kernel.files),
                    output: std::mem::take(&mut self.kernel.output),
                    errors: std::mem::take(&mut self.kernel.errors),
                    instructions: self.count,
                    calls: std::mem::take(&mut self.kernel.calls),
                });
            }
        }
    }

    /// Executes one instruction; the status if it ended the program.
    fn step(&mut self) -> Result<Option<u8>, Fault> {
        let at = self.at;
        let offset = self.memory.code_offset(at).ok_or(Fault::Lost(at))?;
        let instruction = match self.decoded[offset] {
            Some(instruction) => instruction,
            None => {
                let room = (self.decoded.len() - offset).min(15);
                let bytes = self.memory.slice(at, room).ok_or(Fault::Lost(at))?;
                let instruction =
                    decode(bytes).map_err(|unknown| Fault::Unknown { at, unknown })?;
                self.decoded[offset] = Some(instruction);
                self.visited[offset] = true;
                instruction
            }
        };
        self.count += 1;
        self.execute(instruction)
    }

    pub(super) fn system(&mut self) -> Result<Option<u8>, Fault> {
        let [rax, _, rdx, _, _, _, rsi, rdi, ..] = self.registers;
        // The processor overwrites rcx and r11; a program that relied on them would differ here too.
        self.registers[1] = self.at;
        self.registers[11] = 0x246;
        match self.kernel.call(&mut self.memory, rax, [rdi, rsi, rdx]) {
            Effect::Exit(status) => Ok(Some(status)),
            Effect::Value(value) => {
                self.registers[0] = value as u64;
                Ok(None)
            }
            Effect::Refused => Err(Fault::Call {
                at: self.at,
                number: rax,
            }),
        }
    }

    pub(super) fn load_from(&self, at: u64, address: u64, width: u8) -> Result<u64, Fault> {
        let bytes = self.memory.slice(address, width.into());
        let bytes = bytes.ok_or(Fault::Access { at, address })?;
        Ok(match width {
            1 => u64::from(bytes[0]),
            4 => u64::from(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])),
            _ => bytes
                .iter()
                .rev()
                .fold(0, |value, byte| value << 8 | u64::from(*byte)),
        })
    }

    pub(super) fn store_to(
        &mut self,
        at: u64,
        address: u64,
        width: u8,
        value: u64,
    ) -> Result<(), Fault> {
        let bytes = self.memory.slice_mut(address, width.into());
        let bytes = bytes.ok_or(Fault::Access { at, address })?;
        bytes.copy_from_slice(&value.to_le_bytes()[..usize::from(width)]);
        self.stores = (self.stores.0 + 1, Some((address, width)));
        // Code that is changed is decoded again.
        if self.memory.code_offset(address).is_some() {
            let offset = self.memory.code_offset(address).unwrap_or_default();
            let end = (offset + usize::from(width)).min(self.decoded.len());
            self.decoded[offset.saturating_sub(14)..end].fill(None);
        }
        Ok(())
    }
}
