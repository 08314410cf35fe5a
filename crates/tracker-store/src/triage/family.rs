//! Families merged and split: the changes that hold, what they make of attributes, matches and findings, and undo.
//!
//! Invariants: `family_change` and `attribute.family` follow from the log and from what matching gives an attribute; a
//! change moves attributes, matches, findings and rows of the queue in the transaction that notes it, and everything that
//! it touches is matched again.

mod read;
mod settle;

use super::once::{self, Conditions};
use super::{log, statements as sql};
use crate::Store;
use crate::check::Problem;
use crate::error::{Result, StoreError};
use crate::session::Session;
use crate::value::{Row, Value, json, values};
use crate::writer::Writer;
pub use read::{FamilyDetail, FamilyMember, FamilyStep};
use serde::{Deserialize, Serialize};
pub(super) use settle::{Undoing, undo};
use std::collections::{BTreeMap, BTreeSet};
use tracker_triage::command::check_reason;
use tracker_triage::family::{check_merge, check_split};
use tracker_triage::{
    Actor, ChangeKind, Decisions, Entry, Families, FamilyChange, FamilyError, Subject,
};

/// What is to be done about a family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FamilyAction {
    /// Give members a family of their own.
    Split {
        /// They, by attribute.
        members: Vec<String>,
        /// Its name; that of the attribute where there is one.
        into: Option<String>,
    },
    /// Count the family to another one.
    Merge {
        /// That one.
        into: String,
    },
}

/// A merge or a split that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FamilyAct {
    /// The family that members leave.
    pub family: Subject,
    /// What.
    pub action: FamilyAction,
    /// Why.
    pub reason: Option<String>,
    /// Whether to tell only what would be done.
    pub dry_run: bool,
}

/// What was done, or in a dry run would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FamilyOutcome {
    /// Sequence of the event; hand it to undo.
    pub act: u64,
    /// Which of the two.
    pub kind: ChangeKind,
    /// Distribution.
    pub distribution: String,
    /// The family that members left.
    pub family: String,
    /// They, by attribute.
    pub members: Vec<String>,
    /// The family that they are counted to now.
    pub into: String,
    /// Vulnerabilities that were matched to one of the two.
    pub vulnerabilities: u64,
    /// How many of them people had decided something about, which holds as the rule says.
    pub decided: u64,
    /// Whether it was only tried.
    pub dry_run: bool,
}

impl Store {
    /// Merges or splits a family.
    ///
    /// # Errors
    /// [`StoreError::Family`] when it cannot be, [`StoreError::TooMany`] when it is about too many vulnerabilities,
    /// [`StoreError::KeyTaken`] and [`StoreError::Moved`] when a condition does not hold; then nothing was done.
    pub async fn change_family(
        &self,
        actor: &Actor,
        act: &FamilyAct,
        conditions: &Conditions,
    ) -> Result<FamilyOutcome> {
        check_reason(act.reason.as_deref())?;
        let mut writer = self.writer().await?;
        let once = conditions.once.as_ref().filter(|_| !act.dry_run);
        if let Some(outcome) = once::answered(&mut writer.session, actor, once).await? {
            return Ok(outcome);
        }
        if let Some(last) = conditions.last
            && read::last(&mut writer.session, &act.family).await? != last
        {
            return Err(StoreError::Moved);
        }
        let mut change = asked(&mut writer, act).await?;
        let touched = settle::touched(&mut writer.session, &change).await?;
        let decided = decided(&mut writer.session, &change, &touched).await?;
        let event = change.to_event();
        change.event = writer.entry(0, actor, act.reason.as_deref(), None, &event) as u64;
        writer.flush().await?;
        put(&mut writer.session, &change, change.event, true).await?;
        settle::settle(&mut writer, &change, &touched, &event.sentence()).await?;
        let outcome = FamilyOutcome {
            act: change.event,
            kind: change.kind,
            distribution: change.distribution,
            family: change.family,
            members: change.members,
            into: change.into,
            vulnerabilities: touched.len() as u64,
            decided,
            dry_run: act.dry_run,
        };
        if !act.dry_run {
            once::keep(&mut writer.session, actor, once, writer.now, &outcome).await?;
            writer.commit().await?;
        }
        Ok(outcome)
    }
}

/// The change that is asked for, checked against the members that there are.
async fn asked(writer: &mut Writer, act: &FamilyAct) -> Result<FamilyChange> {
    let session = &mut writer.session;
    let (source, distribution) = (&act.family, act.family.distribution.as_str());
    let absent = |subject: &Subject| {
        StoreError::from(FamilyError::NoFamily {
            distribution: subject.distribution.clone(),
            family: subject.family.clone(),
        })
    };
    let members = members(session, source).await?;
    let (kind, members, into) = match &act.action {
        FamilyAction::Split {
            members: some,
            into,
        } => {
            let (some, into) = check_split(source, &members, some, into.as_deref())?;
            let taken = values![distribution, into.as_str()];
            if session.count(&sql::FAMILY_TAKEN, taken).await? > 0 {
                return Err(FamilyError::Taken { family: into }.into());
            }
            (ChangeKind::Split, some, into)
        }
        FamilyAction::Merge { into } => {
            if *into == source.family {
                let family = into.clone();
                return Err(FamilyError::Itself { family }.into());
            }
            if members.is_empty() {
                return Err(absent(source));
            }
            if members.len() > tracker_triage::family::MAX_MEMBERS {
                let members = members.len();
                return Err(FamilyError::TooMany { members }.into());
            }
            let target = Subject::new(distribution, into.as_str());
            let there = values![distribution, into.as_str()];
            if session.count(&sql::FAMILY_HELD, there).await? == 0 {
                return Err(absent(&target));
            }
            let members = members.into_iter().collect();
            (ChangeKind::Merge, members, into.clone())
        }
    };
    Ok(FamilyChange {
        event: 0,
        kind,
        distribution: distribution.to_owned(),
        family: source.family.clone(),
        members,
        into,
    })
}

/// The attributes that are counted to a family.
async fn members(session: &mut Session, subject: &Subject) -> Result<BTreeSet<String>> {
    let place = values![subject.distribution.as_str(), subject.family.as_str()];
    let rows = session.rows(&sql::FAMILY_MEMBERS, place).await?;
    rows.iter().map(|row| row.text(0)).collect()
}

/// About how many vulnerabilities something was decided, once it is sure that a merge contradicts none of it.
async fn decided(
    session: &mut Session,
    change: &FamilyChange,
    touched: &[(i64, String)],
) -> Result<u64> {
    let (source, target) = (change.source(), change.target());
    let mut held: BTreeMap<String, BTreeMap<Subject, Decisions>> = BTreeMap::new();
    for batch in touched.chunks(super::decide::BATCH) {
        let keys = batch.iter().map(|(key, _)| Value::from(*key)).collect();
        let mut decisions = log::decisions(session, keys).await?;
        for (key, id) in batch {
            let mut all = decisions.remove(key).unwrap_or_default();
            all.retain(|subject, held| {
                (*subject == source || *subject == target) && !held.is_empty()
            });
            if !all.is_empty() {
                held.insert(id.clone(), all);
            }
        }
    }
    if change.kind == ChangeKind::Merge {
        let each = held.iter().map(|(id, all)| (id.as_str(), all));
        check_merge(&source, &target, each)?;
    }
    Ok(held.len() as u64)
}

/// Writes a change's row.
async fn put(session: &mut Session, change: &FamilyChange, last: u64, holds: bool) -> Result<()> {
    let row = row(change, last, holds);
    session.insert(&sql::FAMILY_CHANGE_PUT, 8, row).await
}

fn row(change: &FamilyChange, last: u64, holds: bool) -> Vec<Value> {
    values![
        change.event as i64,
        change.distribution.as_str(),
        change.kind.name(),
        change.family.as_str(),
        json(&change.members),
        change.into.as_str(),
        last as i64,
        i64::from(holds)
    ]
}

/// A change as a statement of eight columns gives it, its last event, and whether it holds.
fn change(row: &Row) -> Result<(FamilyChange, u64, bool)> {
    let event = row.integer(0)?;
    let damaged = || StoreError::damaged(format!("family change {event}"), "its kind is unknown");
    let change = FamilyChange {
        event: event as u64,
        kind: ChangeKind::of(&row.text(2)?).ok_or_else(damaged)?,
        distribution: row.text(1)?,
        family: row.text(3)?,
        members: row.json(4)?,
        into: row.text(5)?,
    };
    Ok((change, row.integer(6)? as u64, row.integer(7)? != 0))
}

/// The changes that hold.
pub(crate) async fn families(session: &mut Session) -> Result<Families> {
    let rows = session.rows(&sql::FAMILY_CHANGES, Vec::new()).await?;
    let mut changes = Vec::new();
    for row in &rows {
        let (change, _, holds) = change(row)?;
        if holds {
            changes.push(change);
        }
    }
    Ok(Families::of(changes))
}

/// The rows that a log makes: every change with its last event, and whether it holds.
fn of_log(entries: &[Entry]) -> Vec<(FamilyChange, u64, bool)> {
    let held = Families::fold(entries.iter());
    let holds = |event: u64| held.changes().iter().any(|change| change.event == event);
    let mut rows: Vec<(FamilyChange, u64, bool)> = Vec::new();
    for entry in entries {
        if let Some(change) = FamilyChange::of(entry) {
            rows.push((change, entry.sequence, holds(entry.sequence)));
            continue;
        }
        let original = super::decide::original(entries, entry).sequence;
        if let Some((_, last, _)) = rows.iter_mut().find(|row| row.0.event == original) {
            *last = entry.sequence;
        }
    }
    rows
}

/// The attributes that are counted otherwise than the changes say: the right family, by key.
async fn misplaced(
    session: &mut Session,
    families: &Families,
) -> Result<BTreeMap<i64, (String, String)>> {
    let mut wrong = BTreeMap::new();
    for row in session.rows(&sql::ATTRIBUTES_CHANGED, Vec::new()).await? {
        let (name, held) = (row.text(2)?, row.text(4)?);
        let right = families.assigned(&row.text(1)?, &name, &row.text(3)?);
        if right != held {
            wrong.insert(row.integer(0)?, (name, right));
        }
    }
    Ok(wrong)
}

/// What is stored of families otherwise than the log says.
pub(super) async fn check(session: &mut Session, problems: &mut Vec<Problem>) -> Result<()> {
    let told = of_log(&log::general(session).await?);
    let mut held = Vec::new();
    for row in session.rows(&sql::FAMILY_CHANGES, Vec::new()).await? {
        held.push(change(&row)?);
    }
    if told != held {
        let what = "changes of families that are otherwise than the log says".to_owned();
        let differ = told.iter().filter(|row| !held.contains(row)).count();
        let more = held.iter().filter(|row| !told.contains(row)).count();
        let rows = differ.max(more) as u64;
        problems.push(Problem { what, rows });
    }
    let holding = told.into_iter().filter(|(_, _, holds)| *holds);
    let families = Families::of(holding.map(|(change, ..)| change).collect());
    for (name, right) in misplaced(session, &families).await?.into_values() {
        let what = format!("attribute {name} is not counted to `{right}`, as the log says");
        problems.push(Problem { what, rows: 1 });
    }
    Ok(())
}

/// Makes what is stored of families anew from the log; gives how many attributes were counted otherwise.
pub(super) async fn rebuild(writer: &mut Writer) -> Result<u64> {
    let session = &mut writer.session;
    let told = of_log(&log::general(session).await?);
    session
        .execute(&sql::FAMILY_CHANGES_DROP, Vec::new())
        .await?;
    let rows: Vec<Value> = told
        .iter()
        .flat_map(|(change, last, holds)| row(change, *last, *holds))
        .collect();
    session.insert(&sql::FAMILY_CHANGE_PUT, 8, rows).await?;
    let families = families(session).await?;
    let wrong = misplaced(session, &families).await?;
    for (key, (_, right)) in &wrong {
        let row = values![right.as_str(), *key];
        session
            .execute_in(&sql::ATTRIBUTES_COUNTED, &row[..1], row[1..].to_vec())
            .await?;
    }
    Ok(wrong.len() as u64)
}
