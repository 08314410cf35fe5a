//! What TPM registers will hold, computed from boot files alone: PCR 11, into which a UKI stub measures the sections it
//! uses and the system the phases it passes.
//!
//! Invariants: no I/O and no TPM; what is measured and in which order follows from the stub's own version, and where two
//! published orders differ the caller can choose.
//!
//! Sources: systemd's `pcr11` documentation and stub, UAPI.5 (UKI).

mod bank;
mod pcr11;

#[cfg(test)]
mod tests;

pub use bank::{Bank, Register};
pub use pcr11::{DEFAULT_PHASES, FileOf, Order, Pcr11, Rules, predict, predict_with_files};

/// Why a prediction can't be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The image has no stub identity, so what it measures is unknown.
    #[error("the image names no systemd-stub version (.sdmagic); state one")]
    UnknownStub,
    /// The image states what it measures, or refers to files, in a way that is not of the form.
    #[error(transparent)]
    Image(#[from] boot_pe::Error),
    /// A bank other than SHA-256 is asked for, and a file that the image refers to is not at hand.
    #[error(
        "{bank} of `{path}` is unknown: the image states its SHA-256 alone, so the file itself is needed"
    )]
    FileNeeded {
        /// The bank.
        bank: Bank,
        /// The file's path on the volume.
        path: String,
    },
    /// A file is not the one that the image refers to.
    #[error("`{path}` is not the file that the image refers to: its size or SHA-256 differs")]
    FileDiffers {
        /// The file's path on the volume.
        path: String,
    },
    /// There is no such profile.
    #[error("the image has {count} profiles; there is none of index {index}")]
    Profile {
        /// What was asked for.
        index: usize,
        /// What there is.
        count: usize,
    },
    /// A phase path with an empty or unprintable word.
    #[error("phase path `{path}` has an empty word or one with spaces")]
    Phase {
        /// The path.
        path: String,
    },
    /// A section is larger in memory than this crate hashes.
    #[error("section `{name}` takes {size} bytes of memory, more than the limit")]
    Size {
        /// Its name.
        name: &'static str,
        /// Its virtual size.
        size: u32,
    },
}

/// What the functions of this crate answer.
pub type Result<T> = std::result::Result<T, Error>;
