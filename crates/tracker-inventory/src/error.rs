//! What can go wrong when an inventory is read.
//!
//! Invariant: a variant says what the caller can do; a place in the input comes with it.

/// Why an inventory could not be read as a whole. A single bad entry is no error: see [`crate::Rejected`].
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// The input could not be read: try again.
    #[error("the input cannot be read: {0}")]
    Read(std::io::Error),
    /// The input is no JSON, or ends early: get it again.
    #[error("no valid JSON at line {line}, column {column}: {message}")]
    Json {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What the parser says.
        message: String,
    },
    /// The input is JSON of another kind: choose another reader.
    #[error("not {expected}: {found}")]
    Kind {
        /// What was to be read.
        expected: &'static str,
        /// What was found instead.
        found: String,
    },
    /// The input is larger than any real one: it is hostile or broken.
    #[error("more than {limit} {what}")]
    Limit {
        /// Of what there is too much.
        what: &'static str,
        /// How much is allowed.
        limit: u64,
    },
}

impl InventoryError {
    /// Tells a list that is too large from one that cannot be read.
    pub(crate) fn from_read(error: std::io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(&crate::open::TooLarge(limit)) => InventoryError::Limit {
                what: "bytes",
                limit,
            },
            None => InventoryError::Read(error),
        }
    }

    /// Sorts a JSON error by its cause.
    pub(crate) fn from_json(error: serde_json::Error, expected: &'static str) -> Self {
        match error.classify() {
            serde_json::error::Category::Io => InventoryError::from_read(error.into()),
            serde_json::error::Category::Data => InventoryError::Kind {
                expected,
                found: error.to_string(),
            },
            _ => InventoryError::Json {
                line: error.line(),
                column: error.column(),
                message: error.to_string(),
            },
        }
    }
}
