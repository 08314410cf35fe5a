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

impl Range {
    /// A range of exactly one version.
    pub fn exact_version(
        scheme: impl Into<String>,
        version: impl Into<String>,
        status: Status,
    ) -> Self {
        let version = version.into();
        Range {
            scheme: scheme.into(),
            lower: Bound::Inclusive(version.clone()),
            upper: Bound::Inclusive(version),
            status,
            changes: Vec::new(),
        }
    }
}

impl std::fmt::Display for Range {
    /// As people say it: `from 1.1.0 up to and including 1.1.23`, `before 2.0`, `exactly 4.13b`, `all versions`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lower = match &self.lower {
            Bound::Inclusive(version) if version == "0" || version == "*" => &Bound::Unbounded,
            lower => lower,
        };
        let upper = match &self.upper {
            Bound::Inclusive(version) | Bound::Exclusive(version) if version == "*" => {
                &Bound::Unbounded
            }
            upper => upper,
        };
        match (lower, upper) {
            (Bound::Unbounded, Bound::Unbounded) => f.write_str("all versions"),
            (Bound::Inclusive(lower), Bound::Inclusive(upper)) if lower == upper => {
                write!(f, "exactly {lower}")
            }
            (Bound::Unbounded, Bound::Inclusive(upper)) => write!(f, "up to and including {upper}"),
            (Bound::Unbounded, Bound::Exclusive(upper)) => write!(f, "before {upper}"),
            (lower, upper) => {
                match lower {
                    Bound::Inclusive(lower) => write!(f, "from {lower}")?,
                    Bound::Exclusive(lower) => write!(f, "after {lower}")?,
                    Bound::Unbounded => {}
                }
                match upper {
                    Bound::Inclusive(upper) => write!(f, " up to and including {upper}"),
                    Bound::Exclusive(upper) => write!(f, ", before {upper}"),
                    Bound::Unbounded => f.write_str(" on"),
                }
            }
        }?;
        for (at, status) in &self.changes {
            let word = match status {
                Status::Affected => "affected",
                Status::Unaffected => "unaffected",
                Status::Unknown => "unknown",
            };
            write!(f, ", {word} from {at}")?;
        }
        Ok(())
    }
}
