//! What can be wrong with references. Written out by hand: the crate for it needs the standard library as it is used here.

use super::{MAX_REFERENCES, MAX_TEXT};
use core::fmt;

/// A path that a reference can't have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathError {
    /// The rule that it breaks.
    pub why: &'static str,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.why)
    }
}

impl core::error::Error for PathError {}

/// Why a `.rsref` section can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferenceError {
    /// It lists nothing.
    Empty,
    /// It lists too many.
    Many {
        /// How many.
        count: usize,
    },
    /// It is longer than any list could be.
    Long {
        /// Its length in bytes.
        size: usize,
    },
    /// It is not UTF-8.
    NotText {
        /// Offset of the first byte that is not.
        offset: usize,
    },
    /// A line is not of the form.
    Line {
        /// Which, from 1.
        line: usize,
        /// The rule that it breaks.
        why: &'static str,
    },
}

impl fmt::Display for ReferenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReferenceError::Empty => f.write_str(".rsref lists nothing"),
            ReferenceError::Many { count } => {
                write!(f, ".rsref lists {count} files, more than {MAX_REFERENCES}")
            }
            ReferenceError::Long { size } => {
                write!(f, ".rsref has {size} bytes, more than {MAX_TEXT}")
            }
            ReferenceError::NotText { offset } => {
                write!(f, ".rsref is not UTF-8 at offset {offset}")
            }
            ReferenceError::Line { line, why } => write!(f, ".rsref, line {line}: {why}"),
        }
    }
}

impl core::error::Error for ReferenceError {}
