//! What is due to be matched, and keeping what matching found, with its history.
//!
//! Invariant: a vulnerability is due for a distribution until its matches were written after the last change of
//! either; the position moves in the same transaction that writes them, so a killed derivation goes on where it was.

mod basis;
pub(crate) mod held;
mod heritage;
pub(crate) mod statements;
pub(crate) mod write;

use crate::Store;
use crate::blob;
use crate::error::Result;
use crate::triage::family;
use crate::value::{Value, values};
use crate::writer::{Counter, Counters};
pub use basis::Cause;
use statements as sql;
use std::collections::HashMap;
use std::sync::Arc;
use tracker_inventory::{Package, Release};
use tracker_match::{Finding, Match};
use tracker_record::{Record, Vulnerability};
use tracker_triage::Families;

/// The latest release of each channel of a distribution.
#[derive(Debug, Clone)]
pub struct Inventory {
    /// The distribution.
    pub distribution: String,
    /// Changes whenever a channel moves to another release.
    pub generation: i64,
    /// One a channel, by name.
    pub releases: Vec<CurrentRelease>,
    /// What people merged and split.
    pub families: Families,
}

/// A channel's latest release.
#[derive(Debug, Clone)]
pub struct CurrentRelease {
    /// The release.
    pub release: Release,
    /// Its packages; contents that channels share are in memory once.
    pub packages: Vec<Arc<Package>>,
}

/// A position in the order in which vulnerabilities were touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    generation: i64,
    position: i64,
}

/// Vulnerabilities whose matches are due.
#[derive(Debug, Clone)]
pub struct Due {
    /// The next of them; empty if nothing is due.
    pub vulnerabilities: Vec<Vulnerability>,
    /// Hand it back with what was found.
    pub mark: Mark,
    /// How many are due after these, at most.
    pub remaining: u64,
}

/// What matching found about a vulnerability in a distribution.
#[derive(Debug, Clone, PartialEq)]
pub struct Derived {
    /// Public id.
    pub vulnerability: String,
    /// All its matches; those held before and not among them are dropped.
    pub matches: Vec<DerivedMatch>,
}

/// A match with its findings.
#[derive(Debug, Clone, PartialEq)]
pub struct DerivedMatch {
    /// The match.
    pub matched: Match,
    /// A finding per channel and attribute; the attributes are of the match's family.
    pub findings: Vec<ChannelFinding>,
    /// How many packages depend on the one of them that most depend on, where it is known.
    pub dependents: Option<u32>,
}

/// A finding and the channel it holds for.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelFinding {
    /// Channel name.
    pub channel: String,
    /// The finding.
    pub finding: Finding,
}

/// What a derivation changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DerivationOutcome {
    /// Matches that are new.
    pub matched: u64,
    /// Matches that are gone.
    pub unmatched: u64,
    /// Findings that are new, gone or of another status.
    pub findings_changed: u64,
    /// Vulnerabilities of which nothing changed.
    pub unchanged: u64,
}

impl Store {
    /// The distributions that have a channel, by name.
    pub async fn distributions(&self) -> Result<Vec<String>> {
        let mut session = self.read().await?;
        let rows = session.rows(&sql::DISTRIBUTIONS, Vec::new()).await?;
        rows.iter().map(|row| row.text(0)).collect()
    }

    /// All packages of the latest release of each channel of a distribution.
    pub async fn current_packages(&self, distribution: &str) -> Result<Inventory> {
        let mut session = self.read().await?;
        let generation = session
            .count(&sql::GENERATION, values![distribution])
            .await?;
        let families = family::families(&mut session).await?;
        let mut shared: HashMap<i64, Arc<Package>> = HashMap::new();
        let mut releases = Vec::new();
        let channels = session
            .rows(&sql::CURRENT_RELEASES, values![distribution])
            .await?;
        for row in channels {
            let release = Release {
                distribution: distribution.to_owned(),
                channel: row.text(1)?,
                revision: row.text(2)?,
                released: row.instant(3)?,
            };
            let mut packages = Vec::new();
            let mut last = i64::MIN;
            loop {
                let page = values![row.integer(0)?, last];
                let rows = session.rows(&sql::PACKAGES_OF_RELEASE, page).await?;
                for row in &rows {
                    last = row.integer(0)?;
                    let derivation = row.optional_text(1)?;
                    let output = row.optional_text(2)?;
                    let dependents = row.optional_integer(3)?.and_then(|n| u32::try_from(n).ok());
                    let package = match shared.get(&last) {
                        Some(held)
                            if held.derivation == derivation
                                && held.output == output
                                && held.dependents == dependents =>
                        {
                            Arc::clone(held)
                        }
                        _ => Arc::new(Package {
                            derivation,
                            output,
                            dependents,
                            ..row.json(4)?
                        }),
                    };
                    shared.insert(last, Arc::clone(&package));
                    packages.push(package);
                }
                if rows.is_empty() {
                    break;
                }
            }
            packages.sort_unstable_by(|a, b| a.attribute.cmp(&b.attribute));
            releases.push(CurrentRelease { release, packages });
        }
        Ok(Inventory {
            distribution: distribution.to_owned(),
            generation,
            releases,
            families,
        })
    }

    /// Whether any vulnerability's matches in a distribution are due, without loading its packages.
    pub async fn is_derivation_due(&self, distribution: &str) -> Result<bool> {
        let mut session = self.read().await?;
        let position = session.count(&sql::POSITION, values![distribution]).await?;
        let next = session
            .row(&sql::TOUCHED_AFTER, values![position, 1_i64])
            .await?;
        Ok(next.is_some())
    }

    /// The next vulnerabilities, at most `limit`, whose matches in the distribution are due.
    pub async fn due(&self, inventory: &Inventory, limit: u32) -> Result<Due> {
        let mut session = self.read().await?;
        let name = values![inventory.distribution.as_str()];
        let position = session.count(&sql::POSITION, name).await?;
        let mark = Mark {
            generation: inventory.generation,
            position,
        };
        after(&mut session, mark, limit).await
    }

    /// Vulnerabilities in the order in which they were last touched, whether due or not.
    pub async fn all_vulnerabilities(&self, after_mark: Option<Mark>, limit: u32) -> Result<Due> {
        let mut session = self.read().await?;
        let start = Mark {
            generation: 0,
            position: 0,
        };
        after(&mut session, after_mark.unwrap_or(start), limit).await
    }
}

async fn after(session: &mut crate::session::Session, mark: Mark, limit: u32) -> Result<Due> {
    let rows = session
        .rows(&sql::TOUCHED_AFTER, values![mark.position, limit])
        .await?;
    let mut position = mark.position;
    let mut ids = Vec::with_capacity(rows.len());
    for row in rows {
        position = row.integer(1)?;
        ids.push((row.integer(0)?, row.text(2)?));
    }
    let keys = ids.iter().map(|(key, _)| Value::from(*key)).collect();
    let mut records: HashMap<i64, Vec<Record>> = HashMap::new();
    for row in session
        .rows_in(
            &crate::record::statements::RECORDS_OF_VULNERABILITIES,
            &[],
            keys,
        )
        .await?
    {
        let record = blob::decode(row.integer(1)?, &row.bytes(2)?)?;
        records.entry(row.integer(0)?).or_default().push(record);
    }
    let vulnerabilities = ids
        .into_iter()
        .map(|(key, id)| Vulnerability::merge(id, records.remove(&key).unwrap_or_default()))
        .collect();
    let counters = Counters::load(session).await?;
    let last = counters.get(Counter::Touched);
    // Positions of vulnerabilities that were touched again are gaps, so both bounds are upper ones.
    let total = counters.get(Counter::Vulnerabilities);
    Ok(Due {
        vulnerabilities,
        mark: Mark { position, ..mark },
        remaining: (last - position).min(total).max(0) as u64,
    })
}
