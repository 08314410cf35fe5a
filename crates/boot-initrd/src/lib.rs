//! What an initrd around `boot-init` holds, as the command that builds it and the program in it both read it: modules of a kernel
//! in the order of loading, words that go before the kernel's command line, and the archive itself.
//!
//! Invariants: no I/O; the same inputs give the same bytes, which hold no time, no owner and no number of a file system; what is
//! built in is never asked to be loaded; the program in it needs no other.
//!
//! Sources: `modules.dep(5)`, `modprobe.d(5)` and kmod's `modules.softdep`, `modules.alias`, `modules.builtin`; the kernel's
//! `kernel-parameters` and `initramfs` documentation; systemd's `systemd-cryptsetup-generator(8)`.

mod command_line;
mod dependencies;
mod image;
mod kernel;
mod program;

#[cfg(test)]
mod tests;

pub use command_line::{CommandLine, MAX_LINE, NAME, PartitionId, Root};
pub use dependencies::{Dependencies, MAX_DEPENDENCIES, MAX_MODULES};
pub use image::{Content, INIT, Image, WORDS};
pub use kernel::{Chosen, Kernel, MAX_TABLE, Tables};
pub use program::check_program;

/// Why there is no initrd, or none that can be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A table of the kernel's modules is not of its form.
    #[error("{table}, line {line}: {why}")]
    Table {
        /// Its file.
        table: &'static str,
        /// From 1; 0 for the whole.
        line: usize,
        /// The rule.
        why: &'static str,
    },
    /// The command line can't be followed.
    #[error("command line: {what}: {why}")]
    CommandLine {
        /// The word.
        what: String,
        /// The rule.
        why: &'static str,
    },
    /// A file can't be in the archive.
    #[error("{place} in the initrd: {why}")]
    Place {
        /// Its path there.
        place: String,
        /// The rule.
        why: &'static str,
    },
    /// The first program can't be it.
    #[error("the first program {why}")]
    Program {
        /// What is wrong with it.
        why: String,
    },
    /// All files together are too large.
    #[error("the files of the initrd have more than 1 GiB")]
    TooLarge,
}

/// What the functions of this crate answer.
pub type Result<T> = std::result::Result<T, Error>;
