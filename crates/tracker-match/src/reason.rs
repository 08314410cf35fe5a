//! A match and its reasons: the interface between matching and everybody else.
//!
//! Invariant: the reasons carry the weights that the score was computed from.

use serde::{Deserialize, Serialize};

/// Why a match is likely or unlikely.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// The feature's stable name (`cpe-product-equals-pname`).
    pub feature: String,
    /// Its share of the score, in log-odds; positive speaks for the match.
    pub weight: f64,
    /// The sentence that is shown.
    pub text: String,
}

/// A vulnerability concerns a package family.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Match {
    /// Public id of the vulnerability.
    pub vulnerability: String,
    /// The family's name within its distribution.
    pub family: String,
    /// Attributes that the family has in the release that was matched.
    pub attributes: Vec<String>,
    /// Calibrated probability, 0 to 1.
    pub score: f64,
    /// Why, strongest first.
    pub reasons: Vec<Reason>,
}
