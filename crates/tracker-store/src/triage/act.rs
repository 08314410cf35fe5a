//! An act told again: what it was, and whether it still holds, for the line that offers to undo it.
//!
//! Invariant: told from the log alone.

use super::decide::{ItemId, is_of_view, original};
use super::{log, statements as sql};
use crate::Store;
use crate::error::Result;
use crate::value::values;
use serde::Serialize;
use tracker_triage::Entry;
use tracker_triage::decisions::undone;

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
    /// Whose saved view it is about, if it is about one: it is to be told to nobody else.
    pub owner: Option<String>,
    /// Whether its first event was undone since.
    pub undone: bool,
}

impl Store {
    /// An act of people's, by the sequence of its first event; nothing if that is none.
    pub async fn act(&self, act: u64) -> Result<Option<ActSummary>> {
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
        let undone_first = original(&entries, &first);
        let owner = is_of_view(&undone_first.event).then(|| undone_first.actor.name.clone());
        let subject = undone_first.event.subject().cloned();
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
            owner,
            undone: undone(entries.iter()).contains(&act),
            first,
        }))
    }
}
