//! What can be wrong with a hash, a name or a path; each message names the text and the place.

/// Longest part of a foreign text that an error repeats.
const SHOWN: usize = 80;

/// Why a text is no hash, name, store path or content address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A digit that the encoding does not have.
    #[error("'{text}': byte {offset} is no {encoding} digit")]
    Digit {
        /// The encoding that was expected.
        encoding: &'static str,
        /// The text, shortened.
        text: String,
        /// Offset in bytes from the start of the digits.
        offset: usize,
    },
    /// A number of digits that no encoding of this many bytes has, or bits set past the end.
    #[error("'{text}': {length} digits are no {encoding} text of {bytes} bytes")]
    Length {
        /// The encoding that was expected.
        encoding: &'static str,
        /// The text, shortened.
        text: String,
        /// Its length in bytes.
        length: usize,
        /// The number of bytes it should stand for.
        bytes: usize,
    },
    /// An algorithm that Nix does not name.
    #[error("'{0}' is no hash algorithm (md5, sha1, sha256, sha512, blake3)")]
    Algorithm(String),
    /// Another algorithm than the context allows.
    #[error("'{text}': the hash is {found}, but {expected} is expected here")]
    OtherAlgorithm {
        /// The text, shortened.
        text: String,
        /// Algorithm found.
        found: &'static str,
        /// Algorithm expected.
        expected: &'static str,
    },
    /// A hash without its algorithm.
    #[error("'{0}' does not name its algorithm (ALGO:DIGITS or ALGO-BASE64)")]
    Untyped(String),
    /// A name that breaks the rules of store path names.
    #[error("'{text}' is no store path name: {problem}")]
    Name {
        /// The text, shortened.
        text: String,
        /// Which rule.
        problem: &'static str,
    },
    /// A text that is no store path.
    #[error("'{text}' is no store path: {problem}")]
    Path {
        /// The text, shortened.
        text: String,
        /// Which rule.
        problem: &'static str,
    },
    /// A folder that cannot be a store.
    #[error("'{text}' is no store directory: {problem}")]
    StoreDir {
        /// The text, shortened.
        text: String,
        /// Which rule.
        problem: &'static str,
    },
    /// A text that is no content address.
    #[error("'{0}' is no content address (text:HASH, fixed:HASH, fixed:r:HASH, fixed:git:HASH)")]
    ContentAddress(String),
    /// References where the kind of content address allows none.
    #[error("'{0}' may not have references: only text and NAR-hashed SHA-256 objects do")]
    References(String),
}

/// At most [`SHOWN`] bytes of a foreign text, cut at a character.
pub(crate) fn shown(text: &str) -> String {
    if text.len() <= SHOWN {
        return text.to_owned();
    }
    format!("{}...", &text[..text.floor_char_boundary(SHOWN)])
}
