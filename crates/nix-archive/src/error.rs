//! What can be wrong with an archive; a message names the offset, or the path on disk.

use std::io;
use std::path::PathBuf;

/// Why an archive cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bytes are no NAR.
    #[error("offset {offset}: {expected} is expected here, not {found}")]
    Syntax {
        /// Offset in bytes.
        offset: u64,
        /// What the grammar wants there.
        expected: &'static str,
        /// What stands there, shortened.
        found: String,
    },
    /// A limit of [`crate::limits`] is passed.
    #[error("offset {offset}: {what} of {length} is larger than the limit of {limit}")]
    TooLarge {
        /// Offset in bytes.
        offset: u64,
        /// What is too large.
        what: &'static str,
        /// How large it says it is.
        length: u64,
        /// The limit.
        limit: u64,
    },
    /// The stream ended early.
    #[error("offset {offset}: the archive ends early")]
    Truncated {
        /// Offset in bytes.
        offset: u64,
    },
    /// Padding that is not zero.
    #[error("offset {offset}: padding is not zero")]
    Padding {
        /// Offset in bytes.
        offset: u64,
    },
    /// A name that no file can have.
    #[error("offset {offset}: '{name}' is no file name")]
    Name {
        /// Offset in bytes.
        offset: u64,
        /// The name, shortened.
        name: String,
    },
    /// Entries not in strictly ascending order.
    #[error("offset {offset}: entry '{name}' is out of order or there twice")]
    Order {
        /// Offset in bytes.
        offset: u64,
        /// The name, shortened.
        name: String,
    },
    /// Calls to a [`crate::Writer`] that make no archive.
    #[error("offset {offset}: {problem}")]
    Unfinished {
        /// Offset in bytes.
        offset: u64,
        /// What was done or left out.
        problem: &'static str,
    },
    /// The stream failed.
    #[error("offset {offset}: {source}")]
    Stream {
        /// Offset in bytes.
        offset: u64,
        /// Why.
        source: io::Error,
    },
    /// A file of a tree could not be read or made.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that is neither regular, nor a directory, nor a symbolic link.
    #[error("{}: archives hold files, directories and symbolic links only", .0.display())]
    Kind(PathBuf),
    /// A file that changed its size while it was read.
    #[error("{}: shrank while it was archived", .0.display())]
    Changed(PathBuf),
    /// Two names that a file system without case cannot tell apart.
    #[error("{}: is the same name as another, without case", .0.display())]
    Collision(PathBuf),
}

/// At most 60 bytes of foreign text, made printable.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let cut = &bytes[..bytes.len().min(60)];
    let text: String = String::from_utf8_lossy(cut).escape_debug().collect();
    if cut.len() < bytes.len() {
        text + "..."
    } else {
        text
    }
}
