//! Whether what is stored of decisions and findings follows from the log, and making it follow anew.
//!
//! Invariant: checking changes nothing; of a database that this crate wrote, nothing is found.

use super::lay::rederive;
use super::{family, item, log, rules, statements as sql};
use crate::Store;
use crate::check::Problem;
use crate::derive::held::{self, Anew, HeldVulnerability};
use crate::derive::write;
use crate::error::Result;
use crate::session::Session;
use crate::value::{Value, values};
use std::collections::BTreeMap;
use tracker_triage::{Decisions, Entry, Event, FindingState, Subject};

/// Vulnerabilities that are looked at together.
const BATCH: i64 = 500;

/// Where a finding is: distribution, family, channel, attribute.
type Cell = (Subject, String, String);

impl Store {
    /// Folds the log of every vulnerability and compares it with what is stored: states, assignments, snoozes, and every
    /// state of every finding. `each` hears of each vulnerability.
    ///
    /// # Errors
    /// When the database does not answer. What is wrong in it is the result.
    pub async fn check_triage(&self, each: &mut (dyn FnMut() + Send)) -> Result<Vec<Problem>> {
        let mut writer = self.writer().await?;
        let channels = write::channel_names(&mut writer).await?;
        let mut problems = Vec::new();
        let mut after = 0;
        loop {
            let batch = batch(&mut writer.session, after).await?;
            let Some((last, _)) = batch.last() else {
                break;
            };
            after = *last;
            let keys: Vec<Value> = batch.iter().map(|(key, _)| Value::from(*key)).collect();
            let mut derived: BTreeMap<i64, Vec<Entry>> = BTreeMap::new();
            for row in writer.session.rows_in(&sql::DERIVED_LOG, &[], keys).await? {
                let (vulnerability, entry) = log::entry(&row)?;
                derived.entry(vulnerability).or_default().push(entry);
            }
            let ids = batch.iter().map(|(_, id)| id.as_str());
            let held = held::held(&mut writer, ids, &Anew::new()).await?;
            for (id, held) in &held {
                let log = derived.remove(&held.key).unwrap_or_default();
                compare(id, held, &log, &channels, &mut problems);
                each();
            }
        }
        family::check(&mut writer.session, &mut problems).await?;
        // Nothing was written, and the transaction ends with the writer.
        Ok(problems)
    }

    /// Derives everything that is stored of decisions anew from the log; gives how many findings moved, which is 0 where
    /// nothing was wrong.
    pub async fn rebuild_triage(&self, each: &mut (dyn FnMut() + Send)) -> Result<u64> {
        let mut writer = self.writer().await?;
        let mut moved = family::rebuild(&mut writer).await?;
        writer.commit().await?;
        let mut after = 0;
        loop {
            // A transaction a batch, so that others can write between.
            let mut writer = self.writer().await?;
            let batch = batch(&mut writer.session, after).await?;
            let Some((last, _)) = batch.last() else {
                rules::lay(&mut writer.session, None).await?;
                writer.changed();
                writer.commit().await?;
                return Ok(moved);
            };
            after = *last;
            moved += rederive(&mut writer, &batch).await?;
            writer.commit().await?;
            for _ in &batch {
                each();
            }
        }
    }
}

/// The next vulnerabilities that have a match.
async fn batch(session: &mut Session, after: i64) -> Result<Vec<(i64, String)>> {
    let rows = session
        .rows(&sql::MATCHED_VULNERABILITIES, values![after, BATCH])
        .await?;
    rows.iter()
        .map(|row| Ok((row.integer(0)?, row.text(1)?)))
        .collect()
}

fn compare(
    id: &str,
    held: &HeldVulnerability,
    log: &[Entry],
    channels: &BTreeMap<i64, String>,
    problems: &mut Vec<Problem>,
) {
    let mut wrong = |what: String| problems.push(Problem { what, rows: 1 });
    let told = replay(log);
    let mut stored: BTreeMap<Cell, FindingState> = BTreeMap::new();
    for matched in &held.matches {
        let subject = Subject::new(matched.distribution.as_str(), matched.family.as_str());
        for ((_, channel), finding) in &matched.findings {
            let channel = channels.get(channel).cloned().unwrap_or_default();
            if let Some(state) = write::state_of(finding.state) {
                let cell = (subject.clone(), channel, finding.attribute.clone());
                stored.insert(cell, state);
            }
        }
        let decisions = held.decisions.get(&subject).cloned().unwrap_or_default();
        match held.items.get(&subject) {
            None => wrong(format!("{id}: {subject} is not in the queue")),
            Some(item) if !follows(item, &decisions) => {
                wrong(format!(
                    "{id}: {subject} stands otherwise than the log says"
                ));
            }
            Some(_) => {}
        }
    }
    for (cell, state) in &told {
        if stored.get(cell) != Some(state) {
            let (subject, channel, attribute) = cell;
            wrong(format!(
                "{id}: {subject}, {attribute} on {channel}: the log says {state}"
            ));
        }
    }
    for (subject, channel, attribute) in stored.keys().filter(|cell| !told.contains_key(cell)) {
        wrong(format!(
            "{id}: {subject}, {attribute} on {channel}: the log knows nothing of it"
        ));
    }
}

/// The states of findings as the log of derived events tells them.
fn replay(log: &[Entry]) -> BTreeMap<Cell, FindingState> {
    let mut told: BTreeMap<Cell, FindingState> = BTreeMap::new();
    for entry in log {
        match &entry.event {
            Event::Matched {
                subject, findings, ..
            } => {
                for cells in findings {
                    set(&mut told, subject, cells);
                }
            }
            Event::FindingChanged { subject, cells, .. } => set(&mut told, subject, cells),
            Event::Unmatched { subject } => told.retain(|(held, _, _), _| held != subject),
            _ => {}
        }
    }
    told
}

fn set(
    told: &mut BTreeMap<Cell, FindingState>,
    subject: &Subject,
    cells: &tracker_triage::event::Cells,
) {
    for attribute in &cells.attributes {
        let cell = (subject.clone(), cells.channel.clone(), attribute.clone());
        match cells.state {
            Some(state) => drop(told.insert(cell, state)),
            None => drop(told.remove(&cell)),
        }
    }
}

/// Whether a row stands as decisions have it.
fn follows(item: &item::ItemRow, decisions: &Decisions) -> bool {
    let snoozed = decisions
        .snoozed_until
        .map_or(0, jiff::Timestamp::as_microsecond);
    item.state == decisions.state() as i64
        && item.added == i64::from(decisions.added)
        && item.assignee == decisions.assignee.clone().unwrap_or_default()
        && item.snoozed == snoozed
        && (item.suggested != 0) != decisions.suggestions.is_empty()
}
