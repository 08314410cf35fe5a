//! The one normal form of "which versions": what CVE 5.1, NVD and OSV ranges are all translated into.
//!
//! Invariant: a range keeps the version texts as the source wrote them; only evaluation interprets them.

use serde::{Deserialize, Serialize};

/// What a source says about the versions in a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The versions are vulnerable.
    Affected,
    /// The versions are not vulnerable.
    Unaffected,
    /// The source does not say.
    Unknown,
}

/// One end of a range.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bound {
    /// No limit on this side.
    #[default]
    Unbounded,
    /// The version itself belongs to the range.
    Inclusive(String),
    /// The version itself does not belong to the range.
    Exclusive(String),
}

/// A stretch of versions with a status. An exact version is a range whose two bounds include it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Range {
    /// How the source orders versions, in its own word (`semver`, `git`, `custom`, `PyPI`, `cpe`, …).
    pub scheme: String,
    /// Where the range begins.
    #[serde(default)]
    pub lower: Bound,
    /// Where the range ends.
    #[serde(default)]
    pub upper: Bound,
    /// What holds from the lower bound on.
    pub status: Status,
    /// Later changes of the status within the range, in ascending order (CVE 5.1 `changes`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<(String, Status)>,
}
