//! Families as people merge and split them: which family a package is counted to, and which decisions follow it there.
//!
//! Matching gives every package a family of its own accord. A *split* gives some members, named by their attributes, a
//! family of their own; a *merge* counts a whole family, with whatever is found to belong to it later, to another one.
//! The changes that hold are laid over what matching gives in the order of the log, each over the result of those before.
//!
//! The rule for decisions: what was decided about a family before a change keeps holding for the members that were in it.
//! A split's new family begins with everything that was decided about the old one; what was said of one attribute goes
//! with it. A merge adds what was decided about the family that goes: what was said of the match itself holds for both if
//! the other was undecided (two that contradict are refused), what was said of findings stays with the attributes that
//! were its members, and what was said of the whole of the family that stays holds for who joins it.
//! Nothing is written twice for this: decisions are folded along the changes, so that undoing one gives back exactly what
//! was.
//!
//! Invariant: a function of the log; a change is undone only while nothing was decided or changed that rests on it.

use crate::decisions::{Decisions, MatchVerdict, undone};
use crate::event::{Entry, Event};
use crate::subject::{Subject, is_name};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The most members that a change names.
pub const MAX_MEMBERS: usize = 5_000;

/// What a change does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// Members get a family of their own.
    Split,
    /// A family is counted to another one.
    Merge,
}

impl ChangeKind {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            ChangeKind::Split => "split",
            ChangeKind::Merge => "merge",
        }
    }

    /// The kind of a stable name.
    pub fn of(name: &str) -> Option<ChangeKind> {
        [ChangeKind::Split, ChangeKind::Merge]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A merge or a split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FamilyChange {
    /// Sequence of its event.
    pub event: u64,
    /// Which of the two.
    pub kind: ChangeKind,
    /// Distribution.
    pub distribution: String,
    /// The family that members leave: some of them in a split, all in a merge.
    pub family: String,
    /// Those members, by attribute.
    pub members: Vec<String>,
    /// The family that they are counted to.
    pub into: String,
}

impl FamilyChange {
    /// The change that an entry is, if it is one.
    pub fn of(entry: &Entry) -> Option<FamilyChange> {
        let (kind, (distribution, family, members, into)) = match &entry.event {
            Event::FamilySplit {
                distribution,
                family,
                members,
                into,
            } => (ChangeKind::Split, (distribution, family, members, into)),
            Event::FamilyMerged {
                distribution,
                family,
                members,
                into,
            } => (ChangeKind::Merge, (distribution, family, members, into)),
            _ => return None,
        };
        Some(FamilyChange {
            event: entry.sequence,
            kind,
            distribution: distribution.clone(),
            family: family.clone(),
            members: members.clone(),
            into: into.clone(),
        })
    }

    /// The event that it is in the log.
    pub fn to_event(&self) -> Event {
        let (distribution, family) = (self.distribution.clone(), self.family.clone());
        let (members, into) = (self.members.clone(), self.into.clone());
        match self.kind {
            ChangeKind::Split => Event::FamilySplit {
                distribution,
                family,
                members,
                into,
            },
            ChangeKind::Merge => Event::FamilyMerged {
                distribution,
                family,
                members,
                into,
            },
        }
    }

    /// The family that members leave.
    pub fn source(&self) -> Subject {
        Subject::new(self.distribution.as_str(), self.family.as_str())
    }

    /// The family that they are counted to.
    pub fn target(&self) -> Subject {
        Subject::new(self.distribution.as_str(), self.into.as_str())
    }

    /// Whether it is about a family.
    pub fn concerns(&self, distribution: &str, family: &str) -> bool {
        self.distribution == distribution && (self.family == family || self.into == family)
    }

    fn moves(&self, attribute: &str, family: &str) -> bool {
        self.family == family
            && (self.kind == ChangeKind::Merge
                || self.members.iter().any(|member| member == attribute))
    }

    /// Carries decisions along.
    pub(crate) fn carry(&self, all: &mut BTreeMap<Subject, Decisions>) {
        let (source, target) = (self.source(), self.target());
        match self.kind {
            ChangeKind::Split => {
                // What a family of this name was said to be before is no matter of the new one's.
                all.remove(&target);
                if let Some(held) = all.get_mut(&source) {
                    let own = held.split_off(&self.members);
                    all.insert(target, own);
                }
            }
            ChangeKind::Merge => {
                if let Some(held) = all.remove(&source) {
                    let joined = all.entry(target).or_default();
                    joined.absorb(held, &self.members);
                }
            }
        }
    }
}

/// A change that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FamilyError {
    /// It cannot be the name of a family: name another.
    #[error(
        "`{name}` is no name of a family: letters, digits, `.`, `_`, `+` and `-` are, from a letter or digit on"
    )]
    NotAName {
        /// As given.
        name: String,
    },
    /// There is no such family: look at the members of what there is.
    #[error("`{distribution}` has no family `{family}`")]
    NoFamily {
        /// Distribution.
        distribution: String,
        /// As given.
        family: String,
    },
    /// A family of that name has members already: choose another name, or split and merge then.
    #[error("there is a family `{family}` already")]
    Taken {
        /// The name.
        family: String,
    },
    /// A family cannot be merged into itself.
    #[error("`{family}` cannot be merged into itself")]
    Itself {
        /// The family.
        family: String,
    },
    /// Nobody is to be split off: name members.
    #[error("no member is named")]
    NoMember,
    /// It is no member: look at the list of members.
    #[error("`{attribute}` is no member of `{family}`")]
    NotAMember {
        /// As given.
        attribute: String,
        /// The family.
        family: String,
    },
    /// Nobody would stay: a family is not split from nothing.
    #[error("all of `{family}` would be split off, and nobody would stay")]
    Whole {
        /// The family.
        family: String,
    },
    /// It names too many members.
    #[error("the change names {members} members; the limit is {MAX_MEMBERS}")]
    TooMany {
        /// How many.
        members: usize,
    },
    /// Of several members, somebody has to say what they are called together.
    #[error("the new family needs a name")]
    Unnamed,
    /// What was decided about the two speaks against one another: reopen one of them first.
    #[error(
        "decisions contradict each other about {vulnerability}{}: `{family}` is {} by event {event}, `{into}` is {} by event {other_event}",
        more(*others),
        word(*confirmed),
        word(!*confirmed)
    )]
    Contradiction {
        /// The first vulnerability about which they do.
        vulnerability: String,
        /// About how many more.
        others: usize,
        /// The family that would go.
        family: String,
        /// Whether it was confirmed and the other dismissed, or the other way round.
        confirmed: bool,
        /// The event that says so of it.
        event: u64,
        /// The family that would stay.
        into: String,
        /// The event that says so of that.
        other_event: u64,
    },
    /// A later change rests on it: undo that one first.
    #[error("event {event} cannot be undone: event {later} changed these families since")]
    Later {
        /// The event.
        event: u64,
        /// The later change.
        later: u64,
    },
    /// Something was decided that would be lost: undo that first, or merge or split anew.
    #[error(
        "event {event} cannot be undone: event {decision} decided about `{family}` since, in {vulnerability}"
    )]
    Decided {
        /// The event.
        event: u64,
        /// The decision.
        decision: u64,
        /// What it is about.
        family: String,
        /// And in which vulnerability.
        vulnerability: String,
    },
}

fn more(others: usize) -> String {
    match others {
        0 => String::new(),
        1 => " and one more".to_owned(),
        others => format!(" and {others} more"),
    }
}

/// Checks that a text can be the name of a family, which stands in addresses and queries.
///
/// # Errors
/// When it cannot.
pub fn check_name(name: &str) -> Result<(), FamilyError> {
    let inner = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '+' | '-');
    if is_name(name) && name.starts_with(char::is_alphanumeric) && name.chars().all(inner) {
        Ok(())
    } else {
        let name = name.to_owned();
        Err(FamilyError::NotAName { name })
    }
}

/// Checks a split of some of a family's members; gives them in order, and the name of the new family.
///
/// # Errors
/// When it cannot be. Whether the name is taken is for the caller to find out.
pub fn check_split(
    subject: &Subject,
    members: &BTreeSet<String>,
    split: &[String],
    into: Option<&str>,
) -> Result<(Vec<String>, String), FamilyError> {
    let family = || subject.family.clone();
    if members.is_empty() {
        let distribution = subject.distribution.clone();
        let family = family();
        return Err(FamilyError::NoFamily {
            distribution,
            family,
        });
    }
    let chosen: BTreeSet<&String> = split.iter().collect();
    if chosen.len() > MAX_MEMBERS {
        let members = chosen.len();
        return Err(FamilyError::TooMany { members });
    }
    if let Some(absent) = chosen
        .iter()
        .find(|attribute| !members.contains(**attribute))
    {
        return Err(FamilyError::NotAMember {
            attribute: (**absent).clone(),
            family: family(),
        });
    }
    let into = match (into, chosen.first()) {
        (_, None) => return Err(FamilyError::NoMember),
        (Some(name), _) => name.to_owned(),
        (None, Some(only)) if chosen.len() == 1 => (*only).clone(),
        (None, Some(_)) => return Err(FamilyError::Unnamed),
    };
    if chosen.len() == members.len() {
        return Err(FamilyError::Whole { family: family() });
    }
    check_name(&into)?;
    Ok((chosen.into_iter().cloned().collect(), into))
}

/// The contradiction between what was decided about two families, over vulnerabilities by id.
///
/// # Errors
/// When one was confirmed and the other dismissed about the same vulnerability.
pub fn check_merge<'a>(
    source: &Subject,
    target: &Subject,
    decided: impl Iterator<Item = (&'a str, &'a BTreeMap<Subject, Decisions>)>,
) -> Result<(), FamilyError> {
    let mut first: Option<FamilyError> = None;
    for (id, all) in decided {
        let verdict = |subject| {
            all.get(subject)
                .and_then(|held: &Decisions| held.verdict.as_ref())
        };
        let (Some(one), Some(two)) = (verdict(source), verdict(target)) else {
            continue;
        };
        let confirmed = one.value == MatchVerdict::Confirmed;
        if confirmed == (two.value == MatchVerdict::Confirmed) {
            continue;
        }
        match &mut first {
            Some(FamilyError::Contradiction { others, .. }) => *others += 1,
            _ => {
                first = Some(FamilyError::Contradiction {
                    vulnerability: id.to_owned(),
                    others: 0,
                    family: source.family.clone(),
                    confirmed,
                    event: one.event,
                    into: target.family.clone(),
                    other_event: two.event,
                });
            }
        }
    }
    first.map_or(Ok(()), Err)
}

const fn word(confirmed: bool) -> &'static str {
    if confirmed { "confirmed" } else { "dismissed" }
}

/// The changes that hold, in the order of the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Families {
    changes: Vec<FamilyChange>,
}

impl Families {
    /// Folds the entries that concern no vulnerability.
    pub fn fold<'a>(log: impl DoubleEndedIterator<Item = &'a Entry> + Clone) -> Families {
        let undone = undone(log.clone());
        let held = log.filter(|entry| !undone.contains(&entry.sequence));
        Families::of(held.filter_map(FamilyChange::of).collect())
    }

    /// Those of changes that hold.
    pub fn of(mut changes: Vec<FamilyChange>) -> Families {
        changes.sort_by_key(|change| change.event);
        Families { changes }
    }

    /// The changes.
    pub fn changes(&self) -> &[FamilyChange] {
        &self.changes
    }

    /// Whether nothing was changed.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The family that an attribute of a distribution is counted to, by the one that matching gives it.
    pub fn assigned(&self, distribution: &str, attribute: &str, own: &str) -> String {
        let mut family = own;
        for change in &self.changes {
            if change.distribution == distribution && change.moves(attribute, family) {
                family = &change.into;
            }
        }
        family.to_owned()
    }

    /// The families for which it holds now what was decided about one at a position of the log.
    pub fn heirs(&self, of: &Subject, decided: u64) -> BTreeSet<Subject> {
        let mut heirs = BTreeSet::from([of.clone()]);
        for change in self.changes.iter().filter(|change| change.event > decided) {
            let (source, target) = (change.source(), change.target());
            match change.kind {
                ChangeKind::Split => {
                    heirs.remove(&target);
                    if heirs.contains(&source) {
                        heirs.insert(target);
                    }
                }
                ChangeKind::Merge => {
                    if heirs.remove(&source) {
                        heirs.insert(target);
                    }
                }
            }
        }
        heirs
    }

    /// The families that have members now which were a family's own since there is one of its name.
    pub fn successors(&self, of: &Subject) -> BTreeSet<Subject> {
        let made = self
            .changes
            .iter()
            .rev()
            .find(|change| change.kind == ChangeKind::Split && change.target() == *of);
        self.heirs(of, made.map_or(0, |change| change.event))
    }

    /// Checks that a change, or an undo of one, can be undone, as far as other changes are concerned. `event` is the
    /// sequence of what is to be undone.
    ///
    /// # Errors
    /// When a later change that holds is about one of its families.
    pub fn check_undo(&self, change: &FamilyChange, event: u64) -> Result<(), FamilyError> {
        let rests = |later: &&FamilyChange| {
            later.event > change.event
                && (later.concerns(&change.distribution, &change.family)
                    || later.concerns(&change.distribution, &change.into))
        };
        match self.changes.iter().find(rests) {
            Some(later) => Err(FamilyError::Later {
                event,
                later: later.event,
            }),
            None => Ok(()),
        }
    }

    /// The family whose decisions since `event` would be lost by undoing that: of a change that holds, the one that it
    /// made or enlarged; of one that does not, the one that it would take from.
    pub fn at_stake(&self, change: &FamilyChange) -> Subject {
        let holds = self.changes.iter().any(|held| held.event == change.event);
        if holds {
            change.target()
        } else {
            change.source()
        }
    }
}

/// Checks that nothing was decided about a family of one vulnerability since an event that is to be undone.
///
/// # Errors
/// When something was, and holds.
pub fn check_decided(
    event: u64,
    subject: &Subject,
    vulnerability: &str,
    entries: &[Entry],
) -> Result<(), FamilyError> {
    let undone = undone(entries.iter());
    let lost = entries.iter().find(|entry| {
        entry.sequence > event
            && !undone.contains(&entry.sequence)
            && entry.event.is_decision()
            && entry.event.subject() == Some(subject)
    });
    match lost {
        Some(entry) => Err(FamilyError::Decided {
            event,
            decision: entry.sequence,
            family: subject.family.clone(),
            vulnerability: vulnerability.to_owned(),
        }),
        None => Ok(()),
    }
}
