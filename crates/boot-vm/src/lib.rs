//! Virtual machines for tests of boot files: real firmware in an emulated PC, disks, a TPM, and steps on its serial port.
//!
//! Invariants: a machine and its TPM end with the value that stands for them; every wait has a limit; a step that fails
//! says what it waited for and what was on the screen, and the whole serial log stays in a file.
//!
//! For tests only. Runs QEMU without KVM, which can't run firmware with protected variables everywhere, and so works in
//! containers too.

mod disk;
mod error;
mod machine;
mod power;
mod screen;
mod tpm;

#[cfg(test)]
mod tests;

pub use disk::{SystemDisk, fat_disk, file_of, partitioned};
pub use error::{End, Error};
pub use machine::{Firmware, Machine, Running};
pub use power::{Event, Fate, Recorded, Recorder};
pub use screen::without_escapes;
pub use tpm::Tpm;

/// What the functions of this crate answer.
pub type Result<T> = std::result::Result<T, Error>;
