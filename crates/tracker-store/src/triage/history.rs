//! The log as everybody reads it: what people did, the latest first, and everything that happened to one vulnerability.
//!
//! Invariant: what a person keeps for themselves (their saved queries) and what is under embargo is in none of it.

use super::{decide::vulnerability, log, statements as sql};
use crate::Store;
use crate::error::Result;
use crate::read::list::Seek;
use crate::read::token::Position;
use crate::value::{Row, values};
use crate::view::{Page, PageRequest};
use serde::Serialize;
use tracker_triage::{Entry, Subject};

/// A line of the log, with the sentence that tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogLine {
    /// The line.
    #[serde(flatten)]
    pub entry: Entry,
    /// What happened, in words.
    pub text: String,
}

/// A package that somebody maintains, on the latest release of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MaintainedPackage {
    /// Distribution.
    pub distribution: String,
    /// Attribute.
    pub attribute: String,
    /// Family.
    pub family: String,
}

impl Store {
    /// A page of what people did, the latest first; or with an id of a vulnerability, of everything that happened to it.
    /// `None` if there is no such vulnerability.
    ///
    /// # Errors
    /// [`crate::StoreError::Token`] for a position that this list did not give out.
    pub async fn log_page(
        &self,
        of: Option<&str>,
        request: &PageRequest,
    ) -> Result<Option<Page<LogLine>>> {
        let mut session = self.read().await?;
        let key = match of {
            None => None,
            Some(id) => match vulnerability(&mut session, id).await? {
                Some((key, _)) => Some(key),
                None => return Ok(None),
            },
        };
        let mut seek = Seek::at(request, 'l')?;
        if !seek.inside {
            seek.position.key = i64::MAX;
        }
        let statement = match (key.is_some(), seek.backwards) {
            (false, false) => &sql::LOG_BEFORE,
            (false, true) => &sql::LOG_AFTER,
            (true, false) => &sql::HISTORY_BEFORE,
            (true, true) => &sql::HISTORY_AFTER,
        };
        let mut given = values![seek.position.key, seek.limit + 1];
        given.extend(key.map(Into::into));
        let mut rows = Vec::new();
        for row in session.rows(statement, given).await? {
            let position = Position {
                rank: 0,
                key: row.integer(0)?,
            };
            rows.push((position, line(&row)?));
        }
        Ok(Some(seek.page(rows)))
    }

    /// The packages that package metadata says somebody maintains, by a GitHub handle or an e-mail address.
    pub async fn maintained_by(
        &self,
        maintainer: &str,
        limit: u32,
    ) -> Result<Vec<MaintainedPackage>> {
        let mut session = self.read().await?;
        let rows = session
            .rows(&sql::MAINTAINED_BY, values![maintainer, limit])
            .await?;
        rows.iter()
            .map(|row| {
                Ok(MaintainedPackage {
                    distribution: row.text(0)?,
                    attribute: row.text(1)?,
                    family: row.text(2)?,
                })
            })
            .collect()
    }
}

fn line(row: &Row) -> Result<LogLine> {
    let (_, mut entry) = log::entry(row)?;
    entry.vulnerability = row.optional_text(9)?;
    let text = match entry.event.subject() {
        Some(Subject { family, .. }) if entry.event.kind() == "commented" => {
            format!("{family}: {}", row.text(7)?)
        }
        _ => row.text(7)?,
    };
    Ok(LogLine { entry, text })
}
