//! One vulnerability with its records, matches and history, and raw documents.
//!
//! Invariant: an id that is an alias leads to the vulnerability that has it.

use super::statements as sql;
use crate::error::{Result, StoreError};
use crate::listing;
use crate::value::{Row, values};
use crate::view::{FindingView, HistoryEntry, MatchView, RecordView, VulnerabilityDetail};
use crate::{Store, blob};
use std::collections::HashMap;
use tracker_match::FindingStatus;
use tracker_record::{Source, Vulnerability};

/// The longest beginning, in characters, that an unknown id is held to have in common with another: each is asked for.
const MOST_ALIKE: usize = 64;

impl Store {
    /// A vulnerability by its public id or any other id, upper case or not.
    pub async fn vulnerability(&self, id: &str) -> Result<Option<VulnerabilityDetail>> {
        let mut session = self.read().await?;
        let upper = id.to_ascii_uppercase();
        let mut found = None;
        for (statement, id) in [
            (&sql::VULNERABILITY, id),
            (&sql::VULNERABILITY, &upper),
            (&sql::VULNERABILITY_BY_ALIAS, id),
            (&sql::VULNERABILITY_BY_ALIAS, &upper),
        ] {
            found = session.row(statement, values![id]).await?;
            if found.is_some() {
                break;
            }
        }
        let Some(row) = found else {
            return Ok(None);
        };
        let key = row.integer(0)?;
        let summary = super::row::vulnerability(&row, 0)?;
        let mut records = Vec::new();
        for row in session.rows(&sql::RECORDS, values![key]).await? {
            records.push(RecordView {
                record: blob::decode(row.integer(0)?, &row.bytes(1)?)?,
                imported: row.instant(2)?,
                raw_bytes: u64::from(row.number(3)?),
                withdrawn: row.optional_instant(4)?,
            });
        }
        records
            .sort_by(|a, b| (a.record.source, &a.record.id).cmp(&(b.record.source, &b.record.id)));
        let merged = records.iter().map(|view| view.record.clone());
        let merged = Vulnerability::merge(&summary.id, merged);
        let mut matches = Vec::new();
        let mut positions = HashMap::new();
        for row in session.rows(&sql::MATCHES, values![key]).await? {
            positions.insert(row.integer(0)?, matches.len());
            matches.push(MatchView {
                distribution: row.text(1)?,
                family: row.text(2)?,
                score: row.real(3)?,
                reasons: row.json(4)?,
                findings: Vec::new(),
            });
        }
        for row in session.rows(&sql::FINDINGS, values![key]).await? {
            if let Some(position) = positions.get(&row.integer(0)?) {
                let entry: &mut MatchView = &mut matches[*position];
                entry.findings.push(FindingView {
                    vulnerability: summary.id.clone(),
                    channel: row.text(1)?,
                    attribute: row.text(2)?,
                    version: row.optional_text(3)?,
                    status: status(&row, 4)?,
                    evidence: row.json(5)?,
                    since: row.optional_instant(6)?,
                });
            }
        }
        let mut history = Vec::new();
        for row in session.rows(&sql::HISTORY, values![key]).await? {
            history.push(HistoryEntry {
                at: row.instant(0)?,
                kind: row.text(1)?,
                text: row.text(2)?,
            });
        }
        let description = merged.description().map(|stated| stated.value.text.clone());
        let aliases = merged.aliases().into_iter().map(str::to_owned).collect();
        Ok(Some(VulnerabilityDetail {
            summary,
            description,
            aliases,
            records,
            matches,
            history,
        }))
    }

    /// A record's document, byte by byte as its source published it.
    pub async fn raw_record(&self, source: Source, id: &str) -> Result<Option<Vec<u8>>> {
        let mut session = self.read().await?;
        let key = values![source.as_str(), id];
        match session.row(&sql::RAW, key).await? {
            Some(row) => blob::raw(id, &row.bytes(1)?, u64::from(row.number(0)?)).map(Some),
            None => Ok(None),
        }
    }

    /// Ids that an unknown id may have meant: those that follow where it would stand, sharing its beginning.
    pub async fn similar_ids(&self, text: &str, limit: u32) -> Result<Vec<String>> {
        let mut session = self.read().await?;
        let upper = text.trim().to_ascii_uppercase();
        // The fewer characters are shared, the less similar; four are `CVE-` alone.
        for length in (5..=upper.chars().count().min(MOST_ALIKE)).rev() {
            let beginning: String = upper.chars().take(length).collect();
            let rows = session
                .rows(&sql::SIMILAR_IDS, values![beginning.as_str(), limit])
                .await?;
            let ids = rows.iter().map(|row| row.text(0));
            let ids: Vec<String> = ids.collect::<Result<_>>()?;
            let ids: Vec<String> = ids
                .into_iter()
                .filter(|id| id.starts_with(&beginning))
                .collect();
            if !ids.is_empty() {
                return Ok(ids);
            }
        }
        Ok(Vec::new())
    }
}

/// A status column.
pub(super) fn status(row: &Row, index: usize) -> Result<FindingStatus> {
    let bit = row.integer(index)?;
    listing::worst(bit).ok_or_else(|| StoreError::damaged("finding", format!("status {bit}")))
}
