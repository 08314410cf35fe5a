//! Laying decisions over evidence that is held, without matching anew: after an act, and where families changed.
//!
//! Invariant: evidence stays what it is; only what decisions and families make of it moves.

use super::statements as sql;
use crate::Store;
use crate::derive::held::{self, Anew, HeldVulnerability};
use crate::derive::write::{self, Rows};
use crate::derive::{ChannelFinding, Derived, DerivedMatch};
use crate::error::{Result, StoreError};
use crate::listing;
use crate::value::{Value, values};
use crate::writer::{Counter, Writer};
use std::collections::{BTreeMap, BTreeSet};
use tracker_match::{Finding, FindingStatus, Match, Reason};
use tracker_triage::{FindingState, Subject};

/// Lays the log's decisions over the evidence that is held of some vulnerabilities; gives how many findings moved.
pub(super) async fn rederive(
    writer: &mut Writer,
    vulnerabilities: &[(i64, String)],
) -> Result<u64> {
    rederive_anew(writer, vulnerabilities, &Anew::new()).await
}

/// The same, where decisions about some matches alone changed.
pub(super) async fn rederive_anew(
    writer: &mut Writer,
    vulnerabilities: &[(i64, String)],
    anew: &Anew,
) -> Result<u64> {
    lay(writer, vulnerabilities, anew, None).await
}

/// Attributes that are counted to other families than before, and why.
pub(crate) struct Regrouped {
    pub(crate) distribution: String,
    /// The family of each attribute of the families that changed.
    pub(crate) families: BTreeMap<String, String>,
    pub(super) because: String,
}

/// As [`rederive`], where attributes moved between families.
pub(super) async fn regroup(
    writer: &mut Writer,
    vulnerabilities: &[(i64, String)],
    regrouped: &Regrouped,
) -> Result<u64> {
    lay(writer, vulnerabilities, &Anew::new(), Some(regrouped)).await
}

async fn lay(
    writer: &mut Writer,
    vulnerabilities: &[(i64, String)],
    anew: &Anew,
    regrouped: Option<&Regrouped>,
) -> Result<u64> {
    if vulnerabilities.is_empty() {
        return Ok(0);
    }
    let ids = vulnerabilities.iter().map(|(_, id)| id.as_str());
    let mut held = held::held(writer, ids, anew).await?;
    let mut distributions: BTreeSet<String> = BTreeSet::new();
    for one in held.values() {
        distributions.extend(one.matches.iter().map(|held| held.distribution.clone()));
        let added = one
            .decisions
            .iter()
            .filter(|(_, decisions)| decisions.added);
        distributions.extend(added.map(|(subject, _)| subject.distribution.clone()));
        // An item whose match is gone goes, too.
        distributions.extend(one.items.keys().map(|subject| subject.distribution.clone()));
    }
    let channels = write::channel_names(writer).await?;
    let mut moved = 0;
    for distribution in distributions {
        let mut derived = Vec::new();
        let regrouped = regrouped.filter(|moved| moved.distribution == distribution);
        for (id, one) in &mut held {
            let mut matches = evidence(&channels, one, &distribution, regrouped)?;
            if let Some(regrouped) = regrouped {
                one.inherit(regrouped);
            }
            matches.extend(added(writer, id, one, &distribution).await?);
            derived.push(Derived {
                vulnerability: id.clone(),
                matches,
            });
        }
        let mut names = write::names(writer, &distribution, &derived).await?;
        names.because = regrouped.map(|moved| moved.because.clone());
        let mut rows = Rows::default();
        for one in derived {
            if let Some(held) = held.get_mut(&one.vulnerability) {
                rows.vulnerability(writer, &names, held, one.matches)?;
            }
        }
        let outcome = rows.outcome;
        moved += outcome.findings_changed;
        rows.write(writer).await?;
        writer.add(
            Counter::Matches,
            outcome.matched as i64 - outcome.unmatched as i64,
        );
    }
    Ok(moved)
}

/// What is held of a vulnerability's matches, in the form in which matching gives it; each attribute in its family.
fn evidence(
    channels: &BTreeMap<i64, String>,
    held: &HeldVulnerability,
    distribution: &str,
    regrouped: Option<&Regrouped>,
) -> Result<Vec<DerivedMatch>> {
    let mut matches: BTreeMap<String, DerivedMatch> = BTreeMap::new();
    let of = held.matches.iter();
    for one in of.filter(|one| one.distribution == distribution) {
        let damaged = |error: serde_json::Error| StoreError::damaged("match", error);
        let reasons: Vec<Reason> = serde_json::from_str(&one.reasons).map_err(damaged)?;
        let attributes: Vec<String> = serde_json::from_str(&one.attributes).map_err(damaged)?;
        let by_hand = is_by_hand(&reasons);
        let family = |attribute: &str| {
            let moved = regrouped.and_then(|moved| moved.families.get(attribute));
            moved.map_or(one.family.as_str(), String::as_str)
        };
        let mut grouped: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for attribute in &attributes {
            let members = grouped.entry(family(attribute)).or_default();
            members.push(attribute.clone());
        }
        if grouped.is_empty() {
            grouped.insert(one.family.as_str(), Vec::new());
        }
        let subject = Subject::new(distribution, one.family.as_str());
        let reach = held.items.get(&subject).map(|row| row.dependents);
        for (family, attributes) in grouped {
            let subject = Subject::new(distribution, family);
            let added = held.decisions.get(&subject).is_some_and(|held| held.added);
            if by_hand && !added {
                continue;
            }
            let part = DerivedMatch {
                matched: Match {
                    vulnerability: String::new(),
                    family: family.to_owned(),
                    attributes,
                    score: one.score,
                    reasons: reasons.clone(),
                },
                findings: Vec::new(),
                dependents: reach.and_then(|reach| u32::try_from(reach).ok()),
            };
            match matches.get_mut(family) {
                Some(whole) => join(whole, part),
                None => drop(matches.insert(family.to_owned(), part)),
            }
        }
        let removed = i64::from(FindingState::Removed.bit());
        for ((_, channel), finding) in &one.findings {
            // What is in no release any more has no evidence, and stays as it is.
            let Some(channel) = channels.get(channel).filter(|_| finding.state != removed) else {
                continue;
            };
            let Some(whole) = matches.get_mut(family(&finding.attribute)) else {
                continue;
            };
            whole.findings.push(ChannelFinding {
                channel: channel.clone(),
                finding: Finding {
                    attribute: finding.attribute.clone(),
                    version: finding.version.clone(),
                    status: listing::worst(finding.derived)
                        .unwrap_or(FindingStatus::UnderInvestigation),
                    evidence: serde_json::from_str(&finding.evidence).map_err(damaged)?,
                },
            });
        }
    }
    Ok(matches.into_values().collect())
}

/// Adds a match of members that joined a family to the match of that family: the surer of the two says why.
fn join(whole: &mut DerivedMatch, part: DerivedMatch) {
    whole.dependents = whole.dependents.max(part.dependents);
    whole.findings.extend(part.findings);
    let Match {
        attributes,
        score,
        reasons,
        ..
    } = part.matched;
    let sure = |score: f64, reasons: &[Reason]| (!is_by_hand(reasons), score);
    if sure(score, &reasons) > sure(whole.matched.score, &whole.matched.reasons) {
        (whole.matched.score, whole.matched.reasons) = (score, reasons);
    }
    whole.matched.attributes.extend(attributes);
    whole.matched.attributes.sort_unstable();
    whole.matched.attributes.dedup();
}

fn is_by_hand(reasons: &[Reason]) -> bool {
    reasons.iter().any(|reason| reason.feature == ADDED)
}

/// The feature of the reason for a match that a person added.
const ADDED: &str = "added-by-hand";

/// Matches that were added by hand and are not held yet.
async fn added(
    writer: &mut Writer,
    id: &str,
    held: &HeldVulnerability,
    distribution: &str,
) -> Result<Vec<DerivedMatch>> {
    let mut matches = Vec::new();
    for (subject, decisions) in &held.decisions {
        let there = held
            .matches
            .iter()
            .any(|one| one.distribution == distribution && one.family == subject.family);
        if !decisions.added || there || subject.distribution != distribution {
            continue;
        }
        let mut findings = Vec::new();
        let mut attributes = BTreeSet::new();
        let place = values![distribution, subject.family.as_str()];
        for row in writer.session.rows(&sql::FAMILY_PLACES, place).await? {
            let attribute = row.text(1)?;
            attributes.insert(attribute.clone());
            findings.push(ChannelFinding {
                channel: row.text(0)?,
                finding: Finding {
                    attribute,
                    version: row.optional_text(2)?,
                    status: FindingStatus::UnderInvestigation,
                    evidence: vec!["open: it was added by hand and not matched yet".to_owned()],
                },
            });
        }
        matches.push(DerivedMatch {
            matched: by_hand(id, &subject.family, attributes.into_iter().collect()),
            findings,
            dependents: None,
        });
    }
    Ok(matches)
}

/// A match that a person added.
pub(super) fn by_hand(vulnerability: &str, family: &str, attributes: Vec<String>) -> Match {
    Match {
        vulnerability: vulnerability.to_owned(),
        family: family.to_owned(),
        attributes,
        score: 1.0,
        reasons: vec![Reason {
            feature: ADDED.to_owned(),
            weight: 0.0,
            text: "a person added it".to_owned(),
        }],
    }
}

impl Store {
    /// The families that people added to vulnerabilities, in one distribution: matching derives what holds of them.
    pub async fn added_families(
        &self,
        distribution: &str,
        vulnerabilities: Vec<String>,
    ) -> Result<BTreeMap<String, Vec<String>>> {
        let mut session = self.read().await?;
        let ids = vulnerabilities.iter().map(|id| Value::from(id.as_str()));
        let rows = session
            .rows_in(&sql::ADDED, &[distribution.into()], ids.collect())
            .await?;
        let mut added: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in rows {
            added.entry(row.text(0)?).or_default().push(row.text(1)?);
        }
        Ok(added)
    }

    /// The match that matching is to derive findings of where a person added it.
    pub fn match_by_hand(vulnerability: &str, family: &str, attributes: Vec<String>) -> Match {
        by_hand(vulnerability, family, attributes)
    }
}
