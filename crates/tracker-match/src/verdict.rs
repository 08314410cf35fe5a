//! From a match to a finding: versions, patches and known vulnerabilities weighed for one package.
//!
//! The rule: a patch named after the vulnerability decides (fixed); then the package's own
//! `knownVulnerabilities` (affected); then version ranges, of which the first source with a decided answer counts,
//! in this order: the tracker of the package's own distribution, curated overlay, package ecosystem (OSV), CNA, other
//! containers of the CVE record, NVD, advisories (CSAF), the European database. The other sources are shown after it. Within a source an affected range outweighs an unaffected one, and a statement
//! that cannot be compared (commits) counts only where it is alone.
//! Invariant: the first line of evidence is what decided.

use crate::finding::{Finding, FindingStatus, PATCHED};
use crate::reason::Match;
use crate::statements::{Statements, Told};
use nix_version::{Bound, Range, Scheme, Status, evaluate};
use std::cmp::Ordering;
use tracker_inventory::Package;
use tracker_record::record::Source;
use tracker_record::{Statement, Vulnerability};

/// Derives what holds for a matched package; for many packages or matches, prepare [`Statements`] once.
pub fn finding(vulnerability: &Vulnerability, matched: &Match, package: &Package) -> Finding {
    Statements::new(vulnerability)
        .verdicts(matched)
        .finding(package)
}

/// What a vulnerability says of the members of one match.
#[derive(Debug)]
pub struct Verdicts<'a> {
    statements: &'a Statements<'a>,
    /// Statements whose name what led here quotes, where it connects names that are not alike.
    quoted: Vec<u32>,
}

impl<'a> Verdicts<'a> {
    pub(crate) const fn new(statements: &'a Statements<'a>, quoted: Vec<u32>) -> Self {
        Verdicts { statements, quoted }
    }

    /// Derives what holds for one member.
    pub fn finding(&self, package: &Package) -> Finding {
        let mut evidence = Vec::new();
        let mut status = None;
        for patch in &package.patches {
            if self.statements.ids.iter().any(|id| names(patch, id)) {
                status = Some(FindingStatus::Fixed);
                evidence.push(format!("{PATCHED}{patch} is applied"));
            }
        }
        let known = package
            .known_vulnerabilities
            .iter()
            .any(|text| self.statements.ids.iter().any(|id| names(text, id)));
        if known {
            status = status.or(Some(FindingStatus::Affected));
            evidence.push("affected: the package's own knownVulnerabilities name it".to_owned());
        }
        let answers = self.by_version(package);
        let decided = answers
            .iter()
            .position(|answer| answer.status != Status::Unknown);
        if status.is_none() {
            status = decided.map(|index| answers[index].finding);
        }
        if let Some(index) = decided {
            evidence.push(answers[index].text.clone());
        }
        let others = answers
            .iter()
            .enumerate()
            .filter(|(index, _)| Some(*index) != decided);
        evidence.extend(others.map(|(_, answer)| answer.text.clone()));
        if evidence.is_empty() {
            evidence.push("open: no source names versions of it".to_owned());
        }
        Finding {
            attribute: package.attribute.clone(),
            version: package.version.clone(),
            status: status.unwrap_or(FindingStatus::UnderInvestigation),
            evidence,
        }
    }

    /// The answers of all sources that speak of a package, the better source first.
    fn by_version(&self, package: &Package) -> Vec<Answer> {
        let statements = self.statements.about(package, &self.quoted);
        // Of one source only what is closest to the package's name counts.
        let mut closest: Vec<(Source, u8)> = Vec::new();
        for (close, told) in &statements {
            let source = told.statement.source;
            match closest.iter_mut().find(|(known, _)| *known == source) {
                Some((_, least)) => *least = (*least).min(*close),
                None => closest.push((source, *close)),
            }
        }
        let mut ranked: Vec<(u8, &str, Vec<&Told<'_>>)> = Vec::new();
        for (close, told) in statements {
            let statement = &told.statement;
            if !closest.contains(&(statement.source, close)) {
                continue;
            }
            let rank = rank(statement);
            match ranked
                .iter_mut()
                .find(|(r, origin, _)| (*r, *origin) == (rank, statement.origin))
            {
                Some((_, _, list)) => list.push(told),
                None => ranked.push((rank, statement.origin, vec![told])),
            }
        }
        ranked.sort_by_key(|(rank, origin, _)| (*rank, *origin));
        ranked
            .into_iter()
            .map(|(_, _, statements)| answer(package, &statements))
            .collect()
    }
}

/// Whether a text names an id: as a whole, in any case, with `_` for `-`.
fn names(text: &str, id: &str) -> bool {
    let text = text.to_ascii_lowercase().replace('_', "-");
    text.match_indices(id).any(|(at, _)| {
        let after = text[at + id.len()..].chars().next();
        let before = text[..at].chars().next_back();
        !after.is_some_and(|c| c.is_ascii_digit())
            && !before.is_some_and(|c| c.is_ascii_alphanumeric())
    })
}

/// What one source says about the package's version.
struct Answer {
    status: Status,
    finding: FindingStatus,
    text: String,
}

/// The written order of sources.
fn rank(statement: &Statement<'_>) -> u8 {
    match statement.source {
        Source::Debian | Source::Alpine => 0,
        Source::CpeOverlay => 1,
        Source::Osv => 2,
        Source::CveList if statement.origin.starts_with("cna") => 3,
        Source::CveList => 4,
        Source::Nvd => 5,
        Source::Csaf => 6,
        Source::Euvd => 7,
        Source::Kev | Source::Epss => 8,
    }
}

/// Evaluates the statements of one source together.
fn answer(package: &Package, statements: &[&Told<'_>]) -> Answer {
    let label = label(&statements[0].statement);
    let Some(own) = package.version.as_deref() else {
        return open(format!(
            "open: the package has no version to compare ({label})"
        ));
    };
    let mut best: Option<Answer> = None;
    for told in statements {
        let statement = &told.statement;
        let ranges = &statement.affected.ranges;
        if let Some(systems) = told.only_elsewhere() {
            let answer = Answer {
                status: Status::Unaffected,
                finding: FindingStatus::NotAffected,
                text: format!("not affected: only where it runs on {systems} ({label})"),
            };
            best = best
                .filter(|best| best.status != Status::Unknown)
                .or(Some(answer));
            continue;
        }
        // Epoch and revision are the distribution's: another's ranges speak of what is between them.
        let version = match (&package.ecosystem, statement.affected.distribution()) {
            (Some(_), None) => nix_version::debian::upstream(own),
            _ => own,
        };
        let verdict = evaluate(version, ranges, statement.affected.default_status);
        let deciding = verdict.deciding.map(|deciding| &ranges[deciding.range]);
        let answer = match (verdict.status, deciding) {
            (Status::Affected, Some(range)) => Answer {
                status: verdict.status,
                finding: FindingStatus::Affected,
                text: format!("affected: {range} ({label})"),
            },
            (Status::Affected, None) => Answer {
                status: verdict.status,
                finding: FindingStatus::Affected,
                text: format!("affected: every version that is not named otherwise ({label})"),
            },
            (Status::Unaffected, deciding) => unaffected(version, told, deciding, &label),
            (Status::Unknown, Some(range)) => open(format!(
                "open: {version} cannot be compared with: {range} ({label})"
            )),
            // Records without a default status mean "not above": they name the version that ends the range.
            (Status::Unknown, None) if is_beyond(version, ranges) => {
                unaffected(version, told, None, &label)
            }
            (Status::Unknown, None) if ranges.is_empty() => {
                open(format!("open: no versions are named ({label})"))
            }
            (Status::Unknown, None) => open(format!(
                "open: {version} is in no range that is named ({label})"
            )),
        };
        let weight = |answer: &Answer| match answer.status {
            Status::Affected => 2,
            Status::Unaffected => 1,
            Status::Unknown => 0,
        };
        if best
            .as_ref()
            .is_none_or(|best| weight(&answer) > weight(best))
        {
            best = Some(answer);
        }
    }
    best.unwrap_or_else(|| open(format!("open: no versions are named ({label})")))
}

fn open(text: String) -> Answer {
    Answer {
        status: Status::Unknown,
        finding: FindingStatus::UnderInvestigation,
        text,
    }
}

/// Whether a version lies above every affected range, at least one of which is more than a single version.
fn is_beyond(version: &str, ranges: &[Range]) -> bool {
    let affected = || {
        ranges
            .iter()
            .filter(|range| range.status == Status::Affected)
    };
    affected().any(|range| range.lower != range.upper)
        && affected().all(|range| ends_below(version, range))
}

/// Whether a range has an upper bound that the version is beyond.
fn ends_below(version: &str, range: &Range) -> bool {
    let scheme = Scheme::of(&range.scheme);
    match &range.upper {
        Bound::Unbounded => false,
        Bound::Exclusive(upper) => scheme.compare(version, upper).is_some_and(Ordering::is_ge),
        Bound::Inclusive(upper) => scheme.compare(version, upper).is_some_and(Ordering::is_gt),
    }
}

/// Tells "fixed since" from "never was affected": by whether an affected range ends below the version.
fn unaffected(version: &str, told: &Told<'_>, deciding: Option<&Range>, label: &str) -> Answer {
    // It ends below the version, or changes within.
    let ended = told.last_ended(|range| ends_below(version, range) || !range.changes.is_empty());
    match (ended, deciding) {
        (Some(_), Some(range)) if range.status == Status::Unaffected => Answer {
            status: Status::Unaffected,
            finding: FindingStatus::Fixed,
            text: format!("fixed: not affected {range} ({label})"),
        },
        (Some(range), _) => Answer {
            status: Status::Unaffected,
            finding: FindingStatus::Fixed,
            text: format!("fixed: {version} is beyond: {range} ({label})"),
        },
        (None, Some(range)) => Answer {
            status: Status::Unaffected,
            finding: FindingStatus::NotAffected,
            text: format!("not affected: {range} ({label})"),
        },
        (None, None) => Answer {
            status: Status::Unaffected,
            finding: FindingStatus::NotAffected,
            text: match told.statement.affected.ranges.first() {
                Some(range) => format!("not affected: {version} is not in: {range} ({label})"),
                None => format!("not affected: no version is named as affected ({label})"),
            },
        },
    }
}

/// Who says it, as shown.
fn label(statement: &Statement<'_>) -> String {
    match statement.source {
        Source::Nvd => "NVD".to_owned(),
        Source::CpeOverlay => "curated CPE overlay".to_owned(),
        Source::Osv => format!("OSV {}", statement.record),
        Source::CveList => match statement.origin.split_once(':') {
            Some(("cna", who)) => format!("CNA {who}"),
            Some((_, who)) => who.to_owned(),
            None => "CVE list".to_owned(),
        },
        Source::Debian => "Debian's tracker".to_owned(),
        Source::Alpine => "Alpine's database".to_owned(),
        Source::Csaf => format!("advisory {}", statement.record),
        Source::Euvd => "EUVD".to_owned(),
        Source::Kev | Source::Epss => statement.source.to_string(),
    }
}
