//! What can go wrong when matching is evaluated.
//!
//! Invariant: a variant names the file, and the line where there is one.

use std::path::PathBuf;

/// Why an evaluation could not be made.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// A file cannot be opened, read or written: check the path.
    #[error("{path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A package list is none: choose another file.
    #[error("{path}")]
    Packages {
        /// The file.
        path: PathBuf,
        /// Why.
        source: tracker_inventory::InventoryError,
    },
    /// A label file has a line that is no label: correct it.
    #[error("{path}: line {line}: {reason}")]
    Label {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// A weights file is refused: fit it again.
    #[error("{path}")]
    Weights {
        /// The file.
        path: PathBuf,
        /// Why.
        source: tracker_match::weights::WeightsError,
    },
    /// There is too little to learn from: give more labels.
    #[error("{positives} positive and {negatives} negative pairs are too few to learn from")]
    TooFew {
        /// Pairs that are matches.
        positives: usize,
        /// Pairs that are none.
        negatives: usize,
    },
    /// The result cannot be written.
    #[error("the result cannot be written: {0}")]
    Output(#[from] std::io::Error),
}
