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
pub use pcr11::{DEFAULT_PHASES, Order, Pcr11, Rules, predict};

/// Why a prediction can't be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The image has no stub identity, so what it measures is unknown.
    #[error("the image names no systemd-stub version (.sdmagic); state one")]
    UnknownStub,
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
