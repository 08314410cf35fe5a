//! What can be wrong with a document; each problem names its JSON path.

use serde::Serialize;
use std::fmt;

/// One rule that a document breaks, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// JSON path, such as `$["org.nixos.bootspec.v1"].kernel`.
    pub path: String,
    /// The rule.
    pub why: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.why)
    }
}

/// Why a document can't be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is no JSON, repeats a key, or is nested too deeply; the message has line and column.
    #[error("bootspec: {0}")]
    Json(serde_json::Error),
    /// It is longer than [`crate::MAX_DOCUMENT`].
    #[error("bootspec: {found} bytes, more than the limit of {limit}")]
    TooLong {
        /// Its length.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// It breaks rules; all of them are listed.
    #[error("bootspec: {}", list(.0))]
    Rules(Vec<Problem>),
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Error {
        Error::Json(error)
    }
}

fn list(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("; ")
}
