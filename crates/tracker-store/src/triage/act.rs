//! An act told again: what it was, and whether it still holds, for the line that offers to undo it.
//!
//! Invariant: told from the log alone.

use super::decide::{ItemId, original};
use super::rules::is_of_view;
use super::{log, statements as sql};
use crate::Store;
use crate::error::Result;
use crate::value::values;
use serde::Serialize;
use tracker_triage::decisions::undone;
use tracker_triage::{Actor, Entry};

/// An act.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ActSummary {
    /// The sequence of its first event.
    pub act: u64,
    /// How many events it has.
    pub events: u64,
    /// Its first event.
    pub first: Entry,
    /// The match that the first event, or what it undoes, is about.
    pub item: Option<ItemId>,
    /// Whether its first event was undone since.
    pub undone: bool,
    /// Whether it is about a view of the reader's.
    pub own: bool,
}

impl Store {
    /// An act of people's, by the sequence of its first event; nothing if that is none, or if it is about a view that is
    /// not the reader's.
    pub async fn act(&self, act: u64, reader: Option<&Actor>) -> Result<Option<ActSummary>> {
        let mut session = self.read().await?;
        let Ok(key) = i64::try_from(act) else {
            return Ok(None);
        };
        let Some(row) = session.row(&sql::EVENT, values![key]).await? else {
            return Ok(None);
        };
        let (vulnerability, mut first) = log::entry(&row)?;
        if !first.event.is_decision() {
            return Ok(None);
        }
        let events = session.count(&sql::ACT_SIZE, values![key]).await?.max(1) as u64;
        let entries = match vulnerability {
            0 => log::general(&mut session).await?,
            key => log::entries(&mut session, values![key])
                .await?
                .into_values()
                .next()
                .unwrap_or_default(),
        };
        let ids = session
            .rows_in(&sql::VULNERABILITY_IDS, &[], values![vulnerability])
            .await?;
        first.vulnerability = ids.first().map(|row| row.text(1)).transpose()?;
        let about = original(&entries, &first);
        if is_of_view(&about.event) && Some(&about.actor) != reader {
            return Ok(None);
        }
        let own = is_of_view(&about.event);
        let subject = about.event.subject().cloned();
        let item = first.vulnerability.clone().zip(subject);
        let item = item.map(|(vulnerability, subject)| ItemId {
            vulnerability,
            distribution: subject.distribution,
            family: subject.family,
        });
        Ok(Some(ActSummary {
            act,
            events,
            item,
            undone: undone(entries.iter()).contains(&act),
            own,
            first,
        }))
    }
}
