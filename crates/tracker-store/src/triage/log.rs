//! Reading the log back.
//!
//! Invariant: an entry is read as it was written, or the store says that it is damaged.

use super::{family, statements as sql};
use crate::error::{Result, StoreError};
use crate::session::Session;
use crate::value::{Row, Value};
use std::collections::{BTreeMap, BTreeSet};
use tracker_triage::{Actor, Decisions, Entry, Event, Families, Subject};

/// An entry as a statement of nine columns gives it, with the key of its vulnerability; 0 is none.
pub(super) fn entry(row: &Row) -> Result<(i64, Entry)> {
    let key = row.integer(0)?;
    let damaged = |reason: String| StoreError::damaged(format!("event {key}"), reason);
    let vulnerability = row.integer(1)?;
    let (actor, kind, data) = (row.text(3)?, row.text(6)?, row.text(8)?);
    let event = if data.is_empty() {
        let record = row.text(7)?;
        match kind.as_str() {
            "record-added" => Event::RecordAdded { record },
            "record-changed" => Event::RecordChanged { record },
            "record-withdrawn" => Event::RecordWithdrawn { record },
            // Only fixes everywhere were kept from before events had a form of their own.
            "fixed-everywhere" => Event::FixedEverywhere {
                channels: Vec::new(),
            },
            _ => return Err(damaged(format!("an event `{kind}` without data"))),
        }
    } else {
        Event::decode(&data).map_err(|error| damaged(error.to_string()))?
    };
    let entry = Entry {
        sequence: key as u64,
        vulnerability: None,
        at: row.instant(2)?,
        actor: Actor::of_text(&actor).ok_or_else(|| damaged(format!("`{actor}` is no actor")))?,
        group: row.optional_integer(5)?.map(|act| act as u64),
        reason: row.optional_text(4)?,
        event,
    };
    Ok((vulnerability, entry))
}

/// The decisions about each of some vulnerabilities, by its key.
pub(crate) async fn entries(
    session: &mut Session,
    vulnerabilities: Vec<Value>,
) -> Result<BTreeMap<i64, Vec<Entry>>> {
    let mut all: BTreeMap<i64, Vec<Entry>> = BTreeMap::new();
    for row in session
        .rows_in(&sql::DECISIONS, &[], vulnerabilities)
        .await?
    {
        let (vulnerability, entry) = entry(&row)?;
        all.entry(vulnerability).or_default().push(entry);
    }
    Ok(all)
}

/// Of the decisions about one vulnerability, those that hold or held for one match, by whatever family it was then, and
/// the undos of them.
pub(super) fn about<'a>(
    entries: &'a [Entry],
    subject: &Subject,
    families: &Families,
) -> impl Iterator<Item = &'a Entry> {
    let families = families.clone();
    let mut mine: BTreeSet<u64> = BTreeSet::new();
    // An undo stands behind what it undoes.
    entries.iter().filter(move |entry| {
        let about = match entry.event {
            Event::Undone { event } => mine.contains(&event),
            _ => entry
                .event
                .subject()
                .is_some_and(|of| families.heirs(of, entry.sequence).contains(subject)),
        };
        if about {
            mine.insert(entry.sequence);
        }
        about
    })
}

/// What holds of the matches of each of some vulnerabilities, by its key.
pub(crate) async fn decisions(
    session: &mut Session,
    vulnerabilities: Vec<Value>,
) -> Result<BTreeMap<i64, BTreeMap<Subject, Decisions>>> {
    let families = family::families(session).await?;
    let entries = entries(session, vulnerabilities).await?;
    let folded = entries
        .into_iter()
        .map(|(key, entries)| (key, Decisions::by_subject(&entries, &families)));
    Ok(folded.collect())
}

/// The log of rules and views.
pub(super) async fn general(session: &mut Session) -> Result<Vec<Entry>> {
    let rows = session.rows(&sql::GENERAL, Vec::new()).await?;
    rows.iter().map(|row| Ok(entry(row)?.1)).collect()
}
