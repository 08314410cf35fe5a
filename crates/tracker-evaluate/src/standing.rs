//! Where a match stands in a package list: open, or settled by its versions.
//!
//! A match says which package a vulnerability is about; whether anybody has to look at it is for the versions to say. It
//! is *settled* where every member of the family has a version that is past all affected ranges or never was in one,
//! each with the range that decided; the tracker derives that by itself, and asks nobody. Everything else is *open*: one
//! member is affected, or the sources leave it undecided. Invariant: patches and the package's own known
//! vulnerabilities take no part, because labels come from them.

use serde::Serialize;
use std::collections::HashMap;
use tracker_inventory::Package;
use tracker_match::{FindingStatus, Match, Statements};
use tracker_record::Vulnerability;

/// Where a match stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Every member's version is past the affected ranges, or in none.
    Settled,
    /// No member is affected, but the sources do not decide all of them.
    Undecided,
    /// A member's version is affected.
    Affected,
}

impl Standing {
    /// Whether a person is needed.
    pub const fn is_open(self) -> bool {
        !matches!(self, Standing::Settled)
    }
}

/// A list's packages by attribute, as versions alone show them.
#[derive(Debug)]
pub struct Standings<'a>(HashMap<&'a str, Package>);

impl<'a> Standings<'a> {
    /// Prepares a list.
    pub fn new(packages: &'a [Package]) -> Self {
        let bare = |package: &'a Package| Package {
            attribute: package.attribute.clone(),
            pname: package.pname.clone(),
            version: package.version.clone(),
            ecosystem: package.ecosystem.clone(),
            ..Package::default()
        };
        Standings(
            packages
                .iter()
                .map(|package| (package.attribute.as_str(), bare(package)))
                .collect(),
        )
    }

    /// Of each of a vulnerability's matches, the worst that holds for any member.
    pub fn of_all(&self, vulnerability: &Vulnerability, matches: &[Match]) -> Vec<Standing> {
        if matches.is_empty() {
            return Vec::new();
        }
        let statements = Statements::new(vulnerability);
        matches
            .iter()
            .map(|matched| self.of(&statements, matched))
            .collect()
    }

    /// The worst that holds for any member.
    pub fn of(&self, statements: &Statements<'_>, matched: &Match) -> Standing {
        let verdicts = statements.verdicts(matched);
        matched
            .attributes
            .iter()
            .filter_map(|attribute| self.0.get(attribute.as_str()))
            .map(|package| match verdicts.finding(package).status {
                FindingStatus::Affected => Standing::Affected,
                FindingStatus::UnderInvestigation => Standing::Undecided,
                FindingStatus::Fixed | FindingStatus::NotAffected => Standing::Settled,
            })
            .max()
            .unwrap_or(Standing::Undecided)
    }
}
