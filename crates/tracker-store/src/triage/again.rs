//! Undoing an undo where two people have to agree.
//!
//! Invariant: a decision that holds again takes effect anew, and does so by nobody's word alone.

use super::decide::{original, second_person};
use super::item;
use crate::error::Result;
use crate::session::Session;
use crate::value::Value;
use std::collections::BTreeMap;
use tracker_people::SecondPerson;
use tracker_record::Severity;
use tracker_triage::command::{self, Again};
use tracker_triage::{Actor, Decisions, Entry, Event, Families};

/// What undoing an undo has to be held against.
pub(super) struct Review {
    rule: SecondPerson,
    /// By the key of the vulnerability.
    severities: BTreeMap<i64, Severity>,
    families: Families,
}

impl Review {
    pub(super) async fn of(
        session: &mut Session,
        batch: &[(i64, Vec<Entry>)],
        families: Families,
    ) -> Result<Review> {
        let rule = second_person(session).await?;
        let mut severities = BTreeMap::new();
        if rule.from.is_some() {
            let keys = batch.iter().map(|(key, _)| Value::from(*key)).collect();
            for (key, row) in item::held(session, keys).await? {
                severities.insert(key, row.severity());
            }
        }
        Ok(Review {
            rule,
            severities,
            families,
        })
    }

    /// What is written instead of an undo that would make a decision hold by one person's word; nothing where the undo may
    /// be.
    pub(super) fn instead(
        &self,
        key: i64,
        entries: &[Entry],
        target: &Entry,
        actor: &Actor,
    ) -> Result<Option<Vec<Event>>> {
        let severity = self.severities.get(&key).copied().unwrap_or_default();
        let decision = original(entries, target);
        let Some(decided) = decision.event.subject() else {
            return Ok(None);
        };
        if !self.rule.is_needed(severity) || !brings_back(entries, target) {
            return Ok(None);
        }
        let mut held = Decisions::by_subject(entries, &self.families);
        let (mut may, mut instead) = (true, Vec::new());
        for heir in self.families.heirs(decided, decision.sequence) {
            let held = held.remove(&heir).unwrap_or_default();
            let again = command::again(self.rule, severity, &decision.event, &heir, &held, actor)?;
            may &= again == Again::Holds;
            if let Again::Waits(event) = again {
                instead.push(event);
            }
        }
        Ok((!may).then_some(instead))
    }
}

/// Whether undoing an entry makes the decision at the end of its chain of undos hold again.
fn brings_back<'a>(entries: &'a [Entry], mut entry: &'a Entry) -> bool {
    let mut back = false;
    while let Event::Undone { event } = entry.event {
        back = !back;
        match entries.iter().find(|other| other.sequence == event) {
            Some(next) => entry = next,
            None => break,
        }
    }
    back
}
