//! What the boot stub does and the host foretells, in one place: both link this crate, so they cannot disagree.
//!
//! Invariants: `no_std` and no unsafe code; no I/O; every byte is a stranger's until it is checked, so a text or file cut
//! anywhere gives an error that names the place and never a panic.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod archive;
pub mod command_line;
pub mod companions;
pub mod devicetree;
mod note;
pub mod pe;
pub mod reference;
pub mod sections;
pub mod seed;

pub use note::{NOTE_SECTION, NoteError, StubNote};
