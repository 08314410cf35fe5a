//! What a rule finds.

use serde::Serialize;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// Worth knowing for a review.
    Note,
    /// A reviewer will ask about it.
    Warning,
    /// The file would be refused by reviewers, shim or firmware.
    Error,
}

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule's name, which stays the same between versions.
    pub rule: &'static str,
    /// How much it matters.
    pub weight: Weight,
    /// What is wrong, and where.
    pub what: String,
    /// What to do about it.
    pub remedy: &'static str,
}

/// Findings as they come.
#[derive(Debug, Default)]
pub(crate) struct Findings(pub(crate) Vec<Finding>);

impl Findings {
    pub(crate) fn add(
        &mut self,
        weight: Weight,
        rule: &'static str,
        what: impl Into<String>,
        remedy: &'static str,
    ) {
        self.0.push(Finding {
            rule,
            weight,
            what: what.into(),
            remedy,
        });
    }
}
