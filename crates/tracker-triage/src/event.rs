//! The log: what happened, who did it, when and why. Everything that is shown of decisions is folded from it.
//!
//! Invariant: an entry's stored form says its version, and what is not understood is an error, never something else.

mod kind;

pub use kind::{EventKind, UnknownKind};

use crate::query::{Field, Kind};
use crate::state::{DecidedState, Dismissal, FindingState};
use crate::subject::{Place, Subject};
use crate::verdict::Verdict;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use tracker_people::Actor;
use tracker_record::Severity;

/// The version of the stored form that is written.
pub const VERSION: u32 = 1;

/// Attributes that a sentence names.
const NAMED: usize = 3;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Event {
    // Derived by the tracker.
    /// A source's record came in.
    RecordAdded {
        /// Source and id of the record.
        record: String,
    },
    /// A source changed its record.
    RecordChanged {
        /// Source and id of the record.
        record: String,
    },
    /// A source took its record back.
    RecordWithdrawn {
        /// Source and id of the record.
        record: String,
    },
    /// Matching found a family.
    Matched {
        /// The match.
        #[serde(flatten)]
        subject: Subject,
        /// Probability in millionths.
        confidence_ppm: u32,
        /// What held of it from the start.
        findings: Vec<Cells>,
    },
    /// Matching is more or less sure of the family than before.
    Rescored {
        /// The match.
        #[serde(flatten)]
        subject: Subject,
        /// Probability before, in millionths.
        from_ppm: u32,
        /// Probability now.
        to_ppm: u32,
    },
    /// Matching finds the family no more.
    Unmatched {
        /// The match.
        #[serde(flatten)]
        subject: Subject,
    },
    /// Findings moved to another state.
    FindingChanged {
        /// The match.
        #[serde(flatten)]
        subject: Subject,
        /// The state before; none where there was no finding.
        from: Option<FindingState>,
        /// Which, and the state after; none where there is no finding any more.
        #[serde(flatten)]
        cells: Cells,
    },
    /// Every supported channel has a fix.
    FixedEverywhere {
        /// The channels.
        channels: Vec<String>,
    },
    /// A rule's time ended: what it hid is shown, and the rule is to be looked at.
    RuleExpired {
        /// The rule.
        rule: u64,
    },

    // Decided by people.
    /// The match is right.
    Confirmed {
        /// The match.
        #[serde(flatten)]
        subject: Subject,
    },
    /// The match is wrong or does not matter.
    Dismissed {
        /// The match.
        #[serde(flatten)]
        subject: Subject,
        /// Why.
        why: Dismissal,
    },
    /// What was said of the match is taken back: it is proposed again.
    Reopened {
        /// The match.
        #[serde(flatten)]
        subject: Subject,
    },
    /// The state of findings is decided.
    StateSet {
        /// The match.
        #[serde(flatten)]
        subject: Subject,
        /// Which findings.
        place: Place,
        /// The state.
        state: DecidedState,
    },
    /// A state that was decided is taken back: evidence counts again.
    StateWithdrawn {
        /// The match.
        #[serde(flatten)]
        subject: Subject,
        /// Which findings.
        place: Place,
    },
    /// Somebody who may not decide alone says how it should be decided.
    Suggested {
        /// The match.
        #[serde(flatten)]
        subject: Subject,
        /// How.
        verdict: Verdict,
        /// Whether they may decide, so that one more of the team is enough.
        decides: bool,
    },
    /// Somebody of the team does not agree to what was suggested.
    Declined {
        /// The match.
        #[serde(flatten)]
        subject: Subject,
        /// Sequence of the suggestion.
        suggestion: u64,
    },
    /// Whoever suggested something takes it back.
    SuggestionWithdrawn {
        /// The match.
        #[serde(flatten)]
        subject: Subject,
        /// Sequence of the suggestion.
        suggestion: u64,
    },
    /// A family that matching did not find.
    PackageAdded {
        /// The match.
        #[serde(flatten)]
        subject: Subject,
    },
    /// Something to say.
    Commented {
        /// The match.
        #[serde(flatten)]
        subject: Subject,
        /// Markdown.
        text: String,
    },
    /// Somebody deals with it, or nobody any more.
    Assigned {
        /// The match.
        #[serde(flatten)]
        subject: Subject,
        /// Who.
        to: Option<String>,
    },
    /// Nobody needs to see it before a time, or from now on again.
    Snoozed {
        /// The match.
        #[serde(flatten)]
        subject: Subject,
        /// Until when.
        until: Option<Timestamp>,
    },
    /// An event counts as if it had not been. An undo can be undone, too.
    Undone {
        /// Sequence of the event.
        event: u64,
    },
    /// A rule hides what its query finds.
    RuleMade {
        /// Number of the rule.
        rule: u64,
        /// The query, as [`crate::Query`] prints it.
        query: String,
        /// When it is to be looked at again.
        expires: Timestamp,
    },
    /// A rule hides nothing any more, and has been looked at.
    RuleEnded {
        /// Number of the rule.
        rule: u64,
    },
    /// From a severity on, decisions need two people; or none do any more.
    SecondPersonAsked {
        /// The least severity.
        from: Option<Severity>,
    },
    /// Members of a family get a family of their own.
    FamilySplit {
        /// Distribution.
        distribution: String,
        /// The family that they leave.
        family: String,
        /// They, by attribute.
        members: Vec<String>,
        /// Their family from now on.
        into: String,
    },
    /// A family is counted to another one.
    FamilyMerged {
        /// Distribution.
        distribution: String,
        /// The family that goes.
        family: String,
        /// Its members at that time, by attribute.
        members: Vec<String>,
        /// The family that stays.
        into: String,
    },
    /// A query was given a name.
    ViewSaved {
        /// The name, unique for its owner.
        view: String,
        /// The query, as [`crate::Query`] prints it.
        query: String,
        /// Whether everybody sees it.
        shared: bool,
    },
    /// A view is gone.
    ViewDropped {
        /// The name.
        view: String,
    },
}

/// Findings of one match on one channel in one state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cells {
    /// The channel.
    pub channel: String,
    /// Their state; none where they are gone.
    pub state: Option<FindingState>,
    /// The attributes.
    pub attributes: Vec<String>,
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Position in the log, from 1.
    pub sequence: u64,
    /// Public id of the vulnerability it is about, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vulnerability: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// Sequence of the first entry of those that were written by one act, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<u64>,
    /// Why, in the actor's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What.
    pub event: Event,
}

/// A stored event that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// A newer program wrote it: use that.
    #[error("event of version {version}; this program knows {VERSION}")]
    Version {
        /// Its version.
        version: u32,
    },
    /// It is damaged.
    #[error("event cannot be read")]
    Form(#[from] serde_json::Error),
}

#[derive(Serialize)]
struct Stored<'a> {
    v: u32,
    event: &'a Event,
}

impl Event {
    /// The stored form.
    pub fn encode(&self) -> String {
        let stored = Stored {
            v: VERSION,
            event: self,
        };
        serde_json::to_string(&stored).expect("an event has a JSON form")
    }

    /// Reads [`Event::encode`] back.
    ///
    /// # Errors
    /// When it is of a newer version, or damaged.
    pub fn decode(text: &str) -> Result<Event, EventError> {
        #[derive(Deserialize)]
        struct Held<'a> {
            v: u32,
            #[serde(borrow)]
            event: &'a serde_json::value::RawValue,
        }
        let held: Held<'_> = serde_json::from_str(text)?;
        if held.v != VERSION {
            return Err(EventError::Version { version: held.v });
        }
        Ok(serde_json::from_str(held.event.get())?)
    }

    /// The match that it is about, where it is about one.
    pub const fn subject(&self) -> Option<&Subject> {
        match self {
            Event::Matched { subject, .. }
            | Event::Rescored { subject, .. }
            | Event::Unmatched { subject }
            | Event::FindingChanged { subject, .. }
            | Event::Confirmed { subject }
            | Event::Dismissed { subject, .. }
            | Event::Reopened { subject }
            | Event::StateSet { subject, .. }
            | Event::StateWithdrawn { subject, .. }
            | Event::Suggested { subject, .. }
            | Event::Declined { subject, .. }
            | Event::SuggestionWithdrawn { subject, .. }
            | Event::PackageAdded { subject }
            | Event::Commented { subject, .. }
            | Event::Assigned { subject, .. }
            | Event::Snoozed { subject, .. } => Some(subject),
            _ => None,
        }
    }

    /// Whether a person decided it, so that it can be undone.
    pub const fn is_decision(&self) -> bool {
        !matches!(
            self,
            Event::RecordAdded { .. }
                | Event::RecordChanged { .. }
                | Event::RecordWithdrawn { .. }
                | Event::Matched { .. }
                | Event::Rescored { .. }
                | Event::Unmatched { .. }
                | Event::FindingChanged { .. }
                | Event::FixedEverywhere { .. }
                | Event::RuleExpired { .. }
        )
    }

    /// The sentence that is shown.
    pub fn sentence(&self) -> String {
        match self {
            Event::RecordAdded { record }
            | Event::RecordChanged { record }
            | Event::RecordWithdrawn { record } => record.clone(),
            Event::Matched {
                subject,
                confidence_ppm,
                ..
            } => {
                let score = f64::from(*confidence_ppm) / 1e6;
                format!("matched to {subject}, score {score:.2}")
            }
            Event::Rescored {
                subject,
                from_ppm,
                to_ppm,
            } => {
                let (from, to) = (f64::from(*from_ppm) / 1e6, f64::from(*to_ppm) / 1e6);
                format!("match to {subject} scores {to:.2}, was {from:.2}")
            }
            Event::Unmatched { subject } => format!("no longer matched to {subject}"),
            Event::FindingChanged { from, cells, .. } => moved(*from, cells),
            Event::FixedEverywhere { channels } => {
                format!("fixed in every supported channel: {}", channels.join(", "))
            }
            Event::RuleExpired { rule } => format!("rule {rule} expired, look at it again"),
            Event::Confirmed { subject } => format!("confirmed for {subject}"),
            Event::Dismissed { subject, why } => {
                format!("dismissed for {subject}: {}", words(why.name()))
            }
            Event::Reopened { subject } => format!("open again for {subject}"),
            Event::StateSet {
                subject,
                place,
                state,
            } => {
                let state = words(&state.name()).replace(':', ": ");
                format!("{subject} {place}: decided {state}")
            }
            Event::StateWithdrawn { subject, place } => {
                format!("{subject} {place}: decision withdrawn")
            }
            Event::Suggested {
                subject,
                verdict,
                decides,
            } => {
                let awaits = if *decides {
                    ", one more has to agree"
                } else {
                    ""
                };
                format!("suggested for {subject}: {verdict}{awaits}")
            }
            Event::Declined { suggestion, .. } => format!("suggestion {suggestion} declined"),
            Event::SuggestionWithdrawn { suggestion, .. } => {
                format!("suggestion {suggestion} withdrawn")
            }
            Event::SecondPersonAsked { from } => second_person(*from),
            Event::PackageAdded { subject } => format!("{subject} added by hand"),
            Event::Commented { text, .. } => text.clone(),
            Event::Assigned {
                subject,
                to: Some(to),
            } => format!("{subject} assigned to {to}"),
            Event::Assigned { subject, to: None } => format!("{subject} assigned to nobody"),
            Event::Snoozed {
                subject,
                until: Some(until),
            } => format!("{subject} snoozed until {until}"),
            Event::Snoozed {
                subject,
                until: None,
            } => format!("{subject} snoozed no more"),
            Event::Undone { event } => format!("event {event} undone"),
            Event::RuleMade {
                rule,
                query,
                expires,
            } => format!("rule {rule} hides `{query}` until {expires}"),
            Event::RuleEnded { rule } => format!("rule {rule} ended"),
            Event::FamilySplit { .. } | Event::FamilyMerged { .. } => self.of_family(),
            Event::ViewSaved {
                view,
                query,
                shared,
            } => {
                let kind = if *shared { "shared view" } else { "view" };
                format!("{kind} `{view}` saved: `{query}`")
            }
            Event::ViewDropped { view } => format!("view `{view}` dropped"),
        }
    }
}

fn second_person(from: Option<Severity>) -> String {
    let Some(from) = from else {
        return "one person's word is enough for every severity".to_owned();
    };
    let from = match Field::Severity.kind() {
        Kind::Ordered(names) => names[from as usize],
        _ => "unknown",
    };
    format!("from severity {from} on, two people have to agree")
}

impl Event {
    /// The sentence of a merge or a split.
    fn of_family(&self) -> String {
        match self {
            Event::FamilySplit {
                distribution,
                family,
                members,
                into,
            } => {
                let members = listed(members);
                format!("{members} split off from {family} in {distribution} as {into}")
            }
            Event::FamilyMerged {
                distribution,
                family,
                members,
                into,
            } => {
                let members = listed(members);
                format!("{family} in {distribution} merged into {into}: {members}")
            }
            _ => String::new(),
        }
    }
}

/// A stable name as words.
fn words(name: &str) -> String {
    name.replace('-', " ")
}

/// `nixos-19.09: fixed, was affected: musl, musl-dev and 3 more`.
fn moved(from: Option<FindingState>, cells: &Cells) -> String {
    let name = |state| match state {
        // What versions fix needs no further word.
        FindingState::FixedByVersion => "fixed".to_owned(),
        other => words(other.name()),
    };
    let mut text = format!("{}: ", cells.channel);
    let change = match (from, cells.state) {
        (Some(was), Some(state)) => format!("{}, was {}", name(state), name(was)),
        (None, Some(state)) => format!("{}, new there", name(state)),
        (Some(was), None) => format!("gone, was {}", name(was)),
        (None, None) => "gone".to_owned(),
    };
    text.push_str(&change);
    let _ = write!(text, ": {}", listed(&cells.attributes));
    text
}

/// `musl, musl-dev, musl-fts and 3 more`.
fn listed(attributes: &[String]) -> String {
    let shown = attributes.len().min(NAMED);
    let mut text = attributes[..shown].join(", ");
    if attributes.len() > shown {
        let _ = write!(text, " and {} more", attributes.len() - shown);
    }
    text
}
