//! LUKS2 volumes: headers read and changed, keyslots opened, added and removed, tokens kept. It runs on any device that can
//! be read, written and positioned, so a file serves as well.
//!
//! Invariants: a change is on the disk before the next step of it begins, and one of the two headers is valid at every
//! moment, so a power cut leaves the volume as it was or as it should be; no byte outside the headers and the keyslots' own
//! areas is written; fields of the metadata that are not known stay as they are; a volume key is given out only after its
//! digest was compared.
//!
//! Source: LUKS2 on-disk format specification 1.1.3; AF splitter and diffusion from the LUKS1 specification, 2.4.

mod header;
mod keyslot;
mod metadata;
mod volume;

pub use header::{MAX_HEADER, SECTOR};
pub use keyslot::Cost;
pub use metadata::{Area, Kdf, Keyslot, Metadata, Segment};
pub use volume::{Storage, Volume};

use zeroize::Zeroizing;

/// The key that the data is encrypted with; wiped when it is dropped.
pub type VolumeKey = Zeroizing<Vec<u8>>;

/// Why something could not be done with a volume.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Reading or writing failed.
    #[error("volume: {what} at byte {offset}")]
    Io {
        /// What was read or written.
        what: &'static str,
        /// Where.
        offset: u64,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Neither header is valid.
    #[error("this is no LUKS2 volume: primary header: {primary}; secondary header: {secondary}")]
    NoHeader {
        /// What is wrong with the first.
        primary: &'static str,
        /// And with the second.
        secondary: &'static str,
    },
    /// The metadata are no JSON of the format.
    #[error("metadata of the volume")]
    Json(#[source] serde_json::Error),
    /// A value breaks a rule.
    #[error("volume: {what}: {why}")]
    Invalid {
        /// Which, by its path in the metadata.
        what: String,
        /// The rule.
        why: &'static str,
    },
    /// No keyslot opens with it.
    #[error("no keyslot opens with this {what}")]
    Wrong {
        /// Passphrase, or key.
        what: &'static str,
    },
    /// There is no room, or no such thing.
    #[error("volume: {0}")]
    Unusable(&'static str),
}

/// What the functions of this crate answer.
pub type Result<T> = std::result::Result<T, Error>;

pub(crate) fn invalid(what: impl Into<String>, why: &'static str) -> Error {
    Error::Invalid {
        what: what.into(),
        why,
    }
}
