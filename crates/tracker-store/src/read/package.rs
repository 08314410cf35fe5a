//! Packages: searching by name, and one package with its versions and vulnerabilities.
//!
//! Invariant: a shorter name that contains what was typed stands before a longer one.

use super::detail::status;
use super::list::Seek;
use super::row::{self, VULNERABILITY_COLUMNS};
use super::statements as sql;
use super::token::Position;
use crate::Store;
use crate::error::Result;
use crate::session::Session;
use crate::value::{Value, values};
use crate::view::{
    ChannelVersion, FindingView, PackageDetail, PackageRow, PackageVersion, PackageVulnerability,
    Page, PageRequest,
};
use crate::words::{Query, Written as _};
use crate::writer::{Counter, Counters};
use std::cmp::Reverse;
use std::collections::HashMap;
use tracker_inventory::Package;
use tracker_match::FindingStatus;

/// Up to here packages are counted.
const MAX_COUNT: i64 = 10_000;

impl Store {
    /// A page of the packages whose attribute or name contains each word of the text; without one, of all.
    ///
    /// Searched ones come shortest name first, all by distribution and name; the order of the request plays no part.
    pub async fn packages(
        &self,
        text: Option<&str>,
        request: &PageRequest,
    ) -> Result<Page<PackageRow>> {
        let mut session = self.read().await?;
        let dialect = session.dialect();
        let text = text.map(str::trim).filter(|text| !text.is_empty());
        let words = match text.map(Query::inside_name) {
            None => None,
            Some(Some(query)) => Some(query.text(dialect)),
            Some(None) => {
                return Ok(Page {
                    rows: Vec::new(),
                    next: None,
                    previous: None,
                    total: Some(0),
                });
            }
        };
        let seek = Seek::at(request, if words.is_some() { 'n' } else { 'a' })?;
        let mut parameters = values![seek.limit + 1];
        parameters.extend(words.as_deref().map(Value::from));
        if seek.inside {
            parameters.push(Value::from(seek.position.key));
        }
        let statement = match (words.is_some(), seek.inside, seek.backwards) {
            (false, false, _) => &sql::PACKAGES_FIRST,
            (false, true, false) => &sql::PACKAGES_AFTER,
            (false, true, true) => &sql::PACKAGES_BEFORE,
            (true, false, _) => &sql::NAMED_FIRST,
            (true, true, false) => &sql::NAMED_AFTER,
            (true, true, true) => &sql::NAMED_BEFORE,
        };
        let mut rows = Vec::new();
        for row in session.rows(statement, parameters).await? {
            let position = Position {
                rank: row.integer(0)?,
                key: row.integer(1)?,
            };
            let package = PackageRow {
                distribution: row.text(2)?,
                attribute: row.text(3)?,
                pname: row.text(4)?,
                family: row.text(5)?,
                description: None,
                versions: Vec::new(),
                affected: row.number(6)?,
            };
            rows.push((position, package));
        }
        complete(&mut session, &mut rows).await?;
        let mut page = seek.page(rows);
        let total = match words {
            Some(words) => {
                let limited = values![words, MAX_COUNT + 1];
                session.count(&sql::NAMED_COUNT, limited).await?
            }
            None => Counters::load(&mut session).await?.get(Counter::Attributes),
        };
        page.total = u64::try_from(total)
            .ok()
            .filter(|total| *total <= MAX_COUNT as u64);
        Ok(page)
    }

    /// A package by its attribute.
    pub async fn package(
        &self,
        distribution: &str,
        attribute: &str,
    ) -> Result<Option<PackageDetail>> {
        let mut session = self.read().await?;
        let named = values![distribution, attribute];
        let Some(row) = session.row(&sql::ATTRIBUTE, named).await? else {
            return Ok(None);
        };
        let (key, pname, family) = (row.integer(0)?, row.text(1)?, row.text(2)?);
        let mut contents: HashMap<i64, Package> = HashMap::new();
        for row in session.rows(&sql::CONTENTS, values![key]).await? {
            contents.insert(row.integer(0)?, row.json(1)?);
        }
        let mut versions = Vec::new();
        let mut newest = None;
        for row in session
            .rows(&sql::VERSIONS, values![distribution, key])
            .await?
        {
            if let Some(package) = contents.get(&row.integer(3)?) {
                newest.get_or_insert(package);
                versions.push(PackageVersion {
                    channel: row.text(0)?,
                    revision: row.text(1)?,
                    released: row.instant(2)?,
                    version: package.version.clone(),
                    patches: package.patches.clone(),
                    known_vulnerabilities: package.known_vulnerabilities.clone(),
                });
            }
        }
        let newest = newest.cloned().unwrap_or_default();
        let others = values![distribution, family.as_str(), attribute];
        let relatives = session.rows(&sql::RELATIVES, others).await?;
        let relatives = relatives.iter().map(|row| row.text(0));
        Ok(Some(PackageDetail {
            distribution: distribution.to_owned(),
            attribute: attribute.to_owned(),
            pname,
            family,
            description: newest.description,
            homepages: newest.homepages,
            maintainers: newest.maintainers,
            position: newest.position,
            versions,
            relatives: relatives.collect::<Result<_>>()?,
            vulnerabilities: vulnerabilities(&mut session, key, attribute).await?,
        }))
    }

    /// Packages that an unknown attribute may have meant, as distribution and attribute.
    pub async fn similar_attributes(
        &self,
        text: &str,
        limit: u32,
    ) -> Result<Vec<(String, String)>> {
        let mut session = self.read().await?;
        // The last part of the path, and of that an ever shorter beginning.
        let last = text.rsplit('.').next().unwrap_or_default();
        let characters = last.chars().count();
        for length in [characters, characters * 2 / 3, characters / 2] {
            let beginning: String = last.chars().take(length).collect();
            let Some(query) = Query::inside_name(&beginning).filter(|_| length > 2) else {
                continue;
            };
            let named = values![limit, query.text(session.dialect())];
            let rows = session.rows(&sql::NAMED_FIRST, named).await?;
            if !rows.is_empty() {
                let named = rows.iter().map(|row| Ok((row.text(2)?, row.text(3)?)));
                return named.collect();
            }
        }
        Ok(Vec::new())
    }
}

/// Adds to rows what their releases say.
async fn complete(session: &mut Session, rows: &mut [(Position, PackageRow)]) -> Result<()> {
    let positions: HashMap<i64, usize> = rows
        .iter()
        .enumerate()
        .map(|(index, (position, _))| (position.key, index))
        .collect();
    let keys: Vec<Value> = positions.keys().map(|key| Value::from(*key)).collect();
    for row in session.rows_in(&sql::CURRENT_VERSIONS, &[], keys).await? {
        if let Some(index) = positions.get(&row.integer(0)?) {
            let package = &mut rows[*index].1;
            if package.description.is_none() {
                package.description = row.json::<Package>(3)?.description;
            }
            package.versions.push(ChannelVersion {
                channel: row.text(1)?,
                version: row.optional_text(2)?,
            });
        }
    }
    Ok(())
}

/// The vulnerabilities with a finding for an attribute: worst status first, then most urgent.
async fn vulnerabilities(
    session: &mut Session,
    attribute: i64,
    name: &str,
) -> Result<Vec<PackageVulnerability>> {
    let mut found: HashMap<i64, (i64, PackageVulnerability)> = HashMap::new();
    let first = VULNERABILITY_COLUMNS;
    for row in session
        .rows(&sql::VULNERABILITIES_OF_ATTRIBUTE, values![attribute])
        .await?
    {
        let key = row.integer(0)?;
        let score = row.real(first)?;
        let urgency = row.integer(first + 6)?;
        let (_, entry) = match found.entry(key) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => {
                let summary = row::vulnerability(&row, 0)?;
                let vulnerability = PackageVulnerability {
                    summary,
                    score,
                    findings: Vec::new(),
                };
                entry.insert((urgency, vulnerability))
            }
        };
        entry.findings.push(FindingView {
            vulnerability: entry.summary.id.clone(),
            channel: row.text(first + 1)?,
            attribute: name.to_owned(),
            version: row.optional_text(first + 2)?,
            status: status(&row, first + 3)?,
            evidence: row.json(first + 4)?,
            since: row.optional_instant(first + 5)?,
        });
    }
    let mut found: Vec<(i64, PackageVulnerability)> = found.into_values().collect();
    for (_, entry) in &mut found {
        entry.findings.sort_by(|a, b| a.channel.cmp(&b.channel));
    }
    let worst = |entry: &PackageVulnerability| -> Option<FindingStatus> {
        entry.findings.iter().map(|finding| finding.status).min()
    };
    found.sort_by(|(a_urgency, a), (b_urgency, b)| {
        let a_key = (worst(a), Reverse(a_urgency), &a.summary.id);
        a_key.cmp(&(worst(b), Reverse(b_urgency), &b.summary.id))
    });
    Ok(found.into_iter().map(|(_, entry)| entry).collect())
}
