//! A match and its reasons: the interface between matching and everybody else.
//!
//! Invariant: the reasons carry the weights that the score was computed from.

use crate::feature::Feature;
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

/// In which way a vulnerability concerns a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MatchKind {
    /// The package is what the vulnerability is about.
    Product,
    /// The package contains it, or shares its code: whether it is affected is for a person to say, and its versions are
    /// another product's.
    Component,
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

impl Match {
    /// In which way; told by the reasons, so that a match that was kept tells it too.
    pub fn kind(&self) -> MatchKind {
        let component = Feature::Component.name();
        if self
            .reasons
            .iter()
            .any(|reason| reason.feature == component)
        {
            MatchKind::Component
        } else {
            MatchKind::Product
        }
    }
}
