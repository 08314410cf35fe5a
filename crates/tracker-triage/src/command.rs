//! What can be asked for, checked against what holds: the events that an act becomes.
//!
//! Invariant: an act that would change nothing becomes no event, so that repeating one is harmless.

use crate::decisions::{Decisions, MatchVerdict, Suggestion, undone};
use crate::event::{Entry, Event};
use crate::state::{DecidedState, Dismissal, MatchState};
use crate::subject::{MAX_NAME, Place, Subject, is_name};
use crate::verdict::Verdict;
use jiff::{SignedDuration, Timestamp};
use tracker_people::{Actor, Agreement, SecondPerson};
use tracker_record::Severity;

/// The longest comment, in bytes.
pub const MAX_COMMENT: usize = 20_000;

/// The longest reason, in bytes.
pub const MAX_REASON: usize = 2_000;

/// The longest time that a match can be out of sight.
pub const LONGEST_SNOOZE: SignedDuration = SignedDuration::from_hours(366 * 24);

/// What to do about a match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Say that it is right.
    Confirm,
    /// Say that it is wrong or does not matter.
    Dismiss(Dismissal),
    /// Take back what was said of it.
    Reopen,
    /// Decide the state of findings.
    SetState {
        /// Which.
        place: Place,
        /// The state.
        state: DecidedState,
    },
    /// Take back a decided state.
    WithdrawState {
        /// Which findings.
        place: Place,
    },
    /// Say something.
    Comment(String),
    /// Hand it to somebody, or to nobody.
    Assign(Option<String>),
    /// Put it out of sight until a time, or back.
    Snooze(Option<Timestamp>),
    /// Add a family that matching did not find.
    AddPackage,
    /// Say how it should be decided, for somebody of the team to agree.
    Suggest(Verdict),
    /// Agree to a suggestion, by the sequence of its event, or to the last.
    Agree(Option<u64>),
    /// Refuse a suggestion, by the sequence of its event, or the last.
    Decline(Option<u64>),
    /// Take back what one last suggested oneself.
    WithdrawSuggestion,
}

/// An act that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// Nothing was said: say something.
    #[error("the comment is empty")]
    EmptyComment,
    /// It is too long: shorten it.
    #[error("the {what} has {bytes} bytes; the limit is {limit}")]
    TooLong {
        /// What.
        what: &'static str,
        /// Its length.
        bytes: usize,
        /// The longest.
        limit: usize,
    },
    /// It cannot be a name: name another.
    #[error(
        "`{name}` is no name: it is empty, longer than {MAX_NAME} bytes, or has control characters"
    )]
    NotAName {
        /// As given.
        name: String,
    },
    /// The time is past or too far away: name another.
    #[error("{until} is not between now and {longest_days} days from now")]
    Time {
        /// As given.
        until: Timestamp,
        /// The furthest.
        longest_days: i64,
    },
    /// There is no such event here: look at the history.
    #[error("event {event} is not in the log")]
    NoEvent {
        /// As given.
        event: u64,
    },
    /// The tracker derived it; it follows the evidence.
    #[error("event {event} was derived, so it cannot be undone; decide otherwise instead")]
    Derived {
        /// As given.
        event: u64,
    },
    /// It is undone already: undo the undo to have it back.
    #[error("event {event} is undone already")]
    Undone {
        /// As given.
        event: u64,
    },
    /// It says who decides, which is not for those whom it binds to take back.
    #[error("event {event} is taken back at the command line alone: `triage second-person`")]
    OperatorsOwn {
        /// As given.
        event: u64,
    },
    /// Nobody suggested anything: decide instead.
    #[error("nothing is suggested")]
    NothingSuggested,
    /// It was answered, or never was one: look at what is suggested.
    #[error("event {event} is no suggestion that waits for an answer")]
    NotSuggested {
        /// As given.
        event: u64,
    },
    /// There is nothing to take back.
    #[error("nothing is decided {place}")]
    NothingDecided {
        /// Which findings.
        place: Place,
    },
}

/// Checks a reason.
///
/// # Errors
/// When it is too long.
pub fn check_reason(reason: Option<&str>) -> Result<(), CommandError> {
    let bytes = reason.map_or(0, str::len);
    if bytes > MAX_REASON {
        return Err(CommandError::TooLong {
            what: "reason",
            bytes,
            limit: MAX_REASON,
        });
    }
    Ok(())
}

/// Checks a time in the future.
///
/// # Errors
/// When it is past, or further away than `longest`.
pub fn check_time(
    until: Timestamp,
    now: Timestamp,
    longest: SignedDuration,
) -> Result<(), CommandError> {
    let away = until.duration_since(now);
    if away <= SignedDuration::ZERO || away > longest {
        return Err(CommandError::Time {
            until,
            longest_days: longest.as_hours() / 24,
        });
    }
    Ok(())
}

impl Action {
    /// Checks what does not depend on the match.
    ///
    /// # Errors
    /// When the act cannot be.
    pub fn check(&self, now: Timestamp) -> Result<(), CommandError> {
        match self {
            Action::Comment(text) if text.trim().is_empty() => Err(CommandError::EmptyComment),
            Action::Comment(text) if text.len() > MAX_COMMENT => Err(CommandError::TooLong {
                what: "comment",
                bytes: text.len(),
                limit: MAX_COMMENT,
            }),
            Action::Assign(Some(name)) if !is_name(name) => {
                Err(CommandError::NotAName { name: name.clone() })
            }
            Action::Snooze(Some(until)) => check_time(*until, now, LONGEST_SNOOZE),
            _ => Ok(()),
        }
    }

    /// The event that it becomes for a match when somebody does it; none if it would change nothing.
    ///
    /// # Errors
    /// When there is nothing to take back, or to answer.
    pub fn event(
        &self,
        subject: &Subject,
        held: &Decisions,
        actor: &Actor,
    ) -> Result<Option<Event>, CommandError> {
        let subject = subject.clone();
        let verdict = held.verdict.as_ref().map(|decided| decided.value);
        Ok(match self {
            Action::Confirm => {
                (verdict != Some(MatchVerdict::Confirmed)).then_some(Event::Confirmed { subject })
            }
            Action::Dismiss(why) => (verdict != Some(MatchVerdict::Dismissed(*why)))
                .then_some(Event::Dismissed { subject, why: *why }),
            Action::Reopen => {
                (held.state() != MatchState::Proposed).then_some(Event::Reopened { subject })
            }
            Action::SetState { place, state } => {
                // A decision that is repeated counts anew where narrower ones were made since.
                let same = held
                    .places
                    .get(place)
                    .is_some_and(|decided| decided.value == *state);
                (!same).then(|| Event::StateSet {
                    subject,
                    place: place.clone(),
                    state: *state,
                })
            }
            Action::WithdrawState { place } => {
                let mut after = held.clone();
                let event = Event::StateWithdrawn {
                    subject,
                    place: place.clone(),
                };
                after.apply(&Entry {
                    sequence: 0,
                    vulnerability: None,
                    at: Timestamp::UNIX_EPOCH,
                    actor: Actor::tracker(),
                    group: None,
                    reason: None,
                    event: event.clone(),
                });
                if after.places == held.places {
                    return Err(CommandError::NothingDecided {
                        place: place.clone(),
                    });
                }
                Some(event)
            }
            Action::Comment(text) => Some(Event::Commented {
                subject,
                text: text.trim().to_owned(),
            }),
            Action::Assign(to) => (held.assignee != *to).then(|| Event::Assigned {
                subject,
                to: to.clone(),
            }),
            Action::Snooze(until) => (held.snoozed_until != *until).then_some(Event::Snoozed {
                subject,
                until: *until,
            }),
            Action::AddPackage => (!held.added).then_some(Event::PackageAdded { subject }),
            Action::Suggest(verdict) => {
                let said = held
                    .suggestions
                    .iter()
                    .any(|held| held.suggested.value == *verdict && !held.decides);
                let holds = verdict.action().event(&subject, held, actor)?.is_none();
                (!said && !holds).then(|| Event::Suggested {
                    subject,
                    verdict: verdict.clone(),
                    decides: false,
                })
            }
            Action::Agree(which) => {
                let verdict = &held.suggestion(*which)?.suggested.value;
                verdict.action().event(&subject, held, actor)?
            }
            Action::Decline(which) => {
                let suggestion = held.suggestion(*which)?.suggested.event;
                Some(Event::Declined {
                    subject,
                    suggestion,
                })
            }
            Action::WithdrawSuggestion => {
                let own = |held: &&Suggestion| held.suggested.actor.name == actor.name;
                let mut suggestions = held.suggestions.iter().rev();
                let own = suggestions
                    .find(own)
                    .ok_or(CommandError::NothingSuggested)?;
                Some(Event::SuggestionWithdrawn {
                    subject,
                    suggestion: own.suggested.event,
                })
            }
        })
    }
}

impl Decisions {
    /// A suggestion that waits, by the sequence of its event, or the last.
    ///
    /// # Errors
    /// When there is none, or no such.
    pub fn suggestion(&self, event: Option<u64>) -> Result<&Suggestion, CommandError> {
        let Some(event) = event else {
            return self
                .suggestions
                .last()
                .ok_or(CommandError::NothingSuggested);
        };
        let mut waiting = self.suggestions.iter();
        waiting
            .find(|held| held.suggested.event == event)
            .ok_or(CommandError::NotSuggested { event })
    }
}

/// What an act of somebody who may decide becomes where decisions may need two people: what it is by one's word alone if
/// that is enough, or if somebody else said the same before; or else a suggestion that one more makes hold. None if they
/// said it before themselves, or if it would change nothing.
///
/// # Errors
/// When the act cannot be.
pub fn reviewed(
    rule: SecondPerson,
    severity: Severity,
    action: &Action,
    subject: &Subject,
    held: &Decisions,
    actor: &Actor,
) -> Result<Option<Event>, CommandError> {
    let alone = action.event(subject, held, actor)?;
    let verdict = match action {
        Action::Agree(which) => Some(held.suggestion(*which)?.suggested.value.clone()),
        other => Verdict::of(other),
    };
    let (Some(_), Some(verdict)) = (&alone, verdict) else {
        return Ok(alone);
    };
    let mut names: Vec<&str> = held.said_by(&verdict).collect();
    let said = names.contains(&actor.name.as_str());
    names.push(&actor.name);
    if rule.agreement(severity, &names) == Agreement::Enough {
        return Ok(alone);
    }
    Ok((!said).then(|| Event::Suggested {
        subject: subject.clone(),
        verdict,
        decides: true,
    }))
}

/// What undoing the undo of a decision becomes where two people have to agree: as any verdict, it holds if that is enough,
/// and there is nothing here to write instead; or else it is a suggestion, or nothing that was not said before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Again {
    /// It holds again.
    Holds,
    /// It is suggested, and waits for one more.
    Waits(Event),
    /// Whoever asks has said so already, and nobody else has.
    Said,
}

/// What becomes of a decision that is to hold again, by what holds of the match without it.
///
/// # Errors
/// When the decision cannot be.
pub fn again(
    rule: SecondPerson,
    severity: Severity,
    decision: &Event,
    subject: &Subject,
    held: &Decisions,
    actor: &Actor,
) -> Result<Again, CommandError> {
    let Some(verdict) = Verdict::held_by(decision) else {
        return Ok(Again::Holds);
    };
    let action = verdict.action();
    if action.event(subject, held, actor)?.is_none() {
        return Ok(Again::Holds);
    }
    let event = reviewed(rule, severity, &action, subject, held, actor)?;
    Ok(match event {
        None => Again::Said,
        Some(event @ Event::Suggested { .. }) => Again::Waits(event),
        Some(_) => Again::Holds,
    })
}

/// From which severity on decisions need two people, by the entries about no vulnerability.
pub fn second_person(entries: &[Entry]) -> SecondPerson {
    let undone = undone(entries.iter());
    let mut rule = SecondPerson::default();
    for entry in entries {
        if let Event::SecondPersonAsked { from } = entry.event
            && !undone.contains(&entry.sequence)
        {
            rule.from = from;
        }
    }
    rule
}

/// Checks that an event of a log can be undone.
///
/// # Errors
/// When it is not there, was derived, or is undone.
pub fn check_undo(entries: &[Entry], event: u64) -> Result<(), CommandError> {
    let found = entries.iter().find(|entry| entry.sequence == event);
    let entry = found.ok_or(CommandError::NoEvent { event })?;
    if !entry.event.is_decision() {
        return Err(CommandError::Derived { event });
    }
    if undone(entries.iter()).contains(&event) {
        return Err(CommandError::Undone { event });
    }
    Ok(())
}
