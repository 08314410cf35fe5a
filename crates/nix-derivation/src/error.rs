//! What can be wrong with a derivation; a message names the offset or the path.

use nix_store_path::StorePath;
use std::path::PathBuf;

/// Why a derivation cannot be read, written or hashed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bytes are no `.drv` file.
    #[error("offset {offset}: {expected} is expected here")]
    Syntax {
        /// Offset in bytes.
        offset: usize,
        /// What the grammar wants there.
        expected: &'static str,
    },
    /// Nix itself never writes this spelling, so it could not be written back unchanged.
    #[error("offset {offset}: {what}, which Nix never writes")]
    NotCanonical {
        /// Offset in bytes.
        offset: usize,
        /// What is unusual.
        what: &'static str,
    },
    /// A limit of [`crate::limits`] is passed.
    #[error("offset {offset}: {what} is larger than the limit of {limit}")]
    TooLarge {
        /// Offset in bytes.
        offset: usize,
        /// What is too large.
        what: &'static str,
        /// The limit, in bytes or items.
        limit: usize,
    },
    /// A path, name or hash in the derivation is malformed.
    #[error("offset {offset}: {source}")]
    Store {
        /// Offset in bytes of the string.
        offset: usize,
        /// What is wrong with it.
        source: nix_store_path::Error,
    },
    /// A name or path that is computed, not read, is malformed.
    #[error("{0}")]
    Computed(#[from] nix_store_path::Error),
    /// The JSON is malformed or of another shape; the message has line and column.
    #[error("derivation JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A format version that this crate does not know.
    #[error("derivation JSON of version {0} is unknown (known: none, 3 and 4)")]
    UnknownVersion(u64),
    /// A `.drv` file of an unknown versioned form.
    #[error("offset {offset}: derivation format '{version}' is unknown (known: xp-dyn-drv)")]
    UnknownForm {
        /// Offset in bytes.
        offset: usize,
        /// The name of the form, shortened.
        version: String,
    },
    /// A field of the JSON does not fit the others.
    #[error("derivation '{derivation}': {problem}")]
    Field {
        /// Name or path of the derivation.
        derivation: String,
        /// What does not fit.
        problem: String,
    },
    /// JSON can only hold text, and this value is none.
    #[error("{what} is not UTF-8, so JSON cannot hold it")]
    NotText {
        /// Which value.
        what: String,
    },
    /// An input derivation that is not at hand.
    #[error("derivation {0} is missing")]
    Missing(StorePath),
    /// A derivation that depends on itself, however indirectly.
    #[error("derivation {0} depends on itself")]
    Cycle(StorePath),
    /// An output that the derivation does not have.
    #[error("derivation {derivation} has no output '{output}'")]
    NoOutput {
        /// The derivation.
        derivation: StorePath,
        /// The output asked for.
        output: String,
    },
    /// An output path that is not the one computed from the derivation.
    #[error("output '{output}' is stated as {stated}, but computes to {computed}")]
    OutputPath {
        /// The output.
        output: String,
        /// The path in the derivation.
        stated: StorePath,
        /// The path it should have.
        computed: StorePath,
    },
    /// A file or folder could not be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file that is no derivation, and why.
    #[error("{}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: Box<Error>,
    },
}
