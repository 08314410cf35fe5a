//! Deriving: what is due is matched against the current releases, and what holds for each package is kept.
//!
//! What is due is the store's to say: vulnerabilities that changed since their matches were written, and all of
//! them for a distribution of which a channel moved, or where matching itself changed. Fixes that the landing index found
//! close what matching left open. Matching runs on two threads beside the database.
//! Invariant: the position moves in the transaction that writes the findings, so a killed run is continued.

use crate::error::JobError;
use crate::landing::close;
use crate::progress::{Phase, Progress, Step};
use serde::Serialize;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use tracker_inventory::Package;
use tracker_match::{Index, Statements, Weights};
use tracker_record::Vulnerability;
use tracker_store::{
    Cause, ChannelFinding, CurrentRelease, Derived, DerivedMatch, Inventory, Store, StoreError,
};

/// Vulnerabilities that are matched and written together.
const BATCH: u32 = 1000;

/// Threads that match.
const MATCHERS: usize = 2;

/// The families that people added, by vulnerability.
type Added = BTreeMap<String, Vec<String>>;

/// What was derived.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DeriveSummary {
    /// One a distribution, by name.
    pub distributions: Vec<DistributionDerived>,
}

/// What was derived for a distribution.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DistributionDerived {
    /// The distribution.
    pub distribution: String,
    /// Vulnerabilities that were due.
    pub vulnerabilities: u64,
    /// Matches that are new.
    pub matched: u64,
    /// Matches that are gone.
    pub unmatched: u64,
    /// Findings that are new, gone or of another status.
    pub findings_changed: u64,
    /// Vulnerabilities of which nothing changed.
    pub unchanged: u64,
}

/// Derives everything that is due.
///
/// # Errors
/// When the database fails; what was derived before stays.
pub async fn derive(store: &Store, progress: &dyn Progress) -> Result<DeriveSummary, JobError> {
    let mut summary = DeriveSummary::default();
    for distribution in store.distributions().await? {
        let mut derived = DistributionDerived {
            distribution,
            ..DistributionDerived::default()
        };
        // A release that arrives meanwhile makes the packages at hand outdated; then they are loaded again.
        while !derive_with_current(store, &mut derived, progress).await? {
            tracing::info!(distribution = %derived.distribution, "packages changed while deriving");
        }
        summary.distributions.push(derived);
    }
    Ok(summary)
}

/// `false` if the packages became outdated before everything was done.
async fn derive_with_current(
    store: &Store,
    derived: &mut DistributionDerived,
    progress: &dyn Progress,
) -> Result<bool, JobError> {
    let digest = Weights::embedded().digest();
    let swept = store
        .begin_derivation(&derived.distribution, &digest)
        .await?;
    if swept == Some(Cause::Weights) {
        tracing::info!(distribution = %derived.distribution, "matching itself changed: everything is due");
    }
    if !store.is_derivation_due(&derived.distribution).await? {
        return Ok(true);
    }
    let inventory = store.current_packages(&derived.distribution).await?;
    let mut due = store.due(&inventory, BATCH).await?;
    if due.vulnerabilities.is_empty() {
        return Ok(true);
    }
    let inventory = Arc::new(inventory);
    let index = {
        let inventory = Arc::clone(&inventory);
        blocking(move || index(&inventory)).await?
    };
    let index = Arc::new(index);
    let mut found = 0;
    while !due.vulnerabilities.is_empty() {
        let count = due.vulnerabilities.len() as u64;
        let vulnerabilities = std::mem::take(&mut due.vulnerabilities);
        let ids: Vec<String> = vulnerabilities.iter().map(|one| one.id.clone()).collect();
        let added = store
            .added_families(&inventory.distribution, ids.clone())
            .await?;
        let fixes = store.landed_fixes_of(ids).await?;
        let mut batch = {
            let (index, inventory) = (Arc::clone(&index), Arc::clone(&inventory));
            blocking(move || match_all(&vulnerabilities, &index, &inventory, &added)).await?
        };
        close(&mut batch, fixes);
        found += batch
            .iter()
            .map(|one| one.matches.len() as u64)
            .sum::<u64>();
        let outcome = match store
            .put_derivation(&inventory.distribution, batch, due.mark)
            .await
        {
            Err(StoreError::Outdated { .. }) => return Ok(false),
            other => other?,
        };
        derived.vulnerabilities += count;
        derived.matched += outcome.matched;
        derived.unmatched += outcome.unmatched;
        derived.findings_changed += outcome.findings_changed;
        derived.unchanged += outcome.unchanged;
        progress.step(Step {
            phase: Phase::Derive,
            done: derived.vulnerabilities,
            total: derived.vulnerabilities + due.remaining,
            records: found,
        });
        due = store.due(&inventory, BATCH).await?;
    }
    progress.step(Step {
        phase: Phase::Derive,
        done: derived.vulnerabilities,
        total: derived.vulnerabilities,
        records: found,
    });
    Ok(true)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, JobError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| JobError::Worker(error.to_string()))
}

/// An index over every attribute of the distribution, each as its newest release has it and in the family that people
/// count it to: names and addresses decide who is meant, and they hardly differ between channels.
fn index(inventory: &Inventory) -> Index {
    let mut releases: Vec<&CurrentRelease> = inventory.releases.iter().collect();
    releases.sort_by_key(|release| std::cmp::Reverse(release.release.released));
    let mut seen = HashSet::new();
    let mut packages: Vec<Package> = Vec::new();
    for package in releases.into_iter().flat_map(|release| &release.packages) {
        if seen.insert(package.attribute.as_str()) {
            packages.push(Package::clone(package));
        }
    }
    let distribution = inventory.distribution.as_str();
    Index::counted(&packages, Weights::embedded(), |package, own| {
        let families = &inventory.families;
        families.assigned(distribution, &package.attribute, &own)
    })
}

fn match_all(
    vulnerabilities: &[Vulnerability],
    index: &Index,
    inventory: &Inventory,
    added: &Added,
) -> Vec<Derived> {
    let share = vulnerabilities.len().div_ceil(MATCHERS).max(1);
    std::thread::scope(|scope| {
        let workers: Vec<_> = vulnerabilities
            .chunks(share)
            .map(|chunk| {
                scope.spawn(move || -> Vec<Derived> {
                    let one = |vulnerability| match_one(vulnerability, index, inventory, added);
                    chunk.iter().map(one).collect()
                })
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| match worker.join() {
                Ok(derived) => derived,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    })
}

fn match_one(
    vulnerability: &Vulnerability,
    index: &Index,
    inventory: &Inventory,
    added: &Added,
) -> Derived {
    let mut found = index.matches(vulnerability);
    // What a person added and matching does not find is derived like what it finds.
    for family in added.get(&vulnerability.id).into_iter().flatten() {
        if found.iter().all(|matched| matched.family != *family) {
            let attributes = index.members(family).to_vec();
            found.push(Store::match_by_hand(&vulnerability.id, family, attributes));
        }
    }
    if found.is_empty() {
        return Derived {
            vulnerability: vulnerability.id.clone(),
            matches: Vec::new(),
        };
    }
    let statements = Statements::new(vulnerability);
    let matches = found.into_iter().map(|matched| {
        let mut findings = Vec::new();
        let mut dependents = None;
        let verdicts = statements.verdicts(&matched);
        for release in &inventory.releases {
            for attribute in &matched.attributes {
                let position = release
                    .packages
                    .binary_search_by(|package| package.attribute.as_str().cmp(attribute));
                if let Ok(position) = position {
                    let package = &release.packages[position];
                    dependents = dependents.max(package.dependents);
                    findings.push(ChannelFinding {
                        channel: release.release.channel.clone(),
                        finding: verdicts.finding(package),
                    });
                }
            }
        }
        DerivedMatch {
            matched,
            findings,
            dependents,
        }
    });
    Derived {
        vulnerability: vulnerability.id.clone(),
        matches: matches.collect(),
    }
}
