//! A finding: what holds for one vulnerability in one package of one channel.
//!
//! Invariant: a status other than "under investigation" names the statement that decided it.

use serde::{Deserialize, Serialize};

/// Where a vulnerability stands in a package of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingStatus {
    /// The version lies in an affected range, and nothing speaks against it.
    Affected,
    /// Not decided: the sources do not say, or their versions cannot be compared.
    UnderInvestigation,
    /// The version lies beyond the affected ranges, or a patch for it is applied.
    Fixed,
    /// The version never was in an affected range.
    NotAffected,
}

impl FindingStatus {
    /// Whether it leaves something to do: a version that is past every affected range, or was in none, does not.
    pub const fn is_open(self) -> bool {
        matches!(
            self,
            FindingStatus::Affected | FindingStatus::UnderInvestigation
        )
    }
}

/// The derived verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The package's attribute.
    pub attribute: String,
    /// Its version in the release.
    pub version: Option<String>,
    /// The verdict.
    pub status: FindingStatus,
    /// What decided, as shown (`affected: from 1.1.0 up to and including 1.1.23 (NVD)`); several where sources disagree, decider first.
    pub evidence: Vec<String>,
}

/// How the evidence of a patch begins.
pub(crate) const PATCHED: &str = "fixed: the patch ";

impl Finding {
    /// Whether a patch that the package applies made it fixed, not its version.
    pub fn is_patched(&self) -> bool {
        let first = self.evidence.first();
        self.status == FindingStatus::Fixed && first.is_some_and(|text| text.starts_with(PATCHED))
    }
}
