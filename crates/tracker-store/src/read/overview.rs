//! The start page and the data sources.
//!
//! Invariant: totals come from counters that are written with what they count, never from a scan.

use super::statements as sql;
use super::{channel, list};
use crate::Store;
use crate::error::{Result, StoreError};
use crate::listing;
use crate::record::source_of;
use crate::session::Session;
use crate::view::{Overview, PageRequest, SourceStatus, VulnerabilityFilter};
use crate::writer::{Counter, Counters};
use jiff::Timestamp;
use std::cmp::Reverse;
use tracker_match::FindingStatus;

/// Vulnerabilities that the start page names.
const URGENT: u32 = 10;

impl Store {
    /// The start page.
    pub async fn overview(&self) -> Result<Overview> {
        let mut session = self.read().await?;
        let counters = Counters::load(&mut session).await?;
        let total = |counter| u64::try_from(counters.get(counter)).unwrap_or_default();
        let channels = channel::summaries(&mut session).await?;
        let filter = VulnerabilityFilter {
            matched: true,
            states: vec![FindingStatus::Affected],
            ..VulnerabilityFilter::default()
        };
        let request = PageRequest {
            limit: URGENT,
            ..PageRequest::default()
        };
        let urgent = list::vulnerabilities(&mut session, &filter, &request).await?;
        let mut affected_by_severity = Vec::new();
        for row in session.rows(&sql::AFFECTED_BY_SEVERITY, Vec::new()).await? {
            affected_by_severity.push((listing::severity_of(row.integer(0)?), row.number(1)?));
        }
        affected_by_severity.sort_unstable_by_key(|(severity, _)| Reverse(*severity));
        Ok(Overview {
            vulnerabilities: total(Counter::Vulnerabilities),
            packages: total(Counter::Attributes),
            matches: total(Counter::Matches),
            channels: channels.into_iter().map(|(_, summary)| summary).collect(),
            urgent: urgent.rows,
            affected_by_severity,
            sources: sources(&mut session).await?,
        })
    }

    /// The data sources that anything was imported from.
    pub async fn sources(&self) -> Result<Vec<SourceStatus>> {
        let mut session = self.read().await?;
        sources(&mut session).await
    }

    /// When anything that pages show last changed; `None` for an empty database.
    pub async fn last_change(&self) -> Result<Option<Timestamp>> {
        let mut session = self.read().await?;
        let counters = Counters::load(&mut session).await?;
        match counters.get(Counter::LastChange) {
            0 => Ok(None),
            instant => Timestamp::from_microsecond(instant)
                .map(Some)
                .map_err(|error| StoreError::damaged("last change", error)),
        }
    }
}

async fn sources(session: &mut Session) -> Result<Vec<SourceStatus>> {
    let mut sources = Vec::new();
    for row in session.rows(&sql::FEEDS, Vec::new()).await? {
        let count = |index| {
            let value = row.integer(index)?;
            Ok::<_, StoreError>(u64::try_from(value).unwrap_or_default())
        };
        sources.push(SourceStatus {
            source: source_of(row.text(0)?)?,
            records: count(1)?,
            imported: row.optional_instant(2)?,
            newest: row.optional_instant(3)?,
            rejected: count(4)?,
        });
    }
    sources.sort_by_key(|status| status.source);
    Ok(sources)
}
