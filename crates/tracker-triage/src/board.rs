//! The log folded whole: what holds of every match, rule and view.
//!
//! Invariant: taking entries in one by one and folding the log anew give the same board.

use crate::decisions::{Decisions, undone};
use crate::event::{Entry, Event};
use crate::subject::Subject;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use tracker_people::Actor;

/// A suppression rule as the log has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleState {
    /// What it hides.
    pub query: String,
    /// Until when.
    pub expires: Timestamp,
    /// Who made it.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: Option<String>,
    /// Whether its expiry was noticed, so that it waits to be looked at.
    pub expired: bool,
}

/// A saved view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ViewState {
    /// The query.
    pub query: String,
    /// Whether everybody sees it.
    pub shared: bool,
}

/// What an entry is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum About {
    Match(String, Subject),
    Rule(u64),
    View(Actor, String),
}

/// Everything that was decided and holds.
#[derive(Debug, Clone, Default)]
pub struct Board {
    entries: BTreeMap<About, Vec<Entry>>,
    about: BTreeMap<u64, About>,
    matches: BTreeMap<(String, Subject), Decisions>,
    rules: BTreeMap<u64, RuleState>,
    views: BTreeMap<(Actor, String), ViewState>,
}

impl PartialEq for Board {
    /// Two boards are equal if the same holds on both, whatever was undone on the way.
    fn eq(&self, other: &Board) -> bool {
        let some = |board: &Board| {
            let held = board.matches.iter().filter(|(_, held)| !held.is_empty());
            held.map(|(key, held)| (key.clone(), held.clone()))
                .collect::<Vec<_>>()
        };
        some(self) == some(other) && self.rules == other.rules && self.views == other.views
    }
}

impl Board {
    /// Folds a log.
    pub fn fold<'a>(log: impl IntoIterator<Item = &'a Entry>) -> Board {
        let mut board = Board::default();
        let mut touched = Vec::new();
        for entry in log {
            touched.extend(board.note(entry));
        }
        touched.sort();
        touched.dedup();
        for about in touched {
            board.refold(&about);
        }
        board
    }

    /// Takes in the next entry.
    pub fn apply(&mut self, entry: &Entry) {
        let Some(about) = self.note(entry) else {
            return;
        };
        match &about {
            About::Match(vulnerability, subject)
                if !matches!(entry.event, Event::Undone { .. }) =>
            {
                let key = (vulnerability.clone(), subject.clone());
                self.matches.entry(key).or_default().apply(entry);
            }
            _ => self.refold(&about),
        }
    }

    /// What holds of a match.
    pub fn decisions(&self, vulnerability: &str, subject: &Subject) -> Decisions {
        let key = (vulnerability.to_owned(), subject.clone());
        self.matches.get(&key).cloned().unwrap_or_default()
    }

    /// Every match about which something was decided, if only for a while.
    pub fn matches(&self) -> impl Iterator<Item = (&(String, Subject), &Decisions)> {
        self.matches.iter()
    }

    /// The rules that hide, or wait to be looked at, by number.
    pub fn rules(&self) -> &BTreeMap<u64, RuleState> {
        &self.rules
    }

    /// The saved views, by owner and name.
    pub fn views(&self) -> &BTreeMap<(Actor, String), ViewState> {
        &self.views
    }

    /// The last event about a rule, an undo included; 0 if there is none.
    pub fn last_about_rule(&self, rule: u64) -> u64 {
        self.last(&About::Rule(rule))
    }

    /// The last event about somebody's view, an undo included; 0 if there is none.
    pub fn last_about_view(&self, owner: &Actor, view: &str) -> u64 {
        self.last(&About::View(owner.clone(), view.to_owned()))
    }

    fn last(&self, about: &About) -> u64 {
        let entries = self.entries.get(about);
        entries
            .and_then(|entries| entries.last())
            .map_or(0, |entry| entry.sequence)
    }

    /// Keeps an entry with what it is about.
    fn note(&mut self, entry: &Entry) -> Option<About> {
        let about = match &entry.event {
            Event::Undone { event } => self.about.get(event)?.clone(),
            Event::RuleMade { rule, .. }
            | Event::RuleEnded { rule }
            | Event::RuleExpired { rule } => About::Rule(*rule),
            Event::ViewSaved { view, .. } | Event::ViewDropped { view } => {
                About::View(entry.actor.clone(), view.clone())
            }
            other if other.is_decision() => {
                About::Match(entry.vulnerability.clone()?, other.subject()?.clone())
            }
            _ => return None,
        };
        self.about.insert(entry.sequence, about.clone());
        self.entries
            .entry(about.clone())
            .or_default()
            .push(entry.clone());
        Some(about)
    }

    fn refold(&mut self, about: &About) {
        let entries = &self.entries[about];
        match about {
            About::Match(vulnerability, subject) => {
                let key = (vulnerability.clone(), subject.clone());
                self.matches.insert(key, Decisions::fold(entries));
            }
            About::Rule(rule) => match RuleState::fold(entries) {
                Some(state) => drop(self.rules.insert(*rule, state)),
                None => drop(self.rules.remove(rule)),
            },
            About::View(owner, view) => {
                let key = (owner.clone(), view.clone());
                match ViewState::fold(entries) {
                    Some(state) => drop(self.views.insert(key, state)),
                    None => drop(self.views.remove(&key)),
                }
            }
        }
    }
}

impl RuleState {
    /// Folds the entries about one rule; none if it ended.
    pub fn fold(entries: &[Entry]) -> Option<RuleState> {
        let undone = undone(entries.iter());
        let mut state: Option<RuleState> = None;
        for entry in entries {
            if undone.contains(&entry.sequence) {
                continue;
            }
            match &entry.event {
                Event::RuleMade { query, expires, .. } => {
                    state = Some(RuleState {
                        query: query.clone(),
                        expires: *expires,
                        actor: entry.actor.clone(),
                        at: entry.at,
                        reason: entry.reason.clone(),
                        expired: false,
                    });
                }
                Event::RuleEnded { .. } => state = None,
                Event::RuleExpired { .. } => {
                    if let Some(state) = &mut state {
                        state.expired = true;
                    }
                }
                _ => {}
            }
        }
        state
    }
}

impl ViewState {
    /// Folds the entries about one view; none if it was dropped.
    pub fn fold(entries: &[Entry]) -> Option<ViewState> {
        let undone = undone(entries.iter());
        let mut state = None;
        for entry in entries {
            if undone.contains(&entry.sequence) {
                continue;
            }
            match &entry.event {
                Event::ViewSaved { query, shared, .. } => {
                    state = Some(ViewState {
                        query: query.clone(),
                        shared: *shared,
                    });
                }
                Event::ViewDropped { .. } => state = None,
                _ => {}
            }
        }
        state
    }
}
