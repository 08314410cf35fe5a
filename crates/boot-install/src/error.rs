//! Why an installation was not prepared; nothing has been written then.

use std::io;
use std::path::PathBuf;

/// Why an installation was not prepared.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of the system could not be read.
    #[error("{}: {error}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system answered.
        error: io::Error,
    },
    /// There is no generation to install.
    #[error("{}: no generation that boots; nothing was changed", path.display())]
    NoGeneration {
        /// The profile.
        path: PathBuf,
    },
    /// A document of a generation can't be used.
    #[error("{}: {error}", path.display())]
    Document {
        /// Its path.
        path: PathBuf,
        /// Why.
        error: boot_spec::Error,
    },
    /// A generation asks for what can't be done safely.
    #[error("generation {generation}: {why}")]
    Generation {
        /// Its number.
        generation: u64,
        /// Why, and what to do.
        why: String,
    },
    /// The program that appends secrets to an initrd did not.
    #[error("{program}: no secrets for the initrd: {why}")]
    Secrets {
        /// The program.
        program: String,
        /// Why.
        why: String,
    },
    /// The stub or the boot loader is not what it must be.
    #[error("{what}: {why}")]
    Program {
        /// Which.
        what: &'static str,
        /// Why.
        why: String,
    },
    /// The configuration of the loader does not fit into one sector.
    #[error("loader.conf would be longer than 512 bytes: shorten the console mode")]
    Configuration,
    /// An image can't be written.
    #[error(transparent)]
    Image(#[from] boot_pe::Error),
    /// A signature can't be made.
    #[error(transparent)]
    Signature(#[from] boot_signature::Error),
    /// What registers will hold is not known.
    #[error(transparent)]
    Measure(#[from] boot_measure::Error),
    /// A PCR policy can't be made.
    #[error(transparent)]
    Policy(boot_policy::Error),
    /// A volume can't be read, or the plan does not fit.
    #[error(transparent)]
    Volume(#[from] boot_esp::Error),
}
