//! The log as everybody reads it: what people did, the latest first, and everything that happened to one vulnerability.
//!
//! Invariant: what a person keeps for themselves (their saved queries) and what is under embargo is in none of it.

use super::decide::{original, vulnerability};
use super::find::list;
use super::rules::is_of_view;
use super::{ItemId, log, statements as sql};
use crate::Store;
use crate::error::Result;
use crate::read::list::Seek;
use crate::read::token::Position;
use crate::statement::Dialect;
use crate::value::{Row, Value, json, values};
use crate::view::{Page, PageRequest};
use serde::Serialize;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use tracker_triage::decisions::concerning;
use tracker_triage::{Actor, ActorKind, Entry, Event, EventKind, Subject};

/// Events of a vulnerability that are read at once.
const CHUNK: u32 = 1000;

/// A line of the log, with the sentence that tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogLine {
    /// The line.
    #[serde(flatten)]
    pub entry: Entry,
    /// What happened, in words.
    pub text: String,
}

/// Which lines of the log; what is left out asks nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogFilter {
    /// Those about a vulnerability, by any id of it: what the tracker derived, too.
    pub vulnerability: Option<String>,
    /// Those of somebody, by the name alone or as the log has it (`token:alice`).
    pub actor: Option<String>,
    /// Those of a kind.
    pub kind: Option<EventKind>,
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
        filter: &LogFilter,
        request: &PageRequest,
    ) -> Result<Option<Page<LogLine>>> {
        let mut session = self.read().await?;
        let key = match &filter.vulnerability {
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
        let private = match key {
            // What is about a vulnerability is about no view.
            Some(_) => Vec::new(),
            None => undos_of_views(&log::general(&mut session).await?),
        };
        let (text, given) = text(filter, key, &private, &seek, session.dialect());
        let mut rows = Vec::new();
        for row in session.select(text, given).await? {
            let position = Position {
                rank: 0,
                key: row.integer(0)?,
            };
            rows.push((position, line(&row)?));
        }
        Ok(Some(seek.page(rows)))
    }

    /// A page of everything that happened to a match, the latest first. `None` if there is no such match.
    ///
    /// # Errors
    /// [`crate::StoreError::Token`] for a position that this list did not give out.
    pub async fn item_log(
        &self,
        id: &ItemId,
        request: &PageRequest,
    ) -> Result<Option<Page<LogLine>>> {
        let mut session = self.read().await?;
        let Some((key, public)) = vulnerability(&mut session, &id.vulnerability).await? else {
            return Ok(None);
        };
        let place = values![
            public.as_str(),
            id.distribution.as_str(),
            id.family.as_str()
        ];
        if session.row(&sql::ITEM, place).await?.is_none() {
            return Ok(None);
        }
        let mut seek = Seek::at(request, 'i')?;
        if !seek.inside {
            seek.position.key = i64::MAX;
        }
        // What an undo is about is known from what stands before it, so the history is read from its beginning.
        let (mut entries, mut last) = (Vec::new(), 0);
        loop {
            let some = session
                .rows(&sql::LOG_OF, values![key, last, CHUNK])
                .await?;
            for row in &some {
                let (_, mut entry) = log::entry(row)?;
                entry.vulnerability = Some(public.clone());
                last = entry.sequence as i64;
                entries.push(entry);
            }
            if some.len() < CHUNK as usize {
                break;
            }
        }
        let subject = Subject::new(id.distribution.as_str(), id.family.as_str());
        let beyond = |entry: &&Entry| match (entry.sequence as i64).cmp(&seek.position.key) {
            Ordering::Less => !seek.backwards,
            Ordering::Greater => seek.backwards,
            Ordering::Equal => false,
        };
        let mut found: Vec<&Entry> = concerning(&entries, &subject).filter(beyond).collect();
        if !seek.backwards {
            found.reverse();
        }
        let rows = found.into_iter().take(seek.limit as usize + 1);
        let rows = rows.map(|entry| {
            let key = entry.sequence as i64;
            let line = LogLine {
                text: entry.event.sentence(),
                entry: entry.clone(),
            };
            (Position { rank: 0, key }, line)
        });
        Ok(Some(seek.page(rows.collect())))
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

impl Store {
    /// The channels whose latest release has a package that somebody maintains.
    pub async fn channels_maintained_by(&self, maintainer: &str) -> Result<BTreeSet<String>> {
        let mut session = self.read().await?;
        let rows = session
            .rows(&sql::MAINTAINED_ON, values![maintainer])
            .await?;
        rows.iter().map(|row| row.text(0)).collect()
    }
}

/// The columns of a line, and of the id of its vulnerability.
const LINES: &str = "SELECT event.key, event.vulnerability, event.at, event.actor, event.reason, event.act, event.kind, event.text, event.data, vulnerability.id FROM event LEFT JOIN vulnerability ON vulnerability.key = event.vulnerability";

/// The statement of a page: made of this file's words, and of values that are bound.
fn text(
    filter: &LogFilter,
    vulnerability: Option<i64>,
    private: &[u64],
    seek: &Seek,
    dialect: Dialect,
) -> (String, Vec<Value>) {
    let (sign, order) = if seek.backwards {
        (">", "ASC")
    } else {
        ("<", "DESC")
    };
    let mut given = values![seek.position.key, seek.limit + 1];
    let mut text = format!("{LINES} WHERE event.key {sign} $1");
    let mut bind = |value: Value| {
        given.push(value);
        format!("${}", given.len())
    };
    match vulnerability {
        Some(key) => {
            let key = bind(key.into());
            let _ = write!(text, " AND event.vulnerability = {key}");
        }
        None => {
            text.push_str(
                " AND event.decision = 1 AND event.kind NOT IN ('view-saved', 'view-dropped')",
            );
            if !private.is_empty() {
                let list = list(dialect, &bind(json(&private).into()));
                let _ = write!(text, " AND event.key NOT IN {list}");
            }
        }
    }
    if let Some(name) = &filter.actor {
        let kinds: Vec<String> = match Actor::of_text(name) {
            Some(_) => vec![name.clone()],
            None => ActorKind::ALL
                .map(|kind| Actor::new(kind, name.as_str()).text())
                .into(),
        };
        let kinds: Vec<String> = kinds.into_iter().map(|one| bind(one.into())).collect();
        let _ = write!(text, " AND event.actor IN ({})", kinds.join(", "));
    }
    if let Some(kind) = filter.kind {
        let kind = bind(kind.name().into());
        let _ = write!(text, " AND event.kind = {kind}");
    }
    let _ = write!(text, " ORDER BY event.key {order} LIMIT $2");
    (text, given)
}

/// The undos of what people did to views of theirs, and of such undos: that there is something is theirs, too.
fn undos_of_views(entries: &[Entry]) -> Vec<u64> {
    let undos = entries.iter().filter(|entry| {
        matches!(entry.event, Event::Undone { .. }) && is_of_view(&original(entries, entry).event)
    });
    undos.map(|entry| entry.sequence).collect()
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
