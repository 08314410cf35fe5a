//! The kinds of events: what a log is narrowed down by.
//!
//! Invariant: the list has the kind of every event, once, as the stored form has it.

use super::Event;
use std::fmt;
use std::str::FromStr;

/// The longest part of a word that a message repeats, in characters.
const SHOWN: usize = 40;

/// The kind of an event; one of [`EventKind::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventKind(&'static str);

/// A word that is no kind of event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no kind of event; the kinds are {list}", list = EventKind::list())]
pub struct UnknownKind(pub String);

/// Names the kinds once: [`EventKind::ALL`] cannot lack an event, as the compiler checks [`Event::kind`].
macro_rules! kinds {
    ($($event:ident => $name:literal,)*) => {
        impl EventKind {
            /// All of them: what the tracker derives, then what people decide.
            pub const ALL: &[EventKind] = &[$(EventKind($name),)*];
        }

        impl Event {
            /// The stable kind.
            pub const fn kind(&self) -> &'static str {
                match self {
                    $(Event::$event { .. } => $name,)*
                }
            }
        }
    };
}

kinds! {
    RecordAdded => "record-added",
    RecordChanged => "record-changed",
    RecordWithdrawn => "record-withdrawn",
    Matched => "matched",
    Rescored => "rescored",
    Unmatched => "unmatched",
    FindingChanged => "finding-changed",
    FixedEverywhere => "fixed-everywhere",
    RuleExpired => "rule-expired",
    Confirmed => "confirmed",
    Dismissed => "dismissed",
    Reopened => "reopened",
    StateSet => "state-set",
    StateWithdrawn => "state-withdrawn",
    Suggested => "suggested",
    Declined => "declined",
    SuggestionWithdrawn => "suggestion-withdrawn",
    SecondPersonAsked => "second-person-asked",
    PackageAdded => "package-added",
    Commented => "commented",
    Assigned => "assigned",
    Snoozed => "snoozed",
    Undone => "undone",
    RuleMade => "rule-made",
    RuleEnded => "rule-ended",
    FamilySplit => "family-split",
    FamilyMerged => "family-merged",
    ViewSaved => "view-saved",
    ViewDropped => "view-dropped",
}

impl EventKind {
    /// Its name.
    pub const fn name(self) -> &'static str {
        self.0
    }

    /// All names as a message tells them.
    pub fn list() -> String {
        let names: Vec<&str> = EventKind::ALL.iter().map(|kind| kind.0).collect();
        names.join(", ")
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl FromStr for EventKind {
    type Err = UnknownKind;

    fn from_str(word: &str) -> Result<EventKind, UnknownKind> {
        let known = EventKind::ALL.iter().find(|kind| kind.0 == word);
        known
            .copied()
            .ok_or_else(|| UnknownKind(word.chars().take(SHOWN).collect()))
    }
}
