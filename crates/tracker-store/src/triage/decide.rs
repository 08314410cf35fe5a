//! Acts: events, and all that follows from them, in one transaction.
//!
//! Invariants: what an act reports is committed; an act over many matches is one group of events that one undo takes back;
//! a dry run goes the same way and commits nothing.

use super::again::Review;
use super::lay::rederive_anew;
use super::once::{self, Conditions};
use super::{family, item, log, queue, rules, statements as sql};
use crate::Store;
use crate::derive::held::Anew;
use crate::error::{Result, StoreError};
use crate::session::Session;
use crate::value::{Value, values};
use crate::writer::{Counter, Writer};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use tracker_people::SecondPerson;
use tracker_record::Severity;
use tracker_triage::command::{self, check_reason, check_undo};
use tracker_triage::query::Query;
use tracker_triage::{Action, Actor, ActorKind, Decisions, Entry, Event, Subject};

/// The most matches that one act is about.
pub(super) const MAX_ITEMS: usize = 10_000;

/// Vulnerabilities that are worked on at once.
pub(super) const BATCH: usize = 1000;

/// A match, by its names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ItemId {
    /// Public id of the vulnerability, or another id of it.
    pub vulnerability: String,
    /// Distribution.
    pub distribution: String,
    /// Package family.
    pub family: String,
}

/// What an act is about.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets {
    /// These matches.
    Items(Vec<ItemId>),
    /// What a query finds, asked by the actor.
    Query(Query),
    /// All matches of a vulnerability but these: "dismiss all but".
    AllBut {
        /// The vulnerability.
        vulnerability: String,
        /// What is left alone.
        keep: Vec<Subject>,
    },
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Act {
    /// To what.
    pub targets: Targets,
    /// What.
    pub action: Action,
    /// Why.
    pub reason: Option<String>,
    /// Whether to tell only what would be done.
    pub dry_run: bool,
}

/// What an undo takes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undo {
    /// One event.
    Event(u64),
    /// Every event of the act that this is the first event of.
    Act(u64),
}

/// What was done, or in a dry run would be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActOutcome {
    /// The act: the sequence of its first event; hand it to undo. None where nothing changed.
    pub act: Option<u64>,
    /// Matches about which something was written.
    pub changed: Vec<ItemId>,
    /// How many were asked for and stand so already.
    pub unchanged: u64,
    /// Of those that changed, how many hold only when a second person agrees.
    pub awaiting: u64,
    /// Findings that moved to another state.
    pub findings: u64,
    /// Vulnerabilities whose matches moved to another family, where a merge or a split was undone.
    #[serde(default, skip_serializing_if = "is_none")]
    pub families: u64,
    /// Whether it was only tried.
    pub dry_run: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

/// A vulnerability's matches that an act is about.
type Wanted = BTreeMap<(i64, String), BTreeSet<Subject>>;

impl Store {
    /// Does something about matches.
    ///
    /// # Errors
    /// [`StoreError::Triage`] when it cannot be done, [`StoreError::NoItem`] when a match is not there,
    /// [`StoreError::TooMany`] when it is about too many; then nothing was done.
    pub async fn decide(&self, actor: &Actor, act: &Act) -> Result<ActOutcome> {
        self.decide_if(actor, act, &Conditions::default()).await
    }

    /// As [`Store::decide`], if some conditions hold.
    ///
    /// # Errors
    /// As [`Store::decide`]; [`StoreError::KeyTaken`] and [`StoreError::Moved`] when a condition does not hold.
    pub async fn decide_if(
        &self,
        actor: &Actor,
        act: &Act,
        conditions: &Conditions,
    ) -> Result<ActOutcome> {
        check_reason(act.reason.as_deref())?;
        let mut writer = self.writer().await?;
        let once = conditions.once.as_ref().filter(|_| !act.dry_run);
        if let Some(outcome) = once::answered(&mut writer.session, actor, once).await? {
            return Ok(outcome);
        }
        act.action.check(writer.now)?;
        let wanted = wanted(&mut writer, actor, act).await?;
        if let Some(last) = conditions.last {
            check_last(&mut writer.session, &wanted, last).await?;
        }
        let mut outcome = ActOutcome {
            dry_run: act.dry_run,
            ..ActOutcome::default()
        };
        let several = wanted.values().map(BTreeSet::len).sum::<usize>() > 1;
        let ids: Vec<_> = wanted.into_iter().collect();
        for batch in ids.chunks(BATCH) {
            decide_batch(&mut writer, actor, act, batch, several, &mut outcome).await?;
        }
        if !act.dry_run {
            once::keep(&mut writer.session, actor, once, writer.now, &outcome).await?;
            writer.commit().await?;
        }
        Ok(outcome)
    }

    /// Takes back an event, or all of an act.
    ///
    /// # Errors
    /// [`StoreError::Triage`] when there is no such event, when it was derived, or when it is undone already.
    pub async fn undo(
        &self,
        actor: &Actor,
        undo: Undo,
        reason: Option<&str>,
        dry_run: bool,
    ) -> Result<ActOutcome> {
        let conditions = Conditions::default();
        self.undo_if(actor, undo, reason, dry_run, &conditions)
            .await
    }

    /// As [`Store::undo`], if it was not done before under the same key.
    ///
    /// # Errors
    /// As [`Store::undo`]; [`StoreError::KeyTaken`] when the key was given to another request.
    pub async fn undo_if(
        &self,
        actor: &Actor,
        undo: Undo,
        reason: Option<&str>,
        dry_run: bool,
        conditions: &Conditions,
    ) -> Result<ActOutcome> {
        check_reason(reason)?;
        let mut writer = self.writer().await?;
        let once = conditions.once.as_ref().filter(|_| !dry_run);
        if let Some(outcome) = once::answered(&mut writer.session, actor, once).await? {
            return Ok(outcome);
        }
        let (number, statement) = match undo {
            Undo::Event(event) => (event, &sql::EVENT),
            Undo::Act(act) => (act, &sql::ACT),
        };
        let position = i64::try_from(number).unwrap_or(i64::MAX - 200_000);
        let mut rows = writer.session.rows(statement, values![position]).await?;
        if rows.is_empty() {
            // An act of one event is no group.
            rows = writer.session.rows(&sql::EVENT, values![position]).await?;
        }
        let mut targets: BTreeMap<i64, Vec<Entry>> = BTreeMap::new();
        let mut count = 0;
        for row in &rows {
            let (vulnerability, entry) = log::entry(row)?;
            targets.entry(vulnerability).or_default().push(entry);
            count += 1;
        }
        if count == 0 {
            return Err(tracker_triage::CommandError::NoEvent { event: number }.into());
        }
        let mut outcome = ActOutcome {
            dry_run,
            ..ActOutcome::default()
        };
        let batches: Vec<_> = targets.into_iter().collect();
        for batch in batches.chunks(BATCH) {
            undo_batch(&mut writer, actor, reason, batch, count > 1, &mut outcome).await?;
        }
        if !dry_run {
            once::keep(&mut writer.session, actor, once, writer.now, &outcome).await?;
            writer.commit().await?;
        }
        Ok(outcome)
    }

    /// From which severity on decisions need two people.
    pub async fn second_person(&self) -> Result<SecondPerson> {
        let mut session = self.read().await?;
        second_person(&mut session).await
    }

    /// Asks for a second person from a severity on, or with `None` for none; decisions that hold stay. Gives the event's
    /// sequence.
    ///
    /// # Errors
    /// [`StoreError::Triage`] when the reason is too long.
    pub async fn ask_second_person(
        &self,
        actor: &Actor,
        from: Option<Severity>,
        reason: Option<&str>,
    ) -> Result<u64> {
        check_reason(reason)?;
        let mut writer = self.writer().await?;
        let event = Event::SecondPersonAsked { from };
        let sequence = writer.entry(0, actor, reason, None, &event) as u64;
        writer.commit().await?;
        Ok(sequence)
    }
}

/// Checks that nobody decided anything about the one match since an event.
async fn check_last(session: &mut Session, wanted: &Wanted, last: u64) -> Result<()> {
    let families = family::families(session).await?;
    for ((key, _), subjects) in wanted {
        let entries = log::entries(session, values![*key]).await?;
        let entries = entries.into_values().next().unwrap_or_default();
        for subject in subjects {
            let held = log::about(&entries, subject, &families).last();
            if held.map_or(0, |entry| entry.sequence) != last {
                return Err(StoreError::Moved);
            }
        }
    }
    Ok(())
}

/// The matches that an act is about, by vulnerability.
async fn wanted(writer: &mut Writer, actor: &Actor, act: &Act) -> Result<Wanted> {
    let session = &mut writer.session;
    let mut wanted = Wanted::new();
    let mut count = 0;
    match &act.targets {
        Targets::Items(items) => {
            let items = &items[..items.len().min(MAX_ITEMS + 1)];
            let ids = items.iter().map(|item| item.vulnerability.as_str());
            let found = vulnerabilities(session, ids.collect()).await?;
            for item in items {
                let found = found.get(&item.vulnerability).cloned();
                let found = found.ok_or_else(|| no_item(item))?;
                let subject = Subject::new(item.distribution.as_str(), item.family.as_str());
                count += usize::from(wanted.entry(found).or_default().insert(subject));
            }
        }
        Targets::Query(query) => {
            let me = Some(actor.name.as_str()).filter(|name| !name.is_empty());
            for (key, id, subject) in
                queue::all(session, query, writer.now, me, MAX_ITEMS + 1).await?
            {
                wanted.entry((key, id)).or_default().insert(subject);
                count += 1;
            }
        }
        Targets::AllBut {
            vulnerability: id,
            keep,
        } => {
            let item = ItemId {
                vulnerability: id.clone(),
                distribution: String::new(),
                family: String::new(),
            };
            let found = vulnerability(session, id).await?;
            let found = found.ok_or_else(|| no_item(&item))?;
            let mut subjects = BTreeSet::new();
            for row in session.rows(&sql::ITEMS_OF, values![found.0]).await? {
                subjects.insert(Subject::new(row.text(0)?, row.text(1)?));
            }
            if let Some(absent) = keep.iter().find(|kept| !subjects.contains(kept)) {
                return Err(no_item(&ItemId {
                    vulnerability: id.clone(),
                    distribution: absent.distribution.clone(),
                    family: absent.family.clone(),
                }));
            }
            subjects.retain(|subject| !keep.contains(subject));
            count = subjects.len();
            wanted.insert(found, subjects);
        }
    }
    if count > MAX_ITEMS {
        return Err(StoreError::TooMany { limit: MAX_ITEMS });
    }
    Ok(wanted)
}

fn no_item(item: &ItemId) -> StoreError {
    StoreError::NoItem {
        vulnerability: item.vulnerability.clone(),
        family: item.family.clone(),
    }
}

/// A vulnerability's key and public id, by any id of it.
pub(crate) async fn vulnerability(
    session: &mut Session,
    id: &str,
) -> Result<Option<(i64, String)>> {
    let mut found = vulnerabilities(session, BTreeSet::from([id])).await?;
    Ok(found.remove(id))
}

/// The keys and public ids of vulnerabilities, by any id of theirs; an id of several is the first's by public id.
async fn vulnerabilities(
    session: &mut Session,
    mut ids: BTreeSet<&str>,
) -> Result<BTreeMap<String, (i64, String)>> {
    let mut found = BTreeMap::new();
    for statement in [&sql::VULNERABILITIES_BY_ID, &sql::VULNERABILITIES_BY_ALIAS] {
        ids.retain(|id| !found.contains_key(*id));
        let wanted = ids.iter().map(|id| Value::from(*id)).collect();
        for row in session.rows_in(statement, &[], wanted).await? {
            let place = (row.integer(1)?, row.text(2)?);
            found.entry(row.text(0)?).or_insert(place);
        }
    }
    Ok(found)
}

async fn decide_batch(
    writer: &mut Writer,
    actor: &Actor,
    act: &Act,
    batch: &[((i64, String), BTreeSet<Subject>)],
    several: bool,
    outcome: &mut ActOutcome,
) -> Result<()> {
    let keys: Vec<Value> = batch
        .iter()
        .map(|((key, _), _)| Value::from(*key))
        .collect();
    let decisions = log::decisions(&mut writer.session, keys.clone()).await?;
    let undecided = Decisions::default();
    let rule = second_person(&mut writer.session).await?;
    let mut held: BTreeMap<(i64, Subject), Severity> = BTreeMap::new();
    for (key, row) in item::held(&mut writer.session, keys).await? {
        let severity = row.severity();
        held.insert((key, row.subject), severity);
    }
    let (mut changed, mut anew) = (Vec::new(), Anew::new());
    for ((key, id), subjects) in batch {
        let mut written = BTreeSet::new();
        for subject in subjects {
            let item = ItemId {
                vulnerability: id.clone(),
                distribution: subject.distribution.clone(),
                family: subject.family.clone(),
            };
            let severity = held.get(&(*key, subject.clone())).copied();
            let there = severity.is_some();
            if act.action == Action::AddPackage {
                let family = values![subject.distribution.as_str(), subject.family.as_str()];
                if writer.session.count(&sql::FAMILY_HELD, family).await? == 0 {
                    return Err(no_item(&item));
                }
                if there {
                    outcome.unchanged += 1;
                    continue;
                }
            } else if !there {
                return Err(no_item(&item));
            }
            let decided = decisions.get(key).and_then(|all| all.get(subject));
            let decided = decided.unwrap_or(&undecided);
            let severity = severity.unwrap_or_default();
            let event = command::reviewed(rule, severity, &act.action, subject, decided, actor)?;
            let Some(event) = event else {
                outcome.unchanged += 1;
                continue;
            };
            if matches!(event, Event::Suggested { decides: true, .. }) {
                outcome.awaiting += 1;
            }
            note(
                writer,
                *key,
                actor,
                act.reason.as_deref(),
                several,
                &event,
                outcome,
            );
            outcome.changed.push(item);
            written.insert(subject.clone());
        }
        if !written.is_empty() {
            changed.push((*key, id.clone()));
            anew.insert(*key, written);
        }
    }
    writer.flush().await?;
    outcome.findings += rederive_anew(writer, &changed, &anew).await?;
    if act.action == Action::AddPackage {
        // What versions say of it is matching's to find out.
        for (key, _) in &changed {
            let touched = writer.next(Counter::Touched);
            let row = values![*key, touched];
            writer.session.execute(&sql::TOUCH, row).await?;
        }
    }
    Ok(())
}

/// Adds those of some families that there are to a vulnerability, as one act within a transaction of the caller.
pub(crate) async fn add_families(
    writer: &mut Writer,
    actor: &Actor,
    id: &str,
    families: Vec<Subject>,
) -> Result<()> {
    let Some(found) = vulnerability(&mut writer.session, id).await? else {
        return Ok(());
    };
    let mut subjects = BTreeSet::new();
    let held = family::families(&mut writer.session).await?;
    for named in families {
        // One that was merged away since it was named is where its members are.
        let heirs = held.successors(&named);
        for subject in std::iter::once(named).chain(heirs) {
            let family = values![subject.distribution.as_str(), subject.family.as_str()];
            if writer.session.count(&sql::FAMILY_HELD, family).await? > 0 {
                subjects.insert(subject);
                break;
            }
        }
    }
    let act = Act {
        targets: Targets::Items(Vec::new()),
        action: Action::AddPackage,
        reason: None,
        dry_run: false,
    };
    let several = subjects.len() > 1;
    let batch = [(found, subjects)];
    decide_batch(
        writer,
        actor,
        &act,
        &batch,
        several,
        &mut ActOutcome::default(),
    )
    .await
}

/// Writes an event of an act; gives its sequence.
fn note(
    writer: &mut Writer,
    vulnerability: i64,
    actor: &Actor,
    reason: Option<&str>,
    several: bool,
    event: &Event,
    outcome: &mut ActOutcome,
) -> u64 {
    let first = outcome.act.map(|act| act as i64);
    let group = several.then(|| first.unwrap_or_else(|| writer.get(Counter::Event) + 1));
    let sequence = writer.entry(vulnerability, actor, reason, group, event) as u64;
    outcome.act.get_or_insert(sequence);
    sequence
}

async fn undo_batch(
    writer: &mut Writer,
    actor: &Actor,
    reason: Option<&str>,
    batch: &[(i64, Vec<Entry>)],
    several: bool,
    outcome: &mut ActOutcome,
) -> Result<()> {
    let keys: Vec<Value> = batch.iter().map(|(key, _)| Value::from(*key)).collect();
    let mut logs = log::entries(&mut writer.session, keys.clone()).await?;
    let mut ids = BTreeMap::new();
    for row in writer
        .session
        .rows_in(&sql::VULNERABILITY_IDS, &[], keys)
        .await?
    {
        ids.insert(row.integer(0)?, row.text(1)?);
    }
    let (mut changed, mut general) = (Vec::new(), false);
    let mut anew = Anew::new();
    // A decision may be of before its family was merged or split: then it is about others, too.
    let families = family::families(&mut writer.session).await?;
    let alone = families.is_empty();
    let review = Review::of(&mut writer.session, batch, families).await?;
    for (key, targets) in batch {
        let mut written = Some(BTreeSet::new()).filter(|_| alone);
        let mut entries = match *key {
            0 => log::general(&mut writer.session).await?,
            key => logs.remove(&key).unwrap_or_default(),
        };
        for target in targets {
            theirs_to_undo(&entries, target, actor)?;
            match check_undo(&entries, target.sequence) {
                // Of an act, what was undone by itself stays so.
                Err(tracker_triage::CommandError::Undone { .. }) if several => {
                    outcome.unchanged += 1;
                    continue;
                }
                other => other?,
            }
            if let Some(instead) = review.instead(*key, &entries, target, actor)? {
                outcome.unchanged += u64::from(instead.is_empty());
                for event in instead {
                    let sequence = note(writer, *key, actor, reason, several, &event, outcome);
                    outcome.awaiting += 1;
                    if let (Some(subject), Some(id)) = (event.subject(), ids.get(key)) {
                        outcome.changed.push(ItemId {
                            vulnerability: id.clone(),
                            distribution: subject.distribution.clone(),
                            family: subject.family.clone(),
                        });
                        if let Some(written) = &mut written {
                            written.insert(subject.clone());
                        }
                    }
                    entries.push(noted(writer.now, sequence, actor, reason, event));
                }
                continue;
            }
            let of_family = if *key == 0 {
                family::Undoing::check(&mut writer.session, &entries, target).await?
            } else {
                None
            };
            let event = Event::Undone {
                event: target.sequence,
            };
            let sequence = note(writer, *key, actor, reason, several, &event, outcome);
            entries.push(noted(writer.now, sequence, actor, reason, event));
            if let Some(of_family) = of_family {
                writer.flush().await?;
                outcome.families += family::undo(writer, &of_family, sequence).await?;
            }
            let undone = original(&entries, target);
            match (undone.event.subject(), &mut written) {
                (Some(subject), Some(written)) => drop(written.insert(subject.clone())),
                _ => written = None,
            }
            if let (Some(subject), Some(id)) = (undone.event.subject(), ids.get(key)) {
                outcome.changed.push(ItemId {
                    vulnerability: id.clone(),
                    distribution: subject.distribution.clone(),
                    family: subject.family.clone(),
                });
            }
        }
        if *key == 0 {
            general = true;
        } else if let Some(id) = ids.get(key) {
            changed.push((*key, id.clone()));
            anew.extend(written.map(|written| (*key, written)));
        }
    }
    writer.flush().await?;
    outcome.findings += rederive_anew(writer, &changed, &anew).await?;
    if general {
        rules::lay(&mut writer.session, None).await?;
    }
    Ok(())
}

/// Whether somebody may undo such an event at all.
fn theirs_to_undo(
    entries: &[Entry],
    target: &Entry,
    actor: &Actor,
) -> std::result::Result<(), tracker_triage::CommandError> {
    let event = target.sequence;
    let first = original(entries, target);
    // What is somebody's own is not told to others, not even that it is there.
    if rules::is_of_view(&first.event) && first.actor.name != actor.name {
        return Err(tracker_triage::CommandError::NoEvent { event });
    }
    if !target.event.is_decision() {
        return Err(tracker_triage::CommandError::Derived { event });
    }
    let asks_two = Event::SecondPersonAsked { from: None }.kind();
    if first.event.kind() == asks_two && actor.kind != ActorKind::Operator {
        return Err(tracker_triage::CommandError::OperatorsOwn { event });
    }
    Ok(())
}

/// An entry as it will be read back, as far as folding asks.
fn noted(at: Timestamp, sequence: u64, actor: &Actor, reason: Option<&str>, event: Event) -> Entry {
    Entry {
        sequence,
        vulnerability: None,
        at,
        actor: actor.clone(),
        group: None,
        reason: reason.map(str::to_owned),
        event,
    }
}

/// From which severity on decisions need two people, by the log.
pub(super) async fn second_person(session: &mut Session) -> Result<SecondPerson> {
    let mut entries = Vec::new();
    for row in session.rows(&sql::SECOND_PERSON, Vec::new()).await? {
        entries.push(log::entry(&row)?.1);
    }
    Ok(command::second_person(&entries))
}

/// The decision at the end of a chain of undos.
pub(super) fn original<'a>(entries: &'a [Entry], mut entry: &'a Entry) -> &'a Entry {
    while let Event::Undone { event } = entry.event {
        match entries.iter().find(|other| other.sequence == event) {
            Some(next) => entry = next,
            None => break,
        }
    }
    entry
}

impl Store {
    /// What happened at a time to a vulnerability, from an event on; for histories.
    pub async fn triage_log(&self, id: &str, after: u64, limit: u32) -> Result<Option<Vec<Entry>>> {
        let mut session = self.read().await?;
        let Some((key, id)) = vulnerability(&mut session, id).await? else {
            return Ok(None);
        };
        let page = values![key, after.min(i64::MAX as u64) as i64, limit.min(1000)];
        let mut entries = Vec::new();
        for row in session.rows(&sql::LOG_OF, page).await? {
            let (_, mut entry) = log::entry(&row)?;
            entry.vulnerability = Some(id.clone());
            entries.push(entry);
        }
        Ok(Some(entries))
    }
}

/// The time until which nothing is hidden.
pub(super) fn instant(micros: i64) -> Option<Timestamp> {
    (micros > 0).then(|| Timestamp::from_microsecond(micros).ok())?
}
