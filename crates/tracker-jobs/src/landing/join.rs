//! The landing index joined to the tracker: findings whose fix is in their channel's newest release.
//!
//! A commit fixes a finding if it names the vulnerability, says that it is about the package (the words before the colon of its
//! subject), and is in the newest release without being undone there. What the release's versions and patches say stands first:
//! such a commit only closes what they leave open.
//! Invariant: the same index and findings lead to the same fixes; a fix that a channel lost is dropped.

use super::folder::LandingFolder;
use crate::error::JobError;
use serde::Serialize;
use std::collections::HashMap;
use std::path::Path;
use tracker_landing::LandingIndex;
use tracker_landing::index::OutsideRelease;
use tracker_match::FindingStatus;
use tracker_store::{ChannelFinding, Derived, LandedFix, NamedFinding, Store};

/// What became of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct JoinSummary {
    /// Vulnerabilities that commits name and that have findings.
    pub vulnerabilities: u64,
    /// Fixes that channels have.
    pub fixes: u64,
    /// Vulnerabilities of which a fix came or went: their findings are due.
    pub changed: u64,
}

/// The releases that a database has of its channels, for an index that is asked about them.
///
/// # Errors
/// When the database fails.
pub async fn dated(store: &Store) -> Result<Vec<OutsideRelease>, JobError> {
    let releases = store.releases().await?.into_iter();
    let outside = releases.map(|release| OutsideRelease {
        channel: release.channel,
        revision: release.revision,
        time: release.released,
    });
    Ok(outside.collect())
}

/// As [`join`], with the index in a folder and what the database itself knows of releases and pull requests.
///
/// # Errors
/// [`JobError::Landing`] when the index cannot be read; otherwise as [`join`].
pub async fn join_folder(store: &Store, folder: &Path) -> Result<JoinSummary, JobError> {
    let folder = folder.to_owned();
    let opened = tokio::task::spawn_blocking(move || LandingFolder::open(&folder)).await;
    let mut opened = opened.map_err(|error| JobError::Worker(error.to_string()))??;
    opened.set_outside(dated(store).await?);
    opened.set_requests(store.pull_notes().await?);
    join(store, opened.index()).await
}

/// Tells the database which findings have their fix in their channel's newest release.
///
/// # Errors
/// When the database fails.
pub async fn join(store: &Store, index: &LandingIndex) -> Result<JoinSummary, JobError> {
    let mut ids: Vec<String> = index.named().map(str::to_owned).collect();
    ids.sort_unstable();
    let findings = store.findings_of(ids).await?;
    let mut summary = JoinSummary::default();
    let mut last = String::new();
    let mut fixes = Vec::new();
    let mut asked: HashMap<(String, String, String, String), Option<LandedFix>> = HashMap::new();
    for finding in findings {
        if finding.vulnerability != last {
            summary.vulnerabilities += 1;
            last.clone_from(&finding.vulnerability);
        }
        if finding.status == FindingStatus::NotAffected {
            continue;
        }
        let NamedFinding {
            vulnerability,
            channel,
            attribute,
            family,
            ..
        } = finding;
        let key = (vulnerability, channel, attribute, family);
        let found = asked.entry(key.clone()).or_insert_with(|| {
            let (vulnerability, channel, attribute, family) = &key;
            let names = [attribute.as_str(), family.as_str()];
            let fix = index.landed_fix(vulnerability, &names, channel)?;
            Some(LandedFix {
                vulnerability: vulnerability.clone(),
                channel: channel.clone(),
                attribute: attribute.clone(),
                fix: fix.commit.to_string(),
                pull_request: fix.pull_request,
                release: fix.release.name,
                landed: fix.release.time,
            })
        });
        fixes.extend(found.clone());
    }
    // A package may be matched in two families; the fix is one.
    let place = |fix: &LandedFix| {
        (
            fix.vulnerability.clone(),
            fix.channel.clone(),
            fix.attribute.clone(),
        )
    };
    fixes.sort_by_key(place);
    fixes.dedup_by_key(|fix| place(fix));
    summary.fixes = fixes.len() as u64;
    summary.changed = store.set_landed_fixes(fixes).await?;
    Ok(summary)
}

/// Closes the findings whose fix landed.
pub(crate) fn close(derived: &mut [Derived], fixes: Vec<LandedFix>) {
    let mut landed: HashMap<(String, String, String), LandedFix> = HashMap::new();
    for fix in fixes {
        let place = (
            fix.vulnerability.clone(),
            fix.channel.clone(),
            fix.attribute.clone(),
        );
        landed.insert(place, fix);
    }
    if landed.is_empty() {
        return;
    }
    for one in derived {
        let findings = one
            .matches
            .iter_mut()
            .flat_map(|matched| &mut matched.findings);
        for ChannelFinding { channel, finding } in findings {
            let open = matches!(
                finding.status,
                FindingStatus::Affected | FindingStatus::UnderInvestigation
            );
            let place = (
                one.vulnerability.clone(),
                channel.clone(),
                finding.attribute.clone(),
            );
            if let Some(fix) = landed.get(&place).filter(|_| open) {
                finding.status = FindingStatus::Fixed;
                let request = fix
                    .pull_request
                    .map_or(String::new(), |number| format!(" (#{number})"));
                let commit: String = fix.fix.chars().take(12).collect();
                let text = format!(
                    "commit {commit}{request} names {} and is in `{}` since {}",
                    fix.vulnerability,
                    fix.release,
                    fix.landed.strftime("%Y-%m-%d")
                );
                finding.evidence.insert(0, text);
            }
        }
    }
}
