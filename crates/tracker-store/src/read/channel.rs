//! Channels, their releases, and what differs between two of them.
//!
//! Invariant: counts are of the latest release, each vulnerability once, by its worst status there.

use super::list;
use super::statements as sql;
use crate::Store;
use crate::error::Result;
use crate::inventory::statements::ONLY_IN_FIRST;
use crate::listing;
use crate::session::Session;
use crate::value::{Row, values};
use crate::view::{
    AffectedBy, AffectedPackage, AffectedRelease, ChannelDetail, ChannelSummary, DatedRevision,
    PackageMove, PageRequest, ReleaseRow, VulnerabilityFilter,
};
use std::collections::BTreeMap;
use tracker_match::FindingStatus;

/// Vulnerabilities that a channel's page names.
const URGENT: u32 = 20;
/// Findings that are told of one release; where there are more, that is told, too.
const AFFECTED: u32 = 200_000;

impl Store {
    /// All channels, by distribution and name.
    pub async fn channels(&self) -> Result<Vec<ChannelSummary>> {
        let mut session = self.read().await?;
        let channels = summaries(&mut session).await?;
        Ok(channels.into_iter().map(|(_, summary)| summary).collect())
    }

    /// Every release of every channel, by channel and date.
    pub async fn releases(&self) -> Result<Vec<DatedRevision>> {
        let mut session = self.read().await?;
        let rows = session.rows(&sql::RELEASES_OF_ALL, Vec::new()).await?;
        let release = |row: &Row| {
            Ok(DatedRevision {
                channel: row.text(0)?,
                revision: row.text(1)?,
                released: row.instant(2)?,
            })
        };
        rows.iter().map(release).collect()
    }

    /// What is affected in the current release of a channel, by attribute and id.
    pub async fn affected_release(&self, name: &str) -> Result<Option<AffectedRelease>> {
        let mut session = self.read().await?;
        let rows = session.rows(&sql::CHANNELS, Vec::new()).await?;
        let mut channel = None;
        for row in &rows {
            if row.text(2)? == name {
                channel = Some(row);
            }
        }
        let Some(channel) = channel else {
            return Ok(None);
        };
        let affected = listing::status_bit(FindingStatus::Affected);
        let asked = values![channel.integer(0)?, affected, AFFECTED + 1];
        let found = session.rows(&sql::AFFECTED_OF_CHANNEL, asked).await?;
        let complete = found.len() <= AFFECTED as usize;
        let mut packages: Vec<AffectedPackage> = Vec::new();
        for row in found.iter().take(AFFECTED as usize) {
            let (attribute, version) = (row.text(0)?, row.optional_text(2)?);
            let by = AffectedBy {
                id: row.text(3)?,
                severity: listing::severity_of(row.integer(4)?),
                exploited: row.integer(5)? != 0,
            };
            match packages.last_mut() {
                Some(last) if last.attribute == attribute => last.vulnerabilities.push(by),
                _ => packages.push(AffectedPackage {
                    pname: row.text(1)?,
                    vulnerabilities: vec![by],
                    attribute,
                    version,
                }),
            }
        }
        Ok(Some(AffectedRelease {
            channel: name.to_owned(),
            revision: channel.text(3)?,
            released: channel.instant(4)?,
            complete,
            packages,
        }))
    }

    /// A channel by its name.
    pub async fn channel(&self, name: &str) -> Result<Option<ChannelDetail>> {
        let mut session = self.read().await?;
        let channels = summaries(&mut session).await?;
        let found = channels.into_iter().find(|(_, row)| row.name == name);
        let Some((key, summary)) = found else {
            return Ok(None);
        };
        let mut releases = Vec::new();
        for row in session.rows(&sql::RELEASES, values![key]).await? {
            let count = |index| {
                let value = row.optional_integer(index)?;
                Ok::<_, crate::StoreError>(value.and_then(|value| u32::try_from(value).ok()))
            };
            releases.push(ReleaseRow {
                revision: row.text(0)?,
                released: row.instant(1)?,
                packages: row.number(2)?,
                added: count(3)?,
                removed: count(4)?,
                moved: count(5)?,
            });
        }
        let filter = VulnerabilityFilter {
            channel: Some(name.to_owned()),
            states: vec![FindingStatus::Affected],
            ..VulnerabilityFilter::default()
        };
        let request = PageRequest {
            limit: URGENT,
            ..PageRequest::default()
        };
        let urgent = list::vulnerabilities(&mut session, &filter, &request).await?;
        Ok(Some(ChannelDetail {
            summary,
            releases,
            urgent: urgent.rows,
        }))
    }

    /// What came, went and moved from one release of a channel to another, by attribute. `None` if one of
    /// them is not held.
    pub async fn release_difference(
        &self,
        channel: &str,
        from: &str,
        to: &str,
    ) -> Result<Option<Vec<PackageMove>>> {
        let mut session = self.read().await?;
        let mut keys = Vec::with_capacity(2);
        for revision in [from, to] {
            let named = values![channel, revision];
            match session.row(&sql::RELEASE_OF_CHANNEL, named).await? {
                Some(row) => keys.push(row.integer(0)?),
                None => return Ok(None),
            }
        }
        let mut before = BTreeMap::new();
        for row in session
            .rows(&ONLY_IN_FIRST, values![keys[0], keys[1]])
            .await?
        {
            before.insert(row.text(1)?, row.optional_text(2)?);
        }
        let mut moves = Vec::new();
        for row in session
            .rows(&ONLY_IN_FIRST, values![keys[1], keys[0]])
            .await?
        {
            let (attribute, to) = (row.text(1)?, row.optional_text(2)?);
            let (from, change) = match before.remove(&attribute) {
                None => (None, "added"),
                // Something else than the version changed.
                Some(from) if from == to => continue,
                Some(from) => (from, "moved"),
            };
            moves.push(PackageMove {
                attribute,
                from,
                to,
                change,
            });
        }
        moves.extend(before.into_iter().map(|(attribute, from)| PackageMove {
            attribute,
            from,
            to: None,
            change: "removed",
        }));
        moves.sort_unstable_by(|a, b| a.attribute.cmp(&b.attribute));
        Ok(Some(moves))
    }
}

/// All channels with their keys.
pub(super) async fn summaries(session: &mut Session) -> Result<Vec<(i64, ChannelSummary)>> {
    let mut channels = Vec::new();
    for row in session.rows(&sql::CHANNELS, Vec::new()).await? {
        let key = row.integer(0)?;
        let mut counts: BTreeMap<FindingStatus, u32> = BTreeMap::new();
        for group in session.rows(&sql::STATUSES_OF_SCOPE, values![key]).await? {
            if let Some(status) = listing::worst(group.integer(0)?) {
                *counts.entry(status).or_default() += group.number(1)?;
            }
        }
        let summary = ChannelSummary {
            distribution: row.text(1)?,
            name: row.text(2)?,
            revision: row.text(3)?,
            released: row.instant(4)?,
            packages: row.number(5)?,
            releases: row.number(6)?,
            supported_until: row.optional_instant(7)?,
            counts: counts.into_iter().collect(),
        };
        channels.push((key, summary));
    }
    Ok(channels)
}
