//! What can go wrong on a volume; each variant says what the caller can do.

use crate::EspPath;
use std::io;
use std::path::PathBuf;

/// Why a volume could not be read, planned for or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file system call failed.
    #[error("{doing} `{path}`: {error}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which path of the volume.
        path: String,
        /// What the system answered.
        error: io::Error,
    },
    /// A path that FAT can't hold or that leaves the volume.
    #[error("path `{path}` on the EFI system partition: {why}")]
    Path {
        /// The path.
        path: String,
        /// The rule that it breaks.
        why: &'static str,
    },
    /// The plan does not fit, even with everything removed that may be.
    #[error(
        "not enough space: {needed} bytes are needed at the peak, {available} are free once everything is removed that may be; keep fewer generations"
    )]
    Space {
        /// Bytes, in whole blocks.
        needed: u64,
        /// Bytes, in whole blocks.
        available: u64,
    },
    /// A file that is to be copied is not what it was when it was hashed.
    #[error("{}: it changed while it was copied; run again", path.display())]
    Source {
        /// The file.
        path: PathBuf,
    },
    /// What was read back is not what was written.
    #[error(
        "`{path}`: read back, it differs from what was written: the disk loses writes; nothing that boots was removed"
    )]
    ReadBack {
        /// The path.
        path: EspPath,
    },
    /// A file is larger than anything that takes part in a boot.
    #[error("`{path}` is larger than {limit} bytes")]
    TooLarge {
        /// The path.
        path: EspPath,
        /// The limit.
        limit: u64,
    },
    /// The entry does not exist or can't be read as an entry.
    #[error("no valid entry `{name}` on the volume")]
    NoEntry {
        /// Its name.
        name: String,
    },
}

impl Error {
    /// Wraps an I/O error with what was done where.
    pub(crate) fn io(doing: &'static str, path: &EspPath) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_string();
        move |error| Error::Io { doing, path, error }
    }
}
