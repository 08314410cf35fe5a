//! What can be wrong with a boot file or with a request to write one; each variant names the place.

use boot_stub_core::NoteError;
use boot_stub_core::reference::ReferenceError;

/// What [`Error::Truncated`] names when the file lacks a section's content, rather than a part of the headers.
pub const SECTION_DATA: &str = "section data";

/// Why a file could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The file ends before a structure that it announces.
    #[error(
        "{what} at offset {offset:#x} needs {needed} bytes, the file has {size}: it is cut short or its header lies"
    )]
    Truncated {
        /// The structure.
        what: &'static str,
        /// Where it starts.
        offset: u64,
        /// Its length in bytes.
        needed: u64,
        /// The length of the file.
        size: u64,
    },
    /// A magic number is wrong, so this is another kind of file.
    #[error("no {what} at offset {offset:#x}: this is not a PE32+ boot file")]
    Magic {
        /// What was looked for.
        what: &'static str,
        /// Where.
        offset: u64,
    },
    /// A 32-bit PE file (optional header magic 0x10b).
    #[error("optional header at offset {offset:#x} is PE32 (32 bit); only PE32+ is handled")]
    Pe32 {
        /// Where the optional header starts.
        offset: u64,
    },
    /// A count or size beyond the limit that this crate accepts.
    #[error("{what} is {found}, more than the limit of {limit}")]
    Limit {
        /// What is counted.
        what: &'static str,
        /// What the file says.
        found: u64,
        /// The limit.
        limit: u64,
    },
    /// A header field contradicts the rest of the file.
    #[error("{what} at offset {offset:#x} is {found:#x}: {why}")]
    Field {
        /// The field.
        what: &'static str,
        /// Where it stands.
        offset: u64,
        /// Its value.
        found: u64,
        /// The rule that it breaks.
        why: &'static str,
    },
    /// A request to write an image that would not be valid.
    #[error("section `{section}`: {why}")]
    Section {
        /// The section's name.
        section: String,
        /// Why it can't be written.
        why: &'static str,
    },
    /// A line of SBAT data is malformed.
    #[error("SBAT line {line}: {why}")]
    Sbat {
        /// Line number from 1.
        line: usize,
        /// The rule that it breaks.
        why: &'static str,
    },
    /// A `.rsref` section is not of the form.
    #[error(transparent)]
    Reference(ReferenceError),
    /// A file can't be referenced.
    #[error("{path}: {why}")]
    Referenced {
        /// Its path on the volume.
        path: String,
        /// The rule that it breaks.
        why: &'static str,
    },
    /// A stub's note (`.rsstub`) is not of the form.
    #[error(transparent)]
    Note(NoteError),
}
