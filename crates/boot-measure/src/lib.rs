//! What TPM registers hold, why, and what they will hold: event logs of firmware read and replayed, boots foreseen from
//! files and variables, differences explained in words.
//!
//! Invariants: no I/O and no TPM; a foreign log is bounded and never trusted; what is measured and in which order follows
//! from the versions of the programs themselves, and what is not known is said ([`Unforeseen`]), not guessed.
//!
//! Sources: TCG PC Client Platform Firmware Profile 1.06 (event logs), TCG Canonical Event Log 1.0, EDK II's `Tcg2Dxe` and
//! `DxeTpm2MeasureBootLib`, shim's `mok.c`, systemd's stub and `pcrlock`, UAPI.5 (UKI).

mod bank;
mod boot_option;
mod cel;
mod companions;
mod content;
mod device_path;
mod expectation;
mod explain;
mod foresee;
mod gpt;
mod handover;
mod log;
mod pcr11;
pub mod pcrlock;
mod registers;

#[cfg(test)]
mod tests;

pub use bank::{Bank, Register};
pub use boot_option::{BootOption, tried};
pub use cel::to_cel_json;
pub use companions::{CompanionRegisters, addon, companions};
pub use content::Content;
pub use device_path::{DevicePath, PathError};
pub use expectation::{Expectation, Measurement, Unforeseen};
pub use explain::{Cause, Explanation, Finding, Observed, explain};
pub use foresee::{Disk, PlannedUpdate, Situation, Started, StubChoice, UNTOUCHED, foresee};
pub use gpt::{Gpt, GptError, Partition};
pub use handover::{handed_line, loader_version};
pub use log::{
    Algorithm, Digest, Event, EventLog, EventType, Form, KNOWN_QUIRKS, KnownQuirk, LogError,
    MAX_EVENT_DATA, MAX_EVENTS, MAX_LOG, Quirk, QuirkKind,
};
pub use pcr11::{DEFAULT_PHASES, FileOf, Order, Pcr11, Rules, predict, predict_with_files};
pub use registers::{Mismatch, Registers, RegistersError};

use boot_stub_core::archive::TooLarge;

/// Why a prediction can't be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What lies beside the image is too large for an archive.
    #[error(transparent)]
    Companions(TooLarge),
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
    /// A bank that the log has no digests of.
    #[error("the log has no digests of bank {bank}, so its registers can't be foreseen from it")]
    Bank {
        /// Which.
        bank: Bank,
    },
    /// Variables or lists that can't be read.
    #[error(transparent)]
    Variables(#[from] boot_variables::Error),
}

/// What the functions of this crate answer.
pub type Result<T> = std::result::Result<T, Error>;
