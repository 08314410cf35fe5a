//! What was decided about one match: the log's entries about it, folded.
//!
//! Invariant: an entry that was undone counts as if it had never been written; entries count in the order of the log.

use crate::event::{Entry, Event};
use crate::family::Families;
use crate::state::{DecidedState, Dismissal, MatchState};
use crate::subject::{Place, Subject};
use crate::verdict::Verdict;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use tracker_people::Actor;

/// A decision that holds, and where in the log it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decided<T> {
    /// What was decided.
    pub value: T,
    /// Sequence of the event.
    pub event: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// Why.
    pub reason: Option<String>,
}

/// What a person said of a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MatchVerdict {
    /// It is right.
    Confirmed,
    /// It is not, or does not matter.
    Dismissed(Dismissal),
}

/// What somebody suggested, and nobody answered yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suggestion {
    /// What, by whom, when, why.
    #[serde(flatten)]
    pub suggested: Decided<Verdict>,
    /// Whether they may decide, so that one more of the team is enough.
    pub decides: bool,
}

/// Everything that was decided about a match and holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Decisions {
    /// What was said of the match itself.
    pub verdict: Option<Decided<MatchVerdict>>,
    /// What was said of its findings.
    #[serde(serialize_with = "places")]
    pub places: BTreeMap<Place, Decided<DecidedState>>,
    /// What is suggested and waits for an answer, the oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub suggestions: Vec<Suggestion>,
    /// Who deals with it.
    pub assignee: Option<String>,
    /// Until when it is out of sight.
    pub snoozed_until: Option<Timestamp>,
    /// Whether it was added by hand.
    pub added: bool,
    /// How many comments there are.
    pub comments: u32,
}

/// A map by places as a list, because a place is no key of JSON.
fn places<S: serde::Serializer>(
    map: &BTreeMap<Place, Decided<DecidedState>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct At<'a> {
        place: &'a Place,
        #[serde(flatten)]
        decided: &'a Decided<DecidedState>,
    }
    serializer.collect_seq(map.iter().map(|(place, decided)| At { place, decided }))
}

/// The entries that are undone: an undo that is itself undone undoes nothing.
pub fn undone<'a>(entries: impl DoubleEndedIterator<Item = &'a Entry>) -> BTreeSet<u64> {
    let mut undone = BTreeSet::new();
    // An undo stands behind what it undoes, so the last entries are settled first.
    for entry in entries.rev() {
        if let Event::Undone { event } = entry.event
            && !undone.contains(&entry.sequence)
        {
            undone.insert(event);
        }
    }
    undone
}

/// Of the entries about one vulnerability, those that concern one match: they are about it, undo what is, or are about no
/// match in particular.
pub fn concerning<'a>(entries: &'a [Entry], subject: &Subject) -> impl Iterator<Item = &'a Entry> {
    let mut mine = BTreeSet::new();
    // An undo stands behind what it undoes.
    entries.iter().filter(move |entry| {
        let concerns = match entry.event {
            Event::Undone { event } => mine.contains(&event),
            _ => entry.event.subject().is_none_or(|about| about == subject),
        };
        if concerns {
            mine.insert(entry.sequence);
        }
        concerns
    })
}

impl Decisions {
    /// Folds the entries about one match, in the order of the log.
    pub fn fold(entries: &[Entry]) -> Decisions {
        let undone = undone(entries.iter());
        let mut decisions = Decisions::default();
        for entry in entries {
            if !undone.contains(&entry.sequence) {
                decisions.apply(entry);
            }
        }
        decisions
    }

    /// Folds the entries about each match of one vulnerability, along the families that were merged and split.
    pub fn by_subject(entries: &[Entry], families: &Families) -> BTreeMap<Subject, Decisions> {
        let undone = undone(entries.iter());
        let mut all: BTreeMap<Subject, Decisions> = BTreeMap::new();
        let mut changes = families.changes().iter().peekable();
        for entry in entries {
            while let Some(change) = changes.next_if(|change| change.event < entry.sequence) {
                change.carry(&mut all);
            }
            if let Some(subject) = entry.event.subject()
                && entry.event.is_decision()
                && !undone.contains(&entry.sequence)
            {
                all.entry(subject.clone()).or_default().apply(entry);
            }
        }
        for change in changes {
            change.carry(&mut all);
        }
        all
    }

    /// What holds of members that get a family of their own: the same, and what was said of one attribute goes with it.
    pub(crate) fn split_off(&mut self, members: &[String]) -> Decisions {
        let goes = |place: &Place| {
            let attribute = place.attribute.as_ref();
            attribute.map(|attribute| members.contains(attribute))
        };
        let mut own = self.clone();
        own.places.retain(|place, _| goes(place) != Some(false));
        self.places.retain(|place, _| goes(place) != Some(true));
        own
    }

    /// Takes in what was decided about a family that joins this one with some members.
    pub(crate) fn absorb(&mut self, joining: Decisions, members: &[String]) {
        self.verdict = self.verdict.take().or(joining.verdict);
        self.places.retain(|place, _| {
            let attribute = place.attribute.as_ref();
            attribute.is_none_or(|attribute| !members.contains(attribute))
        });
        let (narrow, wide): (BTreeMap<_, _>, BTreeMap<_, _>) = joining
            .places
            .into_iter()
            .partition(|(place, _)| place.attribute.is_some());
        for (Place { channel, .. }, decided) in wide {
            for member in members {
                let mut own = Place {
                    channel: None,
                    attribute: Some(member.clone()),
                };
                // What was said of the attribute itself came before what was said of all members on a channel.
                if !narrow.contains_key(&own) {
                    own.channel.clone_from(&channel);
                    self.places.insert(own, decided.clone());
                }
            }
        }
        self.places.extend(narrow);
        self.suggestions.extend(joining.suggestions);
        self.suggestions.sort_by_key(|held| held.suggested.event);
        self.assignee = self.assignee.take().or(joining.assignee);
        self.snoozed_until = self.snoozed_until.or(joining.snoozed_until);
        self.added |= joining.added;
        self.comments += joining.comments;
    }

    /// Takes in the next entry, which is not undone.
    pub fn apply(&mut self, entry: &Entry) {
        match &entry.event {
            Event::Suggested {
                verdict, decides, ..
            } => {
                // Of what one person suggests about the same, the last word counts.
                self.suggestions.retain(|held| {
                    held.suggested.actor.name != entry.actor.name
                        || !held.suggested.value.is_about_same(verdict)
                });
                self.suggestions.push(Suggestion {
                    suggested: decided(entry, verdict.clone()),
                    decides: *decides,
                });
            }
            Event::Declined { suggestion, .. } | Event::SuggestionWithdrawn { suggestion, .. } => {
                self.suggestions
                    .retain(|held| held.suggested.event != *suggestion);
            }
            Event::Confirmed { .. } => {
                self.verdict = Some(decided(entry, MatchVerdict::Confirmed));
                self.answer(&Verdict::Confirm);
            }
            Event::Dismissed { why, .. } => {
                self.verdict = Some(decided(entry, MatchVerdict::Dismissed(*why)));
                self.answer(&Verdict::Confirm);
            }
            Event::Reopened { .. } => {
                self.verdict = None;
                self.answer(&Verdict::Confirm);
            }
            Event::StateSet { place, state, .. } => {
                self.answer(&Verdict::State {
                    place: place.clone(),
                    state: *state,
                });
                // What was said of a part before is overruled by what is now said of the whole.
                self.places.retain(|held, _| !within(held, place));
                self.places.insert(place.clone(), decided(entry, *state));
            }
            Event::StateWithdrawn { place, .. } => {
                self.places.retain(|held, _| !within(held, place));
            }
            Event::PackageAdded { .. } => self.added = true,
            Event::Commented { .. } => self.comments += 1,
            Event::Assigned { to, .. } => self.assignee.clone_from(to),
            Event::Snoozed { until, .. } => self.snoozed_until = *until,
            _ => {}
        }
    }

    /// What was suggested about the same as a decision is answered by it.
    fn answer(&mut self, decision: &Verdict) {
        self.suggestions
            .retain(|held| !held.suggested.value.is_about_same(decision));
    }

    /// The names of those who may decide and said this, without an answer so far; a name counts by whatever proof.
    pub fn said_by<'a>(&'a self, verdict: &'a Verdict) -> impl Iterator<Item = &'a str> {
        let said = self.suggestions.iter();
        said.filter(move |held| held.decides && held.suggested.value == *verdict)
            .map(|held| held.suggested.actor.name.as_str())
    }

    /// Where the match stands.
    pub fn state(&self) -> MatchState {
        match self.verdict.as_ref().map(|decided| decided.value) {
            None => MatchState::Proposed,
            Some(MatchVerdict::Confirmed) => MatchState::Confirmed,
            Some(MatchVerdict::Dismissed(_)) => MatchState::Dismissed,
        }
    }

    /// What was decided about a finding: the narrowest place that covers it; of a dismissed match, the dismissal.
    pub fn of(&self, channel: &str, attribute: &str) -> Option<Decided<DecidedState>> {
        if let Some(verdict) = &self.verdict
            && let MatchVerdict::Dismissed(why) = verdict.value
        {
            return Some(Decided {
                value: DecidedState::NotAffected(why.justification()),
                event: verdict.event,
                at: verdict.at,
                actor: verdict.actor.clone(),
                reason: verdict.reason.clone(),
            });
        }
        self.places
            .iter()
            .filter(|(place, _)| place.covers(channel, attribute))
            .max_by_key(|(place, _)| place.narrowness())
            .map(|(_, decided)| decided.clone())
    }

    /// Whether nothing holds that a person decided, so that the match may go when matching finds it no more.
    pub fn is_empty(&self) -> bool {
        *self == Decisions::default()
    }
}

/// Whether every finding of `part` lies in `whole`.
fn within(part: &Place, whole: &Place) -> bool {
    let inside = |part: &Option<String>, whole: &Option<String>| whole.is_none() || part == whole;
    inside(&part.channel, &whole.channel) && inside(&part.attribute, &whole.attribute)
}

fn decided<T>(entry: &Entry, value: T) -> Decided<T> {
    Decided {
        value,
        event: entry.sequence,
        at: entry.at,
        actor: entry.actor.clone(),
        reason: entry.reason.clone(),
    }
}
