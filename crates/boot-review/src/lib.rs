//! The mechanical part of a shim review: rules that a boot file keeps or breaks, and the answers to the reviewers'
//! questions that can be read from the binaries.
//!
//! Invariants: no I/O, no clock (the moment for validity times is given); the same bytes get the same findings; what only
//! a person can judge is not judged.
//!
//! Sources: shim's `SBAT.md`, the reviewer guidelines and question list of shim-review, Microsoft's requirements for
//! signed UEFI submissions (NX, alignment). Whether a rule is one is told by Debian's signed shim, GRUB and fwupd: they
//! were accepted, so they break none.

mod certificates;
mod finding;
mod grub;
mod program;
mod questions;
mod rules;

#[cfg(test)]
mod tests;

pub use finding::{Finding, Weight};
pub use grub::{MAX_MODULES, modules};
pub use program::{Program, ShimIdentity};
pub use questions::{Answer, questionnaire};
pub use rules::{current_level, lint};

/// Why a file can't be judged at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is no boot file.
    #[error(transparent)]
    Image(#[from] boot_pe::Error),
}

/// What the functions of this crate answer.
pub type Result<T> = std::result::Result<T, Error>;
